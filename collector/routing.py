"""Which actions a charge point may call, per OCPP version: a literal table from action to route."""
