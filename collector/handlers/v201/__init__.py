"""Calls of OCPP 2.0.1 charge points."""
