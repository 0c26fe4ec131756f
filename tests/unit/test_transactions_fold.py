"""Transactions from facts, OCPP 1.6: the order, the doubt and the evidence (peers.md misbehaviours 16–24 as short stories)."""

from __future__ import annotations

from datetime import timedelta

from chargenet.model.transaction import TransactionFlag, TransactionState
from tests.support.facts import DAY
from tests.support.transactions import NEVER, Story, booted, kinds, reading, started, status, stopped


async def test_a_plain_transaction() -> None:
    """Start, readings, stop: registers, both clocks, token, reason and the sequences of its frames are kept."""
    story = Story()
    first = await story.tell(started("1", 10, 1000, reservation_id=7), received=12)
    await story.tell(reading("1", 60, 2500.4), received=61)
    last = await story.tell(stopped("1", 3610, 5000, token="BB"), received=3611)
    row = await story.transaction("1")
    assert (row.state, row.connector, row.id_token, row.stop_id_token) == (TransactionState.STOPPED, "1", "AA", "BB")
    assert (row.start_register_wh, row.last_register_wh, row.stop_register_wh, row.energy_wh) == (1000, 2500, 5000, 4000)
    assert (row.started_at, row.start_received_at) == (DAY + timedelta(seconds=10), DAY + timedelta(seconds=12))
    assert (row.began_at, row.duration_s, row.clock) == (row.started_at, 3600.0, "device")
    assert (row.start_sequence, row.stop_sequence, row.reservation_id, row.stop_reason) == (first, last, 7, "Local")
    assert (row.flags, row.readings, row.repeats) == ((), 1, 0)


async def test_every_change_of_state_is_kept_with_its_sequence() -> None:
    """In 1.6 the connector's status is the transaction's state; a repeated status is no change."""
    story = Story()
    await story.tell(started("1", 0), received=0)
    for number, word in enumerate(["Charging", "Charging", "SuspendedEV", "Finishing"]):
        await story.tell(status(word, 10 + number), received=10 + number)
    await story.tell(stopped("1", 60), received=60)
    changes = await story.changes("1")
    assert [(change.kind, change.value, change.sequence) for change in changes] == [
        ("started", None, 1),
        ("state", "Charging", 2),
        ("state", "SuspendedEV", 4),
        ("state", "Finishing", 5),
        ("stopped", "Local", 6),
    ]


async def test_a_start_with_the_same_content_under_another_id_is_the_same_transaction() -> None:
    """Its repetition was not noticed when it was answered: the second id becomes an alias, readings and stop by it count."""
    story = Story()
    await story.tell(started("1", 10), received=10)
    await story.tell(started("2", 10), received=40)
    await story.tell(reading("2", 100, 3000), received=100)
    await story.tell(stopped("2", 200), received=200)
    [row] = await story.all()
    assert (row.transaction_id, row.state, row.repeats, row.readings) == ("1", TransactionState.STOPPED, 1, 1)
    assert TransactionFlag.START_REPEATED in row.flags
    assert (await story.transaction("2")).transaction_id == "1"
    assert await story.stores.floors.get("transaction_id") == 2


async def test_without_a_usable_clock_a_second_start_is_another_transaction() -> None:
    """At 1970 with a register that begins at 0 all sessions look alike: only a running one can be repeated."""
    story = Story()
    await story.tell(started("1", NEVER, 0), received=10)
    await story.tell(stopped("1", NEVER, 900), received=100)
    await story.tell(started("2", NEVER, 0), received=200)
    assert [row.transaction_id for row in await story.all()] == ["1", "2"]


async def test_a_stop_without_an_id_finds_the_only_transaction_it_fits() -> None:
    """By token, time and register: of two open ones, one has another token."""
    story = Story()
    await story.tell(started("1", 10, 1000, plug=1, token="AA"), received=10)
    await story.tell(started("2", 20, 9000, plug=2, token="BB"), received=20)
    await story.tell(stopped(None, 300, 9500, token="bb"), received=300)
    assert (await story.transaction("1")).state == TransactionState.OPEN
    row = await story.transaction("2")
    assert (row.state, row.stop_register_wh) == (TransactionState.STOPPED, 9500)
    assert TransactionFlag.STOP_MATCHED in row.flags
    assert await story.quarantine() == []


