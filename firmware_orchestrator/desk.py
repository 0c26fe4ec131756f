"""What people do with rollouts: plan, create, start, pause, resume, approve, abort, roll back. Decided here: what each of these
needs, and what it changes; the tick does the rest. Every change is one compare-and-set in the store.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

import msgspec

from chargenet.errors import Conflict
from chargenet.ports import Clock
from firmware_orchestrator import gate, tidings
from firmware_orchestrator.advance import APPROVAL, NO_DATA, judged, move, tempo_of, withdrawn
from firmware_orchestrator.artifacts import Artifact
from firmware_orchestrator.course import Course
from firmware_orchestrator.courses import course_of
from firmware_orchestrator.dossier import Proofs, first_proofs
from firmware_orchestrator.evidence.baseline import History, daily_rates, weights
from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.executor import Executor, can_recall
from firmware_orchestrator.exposure import Exposure, Member
from firmware_orchestrator.fleet import FleetMember
from firmware_orchestrator.manifest import is_expected
from firmware_orchestrator.plan import Plan, make_plan
from firmware_orchestrator.reverse import reverse_file
from firmware_orchestrator.rollout import ROLLOUT_ENDS, UNDER_WAY, UPDATE_ENDS, Move, RolloutState, UpdateState
from firmware_orchestrator.rows import HOLDOUT_WAVE, Change, DeviceUpdate, Entry, Rollout, WaveRow
from firmware_orchestrator.spec import RolloutSpec, parse_spec, selects
from firmware_orchestrator.status import RolloutStatus, status_of
from firmware_orchestrator.steps import moved
from firmware_orchestrator.store import RolloutStore

SHOWN = 20
"""Charge points named in an error."""


class Shelf(Protocol):
    """The firmware files."""

    @property
    def url_length(self) -> int:
        """Characters of a download address."""

    @property
    def offered(self) -> tuple[str, ...]:
        """Transfer protocols."""

    async def artifact(self, artifact_id: str) -> Artifact:
        """Raises NotFound."""

    async def usable(self, artifact_id: str) -> Artifact:
        """Raises NotFound, and Conflict while it is not approved or its file is damaged."""


class Fleet(Protocol):
    """The fleet, for plans."""

    async def members(self) -> list[FleetMember]:
        """All charge points. Raises StoreUnavailable."""

    async def histories(self, members: Sequence[Member], at: datetime, policy: GatePolicy) -> dict[str, History]:
        """What happened at each of them in the 28 days before `at`. Raises StoreUnavailable."""


class RolloutDesk:
    """The commands. `nowhere`: an address at which nothing is, for taking an order back."""

    def __init__(
        self,
        store: RolloutStore,
        artifacts: Shelf,
        fleet: Fleet,
        executor: Executor,
        clock: Clock,
        *,
        nowhere: Callable[[], str],
    ) -> None:
        self.store, self._artifacts, self._fleet, self._executor, self._clock = store, artifacts, fleet, executor, clock
        self._nowhere = nowhere
        self._one_starts = asyncio.Lock()

    # -- before it begins

    async def plan(self, text: str, source: str = "rollout.yaml") -> Plan:
        """What this file would do. Raises InvalidFile, NotFound (the artifact), StoreUnavailable."""
        _, _, plan = await self._planned(text, source)
        return plan

    async def create(
        self, text: str, who: str, *, source: str = "rollout.yaml", rollback_of: str | None = None, sentence: str = ""
    ) -> Rollout:
        """Membership is drawn and stored now; nothing is sent before `start`. Raises Conflict when nobody would be updated."""
        spec, artifact, plan = await self._planned(text, source)
        _require_somebody(plan)
        rollout = Rollout(
            rollout_id=await self._free_id(spec.name), name=spec.name, spec=text, artifact_id=artifact.artifact_id,
            version=artifact.version, seed=plan.seed, waves=tuple(WaveRow(size=len(each.charge_points)) for each in plan.waves),
            created_at=self._clock.now(), created_by=who, rollback_of=rollback_of, sentence=sentence,
        )  # fmt: skip
        await self.store.create(rollout, await self._rows(rollout, plan), [self._note(rollout, who, "created", plan)])
        return rollout

    async def _planned(self, text: str, source: str, ended: str | None = None) -> tuple[RolloutSpec, Artifact, Plan]:
        """As if the rollout `ended` had."""
        spec = await asyncio.to_thread(parse_spec, text, source)
        artifact = await self._artifacts.artifact(spec.artifact)
        fleet = await self._fleet.members()
        engaged = await self.store.engaged([each.charge_point_id for each in fleet])
        others = {name: by for name, by in engaged.items() if by != ended}
        fleet = [msgspec.structs.replace(each, engaged_by=others.get(each.charge_point_id)) for each in fleet]
        now, length, offered = self._clock.now(), self._artifacts.url_length, self._artifacts.offered
        targeted = [each for each in fleet if selects(spec.target, each)]
        rates = daily_rates(await self._fleet.histories([_member(each) for each in targeted], now, spec.policy))
        rates = {signal: rate / spec.policy.network_speed for signal, rate in rates.items()}
        work = partial(make_plan, spec, artifact, fleet, now, url_length=length, offered=offered, rates=rates)
        return spec, artifact, await asyncio.to_thread(work)

    async def _rows(self, rollout: Rollout, plan: Plan) -> list[DeviceUpdate]:
        known = {each.charge_point_id: each for each in await self._fleet.members()}
        places = [(name, wave.number) for wave in plan.waves for name in wave.charge_points]
        places += [(name, HOLDOUT_WAVE) for name in plan.holdout]
        return [
            DeviceUpdate(
                rollout_id=rollout.rollout_id,
                charge_point_id=name,
                wave=wave,
                site_id=known[name].site_id,
                time_zone=known[name].time_zone,
                model=known[name].model,
                protocol=known[name].protocol,
                state=UpdateState.HOLDOUT if wave == HOLDOUT_WAVE else UpdateState.QUEUED,
                state_at=rollout.created_at,
                from_version=known[name].firmware_version,
            )
            for name, wave in places
            if name in known
        ]

    async def _free_id(self, name: str) -> str:
        slug = re.sub(r"[^a-z0-9.]+", "-", name.casefold()).strip("-.") or "rollout"
        page = await self.store.rollouts(limit=1000)
        taken = {each.rollout_id for each in page.items}
        number = 1
        while (found := slug if number == 1 else f"{slug}-{number}") in taken:
            number += 1
        return found

    # -- while it runs

    async def start(self, rollout_id: str, who: str) -> Rollout:
        """The canary begins. Raises Conflict: not approved, a charge point wanted by another rollout, not a draft."""
        rollout = await self.store.rollout(rollout_id)
        now = self._clock.now()
        done = move(rollout, Move.START, now, reason="", sentence="started", who=who)
        artifact = await self._artifacts.usable(rollout.artifact_id)
        updates = await self.store.updates(rollout_id)
        exposure = await self._exposure(course_of(rollout, artifact), updates, now)
        change = Change(rollouts=(done.rollout,), entries=done.entries, evidence={rollout_id: first_proofs(exposure)})
        async with self._one_starts:  # or two that are started at once would both find their charge points free
            engaged = await self.store.engaged([each.charge_point_id for each in updates])
            if engaged:
                named = ", ".join(f"{name} ({other})" for name, other in sorted(engaged.items())[:SHOWN])
                raise Conflict(f"other rollouts that have not ended want some of these charge points: {named}")
            await self.store.change(change)
        return await self.store.rollout(rollout_id)

    async def _exposure(self, course: Course, updates: Sequence[DeviceUpdate], now: datetime) -> Exposure:
        known = {each.charge_point_id: each for each in await self._fleet.members()}
        members = [
            Member(
                charge_point_id=each.charge_point_id,
                site_id=each.site_id,
                model=each.model,
                firmware_version=each.from_version,
                connected=each.charge_point_id in known and known[each.charge_point_id].connected,
            )
            for each in updates
        ]
        return Exposure(course.policy, await self._weighed(members, now, course.policy), now)

    async def _weighed(self, members: Sequence[Member], now: datetime, policy: GatePolicy) -> list[Member]:
        """With each one's own events per day before, so that a charge point that always has troubles proves little by one more."""
        known = await self._fleet.histories(members, now, policy)
        pasts = {each.charge_point_id: known.get(each.charge_point_id, History()) for each in members}
        rates = await asyncio.to_thread(weights, pasts)
        return [
            msgspec.structs.replace(
                each,
                weights={
                    signal: max(1, round(rate / policy.network_speed)) for signal, rate in rates[each.charge_point_id].items()
                },
                safety_codes=pasts[each.charge_point_id].safety_codes,
                boot_loops=pasts[each.charge_point_id].boot_loops,
            )
            for each in members
        ]

    async def pause(self, rollout_id: str, who: str, why: str = "", *, recall: bool = False) -> tuple[Rollout, list[str]]:
        """Nothing more is sent from now on. `recall`: orders under way are taken back where the protocol can; who agreed."""
        rollout = await self.store.rollout(rollout_id)
        done = move(rollout, Move.PAUSE, self._clock.now(), reason="operator", sentence=why or "paused by a person", who=who)
        await self.store.change(Change(rollouts=(done.rollout,), entries=done.entries))
        rollout = await self.store.rollout(rollout_id)
        return rollout, await self._recall(rollout) if recall else []

    async def _recall(self, rollout: Rollout) -> list[str]:
        updates = [each for each in await self.store.updates(rollout.rollout_id) if can_recall(each)]
        return await self._executor.recall(rollout, updates, self._nowhere())

    async def resume(self, rollout_id: str, who: str, why: str = "") -> Rollout:
        """After a halt this overrides the gate: the values of this moment are kept with the name of who did it."""
        rollout = await self.store.rollout(rollout_id)
        halted = rollout.state is RolloutState.HALTED
        if halted and not why:
            raise Conflict("the gate halted this rollout: say why you go on all the same (--why)")
        return await self._go_on(rollout, Move.RESUME, who, why or "resumed by a person", override=halted)

    async def approve(self, rollout_id: str, who: str, why: str = "") -> Rollout:
        """Let a wave begin that waits for it, or let one pass that has proven nothing."""
        rollout = await self.store.rollout(rollout_id)
        if rollout.state is RolloutState.HELD and rollout.reason == NO_DATA:
            raise Conflict("this rollout waits for data and goes on by itself when they come back; there is nothing to approve")
        override = rollout.state is RolloutState.HELD and rollout.reason != APPROVAL
        if rollout.reason == APPROVAL:
            rollout = msgspec.structs.replace(rollout, approved_waves=(*rollout.approved_waves, rollout.wave))
        return await self._go_on(rollout, Move.APPROVE, who, why or "approved by a person", override=override)

    async def _go_on(self, rollout: Rollout, what: Move, who: str, why: str, *, override: bool) -> Rollout:
        now = self._clock.now()
        verdict, evidence = await self._overridden(rollout, who, why) if override else (None, {})
        done = move(rollout, what, now, reason="", sentence=why, who=who, verdict=verdict)
        entries = [msgspec.structs.replace(each, kind="override") if override else each for each in done.entries]
        notices = tuple(tidings.over(rollout, kind, now) for kind in (tidings.HALTED, tidings.HELD) if _told(rollout, kind))
        await self.store.change(Change(rollouts=(done.rollout,), entries=tuple(entries), notices=notices, evidence=evidence))
        return await self.store.rollout(rollout.rollout_id)

    async def _overridden(self, rollout: Rollout, who: str, why: str) -> tuple[gate.Verdict, dict[str, bytes]]:
        stored = await self.store.evidence(rollout.rollout_id)
        assert stored is not None, "what was held or halted has begun"
        proofs = msgspec.msgpack.decode(stored, type=Proofs)
        course = course_of(rollout, await self._artifacts.artifact(rollout.artifact_id))
        state = gate.decode(proofs.state)
        updates = await self.store.updates(rollout.rollout_id)
        verdict = judged(rollout, course, state, updates, self._clock.now())
        state = gate.override(course.policy, state, verdict, by=who, why=why)
        changed = msgspec.structs.replace(proofs, state=gate.encode(state))
        return verdict, {rollout.rollout_id: msgspec.msgpack.encode(changed)}

    # -- its end

    async def abort(self, rollout_id: str, who: str, why: str = "") -> Rollout:
        """Given up: what is installed stays, what is under way is followed to its end, nothing more is sent."""
        rollout = await self.store.rollout(rollout_id)
        return await self._end(rollout, Move.ABORT, who, why or "aborted by a person")

    async def rollback(self, rollout_id: str, who: str, artifact_id: str) -> Rollout:
        """A draft that installs `artifact_id` where the new version runs, with a canary of its own; this rollout ends.

        Raises Conflict where the manifest of that artifact does not allow going back.
        """
        rollout = await self.store.rollout(rollout_id)
        if rollout.state is RolloutState.DRAFT:
            raise Conflict("this rollout has not begun: there is nothing to roll back")
        artifact = await self._artifacts.artifact(artifact_id)
        if not artifact.manifest.downgrade_allowed:
            raise Conflict(f"the manifest of {artifact_id} does not allow a downgrade: many charge points would refuse it")
        there, coming = await self._installed(rollout)
        if not there:
            raise Conflict(f"no charge point runs {rollout.version} by this rollout: there is nothing to roll back{coming}")
        file = reverse_file(rollout, artifact_id, there)
        _require_somebody((await self._planned(file, "rollback", rollout_id))[2])  # before it ends: or it had ended for nothing
        if rollout.state not in ROLLOUT_ENDS:
            rollout = await self._end(rollout, Move.ROLL_BACK, who, f"rolled back to {artifact.version}")
        back = await self.create(file, who, rollback_of=rollout_id, sentence=coming.removeprefix("; "))
        rollout = await self.store.rollout(rollout_id)
        await self.store.change(Change(rollouts=(msgspec.structs.replace(rollout, rolled_back_by=back.rollout_id),)))
        return back

    async def _installed(self, rollout: Rollout) -> tuple[list[str], str]:
        """Who runs the new version by this rollout, late ones too; and who may still come to it, as a part of a sentence."""
        updates = await self.store.updates(rollout.rollout_id)
        manifest = (await self._artifacts.artifact(rollout.artifact_id)).manifest
        there = [
            each.charge_point_id
            for each in updates
            if each.state in (UpdateState.VERIFIED, UpdateState.HEALTHY)
            or (each.attempt and each.state in UPDATE_ENDS and is_expected(manifest, each.model, each.version))
        ]
        coming = sum(each.state in UNDER_WAY for each in updates)
        are = "1 charge point is" if coming == 1 else f"{coming} charge points are"
        return there, f"; {are} still being updated: roll back once more when that has ended" if coming else ""

    async def _end(self, rollout: Rollout, what: Move, who: str, why: str) -> Rollout:
        now = self._clock.now()
        done = move(rollout, what, now, reason="operator", sentence=why, who=who)
        waiting = withdrawn(await self.store.updates(rollout.rollout_id))
        steps = [moved(each, UpdateState.WITHDRAWN, now, f"the rollout is {done.rollout.state}", who=who) for each in waiting]
        notices = tuple(tidings.over(rollout, kind, now) for kind in (tidings.HALTED, tidings.HELD) if _told(rollout, kind))
        await self.store.change(
            Change(
                rollouts=(done.rollout,),
                updates=tuple(step.update for step in steps),
                entries=(*done.entries, *(entry for step in steps for entry in step.entries)),
                notices=notices,
            )
        )
        return await self.store.rollout(rollout.rollout_id)

    async def status(self, rollout_id: str) -> RolloutStatus:
        """Waves, device states and evidence now."""
        rollout = await self.store.rollout(rollout_id)
        updates, stored = await self.store.updates(rollout_id), await self.store.evidence(rollout_id)
        verdict = None
        course = course_of(rollout, await self._artifacts.artifact(rollout.artifact_id))
        if stored is not None:
            state = gate.decode(msgspec.msgpack.decode(stored, type=Proofs).state)
            verdict = judged(rollout, course, state, updates, self._judged_at(rollout, course, state))
        return status_of(rollout, updates, verdict, course.policy.network_speed)

    def _judged_at(self, rollout: Rollout, course: Course, state: gate.GateState) -> datetime:
        """Now; for one that has ended, when the evidence did: it is not stale, it is complete. A finished one passed at its end."""
        if rollout.state not in ROLLOUT_ENDS or state.at is None:
            return self._clock.now()
        seen = tempo_of(rollout, course).clock(state.at)
        return max(seen, rollout.ended_at) if rollout.state is RolloutState.FINISHED and rollout.ended_at else seen

    def _note(self, rollout: Rollout, who: str, what: str, plan: Plan) -> Entry:
        sentence = f"{what}: {plan.members} charge points in {len(plan.waves)} waves, {len(plan.holdout)} in the holdout"
        out = {each.charge_point_id: each.sentence for each in plan.out[:1000]}
        return Entry(
            rollout_id=rollout.rollout_id, at=rollout.created_at, kind="rollout", after=str(rollout.state), sentence=sentence,
            who=who, details={"seed": plan.seed, "out": out, "sha256": plan.artifact.sha256},
        )  # fmt: skip


def _require_somebody(plan: Plan) -> None:
    if plan.members:
        return
    why = f", for example {plan.out[0].charge_point_id}: {plan.out[0].sentence}" if plan.out else ""
    if not plan.out:
        why = f": its target names none of the {plan.not_targeted} charge points"
    raise Conflict(f"nobody would be updated by this rollout{why}")


def _member(each: FleetMember) -> Member:
    return Member(
        charge_point_id=each.charge_point_id,
        site_id=each.site_id,
        model=each.model,
        firmware_version=each.firmware_version,
        connected=each.connected,
    )


def _told(rollout: Rollout, kind: str) -> bool:
    return rollout.state is (RolloutState.HALTED if kind == tidings.HALTED else RolloutState.HELD)
