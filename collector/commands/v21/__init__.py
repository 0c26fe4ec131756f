"""Commands in OCPP 2.1, where they differ from 2.0.1."""
