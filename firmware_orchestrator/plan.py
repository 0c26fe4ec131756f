"""What a rollout would do. Decided here: who of the fleet is in, in which wave, why the others are out, and what can be known
before anything is sent. Pure: the same snapshot, file, artifact and instant give the same plan.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice

import msgspec

from firmware_orchestrator.artifacts import Artifact, ArtifactRef, approvals_that_count, ref
from firmware_orchestrator.eligibility import Out, hardware_of, why_out
from firmware_orchestrator.fleet import FleetMember
from firmware_orchestrator.gate import CanaryProof, Signal, what_the_canary_can_prove
from firmware_orchestrator.manifest import normaliser_for
from firmware_orchestrator.spec import RolloutSpec, selects
from firmware_orchestrator.waves import Assignment, Candidate, assign
from firmware_orchestrator.windows import Opening, openings

MOSTLY_ONLINE = 0.95
"""Of the last 7 days: below it, a charge point's own troubles would drown the firmware's."""
LOOK_AHEAD = timedelta(days=7)
SHOWN_OPENINGS = 3


class PlannedWave(msgspec.Struct, frozen=True, kw_only=True):
    """One wave, in drawn order. Number 0 is the canary."""

    number: int
    charge_points: tuple[str, ...]
    sites: int
    strata: dict[str, int]
    """How many of each kind (model, hardware, version, connectivity, use)."""
    needs_approval: bool
    rule_out: float
    """How many times worse must be ruled out before it has passed."""


class ZoneWindows(msgspec.Struct, frozen=True, kw_only=True):
    """The next openings of all sites with the same clock, in UTC. None at all: nothing of these sites could ever be sent."""

    time_zone: str
    sites: int
    charge_points: int
    openings: tuple[Opening, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a person wants to see before it begins. `waves` and `holdout` are what `create` stores."""

    name: str
    artifact: ArtifactRef
    at: datetime
    seed: int
    waves: tuple[PlannedWave, ...]
    holdout: tuple[str, ...]
    out: tuple[Out, ...]
    not_targeted: int
    """Charge points of the fleet that the target does not name."""
    zones: tuple[ZoneWindows, ...]
    canary: CanaryProof
    notes: tuple[str, ...]
    """What is unlike what was asked for, or deserves a second look."""

    @property
    def members(self) -> int:
        """Charge points that would be updated."""
        return sum(len(wave.charge_points) for wave in self.waves)


# Everything that a plan may know is an argument, so that it can be made again and is the same.
def make_plan(
    spec: RolloutSpec,
    artifact: Artifact,
    fleet: Sequence[FleetMember],
    now: datetime,
    *,
    url_length: int,
    offered: Sequence[str] = ("HTTP",),
    rates: float | Mapping[Signal, float] = 0.0,
) -> Plan:
    """The plan. `url_length`: of a download address; `offered`: transfer protocols of the artifact server; `rates`: events per
    charge point and day as they are now. Needs about a second for 50,000 charge points: call it in a worker thread.
    """
    targeted = [each for each in fleet if selects(spec.target, each)]
    out, members = [], list[FleetMember]()
    for each in targeted:
        reason = why_out(spec, artifact.manifest, each, url_length=url_length, offered=offered)
        if reason is None:
            members.append(each)
        else:
            out.append(reason)
    seed = spec.seed if spec.seed is not None else made_seed(spec.name, artifact.sha256)
    candidates = [candidate(artifact, each) for each in members]
    assignment = assign(candidates, spec.sizes, spec.holdout_of(len(members)), seed)
    return Plan(
        name=spec.name,
        artifact=ref(artifact),
        at=now,
        seed=seed,
        waves=_waves(spec, assignment, candidates),
        holdout=assignment.holdout,
        out=tuple(sorted(out, key=lambda each: (each.reason, each.charge_point_id))),
        not_targeted=len(fleet) - len(targeted),
        zones=(zones := _zones(spec, members, now)),
        canary=_proof(spec, assignment, candidates, rates),
        notes=(*assignment.notes, *_notes(artifact, members, zones, now), *_simulated(spec)),
    )


def made_seed(name: str, sha256: str) -> int:
    """The seed of a file that gives none: the same file and image draw the same waves."""
    return int.from_bytes(hashlib.sha256(f"{name}\n{sha256}".encode()).digest()[:4], "big")


