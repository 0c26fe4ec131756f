"""What session files do not tell: pace, temperature, regularity of readings. Decided here: how it is made up, open to doubt.

Deterministic per seed. A car may take less than is offered: on direct current it mostly takes nearly all (SoC below 80 %, as the
fold of attempts asks), one in twenty is a small battery; on alternating current its charger has one, two or three phases of 16 or
32 A. Temperature: season plus load plus scatter. Late readings: 3 % of intervals. `scale`: share of the offer that the connector
can still give; a car that takes less does not notice.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import numpy as np

from alerts.attempts import Attempt, failure_of
from alerts.evaluation.sessions import Session

READINGS = 12
LATE_SHARE = 0.03
_OFFERS_W = (("7 kW", 7_400.0), ("7kW", 7_400.0), ("22 kW", 22_000.0), ("22kW", 22_000.0))
RAPID_W, RAPID_AC_W = 50_000.0, 43_000.0


class Overlay(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with the connector, on top of the session: nothing by default."""

    scale: float = 1.0
    hotter_c: float = 0.0
    late_share: float = LATE_SHARE


HEALTHY = Overlay()


def offered_w(model: str, connector: str) -> tuple[float, bool]:
    """What a connector of this model offers, and whether it is direct current. By what the model is called."""
    for name, watts in _OFFERS_W:
        if name in model:
            return watts, False
    alternating = "AC" in model or ("Triple" in model and connector == "1") or ("Raption" in model and connector == "1")
    return (RAPID_AC_W, False) if alternating and "DC" not in model else (RAPID_W, True)


def attempt_of(session: Session, number: int, seed: int, overlay: Overlay = HEALTHY) -> Attempt:
    """One session as the attempt that its frames would have given. `number` names it among all sessions of the evaluation."""
    rng = np.random.default_rng((seed, number))
    offer, direct = offered_w(session.model, session.connector)
    share = _car_share(rng, offer, direct)
    limited = bool(rng.random() < (0.12 if direct else 0.08))
    pace = min(share, overlay.scale) * float(np.exp(rng.normal(0.0, 0.04)))
    began = datetime.fromtimestamp(session.began, UTC)
    season = 10.0 + 8.0 * float(np.sin(2 * np.pi * (session.began / 86_400.0 / 365.25 - 0.3)))
    temperature = season + 22.0 * min(pace, 1.0) ** 2 + float(rng.normal(0.0, 3.0)) + overlay.hotter_c
    failure = failure_of(authorized=None, started=True, faulted=False, energy_wh=session.energy_wh)
    charging = failure is None and not limited
    return Attempt(
        charge_point_id=session.charge_point_id,
        connector=session.connector,
        began_at=began,
        ended_at=datetime.fromtimestamp(session.ended, UTC),
        transaction_id=str(number),
        token=session.token,
        energy_wh=session.energy_wh,
        power_w=pace * offer if charging else None,
        offered_w=offer,
        car_limited=limited,
        temperature_c=temperature if charging else None,
        intervals=READINGS if failure is None else 0,
        late_intervals=int(rng.binomial(READINGS, overlay.late_share)) if failure is None else 0,
        failure=failure,
    )


def could_take(session: Session, number: int, seed: int) -> float:
    """Share of the offer that the car of a session would take."""
    return _car_share(np.random.default_rng((seed, number)), *offered_w(session.model, session.connector))


def _car_share(rng: np.random.Generator, offer: float, direct: bool) -> float:
    if direct:
        if rng.random() < 0.05:
            return float(rng.uniform(0.3, 0.6))
        return float(1.0 - rng.beta(1.5, 12.0))
    car_w = float(rng.choice((3_600.0, 7_200.0, 11_000.0, 22_000.0, 43_000.0), p=(0.2, 0.35, 0.2, 0.2, 0.05)))
    return float(min(1.0, car_w / offer) * rng.uniform(0.93, 1.0))


def by_energy(attempt: Attempt) -> Attempt:
    """The same attempt as a charge point that reports no power would give it: energy over time, parked time included."""
    power_w = None
    if attempt.energy_wh and attempt.duration_s > 60 and attempt.failure is None:
        power_w = attempt.energy_wh * 3600.0 / attempt.duration_s
    return msgspec.structs.replace(attempt, power_w=power_w, offered_w=None, car_limited=False)
