"""Finds sick connectors, keeps them as cases with their evidence, and tells on-call once, through the relay."""
