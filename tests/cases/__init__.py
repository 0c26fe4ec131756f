"""Folders of data: what goes in, and what must come out."""
