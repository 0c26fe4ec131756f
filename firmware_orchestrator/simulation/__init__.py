"""The gate on fleets that do not exist. Decided here: what is tried; the judge is the gate that ships, with its exposure fold."""
