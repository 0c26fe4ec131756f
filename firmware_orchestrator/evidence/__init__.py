"""What is known about a new firmware, as e-values. Decided here: how events become evidence; what follows from it is gate.py's.

An e-value is a bet against a statement: if the statement is true, its expected value is at most 1 however often one looks, so
that it ever reaches 20 has a chance of at most 1 in 20 (Ville 1939). One file per bet.
"""
