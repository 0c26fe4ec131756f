"""What a person should hear goes in here, and comes out once. Decided here: how the relay's parts are joined, and in which order
things are stored and known: first in the store, then in the book.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from alerts.config import Config
from alerts.links import LinkMaker
from alerts.message import NO_BASES, Bases, trial
from alerts.notifiers.port import HttpDoor, HttpFailure, HttpRequest, Notifier
from alerts.relay.actions import LinkActions
from alerts.relay.alertmanager import parse
from alerts.relay.book import MAX_ALERTS, Book
from alerts.relay.dispatcher import Dispatcher
from alerts.relay.flusher import Flusher
from alerts.relay.guard import KEY, Expected, Guard
from alerts.relay.rows import AlertStore, Backlog, Delivery, Flush, Held
from alerts.relay.silences import new_silence
from alerts.stages.alert import Alert
from alerts.stages.silence import Silence
from chargenet.errors import NotFound, StoreUnavailable, Unavailable
from chargenet.model.notice import Notice
from chargenet.model.standstill import BEAT_S, Standstills
from chargenet.ports import Clock

log = logging.getLogger(__name__)

TURN_S = 5.0
"""The longest that the flush loop waits: the guard beside it counts its turns."""
COUNT_S, PRUNE_S = 10.0, 3600.0
SLICE = 100
"""Alerts that are taken without a breath of the event loop: a few milliseconds."""


class Intake(msgspec.Struct, frozen=True):
    """What one call of Alertmanager was: its alerts, how many of them said something new, and its name of the group."""

    alerts: int
    news: int
    group: str


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say. `give_up_after_s`: age at which a message is no longer tried."""

    give_up_after_s: float = 259_200.0
    log_retention_days: float = 90.0
    bases: Bases = NO_BASES
    through_alertmanager: bool = False
    """Cases are told when Alertmanager calls, in their own words."""


