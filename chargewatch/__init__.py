"""The roof: command line, HTTP API and the wiring of all programs in one process."""
