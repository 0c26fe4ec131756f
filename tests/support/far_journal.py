"""A journal that is kept in one place and read in another, as a program in a process of its own does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from chargenet.model.record import Record
from chargenet.testing import MemoryJournal, MemoryTelemetry
from chargewatch.apart import journal as far_journal
from chargewatch.apart.beats import Beats
from chargewatch.apart.door import CollectorDoor, door
from chargewatch.apart.joints import Inner
from chargewatch.apart.journal import FarJournal
from chargewatch.apart.line import Line
from collector.feed import JournalFeed
from collector.interpret import interpret
from tests.support.api import ScriptedGateway
from tests.support.doors import TOKEN, in_a_thread


class ThroughADoor:
    """Writes into `kept`; reads, and moves cursors, through the door."""

    def __init__(self, kept: MemoryJournal, line: Line) -> None:
        self._kept, self._line, self._far = kept, line, FarJournal(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept, name)

    def read(self, after: int, limit: int = 1000) -> list[Record]:
        return self._far.read(after, limit)

    def read_charge_point(self, charge_point_id: str, **bounds: Any) -> list[Record]:
        return self._far.read_charge_point(charge_point_id, **bounds)

    def cursor(self, name: str) -> int:
        return self._far.cursor(name)

    def set_cursor(self, name: str, sequence: int) -> None:
        self._far.set_cursor(name, sequence)
        assert self._far.cursor(name) == sequence, "known here before it is told"
        moved, self._far.moved = self._far.moved, {}
        self._line.ask_now("/cursors", type(None), body=moved)


@pytest.fixture
def through_a_door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[MemoryJournal], ThroughADoor]]:
    """Makes one; its answers hold few records, so that long stretches take several."""
    monkeypatch.setattr(far_journal, "MAX_RECORDS", 64)
    with ExitStack() as stack:

        def made(kept: MemoryJournal) -> ThroughADoor:
            offered = CollectorDoor(kept, JournalFeed(kept, interpret), ScriptedGateway(), MemoryTelemetry(), Beats(), lambda: 0)
            url = stack.enter_context(in_a_thread(Inner(door(offered.routes, TOKEN), None)))
            line = Line("collector", url, TOKEN, 5.0)
            stack.callback(line._sync.close)
            return ThroughADoor(kept, line)

        yield made
