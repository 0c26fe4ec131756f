"""Connections of a killed collector are closed by the next one, and only those."""

from __future__ import annotations

from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.words import RecordKind
from chargenet.testing import FrozenClock, MemoryJournal, MemoryStores
from collector.interpret import interpret
from collector.leftovers import close_leftovers
from collector.projections.stations import StationsProjection
from collector.recorder import Recorder
from tests.support.facts import at


class Nobody:
    """Takes what is published."""

    def publish(self, facts: object, upto: int) -> None:
        """Nothing follows."""


class Untold:
    """Takes what a recorder tells of its work."""

    def __getattr__(self, name: str) -> object:
        return lambda *_, **__: None


async def test_what_was_open_before_the_start_is_recorded_as_lost() -> None:
    """Opened before: lost. Reconnected since: connected, also after that record. Closed before: left alone."""
    stores, journal, clock = MemoryStores(), MemoryJournal(), FrozenClock()
    recorder = Recorder(journal, Nobody(), Untold(), clock.monotonic)  # type: ignore[arg-type]
    projection = StationsProjection(stores.stations)
    opened, closed = e.ConnectionOpened(remote="r"), e.ConnectionClosed(code=1000, reason="", lost=False)
    story = [("GONE", 1, opened), ("BACK", 2, opened), ("CLOSED", 3, opened), ("CLOSED", 3, closed), ("BACK", 5, opened)]
    facts = [
        Fact(number, at(number), name, generation, "ocpp1.6", "", (event,))
        for number, (name, generation, event) in enumerate(story, 1)
    ]
    await projection.apply(facts[:4], 4)
    before_back = await stores.stations.charge_point("BACK")
    assert before_back is not None and before_back.state.connected
    assert await close_leftovers(stores.stations, recorder, clock, 4) == 2
    journal.commit()
    records = journal.read(0)
    assert [(record.charge_point_id, record.generation, record.kind) for record in records] == [
        ("BACK", 2, RecordKind.DISCONNECTED),
        ("GONE", 1, RecordKind.DISCONNECTED),
    ]
    late = [interpret(record) for record in records]
    renumbered = [Fact(6 + n, at(6), f.charge_point_id, f.generation, f.protocol, "", f.events) for n, f in enumerate(late)]
    await projection.apply([facts[4], *renumbered], 7)
    connected = [row.charge_point_id for row in (await stores.stations.charge_points(connected=True)).items]
    assert connected == ["BACK"]
    assert await close_leftovers(stores.stations, recorder, clock, 4) == 0
