"""What all SQL stores promise of read models: positions, rows, pages and filters; fake, SQLite and a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from chargenet import events as e
from chargenet.errors import StoreUnavailable
from chargenet.events import Event, Fact
from chargenet.model.ids import ConnectorRef
from chargenet.model.station import ChargePointRegistration, ChargePointState, Site
from chargenet.model.transaction import Transaction, TransactionFlag
from chargenet.stores import StationChanges, Stores, TransactionChanges
from collector.projections.stations import StationsProjection
from tests.contract.test_sql import all_pages
from tests.support.facts import DAY, at
from tests.support.postgres import postgres
from tests.support.stores import stores
from tests.support.transactions import NEVER, Story, reading, started, status, stopped, updated

__all__ = ["postgres", "stores"]


def said(sequence: int, *events: Event, charge_point: str = "CP1", generation: int = 1) -> Fact:
    """Events of one frame."""
    return Fact(sequence, at(sequence), charge_point, generation, "ocpp1.6", "Any", events)


def boot(firmware: str, **rest: str) -> e.ChargePointBooted:
    """A boot with a firmware version."""
    known = {"vendor": "Acme", "model": "One", "serial_number": "S1", "reason": None, **rest}
    return e.ChargePointBooted(firmware_version=firmware, registration="Accepted", **known)


async def test_a_model_moves_with_its_position_or_not_at_all(stores: Stores) -> None:
    """A save from a position that is not the present one changes nothing: a write that seemed lost cannot be applied twice."""
    row = ChargePointState(charge_point_id="CP1", vendor="first", sequence=4)
    await stores.stations.save(StationChanges(charge_points=[row]), after=0, upto=5)
    late = msgspec.structs.replace(row, vendor="late")
    with pytest.raises(StoreUnavailable, match="is at 5, not at 0"):
        await stores.stations.save(StationChanges(charge_points=[late]), after=0, upto=6)
    assert await stores.stations.position() == 5
    found = await stores.stations.charge_point("CP1")
    assert found is not None
    assert found.state == row
    assert await stores.transactions.position() == 0, "positions are each model's own"


async def test_a_saved_row_replaces_every_field_of_the_one_before(stores: Stores) -> None:
    """Whatever is not part of the key may change."""
    empty = ChargePointState(charge_point_id="CP1", sequence=1)
    full = ChargePointState(
        charge_point_id="CP1", vendor="v", model="m", serial_number="s", firmware_version="f", iccid="i", imsi="j", meter_type="t",
        meter_serial_number="n", booted_at=at(1), boot_reason="r", boots=1, connected=True, generation=2, connected_at=at(2),
        disconnected_at=at(3), remote="o", security_profile=3, protocol="ocpp2.1", status="Available", status_at=at(4),
        error_code="e", firmware_status="x", firmware_status_at=at(5), diagnostics_status="y", diagnostics_status_at=at(6),
        first_seen_at=at(7), last_seen_at=at(8), sequence=9,
    )  # fmt: skip
    for number, row in enumerate((empty, full, empty)):
        await stores.stations.save(StationChanges(charge_points=[row]), after=number, upto=number + 1)
        found = await stores.stations.charge_point("CP1")
        assert found is not None
        assert found.state == row


async def test_only_the_fields_that_changed_need_be_written(stores: Stores) -> None:
    """Rows that are stored keep their other fields; those that are not named as stored are written whole."""
    rows = [ChargePointState(charge_point_id=name, vendor="v", firmware_version="1", sequence=1) for name in ("CP1", "CP2", "CP3")]
    await stores.stations.save(StationChanges(charge_points=rows[:2]), after=0, upto=1)
    replace = msgspec.structs.replace
    one = replace(rows[0], last_seen_at=at(1), sequence=2)
    two = replace(rows[1], last_seen_at=at(2), vendor="w\x00", sequence=2)
    changed = {"CP1": ("last_seen_at", "sequence"), "CP2": ("last_seen_at", "sequence", "vendor")}
    await stores.stations.save(StationChanges(charge_points=[two, rows[2], one], changed=changed), after=1, upto=2)
    found = [each.state for each in (await stores.stations.charge_points()).items]
    assert found == [one, replace(two, vendor="w\ufffd"), rows[2]]


async def test_every_field_of_a_transaction_comes_back(stores: Stores) -> None:
    """Instants to the microsecond, 64-bit numbers cut, flags as a tuple, an instant of 1970 as it is."""
    row = Transaction(
        charge_point_id="CP1", transaction_id="ü|x", protocol="ocpp2.1", state="estimated", connector="2.3", id_token="A%",
        id_token_kind="eMAID", token_status="Accepted", stop_id_token="B", started_at=NEVER, start_received_at=at(0.000001),
        stopped_at=at(2), stop_received_at=at(3), began_at=at(4), ended_at=at(5), clock="ours", start_register_wh=-5,
        stop_register_wh=2**62, last_register_wh=7, last_register_at=at(6), readings=1, readings_after_stop=2,
        after_stop_register_wh=3, stop_reason="Other", charging_state="Charging", reservation_id=1, remote_start_id=2,
        charging_profile_id=3, offline=True, seq_nos="0-3,9", repeats=4, flags=("a", "b"), first_sequence=1, last_sequence=2,
        start_sequence=3, stop_sequence=4, evidence_sequence=5, evidence="available",
    )  # fmt: skip
    await stores.transactions.save(TransactionChanges(transactions=[row]), after=0, upto=9)
    assert await stores.transactions.transaction("CP1", "ü|x") == row
    assert (await stores.transactions.transactions()).items == [row]
    assert await stores.transactions.transaction("CP1", "other") is None
    huge = msgspec.structs.replace(row, reservation_id=10**30)
    await stores.transactions.save(TransactionChanges(transactions=[huge]), after=9, upto=10)
    found = await stores.transactions.transaction("CP1", "ü|x")
    assert found is not None
    assert found.reservation_id == 2**63 - 1


async def test_a_reset_model_is_empty_and_primary_data_stay(stores: Stores) -> None:
    """A rebuild starts from nothing; floors, registrations and sites are not derived."""
    story = Story(stores=stores)
    await story.tell(started("5", 0), received=0)
    await story.tell(stopped(None, 10, 1, token="ZZ"), received=10)
    await StationsProjection(stores.stations).apply([said(1, boot("1")), said(2, status("Available", 2))], 2)
    await stores.registrations.put(ChargePointRegistration(charge_point_id="CP1", registration="Accepted"))
    await story.projection.reset()
    await stores.stations.reset()
    assert (await stores.transactions.position(), await stores.stations.position()) == (0, 0)
    assert (await story.all(), await story.quarantine(), await story.changes("5")) == ([], [], [])
    assert (await stores.stations.connectors()).items == []
    [row] = (await stores.stations.charge_points()).items
    assert (row.registration, row.state) == ("Accepted", ChargePointState(charge_point_id="CP1"))
    assert await stores.floors.get("transaction_id") == 5
    await stores.stations.save(StationChanges(), after=0, upto=3)


async def test_transactions_are_listed_newest_first_and_filtered(stores: Stores) -> None:
    """By charge point, site, connector, state, flag, token and time; pages never miss or repeat a row."""
    story = Story(stores=stores)
    await stores.sites.put(Site(site_id="depot", name="Depot"))
    await stores.registrations.put(ChargePointRegistration(charge_point_id="CP2", registration="Accepted", site_id="depot"))
    for number in range(7):
        charge_point = f"CP{number % 3}"
        plug, token = number + 1, f"T{number}"
        await story.tell(started(str(number), number * 60, plug=plug, token=token), received=number * 60, charge_point=charge_point)
    await story.tell(stopped("4", 250, 5), received=600, charge_point="CP1")
    listing = stores.transactions.transactions
    assert [row.transaction_id for row in await all_pages(listing, 2)] == ["6", "5", "4", "3", "2", "1", "0"]
    assert [row.transaction_id for row in await all_pages(listing, 1, charge_point_id="CP1")] == ["4", "1"]
    assert [row.transaction_id for row in await all_pages(listing, 1, site_id="depot")] == ["5", "2"]
    assert [row.transaction_id for row in await all_pages(listing, 9, connector="3")] == ["2"]
    assert [row.transaction_id for row in await all_pages(listing, 9, state="stopped")] == ["4"]
    assert [row.transaction_id for row in await all_pages(listing, 9, flag=TransactionFlag.REGISTER_BACKWARDS)] == ["4"]
    assert [row.transaction_id for row in await all_pages(listing, 9, flag="register")] == []
    assert [row.transaction_id for row in await all_pages(listing, 9, id_token="t5")] == ["5"]
    assert [row.transaction_id for row in await all_pages(listing, 9, since=at(120), until=at(240))] == ["3", "2"]


async def test_loading_gives_the_fold_what_it_needs(stores: Stores) -> None:
    """All open ones, the newest few, their aliases and the newest quarantined stops, of the charge points asked for."""
    story = Story(stores=stores)
    await story.tell(started("1", 0, plug=1), received=0)
    await story.tell(started("2", 0, plug=1), received=1)
    for number in range(3, 9):
        await story.tell(started(str(number), number * 10, plug=2), received=number * 10)
    await story.tell(started("9", 0), received=100, charge_point="CP2")
    for number in range(3):
        await story.tell(stopped(None, 200 + number, 0, token="??"), received=200 + number)
    loaded = await stores.transactions.load(["CP1"], 2, 2)
    assert [row.transaction_id for row in loaded.transactions] == ["1", "7", "8"]
    assert [(alias.alias_id, alias.transaction_id) for alias in loaded.aliases] == [("2", "1")]
    assert [stop.reported_at for stop in loaded.stops] == [at(201), at(202)]
    found = await stores.transactions.find_many([("CP1", "2"), ("CP1", "3"), ("CP1", "9"), ("CP2", "9")])
    assert [(row.charge_point_id, row.transaction_id) for row in found.transactions] == [("CP1", "1"), ("CP1", "3"), ("CP2", "9")]
    assert [row.transaction_id for row in await stores.transactions.recent(1)] == ["1", "8", "9"]


async def test_changes_and_quarantine_come_in_pages(stores: Stores) -> None:
    """Changes in journal order, quarantine newest first, resolved ones told apart."""
    story = Story("ocpp2.0.1", stores)
    await story.tell(started("t", 0, seq_no=0), received=0)
    for number in range(5):
        await story.tell(updated("t", number, number + 1), reading("t", number, number), received=number)
    pages = await all_pages(lambda **paging: stores.transactions.changes("CP1", "t", **paging), 2)
    assert [change.sequence for change in pages] == [1, 2, 3, 4, 5, 6]
    old = Story(stores=stores)
    old.sequence = story.sequence
    await old.tell(stopped(None, 500, 5000, token="AA"), received=900, charge_point="CP5")
    await old.tell(stopped(None, 501, 5000, token="BB"), received=901, charge_point="CP5")
    await old.tell(started("7", 100, 1000, token="AA"), received=910, charge_point="CP5")
    assert [row.sequence for row in await all_pages(stores.transactions.quarantine, 1)] == [8, 7]
    assert [row.resolved_by for row in await all_pages(stores.transactions.quarantine, 9, resolved=True)] == ["7"]
    assert [row.id_token for row in await all_pages(stores.transactions.quarantine, 9, resolved=False, charge_point_id="CP5")] == [
        "BB"
    ]


async def test_a_charge_point_is_what_it_said_and_what_was_decided(stores: Stores) -> None:
    """Known by either; filters work on both; the password is only told to exist."""
    await stores.sites.put(Site(site_id="depot", name="Depot"))
    await stores.registrations.put(ChargePointRegistration(charge_point_id="CP0", registration="Pending", password_hash="x"))
    await stores.registrations.put(ChargePointRegistration(charge_point_id="CP1", registration="Accepted", site_id="depot"))
    opened = e.ConnectionOpened(remote="10.0.0.1", security_profile=1)
    projection = StationsProjection(stores.stations)
    await projection.apply([said(1, opened), said(2, boot("1.0")), said(3, boot("9", model="Two"), charge_point="CP2")], 3)
    listing = stores.stations.charge_points
    rows = await all_pages(listing, 1)
    assert [(row.charge_point_id, row.registration, row.has_password) for row in rows] == [
        ("CP0", "Pending", True),
        ("CP1", "Accepted", False),
        ("CP2", None, False),
    ]
    assert (rows[1].state.vendor, rows[1].state.connected, rows[1].state.remote) == ("Acme", True, "10.0.0.1")
    assert [row.charge_point_id for row in await all_pages(listing, 9, site_id="depot")] == ["CP1"]
    assert [row.charge_point_id for row in await all_pages(listing, 9, connected=False)] == ["CP0", "CP2"]
    assert [row.charge_point_id for row in await all_pages(listing, 9, registration="Pending")] == ["CP0"]
    assert [row.charge_point_id for row in await all_pages(listing, 9, search="tWo")] == ["CP2"]
    assert [row.charge_point_id for row in await all_pages(listing, 9, search="p_")] == []
    assert await stores.stations.charge_point("CP9") is None


async def test_connectors_are_listed_in_the_order_of_their_numbers(stores: Stores) -> None:
    """10 comes after 9, and 1.2 after 1; site and status filter."""
    reports = [status("Available", 1, plug=plug) for plug in (10, 9, 1)]
    second = e.StatusReported(connector=ConnectorRef(1, 2), status="Faulted", raw_status="Faulted", error_code="GroundFailure")
    await StationsProjection(stores.stations).apply([said(1, *reports, second)], 1)
    rows = await all_pages(stores.stations.connectors, 1)
    assert [row.connector for row in rows] == ["1", "1.2", "9", "10"]
    assert [row.error_code for row in await all_pages(stores.stations.connectors, 9, status="Faulted")] == ["GroundFailure"]
    assert await all_pages(stores.stations.connectors, 9, site_id="depot") == []
    assert len(await all_pages(stores.stations.connectors, 9, charge_point_id="CP1")) == 4


async def test_history_and_uploads_are_listed_newest_first(stores: Stores) -> None:
    """With the charge point's own clock where it gave one."""
    security = e.SecurityEventReported(type="TamperDetectionActivated", occurred_at=DAY, info="lid")
    upload = e.DiagnosticsUploaded(file_id="f1", name="log.zip", size_bytes=2**40, sha256="ab", request_id=3)
    await StationsProjection(stores.stations).apply([said(1, boot("1")), said(2, security), said(3, upload), said(4, boot("2"))], 4)
    rows = await all_pages(stores.stations.events, 1)
    assert [(row.kind, row.value) for row in rows] == [
        ("firmware_changed", "2"),
        ("boot", "unknown"),
        ("security", "TamperDetectionActivated"),
        ("boot", "unknown"),
    ]
    assert (rows[2].occurred_at, rows[2].detail) == (DAY, "lid")
    assert len(await all_pages(stores.stations.events, 9, kind="boot", since=at(2))) == 1
    assert await all_pages(stores.stations.events, 9, charge_point_id="CP9") == []
    [row] = await all_pages(stores.stations.uploads, 1)
    assert (row.size_bytes, row.received_at, row.sequence) == (2**40, DAY + timedelta(seconds=3), 3)
    assert await stores.stations.upload("f1") == row
    assert await stores.stations.upload("f2") is None
