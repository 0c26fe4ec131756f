"""Charge points from facts: connections by generation, boots, statuses and history."""

from __future__ import annotations

import pytest

from chargenet import events as e
from chargenet.errors import StoreUnavailable
from chargenet.events import Event, Fact
from chargenet.model.ids import IdToken
from chargenet.model.station import ChargePointState
from chargenet.stores import StationChanges, Stores
from chargenet.testing import MemoryStores
from collector.projections.stations import StationsProjection
from tests.support.facts import at
from tests.support.transactions import status


class Tale:
    """Tells facts of CP1 to a stations projection."""

    def __init__(self) -> None:
        self.stores: Stores = MemoryStores()
        self.projection = StationsProjection(self.stores.stations)
        self.sequence = 0

    async def tell(self, *events: Event, generation: int = 1, protocol: str = "ocpp1.6") -> ChargePointState:
        """One frame; the charge point after it."""
        self.sequence += 1
        fact = Fact(self.sequence, at(self.sequence), "CP1", generation, protocol, "Any", events)
        await self.projection.apply([fact], self.sequence)
        found = await self.stores.stations.charge_point("CP1")
        assert found is not None
        return found.state

    async def history(self, kind: str) -> list[tuple[str, str | None]]:
        """(value, detail) of one kind, newest first."""
        return [(row.value, row.detail) for row in (await self.stores.stations.events(kind=kind)).items]


OPENED = e.ConnectionOpened(remote="10.0.0.1", security_profile=2)
LOST = e.ConnectionClosed(code=1006, reason="", lost=True)


def boot(firmware: str | None, **rest: str | None) -> e.ChargePointBooted:
    """A boot."""
    known: dict[str, str | None] = {"vendor": "Acme", "model": "One", "serial_number": None, **rest}
    return e.ChargePointBooted(firmware_version=firmware, registration="Accepted", **known)


async def test_the_close_of_an_old_connection_does_not_mark_a_newer_one_offline() -> None:
    """Newest socket wins, whatever order the closes come in."""
    tale = Tale()
    assert (await tale.tell(OPENED, generation=1)).connected
    await tale.tell(OPENED, generation=5, protocol="ocpp2.0.1")
    row = await tale.tell(LOST, generation=1)
    assert (row.connected, row.generation, row.protocol, row.security_profile) == (True, 5, "ocpp2.0.1", 2)
    row = await tale.tell(LOST, generation=5)
    assert (row.connected, row.disconnected_at) == (False, at(4))


async def test_a_superseded_connection_leaves_the_charge_point_connected() -> None:
    """Its successor is there already, though its record may come later."""
    tale = Tale()
    await tale.tell(OPENED, generation=1)
    row = await tale.tell(e.ConnectionClosed(code=1000, reason="", lost=False, superseded=True), generation=1)
    assert row.connected
    assert await tale.history("disconnected") == [("superseded", "1000")]


async def test_a_late_record_of_an_older_connection_changes_nothing_now() -> None:
    """Opened records arrive in journal order; a lower generation is history."""
    tale = Tale()
    await tale.tell(OPENED, generation=5)
    await tale.tell(LOST, generation=5)
    assert not (await tale.tell(OPENED, generation=3)).connected


async def test_boots_are_counted_and_a_firmware_change_is_history() -> None:
    """What a later boot leaves out stays known."""
    tale = Tale()
    await tale.tell(boot("1.0", serial_number="S1", reason="PowerUp"))
    row = await tale.tell(boot("1.1", model=None))
    assert (row.boots, row.firmware_version, row.model, row.serial_number) == (2, "1.1", "One", "S1")
    assert (row.boot_reason, row.booted_at) == (None, at(2))
    await tale.tell(boot(None))
    await tale.tell(boot("1.1"))
    assert await tale.history("firmware_changed") == [("1.1", "from 1.0")]
    assert len(await tale.history("boot")) == 4


async def test_a_connector_keeps_when_its_status_changed() -> None:
    """A repeated status moves the clocks of the report, not of the change."""
    tale = Tale()
    await tale.tell(status("Faulted", 1))
    await tale.tell(status("Faulted", 2))
    [row] = (await tale.stores.stations.connectors()).items
    assert (row.status, row.changed_at, row.received_at, row.reported_at, row.sequence) == ("Faulted", at(1), at(2), at(2), 2)


async def test_the_status_of_the_whole_charge_point_is_its_own() -> None:
    """1.6 connector 0 makes no connector row."""
    tale = Tale()
    row = await tale.tell(status("Unavailable", 1, plug=None))
    assert (row.status, row.status_at) == ("Unavailable", at(1))
    assert (await tale.stores.stations.connectors()).items == []


async def test_firmware_status_is_history_and_a_diagnostics_flood_is_one_line() -> None:
    """A report is kept; "Uploading" a thousand times over is one piece of news."""
    tale = Tale()
    await tale.tell(e.FirmwareStatusReported(status="Downloading", request_id=4, signed=True))
    row = await tale.tell(e.FirmwareStatusReported(status="Installed", request_id=4))
    assert (row.firmware_status, row.firmware_status_at) == ("Installed", at(2))
    assert await tale.history("firmware_status") == [("Installed", None), ("Downloading", "signed")]
    for _ in range(3):
        row = await tale.tell(e.DiagnosticsStatusReported(status="Uploading"))
    assert row.diagnostics_status_at == at(5)
    assert await tale.history("diagnostics_status") == [("Uploading", None)]


async def test_any_frame_makes_the_charge_point_known() -> None:
    """First and last seen are our clock's."""
    tale = Tale()
    await tale.tell(e.TokenPresented(id_token=IdToken("A"), token_status="x"))
    row = await tale.tell(LOST, generation=0)
    assert (row.first_seen_at, row.last_seen_at, row.connected) == (at(1), at(2), False)


async def test_after_a_failed_save_the_projection_reads_again() -> None:
    """Memory that is ahead of the store is thrown away: the same facts applied again count once."""
    tale = Tale()
    await tale.tell(boot("1"))
    save, failures = tale.stores.stations.save, [StoreUnavailable("sql", "away")]

    class Flaky:
        def __getattr__(self, name: str) -> object:
            return getattr(tale.stores.stations, name)

        async def save(self, changes: StationChanges, after: int, upto: int) -> None:
            if failures:
                raise failures.pop()
            await save(changes, after, upto)

    projection = StationsProjection(Flaky())  # type: ignore[arg-type]
    second = Fact(2, at(2), "CP1", 1, "ocpp1.6", "Any", (boot("2"),))
    with pytest.raises(StoreUnavailable):
        await projection.apply([second], 2)
    await projection.apply([second], 2)
    found = await tale.stores.stations.charge_point("CP1")
    assert found is not None
    assert found.state.boots == 2
