"""One rollout in the course of one tick: what was loaded, what has changed. Decided here: how facts, time and the gate are brought
together, and which steps of an update the gate is told of. No I/O: loop.py loads it and stores its change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from chargenet.errors import Conflict
from chargenet.events import Fact
from chargenet.model.notice import Notice
from chargenet.model.standstill import BEAT_S, Standstills
from firmware_orchestrator import gate, tidings
from firmware_orchestrator.advance import advance, judged, tempo_of, withdrawn
from firmware_orchestrator.course import Course
from firmware_orchestrator.exposure import Exposure, Mark, MarkKind
from firmware_orchestrator.intake import Live
from firmware_orchestrator.reconcile import elapse, hear
from firmware_orchestrator.rollout import INSTALL_FAILURES, ROLLOUT_ENDS, UNDER_WAY, UpdateState, WaveState
from firmware_orchestrator.rows import Change, DeviceUpdate, Entry, Rollout
from firmware_orchestrator.steps import Step, moved, span

_U = UpdateState


class Proofs(msgspec.Struct, frozen=True, array_like=True):
    """What is stored of the evidence: the gate's state, the exposure's, and the last step of each charge point that it was told."""

    state: bytes
    exposure: bytes
    marked: dict[str, str] = {}


def first_proofs(exposure: Exposure) -> bytes:
    """What a rollout begins with."""
    return msgspec.msgpack.encode(Proofs(gate.encode(gate.GateState()), exposure.encode()))


class Dossier:
    """A rollout that has begun."""

    def __init__(self, rollout: Rollout, updates: Sequence[DeviceUpdate], course: Course, proofs: bytes | None) -> None:
        if proofs is None:
            raise Conflict(f"rollout {rollout.rollout_id} has begun without evidence: abort it, and create it again")
        stored = msgspec.msgpack.decode(proofs, type=Proofs)
        self.rollout, self.course = rollout, course
        self.state = gate.decode(stored.state)
        self.exposure = Exposure.decode(course.policy, stored.exposure)
        self.tempo = tempo_of(rollout, course)
        self.verdict: gate.Verdict | None = None
        self._before, self._loaded = rollout, {each.charge_point_id: each for each in updates}
        self._now = dict(self._loaded)
        self._marked = dict(stored.marked)
        self._standstills = Standstills()
        self._entries: list[Entry] = []
        self._notices: list[Notice] = []
        for update in self._now.values():
            self._mark(update)

    @property
    def updates(self) -> list[DeviceUpdate]:
        """As they are now, by wave and charge point."""
        return list(self._now.values())

    # -- facts

    def take_in(self, facts: Iterable[Fact]) -> None:
        """Facts in the order of the journal."""
        pending: list[Fact] = []
        for fact in facts:
            pending.append(self.tempo.fact(fact))
            update = self._now.get(fact.charge_point_id)
            if update is None:
                continue
            for event in fact.events:
                step = hear(self._now[fact.charge_point_id], fact, event, self.course.terms(update))
                if step is not None and self._needs_mark(step.update):
                    self.exposure.apply(pending)
                    pending = []
                self._take(step, fact.received_at)
        self.exposure.apply(pending)

    def _take(self, step: Step | None, at: datetime) -> None:
        if step is None:
            return
        before = self._now[step.update.charge_point_id]
        self._now[step.update.charge_point_id] = step.update
        self._entries += step.entries
        self._mark(step.update)
        if step.update.state is _U.LOST and before.state is not _U.LOST:
            self._notices.append(tidings.lost(self.rollout, step.update, at))

    # -- what the gate hears of it

    def _needs_mark(self, update: DeviceUpdate) -> bool:
        return mark_of(update) != self._marked.get(update.charge_point_id, "")

    def _mark(self, update: DeviceUpdate) -> None:
        """Told once for each step, found by comparison: an intent that was stored outside of a tick is told by the next one."""
        wanted, known = mark_of(update), self._marked.get(update.charge_point_id, "")
        if wanted == known:
            return
        self._marked[update.charge_point_id] = wanted
        kind, _, code = (wanted or str(MarkKind.RETURNED)).partition(":")
        self.exposure.mark(
            Mark(
                charge_point_id=update.charge_point_id,
                at=self.tempo.at(update.verified_at if wanted == MarkKind.VERIFIED and update.verified_at else update.state_at),
                kind=MarkKind(kind),
                wave=max(update.wave, 0),
                code=code,
            )
        )

    # -- time

    def stood_still(self, standstills: Standstills) -> None:
        """What the charge points did while this process could hear nobody is not known, and counts for neither group."""
        self._standstills = standstills
        for began, ended in standstills.since(self.tempo.clock(self.exposure.at) - timedelta(seconds=BEAT_S)):
            self.exposure.stood_still(self.tempo.at(began), self.tempo.at(ended))

    def soaked(self, now: datetime) -> list[str]:
        """Charge points whose soak may be over: they must be looked at."""
        soak_s = self.course.soak_s
        return [
            each.charge_point_id
            for each in self._now.values()
            if each.state is _U.VERIFIED and each.verified_at and (now - each.verified_at).total_seconds() >= soak_s
        ]

    def elapse(self, now: datetime, lives: Mapping[str, Live]) -> list[tuple[str, str]]:
        """What the time that passed means; the charge points to ask, and for what."""
        asks: list[tuple[str, str]] = []
        for name, update in list(self._now.items()):
            live = lives.get(name)
            well = live is not None and live.connected and not live.faulted
            terms, deaf = self.course.terms(update), timedelta(seconds=self._standstills.between_instants(update.state_at, now))
            step = elapse(update, now, terms, well=well)
            if deaf and elapse(update, now - deaf, terms, well=well) is None:
                step = None  # it has its time: while we stood still it could not say that it is back
            if step is not None and step.ask is not None:
                asks.append((name, step.ask))
            self._take(step, now)
        self._stop_waiting(now)
        return asks

    def _stop_waiting(self, now: datetime) -> None:
        """A wave does not wait for ever for charge points that cannot be reached; an ended rollout for none."""
        ended = self.rollout.state in ROLLOUT_ENDS
        row = self.rollout.waves[self.rollout.wave]
        reach_s = self.course.times.reach_s
        late = row.opened_at is not None and (now - row.opened_at).total_seconds() >= reach_s
        for update in withdrawn(list(self._now.values())):
            if ended:
                self._take(moved(update, _U.WITHDRAWN, now, f"the rollout is {self.rollout.state}"), now)
            elif late and update.wave == self.rollout.wave and row.state is WaveState.DISPATCHING:
                sentence = f"could not be sent for {span(reach_s)}: {update.reason or 'never due'}"
                self._take(moved(update, _U.SKIPPED, now, sentence), now)

    # -- the gate

    def judge(self, upto: datetime, now: datetime) -> None:
        """Fold what was observed and judge it."""
        self.exposure.advance(self.tempo.at(upto))
        self.state = gate.fold(self.course.policy, self.state, self.exposure.observed())
        self.verdict = judged(self.rollout, self.course, self.state, self.updates, now)

    def move(self, now: datetime) -> None:
        """Moves of the rollout, until there is none."""
        while self.verdict is not None:
            done = advance(self.rollout, self.updates, self.verdict, self.course, now)
            if done is None:
                return
            self.rollout = done.rollout
            self._entries += done.entries
            self._notices += done.notices
            self.verdict = judged(self.rollout, self.course, self.state, self.updates, now)

    # -- storing

    def change(self) -> Change:
        """What has changed since it was loaded. The rollout's revision is guarded: nobody's pause is overwritten."""
        changed = self.rollout != self._before
        updates = tuple(each for name, each in self._now.items() if each != self._loaded[name])
        return Change(
            rollouts=(self.rollout,) if changed else (),
            updates=updates,
            entries=tuple(self._entries),
            notices=tuple(self._notices),
            guards=() if changed else ((self.rollout.rollout_id, self.rollout.revision),),
            evidence={self.rollout.rollout_id: self.proofs()},
        )

    def proofs(self) -> bytes:
        """As it is stored."""
        return msgspec.msgpack.encode(Proofs(gate.encode(self.state), self.exposure.encode(), self._marked))

    def stored(self) -> None:
        """The change is in the store: rows have their new revisions."""
        if self.rollout != self._before:
            self.rollout = msgspec.structs.replace(self.rollout, revision=self.rollout.revision + 1)
        for name, each in self._now.items():
            if each != self._loaded[name]:
                self._now[name] = msgspec.structs.replace(each, revision=each.revision + 1)
        self._before, self._loaded = self.rollout, dict(self._now)
        self._entries, self._notices = [], []


def mark_of(update: DeviceUpdate) -> str:
    """What the gate must know of an update: a MarkKind, with `:code` where it ended badly; "" while nothing has happened."""
    if update.state in UNDER_WAY or update.state is _U.RETRYING:
        return str(MarkKind.DISPATCHED)
    if update.state in (_U.VERIFIED, _U.HEALTHY):
        return str(MarkKind.VERIFIED)
    if update.state in INSTALL_FAILURES:
        return f"{MarkKind.ENDED}:{'invalid_signature' if update.code == 'signature' else update.state}"
    if update.state is _U.REJECTED:
        return f"{MarkKind.ENDED}:rejected"
    if update.state is _U.SKIPPED and update.code == "already":
        return str(MarkKind.EXCLUDED)
    return ""
