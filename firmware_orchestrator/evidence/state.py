"""What is known so far, small enough to be stored with every step. Decided here: what the gate remembers, and how it grows.

`fold` is exact: instants in any batches give the same state, so that a restart goes on as if nothing had happened.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf
from typing import Any

import msgspec

from firmware_orchestrator.evidence import averaging, installs, mixture, promotion
from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.evidence.signals import DAY_US, INSTALL_SIGNALS, RATES, Signal


class Counted(msgspec.Struct, frozen=True, array_like=True):
    """Events of one signal at one instant, and what was at risk of them just before. Times at risk are totals up to then.

    `c`, `k`: weights at risk with the new firmware and in the control group; `first_*`: the same for charge points that had no such
    event before, each counted as one.
    """

    signal: Signal
    treated: int
    control: int
    c: float
    k: float
    treated_us: int
    control_us: int
    first_treated: int = 0
    first_control: int = 0
    first_c: int = 0
    first_k: int = 0


class Ended(msgspec.Struct, frozen=True, array_like=True):
    """One finished installation. `code`: ok, or a word like failed, reverted, mismatch, timed_out, lost, invalid_signature."""

    charge_point_id: str
    code: str
    wave: int = 0
    again: bool = False
    """An installation of it was counted before: it came back well and has gone since, or was tried anew."""


class Instant(msgspec.Struct, frozen=True, array_like=True):
    """All that happened at one instant."""

    at_us: int
    counts: tuple[Counted, ...] = ()
    ended: tuple[Ended, ...] = ()


class Times(msgspec.Struct, frozen=True, array_like=True):
    """Time at risk of one signal so far, and the events to be expected in it at each charge point's own rate (10⁻⁹)."""

    treated_us: int = 0
    control_us: int = 0
    treated_expected: float = 0.0
    control_expected: float = 0.0


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What the fold of exposure.py saw since it was last asked: instants since then, and totals up to `at_us`."""

    sequence: int
    at_us: int
    instants: tuple[Instant, ...] = ()
    times: dict[Signal, Times] = {}
    treated: int = 0
    """Charge points that run the new firmware and have settled."""
    control: int = 0
    connected: int = 0
    """Of both groups."""
    boot_loops: tuple[str, ...] = ()
    """Charge points with the new firmware that boot in a loop."""
    control_loops: int = 0
    safety_codes: dict[str, tuple[str, ...]] = {}
    """Code → charge points with the new firmware that report it and did not before."""
    control_codes: dict[str, int] = {}
    good_sessions: dict[str, int] = {}
    """Model → sessions that delivered energy, with the new firmware."""


class RateEvidence(msgspec.Struct, frozen=True, array_like=True):
    """One signal. `own`: the bet on every event, weighted by own rates; `first`: on each charge point's first event, unweighted."""

    own: mixture.Logs = mixture.NOTHING
    first: mixture.Logs = mixture.NOTHING
    log_e: float = 0.0
    treated: int = 0
    control: int = 0
    times: Times = Times()

    @property
    def log_first(self) -> float:
        """log E of the bet on first events."""
        return mixture.log_e(self.first)

    @property
    def ratio(self) -> float | None:
        """How many times the events of the control group, each in its own rates; None while that had none."""
        times = self.times
        if not self.control or times.treated_expected <= 0 or times.control_expected <= 0:
            return None
        return (self.treated / times.treated_expected) / (self.control / times.control_expected)


class Peak(msgspec.Struct, frozen=True, array_like=True):
    """The highest log E, the signal that made most of it, and the counts of that moment."""

    log_e: float = -inf
    signal: Signal = Signal.ANY
    treated: int = 0
    control: int = 0
    treated_us: int = 0
    control_us: int = 0
    at_us: int = 0


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """A person decided otherwise: who, when, why, and the values of that moment."""

    by: str
    at: datetime
    why: str
    wave: int
    outcome: str
    e: float
    limit: float
    proof: float
    sentences: tuple[str, ...]


