"""The alerts program: its parts joined. Decided here: what is told beside a case's own evidence, and where people act."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from alerts.attempts import Attempt
from alerts.case import Case
from alerts.case_notice import Background, notice_of
from alerts.caseload import Caseload
from alerts.detectors.rules import Heard, RuleSettings
from alerts.detectors.statistics import StatisticsSettings
from alerts.judgement import Judgement, judged
from alerts.knowledge import Knowledge
from alerts.loop import AlertLoop, Pace
from alerts.maintenance import Window, checked
from alerts.metrics import CaseMetrics
from alerts.statistics import Statistics
from alerts.store import CaseStore
from alerts.weeks import Weeks
from chargenet.model.standstill import Standstills
from chargenet.model.transaction import Transaction
from chargenet.ports import Clock, Feed, Journal, Notices
from chargenet.stores import Stores

MOST_SESSIONS = 20
"""Looked through to count the drivers that were hit."""


WEEK_S = 7 * 86_400.0
_OURS = frozenset({"heartbeat_interval_s", "touch_s", "checkpoint_s"})
"""How often we ask to be told, look and store: real seconds, however fast the network lives."""
Durations = TypeVar("Durations", RuleSettings, Pace)


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How fast the network lives and is looked at. `speed` above 1 is for simulated networks: every duration is divided by it."""

    speed: float = 1.0
    rules: RuleSettings = RuleSettings()
    statistics: StatisticsSettings = StatisticsSettings()
    pace: Pace = Pace()
    week_s: float = WEEK_S
    """How often the forest looks."""


class Alerts:
    """Implements `chargenet.ports.Program`. `notices`: the relay; None: nobody is told, and the cases wait for one."""

    name = "alerts"

    def __init__(
        self,
        feed: Feed,
        journal: Journal,
        clock: Clock,
        stores: Stores,
        cases: CaseStore,
        notices: Notices | None,
        site_of: Callable[[str], str],
        last_frames: Mapping[str, datetime],
        settings: AlertSettings,
        listening: Callable[[], bool] = lambda: True,
    ) -> None:
        self.store, self._stores, self._clock, self._notices = cases, stores, clock, notices
        self.standstills = Standstills()
        heard = Heard(last_frame_at=last_frames, listening_since=clock.now(), standstills=self.standstills)
        statistics, weeks = Statistics(settings.statistics, settings.speed), Weeks(settings.week_s / settings.speed)
        self._knowledge = Knowledge(scaled(settings.rules, settings.speed), heard, site_of, statistics, weeks)
        self.caseload = Caseload(cases, clock, settings.speed)
        self.metrics = CaseMetrics(self.caseload)
        tell = None if notices is None else self._tell
        pace = scaled(settings.pace, settings.speed)
        self.loop = AlertLoop(feed, journal, clock, cases, self._knowledge, self.caseload, tell, pace, self.standstills, listening)
        self.loop.on_attempts = self._count
        self.metrics.watch(self.loop)

    async def run(self) -> None:
        """See `ports.Program`."""
        await self.loop.run()

    @property
    def health(self) -> tuple[bool, str]:
        """Is it well, and a sentence."""
        loop = self.loop
        left_out = f", {loop.left_out} left out (the log says which)" if loop.left_out else ""
        return loop.problem is None, loop.problem or f"{loop.lag()} records behind{left_out}"

    def heartbeat(self, charge_point_id: str, at: datetime) -> None:
        """A heartbeat came, which leaves no record. Costs nothing: it is taken in with the next judgement."""
        self._knowledge.statistics.beat(charge_point_id, at)

    def open_cases(self) -> list[Case]:
        """The unresolved ones that nothing explains, as they are in memory."""
        return [case for case in self.caseload.by_key.values() if case.is_open and not case.hidden]

    async def judge_now(self) -> Judgement:
        """Run rules and tests over the whole network now; the forest keeps to its week. Raises StoreUnavailable."""
        began, now = self._clock.monotonic(), self._clock.now()
        findings = await self.loop.judge_now()
        masks = {at: self._knowledge.mask(finding, now, self.caseload.windows) for at, finding in enumerate(findings)}
        points = self._knowledge.signals.points
        return Judgement(
            at=now,
            took_s=round(self._clock.monotonic() - began, 3),
            charge_points=len(points),
            connectors=sum(len(point.connectors) for point in points.values()),
            findings=judged(findings, self.caseload.by_key, {at: mask for at, mask in masks.items() if mask is not None}),
        )

    async def acknowledge(self, case_id: int, who: str, note: str) -> tuple[Case, Case]:
        """A person takes a case; as it was and as it is. Raises NotFound, Conflict, StoreUnavailable."""
        async with self.loop.turn:
            both = await self.caseload.acknowledge(case_id, who, note)
        self.loop.due("tell")
        return both

    async def resolve(self, case_id: int, who: str, note: str) -> tuple[Case, Case]:
        """A person ends a case. Raises as `acknowledge`."""
        async with self.loop.turn:
            both = await self.caseload.resolve(case_id, who, note)
        self.loop.due("tell")
        return both

    async def add_window(self, window: Window) -> Window:
        """Announce planned work. Raises Conflict, StoreUnavailable."""
        added = await self.store.add_window(checked(window))
        self.loop.due("sweep")
        return added

    async def end_window(self, window_id: int, who: str) -> Window:
        """End planned work before its time. Raises NotFound, Conflict, StoreUnavailable."""
        ended = await self.store.end_window(window_id, who, self._clock.now())
        self.loop.due("sweep")
        return ended

    def _count(self, attempts: Sequence[Attempt]) -> None:
        name = attempts[0].charge_point_id
        point, site = self._knowledge.signals.points.get(name), self._knowledge.sites.get(name, "")
        firmware = (point.vendor or "", point.model or "", point.firmware_version or "") if point is not None else ("", "", "")
        self.metrics.attempts.count(attempts, site, firmware, self._clock.now())

    async def _tell(self, cases: Sequence[Case]) -> None:
        assert self._notices is not None
        await self._notices.tell([notice_of(case, await self._background(case)) for case in cases])

    async def _background(self, case: Case) -> Background:
        site = await self._stores.sites.get(case.site_id) if case.site_id is not None else None
        sessions: list[Transaction] = []
        if case.charge_point_id is not None:
            page = await self._stores.transactions.transactions(
                charge_point_id=case.charge_point_id, connector=case.connector, limit=MOST_SESSIONS
            )
            sessions = page.items
        return Background(site_name=site.name if site else "", sessions=sessions, peers=self._peers(case))

    def _peers(self, case: Case) -> str:
        """How many others of its site have the same."""
        if case.charge_point_id is None or case.site_id is None:
            return ""
        others = {
            each.charge_point_id
            for each in self.caseload.by_key.values()
            if each.is_open and each.kind == case.kind and each.site_id == case.site_id
        } - {case.charge_point_id}
        there = sum(site_id == case.site_id for site_id in self._knowledge.sites.values()) - 1
        if there <= 0:
            return ""
        return f"{len(others) or 'None'} of the {there} others at this site {'has' if len(others) == 1 else 'have'} the same."


def scaled(settings: Durations, speed: float) -> Durations:
    """The same with every duration of the network's (a field ending in `_s`) divided by `speed`."""
    if speed == 1.0:
        return settings
    fields = msgspec.structs.asdict(settings)
    values = {name: value / speed for name, value in fields.items() if name.endswith("_s") and name not in _OURS}
    return msgspec.structs.replace(settings, **values)
