"""Which fault goes where and when. Decided here: the split into a part to fit on and a part to report, and the strata by traffic.

Connectors are shuffled by the seed: the first half is for fitting, the other for the report; time is cut at 55 %. Faults are put
into the later part of the connectors for the report, at days from which on the connector is healthy for long enough.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from alerts.attempts import Attempt
from alerts.detectors.statistics.history import Key
from alerts.evaluation.faults import FAULTS, Fault, Numbered
from alerts.evaluation.overlay import attempt_of, by_energy, could_take
from alerts.evaluation.sessions import Session
from alerts.evaluation.sick import Health, health

DAY_S = 86_400.0
FIT_SHARE = 0.5
FIT_TIME = 0.55
WARM_UP_S = 60 * DAY_S
STRATA = (("under 0.6 a day", 0.0, 0.6), ("0.6 to 1.5 a day", 0.6, 1.5), ("over 1.5 a day", 1.5, float("inf")))
LONGEST_S = 120 * DAY_S
PER_CELL = 12
"""Events per severity and stratum, where there are healthy connectors enough."""


class Connector(msgspec.Struct, frozen=True, kw_only=True):
    """One connector of the recording."""

    key: Key
    site: str
    model: str
    sessions: list[Numbered]
    health: Health
    rate: float
    """Attempts a day over its whole time."""
    fit: bool


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One injected fault. `attempts`: what happens at the connector from `began` on, instead of what did."""

    fault: Fault
    severity: str
    stratum: str
    connector: int
    began: float
    ended: float
    attempts: list[Attempt]
    eligible: list[float]
    """When its opportunities ended: attempts, sessions of known pace, or the attempts that would have come."""
    rate: float
    """Attempts a day over the eight weeks before."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that a run needs. Instants are UTC seconds."""

    connectors: list[Connector]
    events: list[Event]
    start: float
    cut: float
    """Fitted before, reported from here on."""
    end: float
    seed: int


def make(sessions: Sequence[Session], seed: int, per_cell: int = PER_CELL) -> Plan:
    """A plan: who is fitted on, and what is injected."""
    rng = np.random.default_rng(seed)
    start, end = sessions[0].began, max(each.ended for each in sessions)
    connectors = _connectors(sessions, rng)
    plan = Plan(connectors=connectors, events=[], start=start, cut=start + FIT_TIME * (end - start), end=end, seed=seed)
    for fault in FAULTS:
        for severity, strength in fault.severities:
            for stratum, low, high in STRATA:
                among = [at for at, each in enumerate(connectors) if not each.fit and low <= each.rate < high]
                plan.events.extend(_cell(plan, fault, severity, strength, stratum, among, per_cell, rng))
    return plan


def _connectors(sessions: Sequence[Session], rng: np.random.Generator) -> list[Connector]:
    by_key: dict[Key, list[Numbered]] = {}
    for number, session in enumerate(sessions):
        by_key.setdefault((session.charge_point_id, session.connector), []).append((number, session))
    keys = sorted(by_key)
    fit = set(rng.permutation(len(keys))[: int(FIT_SHARE * len(keys))].tolist())
    whole: dict[str, list[Session]] = {}
    for session in sessions:
        whole.setdefault(session.charge_point_id, []).append(session)
    return [_connector(key, by_key[key], whole[key[0]], at in fit) for at, key in enumerate(keys)]


def _connector(key: Key, sessions: list[Numbered], charge_point: list[Session], fit: bool) -> Connector:
    plain = [session for _, session in sessions]
    days = max((plain[-1].began - plain[0].began) / DAY_S, 1.0)
    return Connector(
        key=key,
        site=plain[0].site,
        model=plain[0].model,
        sessions=sessions,
        health=health(plain, charge_point),
        rate=len(plain) / days,
        fit=fit,
    )


def _cell(
    plan: Plan,
    fault: Fault,
    severity: str,
    strength: float,
    stratum: str,
    among: Sequence[int],
    count: int,
    rng: np.random.Generator,
) -> list[Event]:
    """`count` events at different connectors and days, fewer where the recording has no room."""
    made: list[Event] = []
    for _ in range(20 * count):
        if len(made) >= count or not among:
            break
        at = int(rng.choice(among))
        event = _event(plan, fault, severity, strength, stratum, at, rng)
        if event is not None:
            made.append(event)
    return made


def _event(
    plan: Plan, fault: Fault, severity: str, strength: float, stratum: str, at: int, rng: np.random.Generator
) -> Event | None:
    connector = plan.connectors[at]
    first = connector.sessions[0][1].began + WARM_UP_S
    low, high = max(plan.cut, first), plan.end - 20 * DAY_S
    if low >= high:
        return None
    began = float(rng.uniform(low, high) // DAY_S * DAY_S)
    after = [each for each in connector.sessions if each[1].began >= began][: fault.horizon]
    before = [session for _, session in connector.sessions if began - 56 * DAY_S <= session.began < began]
    if len(after) < 12 or len(before) < 10:
        return None
    ended = min(began + LONGEST_S, after[-1][1].ended)
    if not connector.health.healthy(began - 28 * DAY_S, ended):
        return None
    after = [each for each in after if each[1].ended <= ended]
    attempts = fault.inject(after, strength, plan.seed, rng)
    eligible = _opportunities(fault, strength, attempts, after, plan.seed)
    if len(eligible) < fault.fewest:
        return None
    return Event(
        fault=fault,
        severity=severity,
        stratum=stratum,
        connector=at,
        began=began,
        ended=ended,
        attempts=sorted(attempts, key=lambda each: each.ended_at),
        eligible=eligible,
        rate=len(before) / 56.0,
    )


def _opportunities(fault: Fault, strength: float, attempts: Sequence[Attempt], after: Sequence[Numbered], seed: int) -> list[float]:
    """Eligible for a derated connector: a session whose pace it set, of a car that would have taken more."""
    if fault.opportunities == "expected attempts":
        return sorted(session.ended for _, session in after)
    if fault.opportunities == "failed attempts":
        return sorted(each.ended_at.timestamp() for each in attempts if each.failure is not None)
    if fault.opportunities == "attempts":
        return sorted(each.ended_at.timestamp() for each in attempts)
    noticed = {str(number) for number, session in after if could_take(session, number, seed) > 1.1 * strength}
    return sorted(each.ended_at.timestamp() for each in attempts if each.power_w is not None and each.transaction_id in noticed)


def base_attempts(plan: Plan, *, energy_only: bool = False) -> list[tuple[int, Attempt]]:
    """(connector, attempt) as recorded, by end. `energy_only`: as charge points that report no power would tell them."""
    made = [
        (at, attempt_of(session, number, plan.seed)) for at, each in enumerate(plan.connectors) for number, session in each.sessions
    ]
    if energy_only:
        made = [(at, by_energy(attempt)) for at, attempt in made]
    return sorted(made, key=lambda each: (each[1].ended_at, each[0]))