class GateState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that the gate remembers of one rollout. `sequence`: the last record in it; `at_us`: complete up to this instant."""

    sequence: int = 0
    at_us: int = 0
    rates: dict[Signal, RateEvidence] = {}
    proofs: dict[str, float] = {}
    """How many times worse, as text → log of the evidence that it is not."""
    finished: int = 0
    failed: int = 0
    lost: int = 0
    lost_in_canary: tuple[str, ...] = ()
    invalid_signatures: tuple[str, ...] = ()
    boot_loops: tuple[str, ...] = ()
    control_loops: int = 0
    safety_codes: dict[str, tuple[str, ...]] = {}
    control_codes: dict[str, int] = {}
    good_sessions: dict[str, int] = {}
    treated: int = 0
    control: int = 0
    connected: int = 0
    peak: Peak = Peak()
    base: float = 0.0
    """log E when a person last overrode it: the bet begins again from there."""
    accepted: tuple[str, ...] = ()
    """Hard rules and charge points that a person has accepted, as rule:charge point."""
    passed: tuple[int, ...] = ()
    """Waves that a person let pass without proof."""
    overrides: tuple[Override, ...] = ()

    @property
    def at(self) -> datetime | None:
        """`at_us` as an instant; None before there was anything."""
        return datetime.fromtimestamp(self.at_us / 1e6, UTC) if self.at_us else None

    def rate(self, signal: Signal) -> RateEvidence:
        """Evidence of one signal, empty where there was nothing yet."""
        return self.rates.get(signal, _NO_EVIDENCE)

    def log_e_of(self, signal: Signal, policy: GatePolicy) -> float:
        """log E of one signal alone."""
        if signal is Signal.INSTALLS:
            return installs.log_e(self.failed, self.finished, policy.install_failures)
        if signal is Signal.LOST:
            return installs.log_e(self.lost, self.finished, policy.losses)
        return self.rate(signal).log_e


_NO_EVIDENCE = RateEvidence()
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(GateState)


def encode(state: GateState) -> bytes:
    """As it is stored."""
    return _ENCODER.encode(state)


def decode(stored: bytes) -> GateState:
    """The inverse of `encode`. Raises msgspec.DecodeError or msgspec.ValidationError on anything else."""
    return _DECODER.decode(stored)


def log_total(policy: GatePolicy, state: GateState) -> float:
    """log E over all signals that may stop the rollout."""
    shares = policy.shares()
    parts = [(shares[signal], state.rate(signal).log_e) for signal in RATES]
    parts += [(shares[signal], state.log_e_of(signal, policy)) for signal in INSTALL_SIGNALS]
    return averaging.log_mean(parts)


def fold(policy: GatePolicy, state: GateState, observed: Observed) -> GateState:
    """The state after what was observed. What is not newer than the state is ignored."""
    if observed.at_us < state.at_us or observed.sequence < state.sequence:
        return state
    for instant in observed.instants:
        state = _instant(policy, state, instant)
    rates = dict(state.rates)
    for signal, times in observed.times.items():
        rates[signal] = msgspec.structs.replace(state.rate(signal), times=times)
    return msgspec.structs.replace(
        state,
        sequence=observed.sequence,
        at_us=observed.at_us,
        rates=rates,
        treated=observed.treated,
        control=observed.control,
        connected=observed.connected,
        boot_loops=observed.boot_loops,
        control_loops=observed.control_loops,
        safety_codes=observed.safety_codes,
        control_codes=observed.control_codes,
        good_sessions=observed.good_sessions,
    )


def _instant(policy: GatePolicy, state: GateState, instant: Instant) -> GateState:
    changes: dict[str, Any] = {}
    if instant.counts:
        rates = dict(state.rates)
        for counted in instant.counts:
            rates[counted.signal] = _counted(rates.get(counted.signal, _NO_EVIDENCE), counted, policy.worse_than)
            if counted.signal is Signal.ANY:
                changes["proofs"] = _proofs(policy, changes.get("proofs", state.proofs), counted)
        changes["rates"] = rates
    if instant.ended:
        changes |= _ended(state, instant.ended)
    state = msgspec.structs.replace(state, **changes)
    value = log_total(policy, state)
    if value <= state.peak.log_e:
        return state
    return msgspec.structs.replace(state, peak=_peak(policy, state, value, instant))


def _counted(evidence: RateEvidence, counted: Counted, r0: float) -> RateEvidence:
    own = mixture.bet(evidence.own, counted.treated, counted.control, counted.c, counted.k, r0)
    first = evidence.first
    if counted.first_treated or counted.first_control:
        first = mixture.bet(first, counted.first_treated, counted.first_control, counted.first_c, counted.first_k, r0)
    return RateEvidence(
        own, first, mixture.log_e(own), evidence.treated + counted.treated, evidence.control + counted.control, evidence.times
    )


def _proofs(policy: GatePolicy, proofs: dict[str, float], counted: Counted) -> dict[str, float]:
    return {
        f"{r1:g}": promotion.proof(proofs.get(f"{r1:g}", 0.0), counted.treated, counted.control, counted.c, counted.k, r1)
        for r1 in policy.rule_out
    }


def _ended(state: GateState, ended: tuple[Ended, ...]) -> dict[str, Any]:
    lost = sorted(each.charge_point_id for each in ended if each.code == "lost" and each.wave == 0)
    unsigned = sorted(each.charge_point_id for each in ended if each.code == "invalid_signature")
    return {
        "finished": state.finished + sum(not each.again for each in ended),
        "failed": min(state.failed + sum(each.code != "ok" for each in ended), state.finished + len(ended)),
        "lost": state.lost + sum(each.code == "lost" for each in ended),
        "lost_in_canary": (*state.lost_in_canary, *lost),
        "invalid_signatures": (*state.invalid_signatures, *unsigned),
    }


def _peak(policy: GatePolicy, state: GateState, value: float, instant: Instant) -> Peak:
    shares = policy.shares()
    logs = {signal: averaging.log_mean([(share, state.log_e_of(signal, policy))]) for signal, share in shares.items() if share}
    signal = max(logs, key=lambda each: logs[each])
    if signal in INSTALL_SIGNALS:
        bad = state.lost if signal is Signal.LOST else state.failed
        return Peak(value, signal, bad, state.finished, 0, 0, instant.at_us)
    now = next((each for each in instant.counts if each.signal is signal), None)
    evidence = state.rate(signal)
    treated_us = now.treated_us if now else evidence.times.treated_us
    control_us = now.control_us if now else evidence.times.control_us
    return Peak(value, signal, evidence.treated, evidence.control, treated_us, control_us, instant.at_us)


def days(microseconds: int) -> float:
    """Time at risk in days."""
    return microseconds / DAY_US
