"""SQL and memory of the firmware program: tables, statements, and the fakes that pass the same suites."""
