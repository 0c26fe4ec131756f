"""Verdicts: each ending with its sentence, and that what is not known is never a PASS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import nan

import msgspec
import pytest

from firmware_orchestrator import gate
from firmware_orchestrator.evidence.signals import DAY_US, Signal
from firmware_orchestrator.evidence.state import Counted, Ended, Instant, Observed, RateEvidence, Times
from firmware_orchestrator.evidence.wording import spell_below
from firmware_orchestrator.gate import GatePolicy, GateState, Moment, Outcome, fold, judge, what_the_canary_can_prove

START = datetime(2026, 1, 1, tzinfo=UTC)
START_US = round(START.timestamp() * 1e6)
POLICY = GatePolicy(good_sessions=0)


def observed(
    day: float, *, canary: int = 0, control: int = 0, ended: tuple[Ended, ...] = (), signal: Signal = Signal.OFFLINE
) -> Observed:
    """Up to `day`: so many events in ten canaries and two hundred others, of one signal and of any."""
    at_us = START_US + round(day * DAY_US)
    spent = (round(10 * day * DAY_US), round(200 * day * DAY_US))
    counts = tuple(Counted(each, canary, control, 10.0, 200.0, *spent, canary, control, 10, 200) for each in (signal, Signal.ANY))
    times = {each: Times(*spent, 10.0 * day, 200.0 * day) for each in (signal, Signal.ANY)}
    instants = (Instant(at_us, counts if canary or control else (), ended),) if canary or control or ended else ()
    return Observed(sequence=round(day * 100), at_us=at_us, instants=instants, times=times, treated=10, control=200, connected=210)


def moment(day: float, **changes: object) -> Moment:
    return msgspec.structs.replace(Moment(now=START + timedelta(days=day), wave=0, pending=0, soaking_at=START), **changes)


def test_a_worse_firmware_fails_with_a_sentence_that_can_be_read() -> None:
    """Six canaries offline in ten days against eleven in 190: FAIL, and the sentence has all of it."""
    state = fold(POLICY, GateState(), observed(0.5, control=11))
    state = fold(POLICY, state, observed(0.95, canary=6))
    verdict = judge(POLICY, state, moment(0.95))
    assert verdict.outcome is Outcome.FAIL and verdict.code == "evidence" and verdict.e >= verdict.limit
    assert verdict.sentence.endswith("> 20: offline episodes, 6 in 10 canary days against 11 in 190 control days")


def test_a_verdict_of_failure_stays() -> None:
    """What has once been enough stays enough, however quiet it is later (Ville: the chance was spent)."""
    state = fold(POLICY, GateState(), observed(1, canary=4))
    state = fold(POLICY, state, observed(2, control=60))
    assert judge(POLICY, state, moment(2)).outcome is Outcome.FAIL


def test_a_firmware_that_is_proven_passes() -> None:
    """Many events in the control group and none in the canary: not five times worse, after the soak and not before."""
    state = fold(POLICY, GateState(), observed(0.5, control=40))
    assert judge(POLICY, state, moment(0.5)).code == "soaking"
    state = fold(POLICY, state, observed(2, control=1))
    verdict = judge(POLICY, state, moment(2))
    assert verdict.outcome is Outcome.PASS and verdict.sentence.startswith("not 5 times worse: proof = ")


def test_nothing_known_is_never_a_pass() -> None:
    """No data, stale data, data from the future, nobody connected, no number: ERROR; only lack of data ends by itself."""
    quiet = fold(POLICY, GateState(), observed(2, control=41))
    for state, at, resumes in (
        (GateState(), moment(2), True),
        (quiet, moment(2.1), True),
        (quiet, moment(1), False),
        (msgspec.structs.replace(quiet, connected=0), moment(2), True),
        (msgspec.structs.replace(quiet, proofs={"5": nan}), moment(2), False),
    ):
        verdict = judge(POLICY, state, at)
        assert (verdict.outcome, verdict.resumes) == (Outcome.ERROR, resumes)


def test_without_events_nothing_is_proven_and_a_person_decides_in_the_end() -> None:
    """Two quiet weeks prove nothing: INCONCLUSIVE, then held."""
    state = fold(POLICY, GateState(), observed(14))
    assert judge(POLICY, fold(POLICY, GateState(), observed(2)), moment(2)).hold is False
    verdict = judge(POLICY, state, moment(14))
    assert verdict.outcome is Outcome.INCONCLUSIVE and verdict.hold
    assert "5 times worse is not ruled out" in verdict.sentence and "a person must decide" in verdict.sentence


def test_without_a_control_group_a_person_decides_after_the_soak() -> None:
    """Time cannot help: it is not waited for."""
    state = msgspec.structs.replace(fold(POLICY, GateState(), observed(2)), control=0)
    verdict = judge(POLICY, state, moment(2))
    assert (verdict.outcome, verdict.hold, verdict.code) == (Outcome.INCONCLUSIVE, True, "no_control")


def test_hard_rules() -> None:
    """One lost canary, a bad signature, two boot loops or two with a new safety code stop it without statistics."""
    calm = fold(POLICY, GateState(), observed(2, control=41))
    lost = fold(POLICY, GateState(), observed(1, ended=(Ended("CP1", "lost", 0),)))
    unsigned = fold(POLICY, GateState(), observed(1, ended=(Ended("CP1", "invalid_signature", 0),)))
    looping = msgspec.structs.replace(calm, boot_loops=("CP1", "CP2"))
    unsafe = msgspec.structs.replace(calm, safety_codes={"GroundFailure": ("CP1", "CP2")})
    for state, code in ((lost, "lost"), (unsigned, "invalid_signature"), (looping, "boot_loops"), (unsafe, "safety_codes")):
        verdict = judge(POLICY, state, moment(state.at_us / DAY_US - START_US / DAY_US))
        assert verdict.outcome is Outcome.FAIL and code in [reason.code for reason in verdict.reasons]


def test_the_control_group_excuses_what_it_sees_as_well() -> None:
    """Boot loops in a larger part of the control group are not the firmware's."""
    calm = fold(POLICY, GateState(), observed(2, control=41))
    state = msgspec.structs.replace(calm, boot_loops=("CP1", "CP2"), control_loops=60)
    assert judge(POLICY, state, moment(2)).outcome is Outcome.PASS


