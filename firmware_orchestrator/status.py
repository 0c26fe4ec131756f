"""How a rollout stands, in one value for people and programs. Decided here: what is counted. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from firmware_orchestrator.gate import Verdict
from firmware_orchestrator.rollout import UPDATE_ENDS, UpdateState
from firmware_orchestrator.rows import HOLDOUT_WAVE, DeviceUpdate, Rollout


class WaveStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One wave: how many of its charge points are in which state."""

    number: int
    state: str
    size: int
    opened_at: datetime | None
    soaking_at: datetime | None
    ended_at: datetime | None
    counts: dict[str, int]


class UpdateStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One charge point. Never its download address."""

    charge_point_id: str
    wave: int
    site_id: str | None
    state: str
    state_at: datetime
    reason: str
    code: str
    attempt: int
    from_version: str | None
    version: str | None
    retry_at: datetime | None
    availability: str


class RolloutStatus(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `verdict` is None before the start."""

    rollout_id: str
    name: str
    state: str
    reason: str
    sentence: str
    artifact_id: str
    version: str
    wave: int
    waves: tuple[WaveStatus, ...]
    holdout: int
    counts: dict[str, int]
    verdict: Verdict | None
    updates: tuple[UpdateStatus, ...]
    created_at: datetime
    created_by: str
    started_at: datetime | None
    ended_at: datetime | None
    rollback_of: str | None
    rolled_back_by: str | None
    network_speed: float = 1.0
    """How many times faster than the clock the network lives, in whose time the evidence is: 1 for any real one."""

    @property
    def finished(self) -> int:
        """Charge points whose update has ended, well or badly."""
        return sum(count for state, count in self.counts.items() if UpdateState(state) in UPDATE_ENDS)


def status_of(
    rollout: Rollout, updates: Sequence[DeviceUpdate], verdict: Verdict | None, network_speed: float = 1.0
) -> RolloutStatus:
    """Counts of everything."""
    waves = tuple(
        WaveStatus(
            number=number,
            state=row.state,
            size=row.size,
            opened_at=row.opened_at,
            soaking_at=row.soaking_at,
            ended_at=row.ended_at,
            counts=_counts([each for each in updates if each.wave == number]),
        )
        for number, row in enumerate(rollout.waves)
    )
    return RolloutStatus(
        rollout_id=rollout.rollout_id,
        name=rollout.name,
        state=rollout.state,
        reason=rollout.reason,
        sentence=rollout.sentence,
        artifact_id=rollout.artifact_id,
        version=rollout.version,
        wave=rollout.wave,
        waves=waves,
        holdout=sum(each.wave == HOLDOUT_WAVE for each in updates),
        counts=_counts([each for each in updates if each.wave != HOLDOUT_WAVE]),
        verdict=verdict,
        updates=tuple(_shown(each) for each in updates),
        created_at=rollout.created_at,
        created_by=rollout.created_by,
        started_at=rollout.started_at,
        ended_at=rollout.ended_at,
        rollback_of=rollout.rollback_of,
        rolled_back_by=rollout.rolled_back_by,
        network_speed=network_speed,
    )


def _counts(updates: Sequence[DeviceUpdate]) -> dict[str, int]:
    counted = Counter(each.state for each in updates)
    return {str(state): counted[state] for state in UpdateState if counted[state]}


def _shown(update: DeviceUpdate) -> UpdateStatus:
    return UpdateStatus(
        charge_point_id=update.charge_point_id,
        wave=update.wave,
        site_id=update.site_id,
        state=update.state,
        state_at=update.state_at,
        reason=update.reason,
        code=update.code,
        attempt=update.attempt,
        from_version=update.from_version,
        version=update.version,
        retry_at=update.retry_at,
        availability=update.availability,
    )
