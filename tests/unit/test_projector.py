"""The projector: batches in order, waits for its store, and never ends the program for a fault of a read model."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import pytest

from chargenet.errors import StoreUnavailable
from chargenet.events import Fact
from chargenet.testing import FrozenClock, MemoryJournal
from collector import projector as module
from collector.projector import Projector
from tests.support.facts import fact
from tests.support.journal import until


class Model:
    """A read model that fails as it is told, once each."""

    name = "model"

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.applied: list[int] = []

    async def position(self) -> int:
        self._fail()
        return 0

    async def apply(self, facts: Sequence[Fact], upto: int) -> None:
        self._fail()
        self.applied += [fact.sequence for fact in facts]

    async def reset(self) -> None:
        self.applied.clear()

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


class Facts:
    """A feed of three facts."""

    head = 3

    async def next(self, after: int, limit: int = 2000) -> Sequence[Fact]:
        return [fact(number) for number in range(after + 1, self.head + 1)]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The retries, which do not take time."""
    attempts: list[int] = []

    def at_once(attempt: int, _: float) -> float:
        attempts.append(attempt)
        return 0.0

    monkeypatch.setattr(module, "backoff_s", at_once)
    return attempts


def projector(model: Model) -> tuple[Projector, MemoryJournal]:
    journal = MemoryJournal()
    return Projector(model, Facts(), journal, FrozenClock()), journal


async def test_a_store_that_is_away_is_waited_for(waits: list[int], caplog: pytest.LogCaptureFixture) -> None:
    """At the start and later: tried again, each fact applied once, the cursor set only then, one line in the log."""
    away = StoreUnavailable("sql", "down")
    model = Model(away, away, away)
    each, journal = projector(model)
    await each.start()
    assert waits == [1, 2, 3] and each.problem is None
    model.failures = [away]
    await each.catch_up(3)
    assert model.applied == [1, 2, 3] and journal.cursor("model") == 3 and each.problem is None
    assert sum("waits: sql store is unavailable: down" in line for line in caplog.messages) == 2


async def test_a_fault_is_shown_and_nothing_is_skipped(waits: list[int], caplog: pytest.LogCaptureFixture) -> None:
    """A read model that raises what it should not keeps its cursor and says where; the program goes on, and so does the model."""
    model = Model()
    each, journal = projector(model)
    await each.start()
    model.failures = [ValueError("secret 4711"), ValueError("secret 4711")]
    seen: list[str | None] = []

    async def watch() -> None:
        while not model.applied:
            seen.append(each.problem)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(watch())
        tasks.create_task(each.catch_up(3))
    assert "failed at records 1 to 3: ValueError; the log has it" in seen
    assert model.applied == [1, 2, 3] and journal.cursor("model") == 3 and each.problem is None
    assert sum("projection model failed" in line for line in caplog.messages) == 1, "with its traceback, once"
    assert waits == [1, 2]


async def test_waiting_for_a_position() -> None:
    """`wait_for` returns once the model has seen that record."""
    model = Model()
    each, _ = projector(model)
    await each.start()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(each.wait_for(3))
        tasks.create_task(each.catch_up(3))
    assert waiting.done() and each.position == 3 and each.lag() == 0


class Growing(Facts):
    """A feed that counts how often its head was looked at."""

    def __init__(self) -> None:
        self.last, self.looks = 3, 0

    @property
    def head(self) -> int:  # type: ignore[override]  # a number that changes
        self.looks += 1
        return self.last

    async def next(self, after: int, limit: int = 2000) -> Sequence[Fact]:
        while after >= self.last:  # noqa: ASYNC110 - a feed of a test
            await asyncio.sleep(0)
        return [fact(number) for number in range(after + 1, self.last + 1)]


async def test_a_window_ends_early_when_there_is_enough_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer facts than are worth a batch wait for the window to pass; as many are applied at the next look."""
    monkeypatch.setattr(module, "LOOK_S", 0.001)
    feed, model, journal = Growing(), Model(), MemoryJournal()
    each = Projector(model, feed, journal, FrozenClock(), window_s=3600.0)
    running = asyncio.get_running_loop().create_task(each.run())
    await each.wait_for(3)
    feed.last = 3 + module.ENOUGH_FACTS - 1
    seen = feed.looks
    await until(lambda: feed.looks >= seen + 10)
    assert each.position == 3, "one fact fewer than enough, looked at ten times"
    feed.last += 1
    await each.wait_for(feed.last)
    assert model.applied == list(range(1, feed.last + 1))
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_who_hurries_gathers_no_longer() -> None:
    """When the process ends, what is there is applied now."""
    feed, model = Growing(), Model()
    each = Projector(model, feed, MemoryJournal(), FrozenClock(), window_s=3600.0)
    running = asyncio.get_running_loop().create_task(each.run())
    await each.wait_for(3)
    feed.last = 4
    each.hurry()
    await each.wait_for(4)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
