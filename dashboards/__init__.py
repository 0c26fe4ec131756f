"""Grafana boards and Prometheus rules as code: built, linted, executed and drawn without a Grafana."""
