"""The HTTP API over fakes."""
