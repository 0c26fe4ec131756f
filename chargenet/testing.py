"""Public fakes and builders. They ship with the product and pass the contract suites of the ports they stand for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chargenet.journal.memory import MemoryJournal as MemoryJournal
from chargenet.model.record import microseconds
from chargenet.storage.memory import MemoryTelemetry as MemoryTelemetry
from chargenet.storage.stores_memory_primary import MemoryStores as MemoryStores


class FrozenClock:
    """A clock that moves only when told to."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def now_us(self) -> int:
        return microseconds(self._now)

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, to: datetime) -> None:
        """Set the wall clock, as NTP does; the monotonic one goes on."""
        self._now = to
