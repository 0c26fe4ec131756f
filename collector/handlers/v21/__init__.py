"""Calls of OCPP 2.1 charge points, where they differ from 2.0.1."""
