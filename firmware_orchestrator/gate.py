"""Does the next wave go? Decided here: PASS, FAIL, INCONCLUSIVE or ERROR, each with sentences that say why. Pure.

FAIL: the evidence, or a hard rule, says that the new firmware is worse. ERROR: it cannot be judged (stale or absent data).
PASS: the wave has soaked and it is proven not to be `rule_out` times worse. INCONCLUSIVE: none of these yet; with `hold`, a person
must decide. The worst of what holds is the verdict, and no data is never PASS.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil, isfinite, log

import msgspec

from firmware_orchestrator.evidence import rules
from firmware_orchestrator.evidence.horizon import CanaryProof, what_the_canary_can_prove
from firmware_orchestrator.evidence.policy import GatePolicy, HardRules
from firmware_orchestrator.evidence.signals import INSTALL_SIGNALS, TABLE, Signal
from firmware_orchestrator.evidence.state import GateState, Observed, Override, Peak, days, decode, encode, fold, log_total
from firmware_orchestrator.evidence.wording import amount, counts, hours, plural, spell, spell_below, value

__all__ = [
    "CanaryProof",
    "GatePolicy",
    "GateState",
    "HardRules",
    "Moment",
    "Observed",
    "Outcome",
    "Override",
    "Reason",
    "Signal",
    "SignalEvidence",
    "Verdict",
    "decode",
    "encode",
    "fold",
    "judge",
    "override",
    "signal_evidence",
    "what_the_canary_can_prove",
]
_OFTEN = log(10)
"""Own and first events disagree where their bets are this far apart."""


class Outcome(StrEnum):
    """What the gate says of a wave."""

    PASS = "PASS"  # noqa: S105 - a verdict
    INCONCLUSIVE = "INCONCLUSIVE"
    ERROR = "ERROR"
    FAIL = "FAIL"


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Where the rollout stands when it is judged."""

    now: datetime
    wave: int
    """0 is the canary."""
    pending: int
    """Charge points of the wave whose installation has neither ended nor been verified."""
    soaking_at: datetime | None = None
    """When the last of the wave came back with the new version; None while one is pending."""
    models: tuple[str, ...] = ()
    """Models in the wave."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One of the reasons of a verdict. `code`: evidence, installations, lost, boot_loops, safety_codes, invalid_signature, no_data,
    broken, no_control, installing, soaking, not_proven, sessions, max_soak, proven or overridden."""

    code: str
    sentence: str
    signal: Signal | None = None


class SignalEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """One signal as it is shown and exported. For installations, `treated` failed of `control` finished."""

    signal: Signal
    label: str
    share: float
    """Of the bet; 0: only observed."""
    e: float
    e_first: float
    """The same bet on each charge point's first event alone, exact whatever the charge points are like."""
    treated: int
    control: int
    treated_days: float
    control_days: float
    ratio: float | None
    """Events against those of the control group, each in its own rates; None while the control group had none."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate says, and why. `hold`: a person must decide. `resumes`: ends by itself when data comes back."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    wave: int
    at: datetime
    sequence: int
    e: float
    """The highest since a person last overrode it."""
    limit: float
    proof: float
    """Evidence that it is not `rule_out` times worse."""
    proof_limit: float
    rule_out: float
    hold: bool = False
    resumes: bool = False
    signals: tuple[SignalEvidence, ...] = ()

    @property
    def sentence(self) -> str:
        """All reasons."""
        return "; ".join(reason.sentence for reason in self.reasons)

    @property
    def code(self) -> str:
        """The first reason as a word."""
        return self.reasons[0].code


def judge(policy: GatePolicy, state: GateState, moment: Moment) -> Verdict:
    """The verdict on a wave. Pure: the same arguments, the same verdict."""
    outcome, reasons = _worst(policy, state, moment)
    soaked = _soaked_hours(moment)
    hold = outcome is Outcome.INCONCLUSIVE and soaked is not None and _needs_a_person(policy, state, soaked)
    if hold and soaked is not None:
        reasons = (*reasons, Reason(code="max_soak", sentence=f"after {hours(soaked)} of soak a person must decide"))
    return Verdict(
        outcome=outcome,
        reasons=reasons,
        wave=moment.wave,
        at=moment.now,
        sequence=state.sequence,
        e=value(_highest(policy, state) - state.base),
        limit=1 / policy.alpha,
        proof=value(_log_proof(policy, state, moment.wave)),
        proof_limit=1 / policy.beta,
        rule_out=policy.ruled_out_by(moment.wave),
        hold=hold,
        resumes=outcome is Outcome.ERROR and all(reason.code == "no_data" for reason in reasons),
        signals=tuple(signal_evidence(policy, state)),
    )


def override(policy: GatePolicy, state: GateState, verdict: Verdict, *, by: str, why: str) -> GateState:
    """A person decides otherwise: the values of this moment are kept, and what they saw stops the rollout no more.

    After a FAIL the bet begins again from where it stands, and charge points that broke a hard rule are accepted; what happens
    later counts. After anything else, the wave passes unless something fails.
    """
    kept = Override(
        by=by,
        at=verdict.at,
        why=why,
        wave=verdict.wave,
        outcome=verdict.outcome,
        e=verdict.e,
        limit=verdict.limit,
        proof=verdict.proof,
        sentences=tuple(reason.sentence for reason in verdict.reasons),
    )
    state = msgspec.structs.replace(state, overrides=(*state.overrides, kept))
    if verdict.outcome is not Outcome.FAIL:
        return msgspec.structs.replace(state, passed=tuple(sorted({*state.passed, verdict.wave})))
    accepted = {f"{each.rule}:{who}" for each in rules.broken(policy, state) for who in each.charge_point_ids}
    return msgspec.structs.replace(
        state, base=log_total(policy, state), peak=Peak(), accepted=tuple(sorted({*state.accepted, *accepted}))
    )


def signal_evidence(policy: GatePolicy, state: GateState) -> Iterator[SignalEvidence]:
    """Every signal of the table, those without data included."""
    shares = policy.shares()
    for signal, row in TABLE.items():
        log_e = state.log_e_of(signal, policy)
        if signal in INSTALL_SIGNALS:
            bad, first, treated_us, control_us, ratio = (state.lost if signal is Signal.LOST else state.failed), log_e, 0, 0, None
            other = state.finished
        else:
            rate = state.rate(signal)
            bad, other, first, ratio = rate.treated, rate.control, rate.log_first, rate.ratio
            treated_us, control_us = rate.times.treated_us, rate.times.control_us
        yield SignalEvidence(
            signal=signal,
            label=row.label,
            share=shares[signal],
            e=value(log_e),
            e_first=value(first),
            treated=bad,
            control=other,
            treated_days=days(treated_us),
            control_days=days(control_us),
            ratio=ratio,
        )


def _worst(policy: GatePolicy, state: GateState, moment: Moment) -> tuple[Outcome, tuple[Reason, ...]]:
    if failing := (*_evidence_against(policy, state, moment.wave), *_broken_rules(policy, state)):
        return Outcome.FAIL, failing
    if unknown := tuple(_unjudgeable(policy, state, moment)):
        return Outcome.ERROR, unknown
    if moment.wave in state.passed:
        return Outcome.PASS, (_overridden(state, moment.wave),)
    if missing := tuple(_missing(policy, state, moment)):
        return Outcome.INCONCLUSIVE, missing
    return Outcome.PASS, (_proven(policy, state, moment.wave),)


def _highest(policy: GatePolicy, state: GateState) -> float:
    return max(state.peak.log_e, log_total(policy, state))


def _log_proof(policy: GatePolicy, state: GateState, wave: int) -> float:
    return state.proofs.get(f"{policy.ruled_out_by(wave):g}", 0.0)


def _evidence_against(policy: GatePolicy, state: GateState, wave: int) -> Iterator[Reason]:
    peak = state.peak
    log_e = peak.log_e - state.base
    if log_e < -log(policy.alpha):
        return
    since = " since it was overridden" if state.base else ""
    sentence = f"E = {spell(value(log_e))} > {amount(1 / policy.alpha)}{since}: {counts(peak, wave)}"
    code = "installations" if peak.signal in INSTALL_SIGNALS else "evidence"
    if code == "evidence" and (first := state.rate(peak.signal)).log_e - first.log_first > _OFTEN:
        sentence += f" (E = {spell(value(first.log_first))} when each charge point counts once: few of them cause it)"
    yield Reason(code=code, sentence=sentence, signal=peak.signal)


def _broken_rules(policy: GatePolicy, state: GateState) -> Iterator[Reason]:
    for each in rules.broken(policy, state):
        yield Reason(code=each.rule.partition(":")[0], sentence=each.sentence)


def _unjudgeable(policy: GatePolicy, state: GateState, moment: Moment) -> Iterator[Reason]:
    numbers = [log_total(policy, state), state.base, *state.proofs.values()]
    if not all(isfinite(number) for number in numbers):
        yield Reason(code="broken", sentence="the stored evidence is not a number: it cannot be judged")
    if state.at is None:
        yield Reason(code="no_data", sentence="nothing has been seen of this rollout's charge points yet")
        return
    age = (moment.now - state.at) / timedelta(minutes=1)
    if age > policy.stale_minutes:
        yield Reason(code="no_data", sentence=f"the newest evidence is {hours(age / 60)} old; the limit is {_minutes(policy)}")
    elif -age > policy.stale_minutes:
        yield Reason(code="broken", sentence=f"the newest evidence is {hours(-age / 60)} in the future: a clock is wrong")
    elif not state.connected:
        yield Reason(code="no_data", sentence="no charge point of either group is connected")


def _minutes(policy: GatePolicy) -> str:
    return plural(ceil(policy.stale_minutes), "minute")


def _missing(policy: GatePolicy, state: GateState, moment: Moment) -> Iterator[Reason]:
    """Why a wave cannot pass yet."""
    soaked = _soaked_hours(moment)
    if moment.pending or soaked is None:
        yield Reason(code="installing", sentence=f"{plural(moment.pending, 'installation')} of the wave not ended")
    elif soaked < policy.min_soak_hours:
        yield Reason(code="soaking", sentence=f"soaked {hours(soaked)} of {hours(policy.min_soak_hours)}")
    if not state.treated:
        yield Reason(code="not_proven", sentence="no charge point has settled with the new firmware: there is nothing to judge by")
    elif not state.control:
        yield Reason(code="no_control", sentence="no charge point is left in the control group: nothing can be proven without it")
    elif (log_proof := _log_proof(policy, state, moment.wave)) < -log(policy.beta):
        ratio = amount(policy.ruled_out_by(moment.wave))
        yield Reason(
            code="not_proven",
            sentence=f"{ratio} times worse is not ruled out: proof = {spell_below(value(log_proof))} < {amount(1 / policy.beta)}",
        )
    for model in moment.models:
        if (seen := state.good_sessions.get(model, 0)) < policy.good_sessions:
            yield Reason(code="sessions", sentence=f"{model}: {seen} of {policy.good_sessions} sessions that delivered energy")


def _needs_a_person(policy: GatePolicy, state: GateState, soaked: float) -> bool:
    """More time will not help, or there has been enough of it."""
    unprovable = soaked >= policy.min_soak_hours and not (state.control and state.treated)
    return unprovable or soaked >= policy.max_soak_hours


def _soaked_hours(moment: Moment) -> float | None:
    if moment.pending or moment.soaking_at is None:
        return None
    return (moment.now - moment.soaking_at) / timedelta(hours=1)


def _proven(policy: GatePolicy, state: GateState, wave: int) -> Reason:
    rate = state.rate(Signal.ANY)
    seen = Peak(0.0, Signal.ANY, rate.treated, rate.control, rate.times.treated_us, rate.times.control_us)
    ratio = amount(policy.ruled_out_by(wave))
    proof, limit = spell(value(_log_proof(policy, state, wave))), amount(1 / policy.beta)
    return Reason(code="proven", sentence=f"not {ratio} times worse: proof = {proof} ≥ {limit}; {counts(seen, wave)}")


def _overridden(state: GateState, wave: int) -> Reason:
    last = next(each for each in reversed(state.overrides) if each.wave == wave and each.outcome != Outcome.FAIL)
    return Reason(code="overridden", sentence=f"{last.by} let it pass at E = {spell(last.e)}: {last.why}")