def candidate(artifact: Artifact, member: FleetMember) -> Candidate:
    """A charge point as the draw sees it."""
    rule = normaliser_for(artifact.manifest, member.model)
    version = rule.apply(member.firmware_version or "?")
    hardware = hardware_of(artifact.manifest, member) or "?"
    stratum = (member.model or "?", hardware, version, member.connectivity, member.use)
    online = member.online_share is None or member.online_share >= MOSTLY_ONLINE
    comparable = member.connected and online and not member.open_fault
    return Candidate(charge_point_id=member.charge_point_id, site_id=member.site_id, stratum=stratum, comparable=comparable)


def _waves(spec: RolloutSpec, assignment: Assignment, candidates: Sequence[Candidate]) -> tuple[PlannedWave, ...]:
    known = {each.charge_point_id: each for each in candidates}
    count = len(assignment.waves)
    waves = []
    for number, names in enumerate(assignment.waves):
        kinds = Counter(" ".join(known[name].stratum) for name in names)
        waves.append(
            PlannedWave(
                number=number,
                charge_points=names,
                sites=len({known[name].site_id or f"\0{name}" for name in names}),
                strata=dict(sorted(kinds.items())),
                needs_approval=spec.needs_approval(number, count),
                rule_out=spec.policy.ruled_out_by(number),
            )
        )
    return tuple(waves)


def _proof(
    spec: RolloutSpec, assignment: Assignment, candidates: Sequence[Candidate], rates: float | Mapping[Signal, float]
) -> CanaryProof:
    """Everybody comparable that is not a canary is the control group of the canary."""
    canary = assignment.waves[0]
    control = sum(each.comparable for each in candidates) - len(canary)
    return what_the_canary_can_prove(spec.policy, len(canary), rates, control=max(control, 0))


def _zones(spec: RolloutSpec, members: Sequence[FleetMember], now: datetime) -> tuple[ZoneWindows, ...]:
    groups: dict[str, list[FleetMember]] = defaultdict(list)
    for each in members:
        zone = spec.zone_of(each.time_zone)
        assert zone is not None, "why_out keeps charge points without a clock out"
        groups[zone.key].append(each)
    found = []
    for name, group in sorted(groups.items()):
        zone = spec.zone_of(name)
        assert zone is not None
        stretches = (each for each in openings(spec.schedule, zone, now, now + LOOK_AHEAD) if _long_enough(spec, each))
        found.append(
            ZoneWindows(
                time_zone=name,
                sites=len({each.site_id for each in group if each.site_id is not None}),
                charge_points=len(group),
                openings=tuple(islice(stretches, SHOWN_OPENINGS)),
            )
        )
    return tuple(found)


def _long_enough(spec: RolloutSpec, opening: Opening) -> bool:
    return opening.end - opening.start >= spec.time_left


def _simulated(spec: RolloutSpec) -> list[str]:
    speed = spec.policy.network_speed
    if speed == 1:
        return []
    sentence = f"the gate takes this network to live {speed:g} times faster than the clock, as simulated ones do"
    return [f"{sentence}: an hour here is one of that network's, which takes {_span(3600 / speed)}"]


def _span(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 90 else f"{seconds:.0f} s"


def _notes(artifact: Artifact, members: Sequence[FleetMember], zones: Sequence[ZoneWindows], now: datetime) -> list[str]:
    notes = [
        f"{each.time_zone}: nothing is open for long enough within {LOOK_AHEAD.days} days: {each.charge_points} charge points wait"
        for each in zones
        if not each.openings
    ]
    if not members:
        notes.append("nobody would be updated")
    if (approved := len(approvals_that_count(artifact, now))) < artifact.approvals_needed:
        notes.append(f"the firmware has {approved} of {artifact.approvals_needed} approvals: it must be approved before the start")
    homeless = sum(each.site_id is None for each in members)
    if homeless:
        notes.append(f"{homeless} charge points have no site: each counts as a site of its own")
    if artifact.manifest.signed and artifact.signature_check.scheme is None:
        notes.append(f"the signature was not verified: {artifact.signature_check.sentence}")
    unknown = sum(each.protocol == "ocpp1.6" and each.firmware_profile is None for each in members)
    if unknown:
        notes.append(f"{unknown} charge points (OCPP 1.6) have not said whether they know firmware management")
    return notes