def test_failed_installations_fail() -> None:
    """Three of three: the sentence counts them."""
    ended = tuple(Ended(f"CP{number}", "failed", 0) for number in range(3))
    verdict = judge(POLICY, fold(POLICY, GateState(), observed(1, ended=ended)), moment(1))
    assert verdict.outcome is Outcome.FAIL and verdict.sentence.endswith("failed installations, 3 of 3")


def test_a_signal_that_is_only_observed_stops_nothing() -> None:
    """It is reported with its value and has no share of the bet."""
    policy = msgspec.structs.replace(POLICY, observe_only=(Signal.OFFLINE, Signal.ANY))
    state = fold(policy, GateState(), observed(1, canary=9))
    verdict = judge(policy, state, moment(1))
    seen = next(each for each in verdict.signals if each.signal is Signal.OFFLINE)
    assert verdict.outcome is not Outcome.FAIL and seen.share == 0 and seen.e > 20


def test_an_override_keeps_the_values_and_begins_the_bet_again() -> None:
    """After it the rollout goes on; as much evidence again halts it again, and says since when."""
    state = fold(POLICY, GateState(), observed(1, canary=4))
    before = judge(POLICY, state, moment(1))
    state = gate.override(POLICY, state, before, by="ada", why="the switch at the harbour")
    kept = state.overrides[0]
    assert (kept.by, kept.why, kept.e, kept.sentences) == ("ada", "the switch at the harbour", before.e, (before.sentence,))
    assert judge(POLICY, state, moment(1)).outcome is Outcome.INCONCLUSIVE
    again = judge(POLICY, fold(POLICY, state, observed(2, canary=4)), moment(2))
    assert again.outcome is Outcome.FAIL and "since it was overridden" in again.sentence


