"""Detectors: facts and histories in, findings out. Pure; they remember nothing about earlier findings."""
