"""Finds sick connectors and tells on-call. Nothing is decided here yet; the journal already holds its evidence."""
