"""What a rollout was told to do, as the tick needs it: one value from its file and its artifact. Decided here: which limits a
dispatch must keep. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.manifest import Manifest, is_expected, same_version
from firmware_orchestrator.retry import Retries
from firmware_orchestrator.rollout import UNDER_WAY
from firmware_orchestrator.rows import CLOSED, CLOSING, DeviceUpdate
from firmware_orchestrator.steps import Terms, Times


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """One rollout's orders. `is_open(time zone, now)`: may a charge point there be updated now?"""

    policy: GatePolicy
    manifest: Manifest
    artifact_id: str
    is_open: Callable[[str | None, datetime], bool]
    at_once: int | None = None
    at_site: Callable[[int], int] = lambda charge_points: charge_points
    """How many may be under way at a site with so many charge points of this rollout."""
    approvals: frozenset[int] = frozenset()
    """Waves that a person must let begin."""
    close: bool = False
    """Take a charge point out of service before its update, and put it back as it was after it."""
    times: Times = Times()
    retries: Retries = Retries()

    @property
    def soak_s(self) -> float:
        """How long a charge point must stay well, by the clock."""
        return self.policy.min_soak_hours * 3600 / self.policy.network_speed

    def terms(self, update: DeviceUpdate) -> Terms:
        """What is asked of one charge point."""
        manifest, model = self.manifest, update.model
        return Terms(
            is_expected=lambda version: is_expected(manifest, model, version),
            same=lambda one, other: same_version(manifest, model, one, other),
            can_sign=manifest.signed,
            soak_s=self.soak_s,
            retries=self.retries,
            **msgspec.structs.asdict(self.times),
        )


def takes_a_place(update: DeviceUpdate) -> bool:
    """Is it missing at its site because of this rollout: updated now, or out of service for it?"""
    return update.state in UNDER_WAY or update.availability in (CLOSING, CLOSED)


class Caps:
    """Counts what is under way, and says why one more may not begin."""

    def __init__(self, course: Course, updates: Iterable[DeviceUpdate]) -> None:
        self._course = course
        self._all, self._sites, self._sizes = 0, dict[str, int](), dict[str, int]()
        for update in updates:
            if update.site_id is not None:
                self._sizes[update.site_id] = self._sizes.get(update.site_id, 0) + 1
            if takes_a_place(update):
                self.add(update)

    def add(self, update: DeviceUpdate) -> None:
        """One more is under way."""
        self._all += 1
        if update.site_id is not None:
            self._sites[update.site_id] = self._sites.get(update.site_id, 0) + 1

    def refusal(self, update: DeviceUpdate) -> str | None:
        """The cap that is reached; None: it may begin, or it has its place already."""
        course = self._course
        if takes_a_place(update):
            return None
        if course.at_once is not None and self._all >= course.at_once:
            return f"{self._all} updates are under way, {course.at_once} may be"
        if update.site_id is None:
            return None
        here, allowed = self._sites.get(update.site_id, 0), course.at_site(self._sizes.get(update.site_id, 1))
        if here >= allowed:
            return f"{here} updates are under way at site {update.site_id}, {allowed} may be"
        return None
