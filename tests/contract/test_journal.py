"""The journal port's suite, run against every adapter: what each of them promises to the recorder, the feed and the readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chargenet.errors import JournalUnavailable
from chargenet.journal import MemoryJournal, SegmentJournal
from chargenet.model.record import Decision
from chargenet.model.words import RecordKind
from chargenet.ports import Journal
from chargenet.testing import FrozenClock
from tests.support.far_journal import through_a_door as through_a_door
from tests.support.journal import SMALL, START_US, FaultyDisk, append, durable, expected_frame, until


class Bench:
    """One adapter and how to make its disk fail."""

    def __init__(self, journal: Journal, fail: Callable[[], None], heal: Callable[[], None]) -> None:
        self.journal, self.fail, self.heal = journal, fail, heal


@pytest.fixture(params=["memory", "segments", "far"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """Each adapter, empty. The far one is written where it is kept, and read through a door."""
    if request.param != "segments":
        memory = MemoryJournal()
        far = request.param == "far"
        return Bench(request.getfixturevalue("through_a_door")(memory) if far else memory, memory.fail, memory.heal)
    disk = FaultyDisk()

    def switch(broken: bool) -> Callable[[], None]:
        return lambda: setattr(disk, "broken", broken)

    journal = SegmentJournal.open(tmp_path / "journal", clock=FrozenClock(), options=SMALL, disk=disk)
    request.addfinalizer(journal.close)
    return Bench(journal, switch(True), switch(False))


@pytest.fixture
def journal(bench: Bench) -> Journal:
    """The adapter alone."""
    return bench.journal


async def test_an_empty_journal_says_so(journal: Journal) -> None:
    """Nothing appended: watermark 0, the oldest record would be 1, nothing to read, healthy."""
    assert (journal.durable_sequence, journal.first_sequence, journal.pending) == (0, 1, 0)
    assert journal.last_transaction_id == 0
    assert journal.read(0) == [] and journal.read_charge_point("CP-1") == []
    assert journal.healthy and journal.damage() == []


async def test_sequences_are_dense_from_one(journal: Journal) -> None:
    """`append` gives 1, 2, 3, … at once, before anything is durable, and reading gives them back in that order."""
    assert [append(journal, number) for number in range(1, 201)] == list(range(1, 201))
    await durable(journal)
    assert [record.sequence for record in journal.read(0)] == list(range(1, 201))


async def test_nothing_is_readable_or_told_before_it_is_durable(journal: Journal) -> None:
    """An appended record is pending, and unseen by readers, until a listener has been called with a watermark at or above it."""
    told: list[tuple[int, int]] = []
    journal.on_durable(lambda watermark: told.append((watermark, journal.durable_sequence)))
    append(journal, 1)
    append(journal, 2)
    assert journal.pending == 2 and journal.read(0) == [] and told == []
    await durable(journal)
    assert told[-1] == (2, 2)
    assert len(journal.read(0)) == 2


async def test_a_record_comes_back_byte_for_byte(journal: Journal) -> None:
    """All fields of a record survive, the decision and bytes that are no text included."""
    decision = Decision(transaction_id=77, token_status="Accepted", token_expires_at=FrozenClock().now())
    journal.append(
        received_at_us=START_US, charge_point_id="CP/ü", generation=9, protocol="ocpp2.1",
        kind=RecordKind.SEND, frame=b"\xff\x00\n", reply=b"", decision=decision,
    )  # fmt: skip
    await durable(journal)
    (record,) = journal.read(0)
    assert (record.sequence, record.received_at_us, record.charge_point_id) == (1, START_US, "CP/ü")
    assert (record.generation, record.protocol, record.kind) == (9, "ocpp2.1", 2)
    assert (record.frame, record.reply, record.decision) == (b"\xff\x00\n", b"", decision)


async def test_reading_goes_on_after_any_sequence(journal: Journal) -> None:
    """`read(after, limit)` gives the next `limit` records from anywhere; fewer mean that the end was reached."""
    for number in range(1, 301):
        append(journal, number)
    await durable(journal)
    for after in (0, 1, 37, 150, 299):
        batch = journal.read(after, 50)
        assert [record.sequence for record in batch] == list(range(after + 1, min(after + 50, 300) + 1))
        assert [record.frame for record in batch] == [expected_frame(record.sequence) for record in batch]
    assert journal.read(300) == [] and journal.read(1000) == []


async def test_a_sequential_reader_follows_the_writer(journal: Journal) -> None:
    """A consumer that asks for what comes after its last record sees each record once, while more are appended."""
    seen: list[int] = []
    for number in range(1, 401):
        append(journal, number)
        if number % 7 == 0:
            await durable(journal)
            seen += [record.sequence for record in journal.read(seen[-1] if seen else 0, 5)]
    await durable(journal)
    while batch := journal.read(seen[-1], 64):
        seen += [record.sequence for record in batch]
    assert seen == list(range(1, 401))


async def test_one_charge_point_newest_first(journal: Journal) -> None:
    """`read_charge_point` gives that charge point's records alone, newest first, within the span asked for."""
    for number in range(1, 301):
        append(journal, number, charge_point_id=f"CP-{number % 3}")
    await durable(journal)
    mine = [number for number in range(300, 0, -1) if number % 3 == 1]
    assert [record.sequence for record in journal.read_charge_point("CP-1", limit=1000)] == mine
    assert [record.sequence for record in journal.read_charge_point("CP-1", limit=4)] == mine[:4]
    assert [record.sequence for record in journal.read_charge_point("CP-1", before=100, limit=2)] == [97, 94]
    since = START_US + 290 * 1_000_000
    assert [record.sequence for record in journal.read_charge_point("CP-1", since_us=since)] == [298, 295, 292]
    assert journal.read_charge_point("CP-9") == []


