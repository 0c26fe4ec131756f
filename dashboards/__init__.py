"""Grafana boards and Prometheus rules as code. No board is built yet."""
