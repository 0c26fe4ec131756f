"""How real charge points deviate from their protocol: one row per kind, each with its evidence."""