def test_a_held_wave_passes_by_a_person() -> None:
    """The verdict says who, and why; a failure still fails."""
    state = fold(POLICY, GateState(), observed(14))
    state = gate.override(POLICY, state, judge(POLICY, state, moment(14)), by="ada", why="summer")
    verdict = judge(POLICY, state, moment(14))
    assert (verdict.outcome, verdict.code) == (Outcome.PASS, "overridden") and "ada" in verdict.sentence
    assert judge(POLICY, fold(POLICY, state, observed(15, canary=9)), moment(15)).outcome is Outcome.FAIL


def test_what_is_older_is_ignored() -> None:
    """Evidence that the state already has does not count twice."""
    state = fold(POLICY, GateState(), observed(2, canary=1))
    assert fold(POLICY, state, observed(1, canary=5)) is state


def test_few_that_cause_it_are_named_as_such() -> None:
    """Where the bet on first events disagrees, the sentence says so."""
    state = fold(POLICY, GateState(), observed(1, canary=4))
    rates = {signal: msgspec.structs.replace(rate, first=RateEvidence().first) for signal, rate in state.rates.items()}
    verdict = judge(POLICY, msgspec.structs.replace(state, rates=rates), moment(1))
    assert "when each charge point counts once: few of them cause it" in verdict.sentence


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        (b'{"max_soak_hours": 1}', "max_soak_hours is less"),
        (b'{"rule_out": [2], "worse_than": 3}', "rule_out must be above"),
        (b'{"alpha": 0}', "alpha"),
        (b'{"alhpa": 0.1}', "unknown field `alhpa`"),
        (b'{"observe_only": ["offline","boots","faults","failed_starts","no_energy","meter_gaps","protocol_errors","any",'
         b'"installs","lost"]}', "nothing could stop"),
    ],
)  # fmt: skip
def test_a_policy_that_makes_no_sense_is_refused(section: bytes, problem: str) -> None:
    """Each with a word that leads to the mistake."""
    with pytest.raises(msgspec.ValidationError, match=problem):
        msgspec.json.decode(section, type=GatePolicy)


def test_what_ten_canaries_can_prove() -> None:
    """Days fall with the size of the canary; nothing known means no time at all, and is said."""
    ten, twenty = (what_the_canary_can_prove(POLICY, n, 0.02) for n in (10, 20))
    assert dict(ten.rule_out)[5.0] == pytest.approx(5.6, abs=0.2) and dict(twenty.rule_out)[5.0] < dict(ten.rule_out)[5.0]
    assert ten.sentences[0] == "10 charge points can rule out 5 times worse in about 5.6 days; make it 20 to save 2.4 days"
    assert "can prove nothing" in what_the_canary_can_prove(POLICY, 10, 0.0).sentences[0]
    with pytest.raises(ValueError, match="-1 charge points"):
        what_the_canary_can_prove(POLICY, -1, 0.02)


@pytest.mark.parametrize(
    ("treated", "control", "reported", "seen_in_control", "broken"),
    [
        (10, 200, 2, 0, True),
        (10, 200, 2, 5, False),
        (50, 10, 2, 0, False),
        (8, 44, 3, 0, True),
        (9500, 500, 95, 0, True),
        (9500, 500, 95, 5, False),
        (10, 0, 2, 0, True),
    ],
)
def test_a_hard_rule_is_not_broken_by_what_chance_explains(
    treated: int, control: int, reported: int, seen_in_control: int, broken: bool
) -> None:
    """Where nearly everybody has the new firmware, nearly every fault is there; without a control group nothing excuses."""
    codes = {"GroundFailure": tuple(f"CP-{number}" for number in range(reported))}
    seen = msgspec.structs.replace(
        observed(1), treated=treated, control=control, safety_codes=codes, control_codes={"GroundFailure": seen_in_control}
    )
    verdict = judge(POLICY, fold(POLICY, GateState(), seen), moment(1))
    assert (verdict.outcome is Outcome.FAIL) == broken, verdict.sentence


@pytest.mark.parametrize(("number", "text"), [(9.98, "9.9"), (1.0, "1"), (0.043, "0.043"), (19.96, "19.9"), (123.9, "123")])
def test_what_has_not_reached_its_limit_never_looks_as_if_it_had(number: float, text: str) -> None:
    """Rounded down: "proof = 10 < 10" would be nonsense."""
    assert spell_below(number) == text