async def test_a_stop_that_fits_two_goes_into_quarantine() -> None:
    """A guess would close the wrong session: it is listed with its reason and everything it said."""
    story = Story()
    await story.tell(started("1", 10, 1000, plug=1), received=10)
    await story.tell(started("2", 20, 1000, plug=2), received=20)
    await story.tell(stopped(None, 300, 9500, token="AA"), received=301)
    assert [row.state for row in await story.all()] == [TransactionState.OPEN] * 2
    [report] = await story.quarantine()
    assert (report.raw_transaction_id, report.id_token, report.register_wh, report.stop_reason) == ("-1", "AA", 9500, "Local")
    assert "more than one of 2 open transactions" in report.reason


async def test_a_stop_with_an_id_nobody_gave_goes_into_quarantine_when_nothing_is_open() -> None:
    """And the reason says that the id is not known."""
    story = Story()
    await story.tell(stopped("777", 300), received=300)
    [report] = await story.quarantine()
    assert report.reason.startswith("names a transaction that is not known here")
    assert await story.all() == []


async def test_a_start_that_comes_after_its_stop_claims_it_from_quarantine() -> None:
    """An offline backlog in the wrong order ends as one whole transaction."""
    story = Story()
    await story.tell(stopped(None, 300, 5000, token="AA"), received=1000)
    await story.tell(started("1", 10, 1000, token="AA"), received=1010)
    row = await story.transaction("1")
    assert (row.state, row.energy_wh, row.duration_s) == (TransactionState.STOPPED, 4000, 290.0)
    assert {TransactionFlag.STOP_BEFORE_START, TransactionFlag.STOP_MATCHED} <= set(row.flags)
    [report] = await story.quarantine()
    assert report.resolved_by == "1"


async def test_a_start_does_not_claim_a_stop_of_before_it() -> None:
    """A quarantined stop of an earlier session stays where it is."""
    story = Story()
    await story.tell(stopped(None, 300, 5000, token="AA"), received=300)
    await story.tell(started("1", 400, 5000, token="AA"), received=400)
    assert (await story.transaction("1")).state == TransactionState.OPEN
    assert (await story.quarantine())[0].resolved_by is None


async def test_of_two_stops_the_first_wins() -> None:
    """A later one is counted and recorded, its content does not replace the first."""
    story = Story()
    await story.tell(started("1", 10), received=10)
    await story.tell(stopped("1", 100, 4000), received=100)
    await story.tell(stopped("1", 200, 9000, reason="PowerLoss"), received=200)
    row = await story.transaction("1")
    assert (row.stop_register_wh, row.stop_reason, row.repeats) == (4000, "Local", 1)
    assert TransactionFlag.STOP_REPEATED in row.flags
    assert kinds(await story.changes("1")) == ["started", "stopped", "repeated"]


async def test_readings_after_the_stop_are_kept_and_do_not_reopen() -> None:
    """Some charge points keep the transaction id after the end: counted, the last register kept, the bill untouched."""
    story = Story()
    await story.tell(started("1", 10), received=10)
    await story.tell(stopped("1", 100, 5000), received=100)
    await story.tell(reading("1", 160, 5007), received=160)
    row = await story.transaction("1")
    assert (row.state, row.readings_after_stop, row.after_stop_register_wh, row.energy_wh) == ("stopped", 1, 5007, 4000)
    assert TransactionFlag.READINGS_AFTER_STOP in row.flags


async def test_a_reading_of_before_the_stop_may_arrive_after_it() -> None:
    """A backlog sent late is not "after the stop": its device time says when it was taken."""
    story = Story()
    await story.tell(started("1", 10), received=10)
    await story.tell(stopped("1", 100, 5000), received=100)
    await story.tell(reading("1", 60, 3000), received=160)
    row = await story.transaction("1")
    assert (row.readings, row.readings_after_stop, row.flags) == (1, 0, ())


