"""PostgreSQL connections that do not wait without end. Decided here: how long a silent server is waited for, on our side.

The statement timeout of the server covers what is slow. A server that is stopped, swapped out or cut off says nothing at all, and
its kernel may still acknowledge every packet: a thread waiting for it would hold up the stores, and the program, for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import psycopg

_STEP_S = 0.1
"""How often psycopg wakes up to hand over "nothing yet"."""


class Patience:
    """Shared by all connections of an engine. `end()` makes whoever waits give up at once; called from another thread."""

    def __init__(self, silence_s: float) -> None:
        self.silence_s = silence_s
        self.ended = False

    def end(self) -> None:
        """Nobody wants the answers any more."""
        self.ended = True

    def limit(self, waiting: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """`waiting`, until it has heard nothing for `silence_s`. Raises OperationalError then."""
        silent = 0
        try:
            wanted = next(waiting)
            while True:
                ready = yield wanted
                silent = 0 if ready else silent + 1
                if silent and (self.ended or silent * _STEP_S > self.silence_s):
                    raise psycopg.OperationalError(f"the server said nothing for {silent * _STEP_S:.1f} s")
                wanted = waiting.send(ready)
        except StopIteration as done:
            return done.value


def connector(patience: Patience) -> Callable[..., psycopg.Connection[Any]]:
    """How to connect: as `psycopg.connect`."""

    class Patient(psycopg.Connection[Any]):
        """Closes itself when patience ends: its state is unknown, and nothing more can be asked of it."""

        def wait(self, gen: Any, interval: float = _STEP_S, *arguments: Any, **options: Any) -> Any:
            try:
                return super().wait(patience.limit(gen), interval, *arguments, **options)
            except psycopg.OperationalError:
                if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                    self.close()
                raise

    return Patient.connect
