"""A stored rollout and its artifact → its course. Decided here: how the words of the file become limits. Pure."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

import msgspec

from firmware_orchestrator.artifacts import Artifact
from firmware_orchestrator.course import Course
from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.rows import Rollout
from firmware_orchestrator.spec import RolloutSpec, parse_spec
from firmware_orchestrator.windows import is_open, next_opening

_PARSED = OrderedDict[str, RolloutSpec]()
_KEPT = 64
"""Files that are not read again at every tick."""


def spec_of(rollout: Rollout) -> RolloutSpec:
    """Its file, read once. Raises InvalidFile when a newer version no longer understands it."""
    found = _PARSED.get(rollout.spec)
    if found is None:
        found = _PARSED[rollout.spec] = parse_spec(rollout.spec, f"{rollout.rollout_id}.yaml")
        if len(_PARSED) > _KEPT:
            _PARSED.popitem(last=False)
    return found


def _by_the_clock(policy: GatePolicy) -> GatePolicy:
    """How old evidence may be is not a matter of the network's life: it is ours to read it in time."""
    return msgspec.structs.replace(policy, stale_minutes=policy.stale_minutes * policy.network_speed)


def course_of(rollout: Rollout, artifact: Artifact) -> Course:
    """What it was told to do."""
    spec, waves = spec_of(rollout), len(rollout.waves)

    def may_begin(time_zone: str | None, now: datetime) -> bool:
        zone = spec.zone_of(time_zone)
        if zone is None or not is_open(spec.schedule, zone, now):
            return False
        if not spec.schedule.windows and not spec.schedule.quiet:
            return True
        opening = next_opening(spec.schedule, zone, now)
        return opening is not None and opening.end - now >= spec.time_left

    return Course(
        policy=_by_the_clock(spec.policy),
        manifest=artifact.manifest,
        artifact_id=artifact.artifact_id,
        is_open=may_begin,
        at_once=spec.caps.overall,
        at_site=spec.caps.at_site,
        approvals=frozenset(wave for wave in range(waves) if spec.needs_approval(wave, waves)),
        close=spec.close_connectors,
        retries=spec.retries,
        times=spec.times,
    )