class Relay:
    """Implements `chargenet.ports.Notices` and `chargenet.ports.Program`. `start` it before anything is told.

    `door` is used for the heartbeat; `guard` is the thread that watches `run`, None for none.
    """

    name = "alert relay"

    def __init__(
        self, config: Config, store: AlertStore, clock: Clock, notifiers: Mapping[str, Notifier], *, door: HttpDoor | None = None,
        links: LinkMaker | None = None, options: Options = Options(), guard: Guard | None = None,  # noqa: B008 - it is frozen
        jitter: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        self.config, self.store = config, store
        self._clock, self._door, self._options, self._guard = clock, door, options, guard
        self.actions = LinkActions(self, links, clock)
        self.book = self._book(Held([], [], []))
        self.flusher = Flusher(self.book, store, links, options.bases)
        self._standstills = Standstills()
        self.expected = Expected(config.watchdog, clock.now(), self._standstills)
        self.attempts: Counter[tuple[str, str]] = Counter()
        """(receiver, outcome) → attempts since the start."""
        self.intake: Counter[tuple[str, str]] = Counter()
        """(origin, outcome) → alerts since the start."""
        self.backlog: dict[str, Backlog] = {}
        self.on_attempt: Callable[[Delivery], None] = lambda _: None
        """Hears of every attempt; for whoever measures."""
        self.problem: str | None = "not started"
        self._ready = False
        self._lock = asyncio.Lock()
        self._news = asyncio.Event()
        self.dispatchers = {
            name: Dispatcher(name, notifier, store, clock, options.give_up_after_s, jitter, self._attempted)
            for name, notifier in notifiers.items()
        }

    # -- what comes in

    async def tell(self, notices: Sequence[Notice]) -> None:
        """See `ports.Notices`: returns once they are durable. Raises StoreUnavailable."""
        now = self._clock.now()
        await self.take([Alert(notice=notice, taken_at=now, heard_at=now) for notice in notices])

    def _book(self, held: Held) -> Book:
        return Book(self.config, held, self._clock.now(), through_alertmanager=self._options.through_alertmanager)

    async def intake_alertmanager(self, body: bytes) -> Intake:
        """One webhook call of Alertmanager, once its alerts are durable.

        Raises StoreUnavailable, or BadPayload when it is no webhook payload of version 4.
        """
        now = self._clock.now()
        call = await asyncio.to_thread(parse, body, self.config.watchdog.alert, now)
        if call.watchdog:
            self.expected.heard(now)
            self._news.set()
        if call.truncated:
            log.warning("Alertmanager left %d alerts out of a call about %s: raise max_alerts there", call.truncated, call.group)
        return Intake(len(call.alerts), await self.take(call.alerts), call.group)

    async def take(self, alerts: Sequence[Alert]) -> int:
        """Keep alerts; how many of them were news. Raises StoreUnavailable."""
        await self.start()
        async with self._lock:
            now = self._clock.now()
            wanted, changed = await self._wanted(alerts)
            added = {alert.key for alert in wanted} - self.book.alerts.keys()
            if len(self.book) + len(added) > MAX_ALERTS:
                self.intake["notice", "refused"] += len(alerts)
                raise StoreUnavailable("alerts", f"{len(self.book)} alerts are open already")
            kept = [alert for alert in wanted if not self.book.needless(alert)]
            if kept:
                await self.store.take(kept)
            async for alert in sliced(kept):
                self.book.put(alert, now)
            await self._forget([alert.key for alert in wanted if self.book.needless(alert)], now)
            self.intake.update((alert.origin, "taken") for alert in wanted)
            self.intake["notice", "nothing_to_tell"] += len(alerts) - len(wanted)
        self._news.set()
        return changed

    async def _wanted(self, alerts: Sequence[Alert]) -> tuple[list[Alert], int]:
        """What there is to keep, with what is known of it from before; and how much of it is news."""
        wanted, changed = [], 0
        async for alert in sliced(alerts):
            if self.book.admits(alert):
                wanted.append(self.book.merged(alert))
                changed += _said(self.book.alerts.get(alert.key)) != _said(wanted[-1])
        return wanted, changed

    # -- what people ask

    async def add_silence(self, matchers: Sequence[str], starts_at: datetime, ends_at: datetime, comment: str, who: str) -> Silence:
        """Keep alerts quiet for a while. Raises Conflict for matchers or times that make no sense, StoreUnavailable."""
        silence = new_silence(matchers, starts_at, ends_at, comment, who, self._clock.now())
        await self.start()
        async with self._lock:
            await self.store.add_silence(silence)
            self.book.silence(silence, self._clock.now())
        self._news.set()
        return silence

    async def end_silence(self, silence_id: str, who: str) -> tuple[Silence, Silence]:
        """(before, after). Raises NotFound, Conflict, StoreUnavailable."""
        await self.start()
        async with self._lock:
            now = self._clock.now()
            before, after = await self.store.end_silence(silence_id, now, who)
            self.book.silence(after, now)
        self._news.set()
        return before, after

    async def test(self, receiver: str, who: str) -> str:
        """Put a marked test into the outbox; its message id. Raises NotFound, StoreUnavailable."""
        if receiver not in self.dispatchers:
            raise NotFound("receiver", receiver)
        now = self._clock.now()
        message = trial(receiver, who, now, secrets.token_hex(8))
        await self.store.put_out(message)
        self.dispatchers[receiver].hurry()
        return message.message_id

    @property
    def health(self) -> tuple[bool, str]:
        """Is it well, and a sentence."""
        closed = [name for name, dispatcher in self.dispatchers.items() if dispatcher.breaker.is_open]
        if self.problem not in (None, "not started"):
            return False, str(self.problem)
        if closed:
            return False, f"no answer from {', '.join(closed)}"
        waiting = sum(each.waiting for each in self.backlog.values())
        return True, f"{len(self.book)} alerts open, {waiting} messages waiting, {len(self.dispatchers)} receivers"

    # -- what it does by itself

    async def run(self) -> None:
        """Group, deliver and watch until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._beat())
                tasks.create_task(self._flush_loop())
                tasks.create_task(self._keep_loop())
                for name, dispatcher in self.dispatchers.items():
                    tasks.create_task(dispatcher.run(), name=f"alerts to {name}")
                if self.config.watchdog.heartbeat_url is not None and self._door is not None:
                    tasks.create_task(self._heartbeat_loop(self._door))
                if self._guard is not None:
                    self._guard.start()
        finally:
            if self._guard is not None:
                self._guard.stop()

    async def _beat(self) -> None:
        while True:
            self._standstills.beat(self._clock.now(), self._clock.monotonic())
            await asyncio.sleep(BEAT_S)

    async def step(self) -> datetime | None:
        """Look once at everything that is due; when to look again. Raises StoreUnavailable."""
        await self.start()
        await self._expect()
        async with self._lock:
            for receiver in await self.flusher.flush(self._clock.now()):
                if receiver in self.dispatchers:
                    self.dispatchers[receiver].hurry()
            return self.book.next_due()

    async def _flush_loop(self) -> None:
        while True:
            self._news.clear()
            try:
                again_at = await self.step()
                self._turned()
                wait_s = TURN_S if again_at is None else (again_at - self._clock.now()).total_seconds()
            except Unavailable as error:
                self._hindered(str(error))
                await asyncio.sleep(TURN_S)
                continue
            try:
                async with asyncio.timeout(min(TURN_S, max(0.0, wait_s))):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def _keep_loop(self) -> None:
        pruned_at = self._clock.monotonic() - PRUNE_S
        while True:
            try:
                await self.keep(prune=self._clock.monotonic() - pruned_at >= PRUNE_S)
                if self._clock.monotonic() - pruned_at >= PRUNE_S:
                    pruned_at = self._clock.monotonic()
            except Unavailable as error:
                log.warning("the outbox is not counted: %s", error)
            await asyncio.sleep(COUNT_S)

    async def keep(self, *, prune: bool) -> None:
        """Count what waits; remove what is old. Raises StoreUnavailable."""
        self.backlog = await self.store.backlog()
        self.flusher.waiting = Counter({name: each.waiting for name, each in self.backlog.items()})
        if not prune:
            return
        now = self._clock.now()
        await self.store.prune(now - timedelta(days=self._options.log_retention_days))
        async with self._lock:
            await self._forget(self.book.stale(now), now)

    async def _forget(self, keys: Sequence[str], now: datetime) -> None:
        known = [key for key in keys if key in self.book.alerts]
        if known:
            await self.store.flush(Flush(messages=[], groups=[], forgotten=known))
        for key in known:
            self.book.forget(key, now)

    async def _heartbeat_loop(self, door: HttpDoor) -> None:
        watchdog = self.config.watchdog
        assert watchdog.heartbeat_url is not None
        while True:
            if self.problem is None:
                try:
                    await door.post(HttpRequest(watchdog.heartbeat_url.reveal(), {}, b""), 10.0)
                except HttpFailure as failure:
                    log.warning("the heartbeat was not heard: %s", failure.detail)
            await asyncio.sleep(watchdog.heartbeat_every_s)

    async def _expect(self) -> None:
        if self._standstills.watched:
            self._standstills.beat(self._clock.now(), self._clock.monotonic())
        known = self.book.alerts.get(KEY)
        notice = self.expected.notice(self._clock.now(), known is not None and not known.is_over)
        if notice is not None:
            await self.tell([notice])

    async def start(self) -> None:
        """Read what the last run left, once. Raises StoreUnavailable."""
        if self._ready:
            return
        async with self._lock:
            await self._load()

    async def _load(self) -> None:
        if self._ready:  # somebody was quicker
            return
        now = self._clock.now()
        held = await self.store.load(now)
        gone = await self.store.abandon(list(self.config.receivers), now)
        if gone:
            log.warning("%d messages are given up: their receivers are no longer in %s", gone, self.config.source)
        self.book = self.flusher.book = self._book(held)
        self._ready = True

    def _turned(self) -> None:
        if self.problem not in (None, "not started"):
            log.info("the alert relay works again")
        self.problem = None
        if self._guard is not None:
            self._guard.turned()

    def _hindered(self, problem: str) -> None:
        if self.problem != problem:
            log.warning("the alert relay waits: %s", problem)
        self.problem = problem
        if self._guard is not None:
            self._guard.hindered(problem)

    def _attempted(self, delivery: Delivery) -> None:
        self.attempts[delivery.receiver, delivery.outcome] += 1
        self.on_attempt(delivery)


async def sliced(alerts: Sequence[Alert]) -> AsyncIterator[Alert]:
    """All of them, with a breath of the event loop now and then."""
    for number, alert in enumerate(alerts, 1):
        yield alert
        if number % SLICE == 0:
            await asyncio.sleep(0)


def _said(alert: Alert | None) -> tuple[str, bool, bool] | None:
    """What of an alert can be news."""
    return None if alert is None else (alert.mark, alert.is_over, alert.is_acknowledged)
