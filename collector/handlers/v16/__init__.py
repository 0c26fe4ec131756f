"""Calls of OCPP 1.6 charge points."""
