"""Simulated charge points that speak real OCPP over real WebSockets, to demonstrate and to test with."""
