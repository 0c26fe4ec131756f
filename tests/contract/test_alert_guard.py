"""The dead man's switches: a relay that stands still is told by the thread beside it, without its loop and without its store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.config import parse
from alerts.links import LinkMaker
from alerts.notifiers.http import Door
from alerts.notifiers.port import HttpAnswer, HttpRequest
from alerts.relay.guard import Expected, Guard
from alerts.relay.relay import Relay
from alerts.storage.memory import MemoryAlerts
from chargenet.clock import SystemClock
from chargenet.errors import StoreUnavailable
from chargenet.model.standstill import CATCH_UP_S, Standstills
from chargenet.testing import FrozenClock
from tests.support.hooks import SECRET, hook
from tests.support.relay import CONFIG, Listener, Simulated

WATCHED = """
[route]
receivers = ["night"]

[watchdog]
wedged_after_s = 60
receivers = ["night"]

[receivers.night]
type = "webhook"
url = "{url}"
secret = "{secret}"
"""


class WallClock(FrozenClock):
    """Stands still but for what is signed: a stranger refuses what is old."""

    def now(self) -> datetime:
        return SystemClock().now()


def test_a_relay_that_stands_still_is_told_once_and_its_return_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With the reason, signed, to the receivers that are named for it; nothing while it turns."""
    clock = WallClock()
    with hook() as receiver:
        config = parse(WATCHED.format(url=receiver.url, secret=SECRET), "alerts.toml", tmp_path_factory.mktemp("config"))
        guard = Guard(config.watchdog, list(config.receivers.values()), clock, lambda: Door(allow_private=True))
        clock.advance(59)
        guard.look()
        guard.turned()
        clock.advance(50)
        guard.look()
        assert receiver.heard == []
        guard.hindered("sql store is unavailable: disk full")
        clock.advance(20)
        receiver.answers = [503]
        for _ in range(4):
            guard.look()
        ((_, told),) = receiver.taken
        assert len(receiver.heard) == 2, "tried again until it is taken, and then no more"
        assert told["title"] == "The alert relay stands still: nothing is told" and "disk full" in told["text"]
        guard.turned()
        guard.look()
        assert [status for status, _ in receiver.told] == ["firing", "resolved"]
        assert len({message_id for message_id, _ in receiver.taken}) == 2


def test_a_process_that_stood_still_is_no_relay_that_hangs(tmp_path: Path) -> None:
    """The thread slept too long with it, which takes that time out; what the relay does not do from then on still counts."""
    clock = WallClock()
    with hook() as receiver:
        config = parse(WATCHED.format(url=receiver.url, secret=SECRET), "alerts.toml", tmp_path)
        guard = Guard(config.watchdog, list(config.receivers.values()), clock, lambda: Door(allow_private=True))
        clock.advance(5)
        guard.woke(0.1)
        clock.advance(3600 + 5)
        guard.woke(3600)
        guard.look()
        assert receiver.heard == []
        clock.advance(50)
        guard.woke(0.0)
        guard.look()
        assert receiver.heard == [], "59 s and a little of its own"
        clock.advance(2)
        guard.woke(0.0)
        guard.look()
        assert len(receiver.heard) == 1


def test_alertmanager_is_not_silent_while_we_cannot_hear() -> None:
    """Its time goes on where it stopped when our process did."""
    world, clock, standstills = Simulated(CONFIG + "\n[watchdog]\nexpect_within_s = 300\n"), FrozenClock(), Standstills()
    expected = Expected(world.config.watchdog, clock.now(), standstills)
    standstills.beat(clock.now(), clock.monotonic())
    clock.advance(3600)
    standstills.beat(clock.now(), clock.monotonic())
    assert expected.notice(clock.now(), is_open=False) is None
    clock.advance(300 + CATCH_UP_S)
    assert expected.notice(clock.now(), is_open=False) is None
    clock.advance(1)
    told = expected.notice(clock.now(), is_open=False)
    assert told is not None and told.resolved_at is None


async def test_the_relay_says_what_hinders_it_and_goes_on_by_itself() -> None:
    """While its store is away it is unwell and says why; once the store is back, what was taken before is told."""
    world = Simulated()
    store = world.store
    assert isinstance(store, MemoryAlerts)
    await world.tell(world.notice())
    running = asyncio.ensure_future(world.relay.run())
    try:
        store.problem = "disk full"
        world.clock.advance(60)
        await _until(lambda: "disk full" in world.relay.health[1], world.relay._news.set)
        assert world.relay.health[0] is False and world.night.heard == []
        store.problem = None
        world.clock.advance(60)
        await _until(lambda: bool(world.night.taken), world.relay._news.set)
        assert world.relay.health[0]
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def _until(true: Callable[[], object], poke: Callable[[], None]) -> None:
    async with asyncio.timeout(20):
        while not true():
            poke()
            await asyncio.sleep(0.02)


class _CountingDoor:
    def __init__(self) -> None:
        self.called: list[str] = []

    async def post(self, request: HttpRequest, timeout_s: float) -> HttpAnswer:
        self.called.append(request.url)
        return HttpAnswer(200, {}, b"")


async def test_the_heartbeat_stops_while_the_relay_does_not_work() -> None:
    """Somebody elsewhere hears of a relay that cannot store by hearing nothing."""
    text = CONFIG + '\n[watchdog]\nheartbeat_url = "https://health.example/ping/geheim"\nheartbeat_every_s = 5\n'
    world, door, store = Simulated(text), _CountingDoor(), MemoryAlerts()
    links = LinkMaker(bytes(32), lambda: "", 60.0)
    relay = Relay(world.config, store, world.clock, {"night": Listener()}, door=door, links=links)
    store.problem = "away"
    with pytest.raises(StoreUnavailable):
        await relay.step()
    running = asyncio.ensure_future(relay.run())
    try:
        await asyncio.sleep(0)
        assert door.called == []
        store.problem = None
        await _until(lambda: relay.problem is None, relay._news.set)
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    again = asyncio.ensure_future(relay.run())
    try:
        await _until(lambda: door.called == ["https://health.example/ping/geheim"], relay._news.set)
    finally:
        again.cancel()
        with pytest.raises(asyncio.CancelledError):
            await again


def test_alertmanager_has_its_time_from_the_start_on() -> None:
    """Missed only after the whole time without its alert; not expected at all where nobody said so."""
    world = Simulated(CONFIG + "\n[watchdog]\nexpect_within_s = 300\n")
    now = world.clock.now()
    expected = Expected(world.config.watchdog, now, Standstills())
    assert expected.notice(now + timedelta(seconds=300), is_open=False) is None
    missed = expected.notice(now + timedelta(seconds=301), is_open=False)
    assert missed is not None and missed.resolved_at is None and "never since this start" in missed.text
    expected.heard(now + timedelta(seconds=400))
    over = expected.notice(now + timedelta(seconds=401), is_open=True)
    assert over is not None and over.resolved_at is not None
    assert Expected(Simulated().config.watchdog, now, Standstills()).notice(now + timedelta(days=9), is_open=False) is None