async def test_the_readings_of_the_stop_itself_belong_to_the_transaction() -> None:
    """transactionData with Transaction.Begin and .End gives the registers that start and stop did not carry."""
    story = Story()
    await story.tell(started("1", 10, None), received=10)
    begin, end = reading("1", 10, 1000, context="Transaction.Begin"), reading("1", 100, 5000, context="Transaction.End")
    await story.tell(begin, end, stopped("1", 100, None), received=100)
    row = await story.transaction("1")
    assert (row.start_register_wh, row.stop_register_wh, row.readings, row.readings_after_stop) == (1000, 5000, 2, 0)


async def test_a_register_that_ran_backwards_is_flagged_and_bills_nothing() -> None:
    """Both registers are kept; the difference is unknown, not negative."""
    story = Story()
    await story.tell(started("1", 10, 5000), received=10)
    await story.tell(stopped("1", 100, 200), received=100)
    row = await story.transaction("1")
    assert (row.start_register_wh, row.stop_register_wh, row.energy_wh) == (5000, 200, None)
    assert TransactionFlag.REGISTER_BACKWARDS in row.flags


async def test_an_absurd_register_is_dropped_and_flagged() -> None:
    """No meter counted 10^40 Wh; the frame in the journal still says so."""
    story = Story()
    await story.tell(started("1", 10, 10**40), received=10)
    row = await story.transaction("1")
    assert row.start_register_wh is None
    assert TransactionFlag.REGISTER_ABSURD in row.flags


async def test_at_1970_our_clock_orders_and_the_device_clock_is_kept() -> None:
    """Both are in the row, the flag says which was believed."""
    story = Story()
    await story.tell(started("1", NEVER), received=10)
    await story.tell(stopped("1", 100), received=110)
    row = await story.transaction("1")
    assert (row.started_at, row.clock, row.duration_s) == (NEVER, "ours", 100.0)
    assert TransactionFlag.CLOCK_ABSURD in row.flags


async def test_a_clock_that_ran_backwards_gives_no_negative_duration() -> None:
    """Set between start and stop: our clock at both ends."""
    story = Story()
    await story.tell(started("1", 90), received=90)
    await story.tell(stopped("1", 30), received=390)
    row = await story.transaction("1")
    assert (row.duration_s, row.clock) == (300.0, "ours")
    assert TransactionFlag.CLOCK_BACKWARDS in row.flags


async def test_a_future_start_is_not_believed() -> None:
    """Local time labelled Z lies two hours ahead."""
    story = Story()
    await story.tell(started("1", 7200), received=0)
    row = await story.transaction("1")
    assert (row.began_at, row.clock) == (DAY, "ours")


async def test_a_new_start_on_the_connector_ends_the_one_before_as_an_estimate() -> None:
    """Its stop never came: the evidence, its sequence and the last known register stand in."""
    story = Story()
    await story.tell(started("1", 10, 1000), received=10)
    await story.tell(reading("1", 60, 3000), received=60)
    evidence = await story.tell(started("2", 500, 3000), received=500)
    row = await story.transaction("1")
    assert (row.state, row.evidence, row.evidence_sequence) == (TransactionState.ESTIMATED, "started", evidence)
    assert (row.energy_wh, row.duration_s, row.stop_register_wh) == (2000, 490.0, None)
    assert (await story.transaction("2")).state == TransactionState.OPEN


async def test_a_start_on_another_connector_ends_nothing() -> None:
    """Two vehicles charge."""
    story = Story()
    await story.tell(started("1", 10, plug=1), received=10)
    await story.tell(started("2", 20, plug=2), received=20)
    assert [row.state for row in await story.all()] == [TransactionState.OPEN] * 2


async def test_a_late_start_of_an_older_session_does_not_end_the_running_one() -> None:
    """A backlog brings an older transaction after a newer one began."""
    story = Story()
    await story.tell(started("1", 500), received=500)
    await story.tell(started("2", 10), received=510)
    assert (await story.transaction("1")).state == TransactionState.OPEN


