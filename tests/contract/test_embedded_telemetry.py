"""What the embedded telemetry promises beyond the port: crash safety, one writer, bounds, retention, recovery."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from chargenet.errors import StoreUnavailable
from chargenet.events import StatusReported
from chargenet.model.measurement import Measurement
from chargenet.ports import TelemetryQuery
from chargenet.storage import embedded_batch, embedded_file
from chargenet.storage.embedded import EmbeddedLimits, EmbeddedTelemetry
from chargenet.testing import FrozenClock
from collector.projections.telemetry import TelemetryProjection
from tests.support.embedded_writer import STATES_EVERY, fact_number
from tests.support.facts import DAY, at, fact, measured, register

ALWAYS = TelemetryQuery(start=DAY - timedelta(days=1000), end=DAY + timedelta(days=1000), limit=100_000)


def writer_process(folder: Path) -> subprocess.Popen[str]:
    """A process that writes until it is killed."""
    command = [sys.executable, "-m", "tests.support.embedded_writer", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def killed_after(folder: Path, writes: int) -> int:
    """Let a process write, kill -9 it at a moment of no importance, and give the last position that it printed."""
    with writer_process(folder) as process:
        assert process.stdout is not None
        printed = [int(process.stdout.readline()) for _ in range(writes)]
        time.sleep(random.Random(writes).random() / 50)
        process.kill()
        printed += [int(line) for line in process.stdout if line.endswith("\n")]
    return printed[-1]


async def test_after_kill_9_rows_and_position_agree(tmp_path: Path) -> None:
    """Five times: nothing that was reported stored is missing, and every fact up to the position is there exactly once."""
    for writes in (1, 30, 7, 60, 15):
        printed = killed_after(tmp_path, writes)
        telemetry = EmbeddedTelemetry(tmp_path, FrozenClock())
        position = await telemetry.position()
        assert position >= printed
        series = await telemetry.query(ALWAYS)
        found = sorted((sample.sequence, sample.value) for one in series for sample in one.samples)
        measured_ones = [n for n in range(1, position + 1) if n % STATES_EVERY]
        assert found == [(n, float(n)) for n in measured_ones]
        states = await telemetry.states("CP1", ALWAYS.start, ALWAYS.end, limit=100_000)
        assert [state.sequence for state in states] == [n for n in range(1, position + 1) if n % STATES_EVERY == 0]
        await telemetry.close()


async def test_after_a_cancelled_write_the_same_facts_are_not_doubled(tmp_path: Path) -> None:
    """The transaction may end after its caller was cancelled: the next write sees where it got to."""
    telemetry = EmbeddedTelemetry(tmp_path, FrozenClock())
    facts = [fact_number(n) for n in range(1, 2001)]
    for pause in (0.0, 0.001, 0.005, 0.02):
        writing = asyncio.create_task(telemetry.write(facts, 2000))
        await asyncio.sleep(pause)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    await telemetry.write(facts, 2000)
    [first, *_] = await telemetry.query(ALWAYS)
    assert len({sample.sequence for sample in first.samples}) == len(first.samples)
    assert len(await telemetry.states("CP1", ALWAYS.start, ALWAYS.end, limit=5000)) == 200
    file = telemetry._file
    assert file._rows("select count(*) from samples", {})[0][0] == 1800
    await telemetry.close()


async def test_a_file_that_another_process_holds_is_unavailable_until_it_is_free(tmp_path: Path) -> None:
    """The projection is told, waits, and goes on by itself when the other process ends."""
    other = writer_process(tmp_path)
    assert other.stdout is not None
    held_at = int(other.stdout.readline())
    telemetry = EmbeddedTelemetry(tmp_path, FrozenClock())
    projection = TelemetryProjection(telemetry)
    with pytest.raises(StoreUnavailable, match="lock"):
        await projection.position()
    other.kill()
    other.communicate()
    assert await projection.position() >= held_at
    await telemetry.close()


async def test_a_stopped_folder_can_be_read_without_writing(tmp_path: Path) -> None:
    """Read-only: questions are answered, a write is refused, a missing file is an error and is not created."""
    missing = EmbeddedTelemetry(tmp_path / "missing", FrozenClock(), read_only=True)
    with pytest.raises(StoreUnavailable):
        await missing.query(ALWAYS)
    assert not (tmp_path / "missing").exists()
    telemetry = EmbeddedTelemetry(tmp_path, FrozenClock())
    await telemetry.write([fact_number(1)], 1)
    await telemetry.close()
    reading = EmbeddedTelemetry(tmp_path, FrozenClock(), read_only=True)
    assert len(await reading.query(ALWAYS)) == 1
    with pytest.raises(StoreUnavailable):
        await reading.write([fact_number(2)], 2)
    await reading.close()


async def test_rows_older_than_the_retention_are_deleted_by_arrival(tmp_path: Path) -> None:
    """An hourly sweep after a write; a backlog of old measurements that arrived today stays."""
    clock = FrozenClock(DAY)
    telemetry = EmbeddedTelemetry(tmp_path, clock, limits=EmbeddedLimits(retention_days=30))
    status = StatusReported(connector=None, status="Available", raw_status="Available")
    await telemetry.write([fact(1, measured([register(1)], 0), received=0), fact(2, status, received=0)], 2)
    clock.advance(31 * 86_400)
    old_but_fresh = measured([register(2)], -500 * 86_400)
    await telemetry.write([fact(3, old_but_fresh, received=31 * 86_400)], 3)
    [series] = await telemetry.query(ALWAYS)
    assert [sample.value for sample in series.samples] == [2]
    assert await telemetry.states("CP1", ALWAYS.start, ALWAYS.end) == []
    assert await telemetry.position() == 3
    await telemetry.close()


async def test_a_query_that_takes_too_long_is_stopped_and_the_next_one_answered(tmp_path: Path) -> None:
    """It ends in StoreUnavailable and leaves the reader free."""
    telemetry = EmbeddedTelemetry(tmp_path, FrozenClock(), limits=EmbeddedLimits(query_timeout_s=0.2))
    await telemetry.write([fact_number(n) for n in range(1, 101)], 100)
    endless = "select count(*) from range(1000000) a, range(1000000) b where a.range * b.range % 7 = 3"
    with pytest.raises(StoreUnavailable, match="longer than"):
        await telemetry._read(lambda: telemetry._file._rows(endless, {}))
    assert len(await telemetry.query(ALWAYS)) == 40 - 4
    await telemetry.close()


async def test_waiting_queries_are_bounded(tmp_path: Path) -> None:
    """Beyond the bound a caller is told at once."""
    telemetry = EmbeddedTelemetry(tmp_path, FrozenClock(), limits=EmbeddedLimits(waiting_queries=2))
    await telemetry.position()
    answers = await asyncio.gather(*(telemetry.query(ALWAYS) for _ in range(5)), return_exceptions=True)
    assert [isinstance(answer, StoreUnavailable) for answer in answers] == [False, False, True, True, True]
    await telemetry.close()


async def test_a_charge_point_that_invents_series_is_bounded_and_its_neighbours_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values of series beyond the bound are left out and counted; known series and other charge points go on."""
    monkeypatch.setattr(embedded_batch, "MAX_SERIES_PER_CHARGE_POINT", 3)
    telemetry = EmbeddedTelemetry(tmp_path, FrozenClock())
    invented = [Measurement(measurand=f"Made.Up.{n}", value=float(n), unit="") for n in range(5)]
    await telemetry.write([fact(1, measured(invented, 1)), fact(2, measured([register(7)], 2), charge_point="CP2")], 2)
    await telemetry.write([fact(3, measured(invented, 3))], 3)
    series = await telemetry.query(ALWAYS)
    assert [(one.labels["charge_point"], len(one.samples)) for one in series] == [("CP1", 2)] * 3 + [("CP2", 1)]
    assert telemetry.rejected == 4
    await telemetry.close()