async def test_the_highest_transaction_id_is_remembered(journal: Journal) -> None:
    """`last_transaction_id` is the highest ever appended, not the latest."""
    for number, transaction_id in enumerate((5, 41, 17, None), start=1):
        append(journal, number, decision=Decision(transaction_id=transaction_id))
    await durable(journal)
    assert journal.last_transaction_id == 41


async def test_cursors(journal: Journal) -> None:
    """A cursor is 0 until set, can be advanced and rewound, and is 0 again once dropped."""
    append(journal, 1)
    await durable(journal)
    assert journal.cursor("telemetry") == 0
    journal.set_cursor("telemetry", 1)
    assert journal.cursor("telemetry") == 1
    journal.set_cursor("telemetry", 0)
    assert journal.cursor("telemetry") == 0
    journal.set_cursor("telemetry", 1)
    journal.drop_cursor("telemetry")
    journal.drop_cursor("never known")
    assert journal.cursor("telemetry") == 0


async def test_a_failing_disk_drops_what_was_never_acknowledged(bench: Bench) -> None:
    """On failure: listeners are told once the state is already true, `append` raises, and what was durable stays readable."""
    journal = bench.journal
    append(journal, 1)
    await durable(journal)
    failures: list[tuple[str, bool, int, int]] = []
    journal.on_failure(lambda e: failures.append((type(e).__name__, journal.healthy, journal.durable_sequence, journal.pending)))
    append(journal, 2)
    bench.fail()
    await until(lambda: not journal.healthy)
    assert failures == [("JournalUnavailable", False, 1, 0)]
    with pytest.raises(JournalUnavailable):
        append(journal, 2)
    assert [record.sequence for record in journal.read(0)] == [1]


async def test_a_healed_disk_is_used_again_by_itself(bench: Bench) -> None:
    """Once writing works again the journal takes records; the sequences of dropped records are given anew, none is skipped."""
    journal = bench.journal
    append(journal, 1)
    await durable(journal)
    append(journal, 2)
    bench.fail()
    await until(lambda: not journal.healthy)
    bench.heal()
    await until(lambda: journal.healthy)
    assert append(journal, 22) == 2
    await durable(journal)
    assert [record.frame for record in journal.read(0)] == [expected_frame(1), expected_frame(22)]
    assert journal.damage() == []


async def test_close_makes_everything_durable_and_refuses_more(journal: Journal) -> None:
    """What was appended before `close` is durable and told; what comes after is refused; closing twice is harmless."""
    told: list[int] = []
    journal.on_durable(told.append)
    append(journal, 1)
    append(journal, 2)
    journal.close()
    assert journal.durable_sequence == 2 and told[-1] == 2
    with pytest.raises(JournalUnavailable):
        append(journal, 3)
    assert not journal.healthy
    journal.close()
