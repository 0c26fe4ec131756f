"""SQL and memory of billing: tables, statements, and the fakes that pass the same suites."""
