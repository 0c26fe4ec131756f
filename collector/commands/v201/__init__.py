"""Commands in OCPP 2.0.1."""