async def test_series_keep_their_numbers_over_restarts(tmp_path: Path) -> None:
    """A known series of a new process continues the old one; a new series does not collide with it."""
    for start in (0, 100, 200):
        telemetry = EmbeddedTelemetry(tmp_path, FrozenClock())
        facts = [fact(start + n, measured([register(start + n)], start + n, connector=n)) for n in (1, 2, start // 100 + 3)]
        await telemetry.write(facts, start + 99)
        await telemetry.close()
    telemetry = EmbeddedTelemetry(tmp_path, FrozenClock())
    found = {one.labels["connector"]: [sample.value for sample in one.samples] for one in await telemetry.query(ALWAYS)}
    assert found == {"1": [1, 101, 201], "2": [2, 102, 202], "3": [3], "4": [104], "5": [205]}
    await telemetry.close()


async def test_a_failed_transaction_leaves_nothing_and_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk refuses the last step: position, samples, series and states stay as they were; the same write then succeeds."""
    telemetry = EmbeddedTelemetry(tmp_path, FrozenClock())
    await telemetry.write([fact_number(1)], 1)
    facts = [fact_number(n) for n in range(1, 21)]
    await telemetry._write(lambda: telemetry._file._connected().execute("alter table progress rename to hidden"))
    with pytest.raises(StoreUnavailable):
        await telemetry.write(facts, 20)
    await telemetry._write(lambda: telemetry._file._connected().execute("alter table hidden rename to progress"))
    assert await telemetry.position() == 1
    assert sum(len(one.samples) for one in await telemetry.query(ALWAYS)) == 1
    await telemetry.write(facts, 20)
    assert sum(len(one.samples) for one in await telemetry.query(ALWAYS)) == 18
    assert len(await telemetry.states("CP1", ALWAYS.start, ALWAYS.end)) == 2
    await telemetry.close()


@pytest.mark.parametrize("limit", [300_000, 1_200_000], ids=["in the log", "at a checkpoint"])
def test_a_full_disk_is_survived_and_left_behind_without_a_restart(tmp_path: Path, limit: int) -> None:
    """Writes fail as StoreUnavailable while the disk is full and succeed once it is not; each fact is there exactly once."""
    command = [sys.executable, "-m", "tests.support.embedded_full_disk", str(tmp_path), str(limit)]
    process = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=100, check=True)
    told = json.loads(process.stdout)
    assert any("File too large" in problem for problem in told["problems"])
    assert told["position"] == told["target"]
    assert told["rows"] == told["distinct"] == told["target"] - told["target"] // STATES_EVERY


async def test_energy_is_the_same_in_portions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question about more registers than fit in memory is answered by groups of connectors, with the same result."""
    telemetry = EmbeddedTelemetry(tmp_path, FrozenClock())
    await telemetry.write([fact_number(n) for n in range(1, 3001)], 3000)
    whole = await telemetry.hourly_energy(at(600), at(7200))
    monkeypatch.setattr(embedded_file, "REGISTERS_AT_ONCE", 100)
    assert await telemetry.hourly_energy(at(600), at(7200)) == whole
    assert len({hour.connector for hour in whole}) == 36
    await telemetry.close()
