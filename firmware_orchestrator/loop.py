"""One tick: load, take in the facts, judge, decide what time means, store all of it, then act. Decided here: that order.

A tick starts from the store alone and leaves nothing in memory that the next one needs. What a tick decides is stored in one
transaction with the position in the journal that it rests on; what must be done for it comes after, and is found again by the next
tick when this one is killed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from chargenet.events import Fact
from chargenet.model.standstill import Standstills
from chargenet.ports import Clock, Feed, Notices
from firmware_orchestrator import tidings
from firmware_orchestrator.course import Caps, Course, takes_a_place
from firmware_orchestrator.dossier import Dossier
from firmware_orchestrator.executor import Executor
from firmware_orchestrator.intake import Live, LiveFleet
from firmware_orchestrator.rollout import UNDER_WAY, WAITING, RolloutState, UpdateState, WaveState
from firmware_orchestrator.rows import CLOSED, CLOSING, RESTORING, Change, DeviceUpdate, Rollout
from firmware_orchestrator.store import RolloutStore

log = logging.getLogger(__name__)

BATCH = 2000
LOOKED_AT = 64
"""Charge points that one tick looks at for a dispatch, per rollout."""
BEHIND_S = 2.0
"""Facts younger than this may still be on their way to the disk."""
NOT_RESTORED_S = 900.0

Courses = Callable[[Rollout], Awaitable[Course]]


class Loop:
    """The tick. `course_of` reads what a rollout was told to do; `opened` makes the dossier of one that has none yet."""

    def __init__(
        self,
        store: RolloutStore,
        feed: Feed,
        fleet: LiveFleet,
        executor: Executor,
        notices: Notices,
        clock: Clock,
        courses: Courses,
        seen: Callable[[Sequence[Dossier], datetime], None] = lambda dossiers, now: None,
        standstills: Standstills | None = None,
    ) -> None:
        self._store, self._feed, self._fleet, self._executor = store, feed, fleet, executor
        self._notices, self._clock, self._courses, self._seen = notices, clock, courses, seen
        self._standstills = Standstills() if standstills is None else standstills

    async def tick(self) -> int:
        """One round; the position reached. Raises StoreUnavailable, and Conflict when a person changed something meanwhile."""
        before, monotonic = self._clock.now(), self._clock.monotonic()
        if self._standstills.watched:
            self._standstills.beat(before, monotonic)
        if self._standstills.catching_up(monotonic):
            return await self._store.position()
        head = self._feed.head
        dossiers = [await self._load(rollout) for rollout in await self._store.active()]
        for each in dossiers:
            each.stood_still(self._standstills)
        position = await self._store.position()
        reached = await self._take_in(dossiers, position, head)
        upto = before - timedelta(seconds=BEHIND_S)
        asks = await self._judge(dossiers, upto, before)
        change = merged([each.change() for each in dossiers], (position, reached) if reached > position else None)
        await self._store.change(change)
        for each in dossiers:
            each.stored()
        self._seen(dossiers, before)
        await self._executor.ask(asks)
        for each in dossiers:
            await self._act(each)
        await self.tell()
        return reached

    async def tell(self) -> None:
        """What people should hear; kept until the relay has it."""
        while waiting := await self._store.untold():
            await self._notices.tell([each.notice for each in waiting])
            await self._store.told([each.number for each in waiting])

    async def _load(self, rollout: Rollout) -> Dossier:
        updates = await self._store.updates(rollout.rollout_id)
        return Dossier(rollout, updates, await self._courses(rollout), await self._store.evidence(rollout.rollout_id))

    async def _take_in(self, dossiers: Sequence[Dossier], position: int, head: int) -> int:
        """Facts up to `head`; without a rollout there is nothing in them for us."""
        if not dossiers:
            return max(position, head)
        while position < head:
            facts: Sequence[Fact] = [fact for fact in await self._feed.next(position, BATCH) if fact.sequence <= head]
            if not facts:
                return head
            for each in dossiers:
                each.take_in(facts)
            position = facts[-1].sequence
        return position

    async def _judge(self, dossiers: Sequence[Dossier], upto: datetime, now: datetime) -> list[tuple[str, str]]:
        asks: list[tuple[str, str]] = []
        for each in dossiers:
            lives = await self._fleet.look(each.soaked(now))
            asks += each.elapse(now, lives)
            each.judge(upto, now)
            each.move(now)
        return asks

    async def _act(self, dossier: Dossier) -> None:
        await self._reopen(dossier)
        rollout = dossier.rollout
        if rollout.state is RolloutState.RUNNING and rollout.waves[rollout.wave].state is WaveState.DISPATCHING:
            await self._dispatch(dossier)

    async def _reopen(self, dossier: Dossier) -> None:
        """Connectors that we closed are opened again in every ending."""
        now = self._clock.now()
        closed = [each for each in dossier.updates if must_reopen(each, dossier.rollout, dossier.course, now)]
        for update in await self._executor.restore(closed):
            if (now - update.state_at).total_seconds() >= NOT_RESTORED_S:
                await self._store.change(Change(notices=(tidings.not_restored(dossier.rollout, update, now),)))

    async def _dispatch(self, dossier: Dossier) -> None:
        now = self._clock.now()
        due = [each for each in dossier.updates if each.wave == dossier.rollout.wave and is_due(each, now)]
        caps, ready, waits = Caps(dossier.course, dossier.updates), list[tuple[DeviceUpdate, Live]](), list[DeviceUpdate]()
        lives: dict[str, Live] = {}
        for start in range(0, len(due), LOOKED_AT):
            part = due[start : start + LOOKED_AT]
            lives |= await self._fleet.look([each.charge_point_id for each in part])
        for update in due:
            live = lives.get(update.charge_point_id)
            why = obstacle(update, live, dossier.course, caps, now)
            if why is None and live is not None:
                if not takes_a_place(update):
                    caps.add(update)
                ready.append((update, live))
            elif why is not None and (update.code, update.reason) != why:
                waits.append(msgspec.structs.replace(update, code=why[0], reason=why[1]))
        if waits:
            await self._store.change(Change(updates=tuple(waits)))
        await self._executor.dispatch(dossier.rollout, dossier.course, ready)


def obstacle(update: DeviceUpdate, live: Live | None, course: Course, caps: Caps, now: datetime) -> tuple[str, str] | None:
    """Why an order may not be sent now: (word, sentence); None: it may."""
    if live is None or not live.connected:
        return "offline", "is not connected"
    if not course.is_open(update.time_zone, now):
        return "window", "is outside the window of its site"
    if (refusal := caps.refusal(update)) is not None:
        return "cap", refusal
    if live.busy is not None and not (course.close and update.availability != CLOSED) and not _waited(update, course, now):
        return "busy", live.busy
    return None


def _waited(update: DeviceUpdate, course: Course, now: datetime) -> bool:
    """Out of service for so long that it is sent the order although it seems busy: it waits for its sessions itself."""
    return (
        update.availability == CLOSED
        and update.closed_at is not None
        and (now - update.closed_at).total_seconds() >= course.times.scheduled_s
    )


def is_due(update: DeviceUpdate, now: datetime) -> bool:
    """It waits to be sent, and not for a later time."""
    if update.availability == RESTORING:
        return False
    return update.state is UpdateState.QUEUED or (
        update.state is UpdateState.RETRYING and update.retry_at is not None and update.retry_at <= now
    )


def must_reopen(update: DeviceUpdate, rollout: Rollout, course: Course, now: datetime) -> bool:
    """Are its connectors closed by us, with nothing left that needs them closed? Outside its window nothing does."""
    if update.availability not in (CLOSING, CLOSED, RESTORING):
        return False
    if update.availability == RESTORING:
        return True
    waits = update.state in WAITING and update.state is not UpdateState.RETRYING
    soon = waits and rollout.state is RolloutState.RUNNING and course.is_open(update.time_zone, now)
    return update.state not in UNDER_WAY and not soon


def merged(changes: Sequence[Change], position: tuple[int, int] | None) -> Change:
    """All of a tick, in one transaction."""
    return Change(
        rollouts=tuple(row for each in changes for row in each.rollouts),
        updates=tuple(row for each in changes for row in each.updates),
        entries=tuple(row for each in changes for row in each.entries),
        notices=tuple(row for each in changes for row in each.notices),
        guards=tuple(row for each in changes for row in each.guards),
        evidence={name: state for each in changes for name, state in each.evidence.items()},
        position=position,
    )
