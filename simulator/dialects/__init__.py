"""Reports in the words of a protocol, by the PyPI `ocpp` package's call classes."""
