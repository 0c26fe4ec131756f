"""Handlers of OCPP 2.0.1 and 2.1: plain values in, replies and events out."""
