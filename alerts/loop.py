"""Reads facts, judges, keeps cases, tells. Decided here: when each is done, and that one thing is done at a time.

Facts are applied as they come; charge points that they touched are judged by the rules at most every `Pace.touch_s`; the whole
network by the rules, and connectors where an attempt ended by the statistical tests, every `Pace.sweep_s`; everything by the tests
every `Pace.statistics_s`; whole weeks by the forest when `Weeks` says so. Judging is a thread's or a process's work. Cases are
stored as they change; what the detectors know is stored with the journal position that it stands at, in one SQL transaction, so
that a killed process goes on from there: it reads again what came since, finds again what is still so, and opens nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from alerts.attempts import Attempt
from alerts.case import Case
from alerts.caseload import PROOFS, Caseload
from alerts.detectors.statistics.history import Key
from alerts.finding import Finding
from alerts.knowledge import Knowledge
from alerts.signals import SignalsOutdated
from alerts.store import CaseStore, Checkpoint, Piece
from chargenet.errors import Unavailable
from chargenet.events import Fact
from chargenet.model.standstill import BEAT_S, Standstills
from chargenet.ports import Clock, Feed, Journal
from chargenet.turns import FEW, Turns

log = logging.getLogger(__name__)

CURSOR = "alerts"
BATCH = 2_000
FEW_POINTS = 8
"""Charge points judged between two looks at the clock. In a thread they would take the interpreter from the sockets, each time for
a thousandth of a second; here they wait for a pause."""
PAGE = 500
RETRY_S = 2.0


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds between two of each."""

    touch_s: float = 1.0
    sweep_s: float = 15.0
    statistics_s: float = 300.0
    """Silence and jitter grow slowly."""
    weeks_s: float = 600.0
    """Two looks whether the forest's week is over."""
    checkpoint_s: float = 30.0
    """A killed process reads so much of the journal again."""


