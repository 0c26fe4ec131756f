"""How good the detectors are: faults put into real sessions, found causally by the detectors that ship (docs/detection.md)."""
