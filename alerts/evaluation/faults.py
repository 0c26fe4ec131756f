"""Faults to put into sessions. Decided here: what each does to the attempts after it begins, and what finding names it rightly.

Ten kinds of soft faults, each in two severities, on the attempts of connectors that are healthy. Deterministic per seed. Hard
faults speak OCPP and are in alerts/evaluation/hard_faults.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from alerts.attempts import Attempt, Failure
from alerts.evaluation.overlay import LATE_SHARE, Overlay, attempt_of, by_energy
from alerts.evaluation.sessions import Session

Numbered = tuple[int, Session]
Injector = Callable[[Sequence[Numbered], float, int, np.random.Generator], list[Attempt]]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of fault. `right`: findings that name it. `severities`: name → strength, the worse one first."""

    name: str
    means: str
    severities: tuple[tuple[str, float], ...]
    right: frozenset[str]
    inject: Injector
    energy_only: bool = False
    """It is put into charge points that report no power."""
    fewest: int = 0
    """Opportunities without which the recording cannot show it."""
    horizon: int = 40
    """Attempts that it lasts."""
    opportunities: str = "attempts"
    """What time to detect is counted in beside hours: attempts, failed attempts, eligible sessions, or expected attempts."""


def _plain(sessions: Sequence[Numbered], seed: int) -> list[Attempt]:
    return [attempt_of(session, number, seed) for number, session in sessions]


def _empty(attempt: Attempt) -> Attempt:
    return msgspec.structs.replace(
        attempt, energy_wh=0.0, power_w=None, temperature_c=None, intervals=0, late_intervals=0, failure=Failure.NO_ENERGY
    )


def _fails(sessions: Sequence[Numbered], share: float, seed: int, rng: np.random.Generator) -> list[Attempt]:
    return [_empty(each) if rng.random() < share else each for each in _plain(sessions, seed)]


def _breaks_off(sessions: Sequence[Numbered], share: float, seed: int, rng: np.random.Generator) -> list[Attempt]:
    attempts = _plain(sessions, seed)
    broken = [
        msgspec.structs.replace(_empty(each), energy_wh=float(rng.uniform(120.0, 480.0)), failure=Failure.LITTLE_ENERGY)
        for each in attempts
    ]
    return [other if rng.random() < share else each for each, other in zip(attempts, broken, strict=True)]


def _never_starts(sessions: Sequence[Numbered], share: float, seed: int, rng: np.random.Generator) -> list[Attempt]:
    return [
        msgspec.structs.replace(_empty(each), energy_wh=None, started=False, failure=Failure.NOT_STARTED)
        if rng.random() < share
        else each
        for each in _plain(sessions, seed)
    ]


def _wears_out(sessions: Sequence[Numbered], share: float, seed: int, rng: np.random.Generator) -> list[Attempt]:
    """The share of failures climbs to `share` over thirty attempts."""
    attempts = _plain(sessions, seed)
    return [_empty(each) if rng.random() < share * min(1.0, (at + 1) / 30) else each for at, each in enumerate(attempts)]


def _silent(sessions: Sequence[Numbered], share: float, seed: int, rng: np.random.Generator) -> list[Attempt]:
    return [each for each in _plain(sessions, seed) if rng.random() >= share]


def _derated(sessions: Sequence[Numbered], scale: float, seed: int, _: np.random.Generator) -> list[Attempt]:
    return [attempt_of(session, number, seed, Overlay(scale=scale)) for number, session in sessions]


def _weak_by_energy(sessions: Sequence[Numbered], scale: float, seed: int, _: np.random.Generator) -> list[Attempt]:
    weak = ((number, msgspec.structs.replace(each, energy_wh=(each.energy_wh or 0.0) * scale)) for number, each in sessions)
    return [by_energy(attempt_of(session, number, seed)) for number, session in weak]


def _hot(sessions: Sequence[Numbered], hotter_c: float, seed: int, _: np.random.Generator) -> list[Attempt]:
    return [attempt_of(session, number, seed, Overlay(hotter_c=hotter_c)) for number, session in sessions]


def _late(sessions: Sequence[Numbered], share: float, seed: int, _: np.random.Generator) -> list[Attempt]:
    return [attempt_of(session, number, seed, Overlay(late_share=LATE_SHARE + share)) for number, session in sessions]


_FAILING = frozenset({"failing_attempts", "zero_energy"})
FAULTS: tuple[Fault, ...] = (
    Fault(
        name="zero energy",
        means="every attempt, or nine of ten, gives nothing",
        opportunities="failed attempts",
        severities=(("all", 1.0), ("9 of 10", 0.9)),
        right=frozenset({"zero_energy"}),
        inject=_fails,
    ),
    Fault(
        name="intermittent",
        means="half, or three of ten, attempts give nothing",
        severities=(("half", 0.5), ("3 of 10", 0.3)),
        right=_FAILING,
        inject=_fails,
    ),
    Fault(
        name="breaks off",
        means="charges end after minutes with less than 0.5 kWh",
        severities=(("all", 1.0), ("half", 0.5)),
        right=frozenset({"failing_attempts"}),
        inject=_breaks_off,
    ),
    Fault(
        name="never starts",
        means="an accepted driver plugs in, and no transaction begins",
        severities=(("all", 1.0), ("half", 0.5)),
        right=_FAILING,
        inject=_never_starts,
    ),
    Fault(
        name="wears out",
        means="the share of failures climbs over thirty attempts",
        severities=(("to 9 of 10", 0.9), ("to 6 of 10", 0.6)),
        right=_FAILING,
        inject=_wears_out,
    ),
    Fault(
        name="silent",
        means="nobody, or one driver in ten, shows up any more",
        severities=(("all", 1.0), ("9 of 10", 0.9)),
        right=frozenset({"silent"}),
        inject=_silent,
        opportunities="expected attempts",
    ),
    Fault(
        name="derated, power known",
        means="the connector gives at most half, or a third, of what it offers; offer and power are reported",
        severities=(("to a third", 0.33), ("to half", 0.5)),
        right=frozenset({"power_derated"}),
        inject=_derated,
        fewest=8,
        horizon=80,
        opportunities="eligible sessions",
    ),
    Fault(
        name="derated, energy only",
        means="sessions bring half, or a third, of their energy in the same time; power is not reported",
        severities=(("to a third", 0.33), ("to half", 0.5)),
        right=frozenset({"power_derated"}),
        inject=_weak_by_energy,
        energy_only=True,
    ),
    Fault(
        name="hot plug",
        means="20 °C, or 10 °C, hotter than its siblings under load",
        severities=(("20 °C", 20.0), ("10 °C", 10.0)),
        right=frozenset({"temperature_above_siblings"}),
        inject=_hot,
    ),
    Fault(
        name="irregular readings",
        means="half, or a quarter, of the meter values come out of step",
        severities=(("half", 0.5), ("a quarter", 0.25)),
        right=frozenset({"irregular_meter_values"}),
        inject=_late,
    ),
)
