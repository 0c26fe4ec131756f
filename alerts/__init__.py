"""Finds sick connectors, keeps them as cases, and tells on-call through the relay. Rules judge today; statistics are not run yet."""
