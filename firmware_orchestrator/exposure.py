"""Facts of the charge points of one rollout → events and time at risk of each signal, with masks. Pure: time comes with the facts.

Decided here: who is at risk of what and when, and which group an event belongs to. What an event *is* stands in
evidence/symptoms.py; what follows from counts in evidence/.

Everything at one instant is weighed by what was at risk just before it, so that its order does not matter. Masks are known before
the events that they hide, so the bets stay exact. Hidden are a charge point's own installation and `settle_minutes` after it, a
reset that we asked for, planned maintenance, an event of the same kind at the same site within 15 minutes (one tripped fuse is one
event), and incidents that the control group sees (masks.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from heapq import heappop, heappush

import msgspec

from chargenet.events import Fact
from chargenet.model.record import instant
from firmware_orchestrator.evidence.baseline import UNIT, History
from firmware_orchestrator.evidence.masks import WINDOW_US, Masks
from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.evidence.risk import ALL, CHARGING, INDEX, Risk, Spent
from firmware_orchestrator.evidence.signals import DAY_US, PARTS, QUIET_DOUBLINGS, QUIET_S, RATES, Signal
from firmware_orchestrator.evidence.state import Counted, Ended, Instant, Observed
from firmware_orchestrator.evidence.symptoms import CONTROL, MINUTE_US, NEITHER, TREATED, Row, Said, due, occurred

_ROW, _SITE, _EVERYBODY = 0, 1, 2
_BEAT_US = 1_000_000
"""A standstill is known from the beat before it; a fact may have come after that."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One charge point of the rollout as it was when the rollout began, in the control group until it is dispatched."""

    charge_point_id: str
    site_id: str | None = None
    model: str | None = None
    firmware_version: str | None = None
    connected: bool = True
    weights: dict[Signal, int] = {}
    """Its own events per day of each signal, in 10⁻⁹ (baseline.weights); a signal that is missing weighs as much for everybody."""
    safety_codes: tuple[str, ...] = ()
    """Safety codes that it reported in the 28 days before."""
    boot_loops: bool = False
    """Did it boot in a loop in the 28 days before?"""


class MarkKind(StrEnum):
    """What the rollout, or a person, did to a charge point."""

    DISPATCHED = "dispatched"
    """Sent; until it is verified and has settled, it is in neither group."""
    VERIFIED = "verified"
    """Booted with the expected version."""
    ENDED = "ended"
    """Its installation ended otherwise, now or after it was verified; it is in neither group from then on."""
    RETURNED = "returned"
    """It was not installed after all and nothing happened to it: it is in the control group again."""
    EXCLUDED = "excluded"
    """It is in neither group from then on."""
    MAINTENANCE = "maintenance"
    """A person works on it until `until`: masked."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One such step. An instant before what was already told counts as now."""

    charge_point_id: str
    at: datetime
    kind: MarkKind
    wave: int = 0
    code: str = "failed"
    """Of ENDED: failed, reverted, mismatch, timed_out, lost or invalid_signature."""
    until: datetime | None = None


class _Stored(msgspec.Struct, kw_only=True):
    at_us: int
    sequence: int
    rows: list[Row]
    spent: list[Spent] | None = None
    masks: Masks


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Stored)