class AlertLoop:
    """One per process. `tell` gives untold cases to the relay and returns when it has stored them; None: there is no relay.

    `listening`: whether anybody could be heard now; while not, silence is nobody's.
    """

    def __init__(
        self,
        feed: Feed,
        journal: Journal,
        clock: Clock,
        store: CaseStore,
        knowledge: Knowledge,
        caseload: Caseload,
        tell: Callable[[Sequence[Case]], Awaitable[None]] | None,
        pace: Pace,
        standstills: Standstills,
        listening: Callable[[], bool] = lambda: True,
    ) -> None:
        self._feed, self._journal, self._clock, self._store = feed, journal, clock, store
        self._knowledge, self._caseload, self._tell, self._pace = knowledge, caseload, tell, pace
        self._standstills, self._listening = standstills, listening
        self.turn = asyncio.Lock()
        """Held by whoever applies facts, judges or changes a case."""
        self.position = self._stored = 0
        self.problem: str | None = None
        """Why nothing is judged or stored, None while it is."""
        self.swept_at: float | None = None
        """When the whole network was last judged, by the monotonic clock."""
        self.on_attempts: Callable[[Sequence[Attempt]], None] = lambda _: None
        """Hears of the attempts that a report of one charge point finished; for whoever counts."""
        self.judging_s = 0.0
        """How long that took."""
        self.left_out = 0
        """Facts that could not be taken in since the start."""
        self._touched: set[str] = set()
        self._tried_out: set[Key] = set()
        self._unsaved: dict[str, Piece] = {}
        self._due: set[str] = set()
        self._wake = asyncio.Event()
        self._start_head = 0

    def lag(self) -> int:
        """Records that have not been taken in yet."""
        return max(0, self._feed.head - self.position)

    def due(self, what: str) -> None:
        """Let `points`, `sweep`, `checkpoint` or `tell` be done next."""
        self._due.add(what)
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        await self._retried("start", self._start)
        scheduler = AsyncIOScheduler(timezone="UTC", event_loop=asyncio.get_running_loop())
        pace = self._pace
        every = {"sweep": pace.sweep_s, "statistics": pace.statistics_s, "weeks": pace.weeks_s, "checkpoint": pace.checkpoint_s}
        for what, seconds in (*every.items(), ("tell", pace.sweep_s)):
            scheduler.add_job(self.due, "interval", args=[what], seconds=seconds, coalesce=True, misfire_grace_time=None)
        scheduler.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._beat(), name="alerts beat")
                tasks.create_task(self._follow(), name="alerts follow")
                tasks.create_task(self._work(), name="alerts work")
        finally:
            scheduler.shutdown(wait=False)

    async def _start(self) -> None:
        """Take up what was stored; states of another version are learned again from the journal."""
        await self._caseload.load()
        position = await self._store.position()
        try:
            await self._restore()
        except SignalsOutdated as error:
            log.warning("alerts learn again from the journal: %s", error)
            self._knowledge.clear()
            position = 0
        if position > self._feed.head or position == 0:
            position = min(position, self._feed.head) if position else self._journal.first_sequence - 1
            await self._store.restart(position)
        self.position = self._stored = position
        self._journal.set_cursor(CURSOR, position)
        self._start_head = self._feed.head

    async def _restore(self) -> None:
        after = ""
        while pieces := await self._store.pieces(after, PAGE):
            after = pieces[-1].name
            for piece in [piece for piece in pieces if piece.name == PROOFS]:
                self._caseload.restore(piece.state or b"")
                pieces.remove(piece)
            await asyncio.to_thread(self._knowledge.restore, pieces)

    async def _beat(self) -> None:
        while True:
            if self._listening():
                self._standstills.beat(self._clock.now(), self._clock.monotonic())
            await asyncio.sleep(BEAT_S)

    async def _follow(self) -> None:
        while True:
            facts, turns = await self._feed.next(self.position, BATCH), Turns()
            for start in range(0, len(facts), FEW):
                async with self.turn:
                    self._take_in(facts[start : start + FEW])
                await turns.rest()
            if self.position >= self._start_head:
                self.due("points")
            await asyncio.sleep(0)

    def _take_in(self, facts: Sequence[Fact]) -> None:
        touched = self._touched
        for fact in facts:
            attempts = self._taken_in(fact)
            touched.add(fact.charge_point_id)
            if attempts:
                self._caseload.prove(attempts, self._clock.now())
                self.on_attempts(attempts)
        self.position = facts[-1].sequence

    def _taken_in(self, fact: Fact) -> list[Attempt]:
        """The attempts that a fact finished."""
        try:
            return self._knowledge.apply(fact)
        # What a detector cannot bear is left out and shown: reading it again and again would end the detection of everything else.
        except Exception:
            self.left_out += 1
            log.exception("record %d of %s is left out of detection", fact.sequence, fact.charge_point_id)
            return []

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            jobs = {
                "points": self._points,
                "sweep": self._sweep,
                "statistics": self._statistics,
                "weeks": self._weeks,
                "tell": self._told,
                "checkpoint": self._checkpoint,
            }
            for what, job in jobs.items():
                if what in self._due:
                    self._due.discard(what)
                    await self._tried(what, job)
            await asyncio.sleep(self._pace.touch_s)

    async def _points(self) -> None:
        """Judge the charge points that something was heard of."""
        async with self.turn:
            names = [name for name in self._touched if name]
            findings, touched, knowledge = list[Finding](), set(names), self._knowledge
            now, turns = self._clock.now(), Turns()
            for start in range(0, len(names), FEW_POINTS):
                findings += knowledge.judge_points(names[start : start + FEW_POINTS], now)
                await turns.rest()
            changes = await self._caseload.judge(
                findings, lambda case: case.charge_point_id in touched and knowledge.judged_alone(case), knowledge
            )
            self._touched.clear()
        if changes:
            self.due("tell")

    async def _sweep(self) -> None:
        """The rules for everything, since time passes also where nothing is said; the tests where somebody tried to charge."""
        if self.position < self._start_head or self._catching_up():
            return
        async with self.turn:
            began = self._clock.monotonic()
            await self._caseload.load_windows()
            await self._by_rules()
            self._tried_out |= self._knowledge.statistics.finished()
            if self._tried_out:
                await self._by_statistics(self._tried_out)
                self._tried_out.clear()
            self.swept_at = self._clock.monotonic()
            self.judging_s = self.swept_at - began
        self.due("tell")

    def _catching_up(self) -> bool:
        """This process heard nothing until now: what came meanwhile is read before anything is concluded; the next sweep does."""
        if not self._listening():
            return True
        if not self._standstills.watched:
            return False
        monotonic = self._clock.monotonic()
        self._standstills.beat(self._clock.now(), monotonic)
        return self._standstills.catching_up(monotonic)

    async def _statistics(self) -> None:
        """The statistical tests for everything."""
        if self.position < self._start_head or self._catching_up():
            return
        async with self.turn:
            await self._by_statistics(None)
        self.due("tell")

    async def judge_now(self) -> list[Finding]:
        """Judge everything by rules and tests, and keep what follows. Raises StoreUnavailable."""
        async with self.turn:
            await self._caseload.load_windows()
            findings = await self._by_rules() + await self._by_statistics(None)
        self.due("tell")
        return findings

    async def _by_rules(self) -> list[Finding]:
        findings = await asyncio.to_thread(self._knowledge.judge_network, self._clock.now())
        await self._caseload.judge(findings, self._knowledge.judged_by_rules, self._knowledge)
        return findings

    async def _by_statistics(self, only: set[Key] | None) -> list[Finding]:
        statistics = self._knowledge.statistics
        statistics.take_beats()
        findings = await asyncio.to_thread(statistics.judge, self._clock.now(), only)
        await self._caseload.judge(findings, lambda case: statistics.looks_for(case, only), self._knowledge)
        return findings

    async def _weeks(self) -> None:
        """The forest, once a week: a look in a thread, then trees in a process, while everything else goes on."""
        weeks, statistics, now = self._knowledge.weeks, self._knowledge.statistics, self._clock.now()
        if self.position < self._start_head or not weeks.due(now):
            return
        async with self.turn:
            week = await asyncio.to_thread(weeks.look, statistics, now)
        findings = await weeks.judge(week, now, statistics.settings.forest_limit)
        async with self.turn:
            await self._caseload.judge(findings, self._knowledge.judged_by_forest, self._knowledge)
        self.due("tell")

    async def _told(self) -> None:
        cases = self._caseload.untold()
        if cases and self._tell is not None:
            await self._tell(cases)
            async with self.turn:
                await self._caseload.told(cases)

    async def _checkpoint(self) -> None:
        async with self.turn:
            position = self.position
            self._knowledge.statistics.take_beats()
            taken = await asyncio.to_thread(self._knowledge.take)
            self._unsaved |= {piece.name: piece for piece in (*taken, *self._caseload.take())}
        if position == self._stored and not self._unsaved:
            return
        await self._store.checkpoint(Checkpoint(pieces=list(self._unsaved.values()), after=self._stored, upto=position))
        self._stored = position
        self._unsaved.clear()
        self._journal.set_cursor(CURSOR, position)

    async def _tried(self, what: str, job: Callable[[], Awaitable[None]]) -> bool:
        """Do it; what fails is shown, and done again at its next time."""
        try:
            await job()
        except Unavailable as error:
            self._failed(what, str(error), None)
        # A fault of a detector, or facts that it cannot bear, must not end what acknowledges frames: it is shown and tried again.
        except Exception as error:  # noqa: BLE001
            self._failed(what, f"{what} failed: {type(error).__name__}; the log has it", error)
        else:
            if self.problem is not None and self._failing == what:
                log.info("alerts work again")
                self.problem = None
            return True
        return False

    _failing = ""

    def _failed(self, what: str, problem: str, error: Exception | None) -> None:
        if self.problem != problem:
            log.log(logging.ERROR if error else logging.WARNING, "alerts wait: %s", problem, exc_info=error)
        self.problem, self._failing = problem, what

    async def _retried(self, what: str, job: Callable[[], Awaitable[None]]) -> None:
        while not await self._tried(what, job):  # noqa: ASYNC110 - nobody says when a store is back
            await asyncio.sleep(RETRY_S)
