"""Our commands as OCPP calls, and call results as outcomes: one action, one file per version."""
