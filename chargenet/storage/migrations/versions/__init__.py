"""One file per schema change, oldest first. Never edit one that was released: add another."""
