"""The garbage collector under load. Decided here: it looks at what is new in short looks, and hardly ever at what stays.

What passes through the platform (frames, facts, rows) has no cycles and goes by reference counting; walking all of it again and
again cost an eighth of the CPU under load (tests/benchmarks/bench_path.py, with and without). Nothing is served during a look: one
at 50,000 new objects took 18 to 30 ms, one at 10,000 takes 8, and what lives on is looked at again two hundred times less often.
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
    gc.set_threshold(10_000, 200, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()  # extension modules look for what they left behind, and would take the frozen for leaks
