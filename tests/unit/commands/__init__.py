"""Commands to calls, call results to outcomes."""
