"""The garbage collector under load. Decided here: it looks rarely, and never again at what stays for good.

What passes through the platform (frames, facts, rows) has no cycles and goes by reference counting; walking all of it again and
again cost an eighth of the CPU under load (tests/benchmarks/bench_path.py, with and without).
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def few_collections() -> Iterator[None]:
    """For the length of a program's main work."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()  # extension modules look for what they left behind, and would take the frozen for leaks