async def test_available_after_the_start_is_evidence_of_its_end() -> None:
    """And the stop that comes later replaces the estimate."""
    story = Story()
    await story.tell(started("1", 10), received=10)
    await story.tell(status("Available", 5), received=20)
    assert (await story.transaction("1")).state == TransactionState.OPEN, "said before the start"
    await story.tell(status("Available", 900), received=900)
    row = await story.transaction("1")
    assert (row.state, row.evidence, row.duration_s) == (TransactionState.ESTIMATED, "available", 890.0)
    await story.tell(stopped("1", 600, 5000), received=1000)
    row = await story.transaction("1")
    assert (row.state, row.duration_s, row.energy_wh, row.evidence) == (TransactionState.STOPPED, 590.0, 4000, None)
    assert kinds(await story.changes("1")) == ["started", "estimated", "stopped"]


async def test_a_stop_without_an_id_may_replace_an_estimate() -> None:
    """Nothing is open any more: the estimated one that it fits was the one."""
    story = Story()
    await story.tell(started("1", 10), received=10)
    await story.tell(status("Available", 900), received=900)
    await story.tell(stopped(None, 880, 5000, token="AA"), received=1000)
    assert (await story.transaction("1")).state == TransactionState.STOPPED


async def test_energy_that_goes_on_rising_withdraws_an_estimate() -> None:
    """Some charge points say Available while they charge: an estimate is our doubt, not their report."""
    story = Story()
    await story.tell(started("1", 10, 1000), received=10)
    await story.tell(reading("1", 60, 2000), received=60)
    await story.tell(status("Available", 90), received=90)
    await story.tell(reading("1", 120, 2500), received=120)
    row = await story.transaction("1")
    assert (row.state, row.ended_at, row.evidence) == (TransactionState.OPEN, None, None)
    assert TransactionFlag.ESTIMATE_WITHDRAWN in row.flags


async def test_a_register_that_stands_still_does_not_withdraw_an_estimate() -> None:
    """Readings by a stale id say nothing new."""
    story = Story()
    await story.tell(started("1", 10, 1000), received=10)
    await story.tell(reading("1", 60, 2000), received=60)
    await story.tell(status("Available", 90), received=90)
    await story.tell(reading("1", 120, 2000), received=120)
    assert (await story.transaction("1")).state == TransactionState.ESTIMATED


async def test_a_boot_is_evidence_but_no_end() -> None:
    """A charge point may go on with its transaction after a restart, or stop it with PowerLoss."""
    story = Story()
    await story.tell(started("1", 10), received=10)
    await story.tell(booted(), received=100)
    row = await story.transaction("1")
    assert row.state == TransactionState.OPEN
    assert TransactionFlag.REBOOTED in row.flags
    assert kinds(await story.changes("1")) == ["started", "booted"]


async def test_readings_of_an_id_that_was_never_given_make_no_transaction() -> None:
    """An old system's id must not become the row of a number that we give to somebody else later."""
    story = Story()
    await story.tell(reading("4711", 10, 100), received=10)
    assert await story.all() == []


async def test_a_rejected_token_loses_nothing() -> None:
    """The transaction is kept and flagged."""
    story = Story()
    await story.tell(started("1", 10, token_status="Blocked"), received=10)
    row = await story.transaction("1")
    assert (row.state, row.token_status) == (TransactionState.OPEN, "Blocked")
    assert TransactionFlag.TOKEN_REJECTED in row.flags


async def test_open_transactions_that_name_no_connector_are_bounded() -> None:
    """No evidence can end them, so their number does."""
    story = Story()
    for number in range(70):
        await story.tell(started(str(number + 1), number, plug=None), received=number)
    rows = await story.all()
    assert [row.evidence for row in rows[:6]] == ["superseded"] * 6
    assert {row.state for row in rows[6:]} == {TransactionState.OPEN}


async def test_a_poisoned_text_is_stored_clean() -> None:
    """U+0000 in a token or reason cannot block the projection, and the token is still found."""
    story = Story()
    await story.tell(started("1", 10, token="A\x00\ud800B"), received=10)
    await story.tell(stopped(None, 90, token="a\x00\ud800b", reason="x\x00"), received=90)
    row = await story.transaction("1")
    assert (row.id_token, row.stop_reason, row.state) == ("A\ufffd\ufffdB", "x\ufffd", TransactionState.STOPPED)
