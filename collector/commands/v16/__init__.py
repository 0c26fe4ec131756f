"""Commands in OCPP 1.6."""
