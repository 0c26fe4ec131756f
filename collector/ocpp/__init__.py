"""OCPP-J without I/O: text to frames and back, call ids, one call in flight, schemas, error codes."""
