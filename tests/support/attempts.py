"""Attempts and small networks for tests of the statistical detectors. Instants are days after FIRST_DAY."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alerts.attempts import Attempt, Failure
from alerts.detectors.statistics import History

FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday."""
OFFER_W = 50_000.0
TRIED = ("CP0", "1")
"""The connector that tests change."""
OUTCOMES: dict[str, tuple[float | None, str | None]] = {
    "good": (12_000.0, None),
    "empty": (0.0, Failure.NO_ENERGY),
    "little": (300.0, Failure.LITTLE_ENERGY),
    "not_started": (None, Failure.NOT_STARTED),
    "rejected": (None, Failure.REJECTED),
}


def day(days: float) -> datetime:
    """An instant."""
    return FIRST_DAY + timedelta(days=days)


def attempt(
    days: float,
    outcome: str = "good",
    *,
    key: tuple[str, str] = TRIED,
    token: str | None = None,
    power: float = 0.95,
    car_limited: bool = False,
    temperature_c: float | None = 25.0,
    late: int = 0,
    offered_w: float | None = OFFER_W,
    sequence: int = 0,
) -> Attempt:
    """One attempt of half an hour that begins `days` after FIRST_DAY. power: share of the offer."""
    energy_wh, failure = OUTCOMES[outcome]
    served = failure is None
    return Attempt(
        charge_point_id=key[0],
        connector=key[1],
        began_at=day(days),
        ended_at=day(days + 1 / 48),
        transaction_id=f"{key} {days:.6f}",
        token=f"driver {days:.6f}" if token is None else token,
        started=outcome not in ("not_started", "rejected"),
        energy_wh=energy_wh,
        power_w=power * OFFER_W if served and not car_limited else None,
        offered_w=offered_w,
        car_limited=car_limited,
        temperature_c=temperature_c if served else None,
        intervals=12 if served else 0,
        late_intervals=late if served else 0,
        failure=failure,
        sequences=(sequence, sequence + 3) if sequence else (),
    )


def network(
    days: int = 60, connectors: int = 6, per_day: int = 2, failed_every: int = 40, *, until: float | None = None
) -> History:
    """Connectors of one model at one site. Every `failed_every`th attempt gives nothing. until: when CP0's connector stops."""
    history = History()
    number = 0
    for at in range(connectors):
        history.describe(f"CP{at}", "Maker", "Model")
        history.place(f"CP{at}", "site")
        history.row((f"CP{at}", "1"))
    for today in range(days):
        for at in range(connectors):
            for turn in range(per_day):
                began = today + (8 + 10 * (turn + 0.13 * at) / per_day) / 24
                number += 1
                if at == 0 and until is not None and began > until:
                    continue
                bad = number % failed_every == 0
                power, warmth = 0.9 + 0.02 * (number % 5), 20.0 + 1.5 * (number % 5)
                key = (f"CP{at}", "1")
                history.add(attempt(began, "empty" if bad else "good", key=key, power=power, temperature_c=warmth, late=number % 2))
    return history
