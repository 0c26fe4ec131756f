"""Finds sick connectors, keeps them as cases, tells on-call through the relay. Rules judge today; statistics do not run yet."""
