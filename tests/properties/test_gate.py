"""The gate under any evidence: worse is never better, order within an instant is nothing, and a restart changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chargenet.events import ChargePointBooted, ConnectionClosed, ConnectionOpened, Event, Fact, StatusReported
from chargenet.model.ids import ConnectorRef
from firmware_orchestrator import gate
from firmware_orchestrator.evidence.signals import DAY_US, RATES, Signal
from firmware_orchestrator.evidence.state import Counted, Instant, Observed
from firmware_orchestrator.exposure import Exposure, Mark, MarkKind, Member
from firmware_orchestrator.gate import GatePolicy, GateState, Moment, Outcome

START = datetime(2026, 1, 1, tzinfo=UTC)
START_US = round(START.timestamp() * 1e6)
POLICY = GatePolicy(good_sessions=0)
RANK = (Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL)
COUNTS = st.tuples(
    st.sampled_from(RATES), st.integers(0, 3), st.integers(0, 8), st.floats(0.1, 50), st.floats(1, 500), st.integers(0, 2)
)


def judged(evidence: list[tuple[Signal, int, int, float, float, int]], extra: bool) -> gate.Verdict:
    """The verdict after two days; with `extra`, the last number of each adds failing events."""
    instants = tuple(
        Instant(START_US + number, (Counted(signal, treated + more * extra, control, c, k, DAY_US, DAY_US),))
        for number, (signal, treated, control, c, k, more) in enumerate(evidence)
    )
    at_us = START_US + 2 * DAY_US
    seen = Observed(sequence=1, at_us=at_us, instants=instants, treated=10, control=200, connected=210)
    moment = Moment(now=START + timedelta(days=2), wave=0, pending=0, soaking_at=START)
    return gate.judge(POLICY, gate.fold(POLICY, GateState(), seen), moment)


@given(st.lists(COUNTS, max_size=25))
def test_more_failing_evidence_never_betters_a_verdict(evidence: list[tuple[Signal, int, int, float, float, int]]) -> None:
    """More events with the new firmware: the verdict is the same or worse, E no lower, the proof no higher."""
    less, more = judged(evidence, False), judged(evidence, True)
    assert RANK.index(more.outcome) >= RANK.index(less.outcome)
    assert more.e >= less.e * (1 - 1e-9) and more.proof <= less.proof * (1 + 1e-9)


def _event(kind: int) -> Event:
    if kind == 0:
        return ConnectionClosed(code=1006, reason="", lost=True)
    if kind == 1:
        return ConnectionOpened(remote="")
    if kind in (2, 3):
        status, code = ("Faulted", "GroundFailure") if kind == 2 else ("Available", "NoError")
        return StatusReported(connector=ConnectorRef(1), status=status, raw_status=status, error_code=code)
    return ChargePointBooted(vendor="V", model="M", serial_number=None, firmware_version=None, registration="Accepted")


SAID = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 14), st.integers(0, 4)), min_size=1, max_size=40)


def facts(said: list[tuple[int, int, int]], order: list[int]) -> list[list[Fact]]:
    """(hour, charge point, kind) as facts, one list per instant; `order` shuffles the charge points of an instant."""
    made: list[list[Fact]] = []
    sequence = 0
    for hour in sorted({each[0] for each in said}):
        at = START + timedelta(hours=2 + hour)
        batch = []
        for who in order:
            for _, _, kind in (each for each in said if each[0] == hour and each[1] == who):
                sequence += 1
                batch.append(Fact(sequence, at, f"CP{who:02}", 1, "ocpp1.6", "", (_event(kind),)))
        made.append(batch)
    return made


def begun() -> Exposure:
    """Fifteen charge points at eight sites, three of them with the new firmware."""
    members = [Member(charge_point_id=f"CP{number:02}", site_id=f"S{number // 2}", model="M") for number in range(15)]
    exposure = Exposure(POLICY, members, START)
    for number in (0, 4, 8):
        for kind, minutes in ((MarkKind.DISPATCHED, 1), (MarkKind.VERIFIED, 20)):
            exposure.mark(Mark(charge_point_id=f"CP{number:02}", at=START + timedelta(minutes=minutes), kind=kind))
    return exposure


def told(exposure: Exposure, batches: list[list[Fact]], *, restart: bool) -> GateState:
    """The state after the facts; with `restart`, everything is stored and read back after each instant."""
    state = GateState()
    for batch in batches:
        exposure.apply(batch)
        state = gate.fold(POLICY, state, exposure.observed())
        if restart:
            exposure = Exposure.decode(POLICY, exposure.encode())
            state = gate.decode(gate.encode(state))
    exposure.advance(START + timedelta(days=5))
    return gate.fold(POLICY, state, exposure.observed())


@given(SAID, st.permutations(range(15)))
@settings(deadline=None, max_examples=60)
def test_the_order_within_an_instant_is_nothing(said: list[tuple[int, int, int]], order: list[int]) -> None:
    """Whoever comes first in the journal at one instant: the same evidence."""
    assert told(begun(), facts(said, order), restart=False) == told(begun(), facts(said, list(range(15))), restart=False)


@given(SAID)
@settings(deadline=None, max_examples=60)
def test_a_restart_changes_nothing(said: list[tuple[int, int, int]]) -> None:
    """Stored and read back after every instant, the state is the same to the last bit, and it is small."""
    batches = facts(said, list(range(15)))
    kept, restarted = told(begun(), batches, restart=False), told(begun(), batches, restart=True)
    assert kept == restarted
    assert len(gate.encode(kept)) < 8192


@given(SAID)
@settings(deadline=None, max_examples=40)
def test_facts_told_twice_count_once(said: list[tuple[int, int, int]]) -> None:
    """A feed that begins again behind what is stored adds nothing."""
    batches = facts(said, list(range(15)))
    once = told(begun(), batches, restart=False)
    exposure = begun()
    exposure.apply(fact for batch in batches for fact in batch)
    exposure.apply(fact for batch in batches for fact in batch)
    exposure.advance(START + timedelta(days=5))
    assert gate.fold(POLICY, GateState(), exposure.observed()).rates == once.rates