class Exposure:
    """The fold. Not thread-safe; a fact of a charge point that is not in the rollout costs a look-up."""

    def __init__(
        self, policy: GatePolicy, members: Iterable[Member], at: datetime, *, sequence: int = 0, keep_history: bool = False
    ) -> None:
        """`sequence`: facts up to there are older. `keep_history`: for `histories`, which is not stored with the rest."""
        self._spans: dict[str, tuple[int, list[int]]] | None = {} if keep_history else None
        self._load(policy, _Stored(at_us=_us(at), sequence=sequence, rows=[_row(member) for member in members], masks=Masks()))
        self._dirty.update(self._rows)
        self._commit()

    def _load(self, policy: GatePolicy, stored: _Stored) -> None:
        self._settle_us = max(1, round(policy.settle_minutes * MINUTE_US))
        self._ignored, self._safety = frozenset(policy.ignored_codes), frozenset(policy.rules.safety_codes)
        self._parts = {signal for signal in PARTS if policy.share(signal)}
        self._at, self.sequence = stored.at_us, stored.sequence
        self._rows = {row.charge_point_id: row for row in stored.rows}
        self._masks = stored.masks
        self._weighed = any(weight != UNIT for row in stored.rows for weight in row.weights)
        self._risk = Risk(stored.at_us, stored.rows, stored.spent)
        self._at_site: dict[str, list[str]] = {}
        for row in stored.rows:
            if row.site is not None:
                self._at_site.setdefault(row.site, []).append(row.charge_point_id)
        self._dirty: set[str] = set()
        self._events: dict[Signal, set[str]] = {}
        self._ended: list[Ended] = []
        self._instants: list[Instant] = []
        self._heap: list[tuple[int, int, str]] = []
        self._woken: dict[str, int] = {}
        for row in stored.rows:
            self._schedule(row)
        for until in stored.masks.incidents.values():
            heappush(self._heap, (until, _EVERYBODY, ""))
        for site, each in stored.masks.sites.items():
            for until in each.values():
                heappush(self._heap, (until, _SITE, site))

    @classmethod
    def decode(cls, policy: GatePolicy, stored: bytes) -> Exposure:
        """The inverse of `encode`: goes on exactly where that was. Raises msgspec.MsgspecError on anything else."""
        made = cls.__new__(cls)
        made._spans = None
        made._load(policy, _DECODER.decode(stored))
        return made

    def encode(self) -> bytes:
        """All that it remembers. Store it with the GateState that has folded what `observed` gave, in one transaction.

        Raises ValueError while something has happened that `observed` has not given yet: it would be lost.
        """
        if self._events or self._ended or self._instants:
            raise ValueError("observed() was not called since the last event: what it would give is not stored here")
        self._commit()
        stored = _Stored(
            at_us=self._at, sequence=self.sequence, rows=list(self._rows.values()), spent=self._risk.spent, masks=self._masks
        )
        return _ENCODER.encode(stored)

    def mark(self, mark: Mark) -> None:
        """A step of the rollout. One for a charge point that is not in it is ignored."""
        row = self._rows.get(mark.charge_point_id)
        if row is None:
            return
        self._reach(_us(mark.at))
        self._dirty.add(row.charge_point_id)
        if mark.kind is MarkKind.DISPATCHED:
            row.group, row.settle_us, row.faulted_before = NEITHER, 0, list(row.faulted)
        elif mark.kind is MarkKind.VERIFIED:
            self._verified(row, mark)
        elif mark.kind is MarkKind.ENDED:
            row.group, row.settle_us = NEITHER, 0
            self._finished(row, mark.code, mark.wave)
        elif mark.kind is MarkKind.RETURNED:
            row.group = NEITHER if row.excluded else CONTROL
        elif mark.kind is MarkKind.EXCLUDED:
            row.excluded = True
        elif mark.until is not None:
            row.masked_us = max(row.masked_us, _us(mark.until))
        self._schedule(row)

    def _verified(self, row: Row, mark: Mark) -> None:
        row.group, row.wave, row.excluded = NEITHER, mark.wave, False
        row.settle_us = self._at + self._settle_us
        row.boots, row.looped, row.good_sessions = [], False, 0
        row.codes_before, row.codes_new = (*row.codes_before, *row.codes_new), []
        self._finished(row, "ok", mark.wave)

    def _finished(self, row: Row, code: str, wave: int) -> None:
        self._ended.append(Ended(row.charge_point_id, code, wave, row.finished))
        row.finished = True

    def apply(self, facts: Iterable[Fact]) -> None:
        """Facts in the order of the journal; those at or below `sequence` are ignored."""
        for fact in facts:
            if fact.sequence <= self.sequence:
                continue
            self.sequence = fact.sequence
            row = self._rows.get(fact.charge_point_id)
            if row is None:
                continue
            self._reach(_us(fact.received_at))
            said = Said(self._at, fact.generation, self._ignored, self._safety)
            for event in fact.events:
                self._happened(row, occurred(row, event, said))
            self._schedule(row)

    def advance(self, upto: datetime) -> None:
        """Time has passed, and every fact received before `upto` has been applied: what was due by then has happened."""
        self._reach(_us(upto))

    @property
    def at(self) -> datetime:
        """Up to when things are known."""
        return instant(self._at)

    def stood_still(self, began: datetime, ended: datetime) -> None:
        """Between the two nobody could be heard: nobody was at risk, and what was to come in time has as much longer.

        One that began more than a second before what is known already is ignored: it was told before.
        """
        began_us, ended_us = _us(began), _us(ended)
        if began_us < self._at - _BEAT_US:
            return
        self._reach(began_us)
        for row in self._rows.values():
            row.postpone(self._at, ended_us - self._at)
            row.masked_us = max(row.masked_us, ended_us)
            self._dirty.add(row.charge_point_id)
            self._schedule(row)

    def observed(self) -> Observed:
        """What happened since this was last called; give it to `gate.fold`."""
        self._commit()
        instants, self._instants = tuple(self._instants), []
        treated = [row for row in self._rows.values() if row.watched and not row.excluded]
        control = [row for row in self._rows.values() if row.group == CONTROL]
        codes: dict[str, list[str]] = {}
        sessions: dict[str, int] = {}
        for row in treated:
            for code in row.codes_new:
                codes.setdefault(code, []).append(row.charge_point_id)
            if row.good_sessions and row.model is not None:
                sessions[row.model] = sessions.get(row.model, 0) + row.good_sessions
        control_codes = [code for row in control for code in row.codes_new]
        return Observed(
            sequence=self.sequence,
            at_us=self._at,
            instants=instants,
            times=self._risk.times(self._at),
            treated=sum(row.group == TREATED for row in treated),
            control=len(control),
            connected=sum(row.connected for row in (*treated, *control)),
            boot_loops=tuple(sorted(row.charge_point_id for row in treated if row.looped)),
            control_loops=sum(row.looped for row in control),
            safety_codes={code: tuple(sorted(ids)) for code, ids in codes.items()},
            control_codes={code: control_codes.count(code) for code in set(control_codes)},
            good_sessions=sessions,
        )

    def histories(self) -> dict[str, History]:
        """What happened at each charge point so far, to weigh it in a rollout to come. Only with `keep_history`."""
        if self._spans is None:
            raise ValueError("this exposure was not told to keep its history")
        self._dirty.update(self._rows)
        self._commit()
        made = {}
        for who, row in self._rows.items():
            _, spans = self._spans[who]
            made[who] = History(
                events={signal: row.hits[index] for signal, index in INDEX.items() if index in row.hits},
                days={signal: spans[index] / DAY_US for signal, index in INDEX.items() if spans[index]},
                safety_codes=(*row.codes_before, *row.codes_new),
                boot_loops=row.looped or row.loops_before,
            )
        return made

    def _reach(self, at_us: int) -> None:
        """Everything that is due by then happens, each at its own instant; then it is `at_us`, or stays later."""
        while True:
            if at_us > self._at:
                self._commit()  # first: it may say that more is due
            if not self._heap or self._heap[0][0] > at_us:
                break
            self._at = max(self._at, self._heap[0][0])
            while self._heap and self._heap[0][0] <= self._at:
                self._wake(*heappop(self._heap))
        self._at = max(self._at, at_us)

    def _wake(self, due_us: int, kind: int, who: str) -> None:
        if kind != _ROW:
            self._masks.forget(self._at)
            self._dirty.update(self._rows if kind == _EVERYBODY else self._at_site[who])
            return
        if self._woken.get(who) == due_us:
            del self._woken[who]
        row = self._rows[who]
        self._happened(row, due(row, self._at))
        self._schedule(row)

    def _schedule(self, row: Row) -> None:
        due_us = min((at for at in row.dues() if at > self._at), default=0)
        if due_us and due_us < self._woken.get(row.charge_point_id, due_us + 1):
            self._woken[row.charge_point_id] = due_us
            heappush(self._heap, (due_us, _ROW, row.charge_point_id))

    def _happened(self, row: Row, signals: Iterable[Signal]) -> None:
        self._dirty.add(row.charge_point_id)
        for signal in signals:
            self._events.setdefault(signal, set()).add(row.charge_point_id)
            if signal in self._parts:
                self._events.setdefault(Signal.ANY, set()).add(row.charge_point_id)

    def _commit(self) -> None:
        """The instant is over: its events are weighed by what was at risk before it, then who is at risk is worked out again."""
        had: dict[str, int] = {}
        happened = [signal for signal in RATES if signal in self._events]
        counts = tuple(counted for signal in happened if (counted := self._count(signal, had)) is not None)
        if counts or self._ended:
            ended = tuple(sorted(self._ended, key=lambda each: (each.charge_point_id, each.again)))
            self._instants.append(Instant(self._at, counts, ended))
        self._events, self._ended = {}, []
        for who in self._dirty:
            row = self._rows[who]
            if row.excluded:
                row.group = NEITHER
            if row.quiet and min(row.quiet.values()) <= self._at:
                row.quiet = {index: until for index, until in row.quiet.items() if until > self._at}
            self._span(row)
            self._risk.move(row, self._at_risk(row), row.had | had.get(who, 0), self._at)
        self._dirty = set()

    def _count(self, signal: Signal, had: dict[str, int]) -> Counted | None:
        """The events of one signal at this instant, one for each site; who had one is out of it for a while."""
        index = INDEX[signal]
        rows = [self._rows[each] for each in sorted(self._events[signal])]
        sites = self._sites_once(row for row in rows if row.risk >> index & 1)
        counted = self._risk.counted(signal, sites, self._at) if sites else None
        for row in sites:
            row.hits[index] = row.hits.get(index, 0) + 1
            row.quiet[index] = self._at + (QUIET_S * 1_000_000 << min(row.hits[index] - 1, QUIET_DOUBLINGS))
            had[row.charge_point_id] = had.get(row.charge_point_id, 0) | 1 << index
            self._schedule(row)
            if row.site is not None:
                self._dirty.update(self._at_site[row.site])
                heappush(self._heap, (self._masks.at_site(row.site, index, self._at), _SITE, row.site))
        self._look_for_incident(index, rows)
        return counted

    def _sites_once(self, rows: Iterable[Row]) -> list[Row]:
        """Of charge points of one site only the first by name, whatever its group."""
        seen: set[str] = set()
        kept = []
        for row in rows:
            if row.site is None or row.site not in seen:
                kept.append(row)
                seen.add(row.site or "")
        return kept

    def _look_for_incident(self, index: int, rows: list[Row]) -> None:
        saw = [row for row in rows if row.risk_group == CONTROL]
        if not saw or index == INDEX[Signal.ANY]:
            return
        usual = self._risk.sums[index].weight[CONTROL] / UNIT * WINDOW_US / DAY_US if self._weighed else 0.0
        composite = RATES[index] in self._parts
        if until := self._masks.control_saw(index, saw, self._risk.control, usual, self._at, composite=composite):
            self._dirty.update(self._rows)
            heappush(self._heap, (until, _EVERYBODY, ""))

    def _at_risk(self, row: Row) -> int:
        """Bits of the signals that can happen to it from now on."""
        now = self._at
        if row.group == NEITHER or max(row.masked_us, row.planned_us) > now or not (row.connected or row.offline_us):
            return 0
        bits = ALL if row.open and row.connected else ALL & ~CHARGING
        for index in row.quiet:
            bits &= ~(1 << index)
        return bits & ~self._masks.hidden(row, now)

    def _span(self, row: Row) -> None:
        if self._spans is None:
            return
        since, spans = self._spans.setdefault(row.charge_point_id, (self._at, [0] * len(RATES)))
        for index in range(len(RATES)):
            if row.risk_group != NEITHER and row.risk >> index & 1:
                spans[index] += self._at - since
        self._spans[row.charge_point_id] = (self._at, spans)


def _row(member: Member) -> Row:
    return Row(
        charge_point_id=member.charge_point_id,
        site=member.site_id,
        model=member.model,
        weights=tuple(member.weights.get(signal, UNIT) for signal in RATES),
        version=member.firmware_version,
        connected=member.connected,
        codes_before=member.safety_codes,
        loops_before=member.boot_loops,
    )


def _us(at: datetime) -> int:
    return round(at.timestamp() * 1e6)
