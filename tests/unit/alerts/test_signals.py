"""Signals: each record counts once, memory is bounded, and a stored state is taken up as it was."""

from __future__ import annotations

import pytest

from alerts.signals import NetworkSignals, SignalsOutdated
from alerts.signals.marks import KEPT
from alerts.signals.point import MAX_COMMANDS, MAX_CONNECTORS, MAX_TRANSACTIONS
from chargenet import events as e
from tests.support.facts import at
from tests.support.tale import LOST, OPENED, Tale, answered, began, boot, ended, read, refused, said, sent


def busy() -> Tale:
    """A charge point about which something of every sort is known."""
    tale = Tale()
    tale.tell(0, OPENED, boot("1.0"))
    tale.tell(1, said("Faulted", code="GroundFailure"), said("Charging", 2))
    tale.tell(2, began("7", 2, 100), refused("A"))
    tale.tell(300, read(1000, 7000, connector=2, transaction_id="7", seconds=300))
    tale.tell(400, sent("UpdateFirmware", location="x"), sent("Reset", "m2", type="Soft"))
    tale.tell(401, answered("UpdateFirmware"), e.FirmwareStatusReported(status="Downloading"))
    tale.tell(402, sent("ChangeAvailability", "m3", connectorId=1, type="Inoperative"), answered("ChangeAvailability", "m3"))
    tale.tell(403, e.SecurityEventReported(type="TamperDetectionActivated"))
    tale.tell(404, e.DeviceEventReported(component="RCD", variable="Tripped", actual_value="true", trigger="Alerting"))
    tale.tell(600, read(50, 7000, connector=2, transaction_id="7", seconds=600))
    tale.tell(700, LOST)
    return tale


def test_a_snapshot_is_taken_up_as_it_was() -> None:
    """Equal to what was stored, and it goes on alike."""
    tale, other = busy(), NetworkSignals()
    other.restore(tale.signals.snapshot("CP1"))
    assert other.points == tale.signals.points
    tale.tell(900, said("Available"), OPENED, generation=9)
    other.apply(tale.facts[-1])
    assert other.points == tale.signals.points


def test_old_and_repeated_records_change_nothing() -> None:
    """Whatever is applied again."""
    tale = busy()
    before = tale.signals.snapshot("CP1")
    tale.signals.take_changed()
    for fact in tale.facts:
        tale.signals.apply(fact)
    assert tale.signals.snapshot("CP1") == before
    assert tale.signals.take_changed() == set()


def test_what_changed_is_told_once() -> None:
    """So that only that is stored again; a charge point that is gone is not."""
    tale = Tale()
    tale.tell(0, OPENED, charge_point="CP1")
    tale.tell(0, OPENED, charge_point="CP2")
    assert tale.signals.take_changed() == {"CP1", "CP2"}
    tale.tell(1, said("Available"), charge_point="CP2")
    tale.tell(1, said("Available"), charge_point="CP1")
    tale.signals.forget("CP1")
    assert tale.signals.take_changed() == {"CP2"} and list(tale.signals.points) == ["CP2"]


@pytest.mark.parametrize("data", [b"", b"\x00\x80", b"\x01", b"\x01\xc1", b"\x01\x80"])
def test_a_state_of_another_version_is_refused(data: bytes) -> None:
    """Rather than misread."""
    with pytest.raises(SignalsOutdated, match="a stored state of alerts cannot be read"):
        NetworkSignals().restore(data)


def test_memory_is_bounded() -> None:
    """However much a charge point says: rings, connectors, transactions, commands and texts end somewhere."""
    tale = Tale()
    for index in range(200):
        tale.tell(index * 100, OPENED, boot(f"{index}" * 500, reason="x" * 5000), LOST, refused(f"T{index}"))
        tale.tell(index * 100 + 1, said("Faulted", index + 1, code=f"E{index}" * 500, info="y" * 9000))
        tale.tell(index * 100 + 2, began(f"{index}" * 100, index + 1), sent("Reset", f"m{index}" * 99, type="Soft"))
        tale.tell(index * 100 + 3, e.SecurityEventReported(type="T" * 999, info="z" * 9999), said("Faulted", code=f"F{index}"))
        tale.tell(index * 100 + 4, read(1000.0 - index, 1.0, connector=1, transaction_id=None))
        problem = e.DeviceEventReported(component=f"C{index}", variable="Problem", actual_value="true", trigger="Alerting")
        tale.tell(index * 100 + 5, problem)
    point = tale.point()
    rings = (point.closes, point.boots, point.rejects, point.security, point.firmware_changes, point.connectors["1"].faults)
    assert all(0 < len(ring) <= KEPT for ring in rings)
    assert len(point.connectors) == MAX_CONNECTORS and len(point.transactions) <= MAX_TRANSACTIONS
    assert len(point.commands) <= MAX_COMMANDS and len(point.whole.problems) <= 16
    assert len(tale.signals.snapshot("CP1")) < 300_000


def test_the_newest_connection_counts() -> None:
    """The close of an old one does not end it."""
    tale = Tale()
    tale.tell(0, OPENED, generation=1)
    tale.tell(5, OPENED, generation=5)
    tale.tell(6, LOST, generation=1)
    assert tale.point().connected is True
    tale.tell(7, LOST, generation=5)
    assert (tale.point().connected, tale.point().connection_at) == (False, at(7))


def test_what_we_do_is_no_sign_of_life() -> None:
    """Calls of ours, unanswered ones, the end of its connection and refused log-ins; an answer is one."""
    tale = Tale()
    tale.tell(10, OPENED)
    tale.tell(20, sent("Reset", type="Soft"))
    tale.tell(50, answered("Reset", status="timed_out"))
    tale.tell(60, LOST)
    assert tale.point().heard_at == at(10)
    tale.tell(70, answered("Reset", status="rejected"))
    assert tale.point().heard_at == at(70)


def test_a_new_transaction_ends_the_old_one_there() -> None:
    """Also where its stop never came; one at another connector goes on."""
    tale = Tale()
    tale.tell(0, began("1", 1), began("2", 2))
    tale.tell(1, began("3", 1))
    assert sorted(tale.point().transactions) == ["2", "3"]
    tale.tell(2, ended(None, 2))
    assert sorted(tale.point().transactions) == ["3"]


def test_a_transaction_of_2x_learns_its_connector_later() -> None:
    """Authorized first, plugged in after that; readings without a connector are its own."""
    tale = Tale()
    started = e.TransactionStarted(transaction_id="a", connector=None, started_at=at(0), charging_state="Idle")
    tale.tell(0, started, protocol="ocpp2.0.1")
    updated = e.TransactionUpdated(
        transaction_id="a", connector=began("a", 1).connector, updated_at=at(1), charging_state="Charging"
    )
    tale.tell(1, updated, protocol="ocpp2.0.1")
    (transaction,) = tale.point().transactions.values()
    assert (transaction.connector, transaction.charging_state, transaction.started_at) == ("1", "Charging", at(0))
    tale.tell(60, read(500, 3000, transaction_id="a"))
    assert transaction.register_wh == 500 and tale.point().connectors["1"].power_peak_w == 3000


def test_tokens_are_kept_as_hashes() -> None:
    """Personal data does not leave the journal."""
    tale = Tale()
    tale.tell(0, refused("SECRETTOKEN"))
    assert b"SECRETTOKEN" not in tale.signals.snapshot("CP1")
