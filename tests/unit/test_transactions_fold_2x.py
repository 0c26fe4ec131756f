"""Transactions from facts, OCPP 2.x: ids of the charge point's own, seqNos, updates without a start."""

from __future__ import annotations

import pytest

from chargenet.model.transaction import TransactionFlag, TransactionState
from collector.projections import seq_nos
from tests.support.transactions import Story, kinds, reading, started, stopped, updated


def story() -> Story:
    """An OCPP 2.0.1 charge point."""
    return Story("ocpp2.0.1")


async def test_a_plain_transaction() -> None:
    """Started, Updated, Ended: states, seqNos and remote start id are kept."""
    tale = story()
    await tale.tell(started("t", 0, seq_no=0, remote_start_id=9, charging_state="EVConnected"), received=0)
    await tale.tell(updated("t", 10, 1, charging_state="Charging"), reading("t", 10, 1500), received=10)
    await tale.tell(updated("t", 20, 2, charging_state="Charging"), received=20)
    await tale.tell(stopped("t", 30, 5000, seq_no=3, charging_state="Idle"), received=30)
    row = await tale.transaction("t")
    assert (row.state, row.seq_nos, row.remote_start_id, row.charging_state) == ("stopped", "0-3", 9, "Idle")
    assert (row.energy_wh, row.flags, row.readings) == (4000, (), 1)
    assert kinds(await tale.changes("t")) == ["started", "state", "updated", "stopped"]


async def test_an_update_of_an_unknown_transaction_makes_it() -> None:
    """Its start is missing, and may still come."""
    tale = story()
    await tale.tell(updated("t", 10, 1), received=10)
    row = await tale.transaction("t")
    assert (row.state, row.start_sequence, row.flags) == (TransactionState.OPEN, None, (TransactionFlag.START_MISSING,))
    assert row.began_at is not None
    await tale.tell(started("t", 0, 1000, seq_no=0), received=20)
    row = await tale.transaction("t")
    assert (row.flags, row.start_sequence, row.first_sequence, row.seq_nos) == ((), 2, 1, "0-1")


async def test_an_end_before_its_start_is_merged() -> None:
    """One transaction, in whatever order the queue was sent."""
    tale = story()
    await tale.tell(stopped("t", 100, 5000, seq_no=2), received=500)
    assert (await tale.transaction("t")).state == TransactionState.STOPPED
    await tale.tell(started("t", 0, 1000, seq_no=0, offline=True), received=510)
    row = await tale.transaction("t")
    assert (row.state, row.energy_wh, row.duration_s, row.offline) == ("stopped", 4000, 100.0, True)
    assert set(row.flags) == {TransactionFlag.STOP_BEFORE_START, TransactionFlag.SEQUENCE_GAP}
    await tale.tell(updated("t", 50, 1, charging_state="Charging"), received=520)
    row = await tale.transaction("t")
    assert row.flags == (TransactionFlag.STOP_BEFORE_START,), "the gap is filled"
    assert row.charging_state is None, "what is older than the end does not change the state"


async def test_an_old_update_that_comes_again_is_counted_only() -> None:
    """It must not take the state back."""
    tale = story()
    await tale.tell(started("t", 0, seq_no=0), received=0)
    await tale.tell(updated("t", 10, 1, charging_state="Charging"), received=10)
    await tale.tell(updated("t", 20, 2, charging_state="SuspendedEV"), received=20)
    await tale.tell(updated("t", 10, 1, charging_state="Charging"), received=30)
    row = await tale.transaction("t")
    assert (row.charging_state, row.repeats) == ("SuspendedEV", 1)


async def test_a_charge_point_that_numbers_everything_zero_loses_nothing() -> None:
    """Its updates still change the state."""
    tale = story()
    await tale.tell(started("t", 0, seq_no=0), received=0)
    await tale.tell(updated("t", 10, 0, charging_state="Charging"), received=10)
    await tale.tell(updated("t", 20, 0, charging_state="SuspendedEV"), received=20)
    await tale.tell(stopped("t", 30, seq_no=0), received=30)
    row = await tale.transaction("t")
    assert (row.state, row.seq_nos, row.repeats) == ("stopped", "0", 0)
    assert kinds(await tale.changes("t")) == ["started", "state", "state", "stopped"]


async def test_a_start_at_the_evse_ends_what_was_there() -> None:
    """Events may leave the connector out, so the EVSE counts."""
    tale = story()
    await tale.tell(started("a", 0), received=0)
    await tale.tell(started("b", 100), received=100)
    assert (await tale.transaction("a")).evidence == "started"


async def test_equal_content_under_two_ids_is_two_transactions() -> None:
    """In 2.x the charge point gives the ids: it knows what is one transaction."""
    tale = story()
    await tale.tell(started("a", 0), received=0)
    await tale.tell(started("b", 0), received=0)
    assert len(await tale.all()) == 2


async def test_a_token_that_comes_later_is_taken() -> None:
    """Cable first, then the card."""
    tale = story()
    await tale.tell(started("t", 0, token=None, seq_no=0), received=0)
    token = started("t", 0).id_token
    await tale.tell(updated("t", 5, 1, id_token=token, token_status="Accepted"), received=5)
    row = await tale.transaction("t")
    assert (row.id_token, row.token_status) == ("AA", "Accepted")


@pytest.mark.parametrize(
    ("numbers", "ranges"),
    [([0, 1, 2], "0-2"), ([0, 2], "0,2"), ([2, 0, 1], "0-2"), ([5, 5], "5"), ([9, 7, 8, 1], "1,7-9"), ([0, 1, 3, 2, 5], "0-3,5")],
)
def test_seq_nos_are_ranges(numbers: list[int], ranges: str) -> None:
    """In any order; a gap is a comma."""
    text = ""
    for number in numbers:
        text = seq_nos.add(text, number)
    assert text == ranges
    assert seq_nos.has_gap(text) == ("," in ranges)
    assert seq_nos.highest(text) == max(numbers)
    assert all(seq_nos.contains(text, number) for number in numbers)


def test_seq_nos_do_not_grow_without_end() -> None:
    """A charge point that skips every other number keeps a bounded row."""
    text = ""
    for number in range(0, 4000, 2):
        text = seq_nos.add(text, number)
    assert text.count(",") < seq_nos.MAX_RANGES
    assert seq_nos.contains(text, 3998)
