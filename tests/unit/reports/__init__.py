"""Rollups, uptime, utilization, KPIs, import: one function at a time, plain values."""
