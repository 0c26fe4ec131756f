"""The collector's journal as a program apart sees it: for reading, and for its cursors. Decided here: what is asked when.

The bounds are those that the collector last said (`saw`); records are asked for when they are wanted; a cursor that moves is told
with the next round of the follower, since it only holds retention back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from chargenet.errors import JournalUnavailable, StoreUnavailable
from chargenet.model.record import NO_DECISION, Decision, Record
from chargenet.model.words import RecordKind
from chargewatch.apart.line import Line
from chargewatch.apart.wire import MAX_RECORDS, Records

_NOT_OURS = "it is the collector's to write"
RETRY_S = 2.0


class FarJournal:
    """Implements `chargenet.ports.Journal` for reading."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._first, self._durable = 1, 0
        self.moved: dict[str, int] = {}
        """Cursors that the collector has not been told of."""

    def saw(self, first: int, durable: int) -> None:
        """What the collector said last."""
        self._first, self._durable = first, durable

    def append(
        self,
        *,
        received_at_us: int,
        charge_point_id: str,
        generation: int,
        protocol: str,
        kind: RecordKind,
        frame: bytes,
        reply: bytes = b"",
        decision: Decision = NO_DECISION,
    ) -> int:
        raise JournalUnavailable(_NOT_OURS)

    def on_durable(self, listener: Callable[[int], None]) -> None:
        """Never called: the follower publishes what became durable."""

    def on_failure(self, listener: Callable[[Exception], None]) -> None:
        """Never called: this process writes nothing."""

    @property
    def durable_sequence(self) -> int:
        return self._durable

    @property
    def first_sequence(self) -> int:
        return self._first

    @property
    def last_transaction_id(self) -> int:
        return 0

    @property
    def pending(self) -> int:
        return 0

    @property
    def healthy(self) -> bool:
        return False

    def read(self, after: int, limit: int = 1000) -> list[Record]:
        """Raises StoreUnavailable while the collector does not answer."""
        found: list[Record] = []
        while len(found) < limit:
            wanted = min(limit - len(found), MAX_RECORDS)
            part = self._line.ask_now("/records", Records, query={"after": after, "limit": wanted})
            found += part
            if not part:
                break
            after = part[-1].sequence
        return found

    def read_charge_point(
        self, charge_point_id: str, *, since_us: int = 0, before: int | None = None, limit: int = 100
    ) -> list[Record]:
        """Raises StoreUnavailable while the collector does not answer."""
        found: list[Record] = []
        while len(found) < limit:
            wanted = min(limit - len(found), MAX_RECORDS)
            query: dict[str, str | int] = {"charge_point": charge_point_id, "since_us": since_us, "limit": wanted}
            part = self._line.ask_now("/records/of", Records, query=query if before is None else {**query, "before": before})
            found += part
            if not part:
                break
            before = part[-1].sequence
        return found

    def damage(self) -> list[str]:
        """The collector's to report."""
        return []

    def cursor(self, name: str) -> int:
        """Raises StoreUnavailable while the collector does not answer."""
        return (
            self.moved[name] if name in self.moved else self._line.ask_now("/cursors", dict[str, int], query={"name": name})[name]
        )

    def set_cursor(self, name: str, sequence: int) -> None:
        self.moved[name] = sequence

    def drop_cursor(self, name: str) -> None:
        """Not from afar: a cursor that is in nobody's way stays."""

    def close(self) -> None:
        """The line is closed by whoever opened it."""


class PatientJournal(FarJournal):
    """The same for consumers that wait for facts: a collector that does not answer is waited for, in their thread."""

    def __init__(self, line: Line, closing: threading.Event) -> None:
        super().__init__(line)
        self._closing = closing

    def read(self, after: int, limit: int = 1000) -> list[Record]:
        """Raises StoreUnavailable only when this process ends."""
        while True:
            try:
                return super().read(after, limit)
            except StoreUnavailable:
                if self._closing.wait(RETRY_S):
                    raise
