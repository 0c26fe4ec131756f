"""The words of a charging network as plain, immutable values. Nothing here does I/O or reads a clock."""
