"""Adapters of the stores: telemetry (embedded, InfluxDB) and SQL (SQLite, PostgreSQL)."""
