"""Sessions made up, for whoever has no recording. Decided here: their statistics, those of public connectors in a Scottish county.

Per kind of connector: share of attempts that fail, energy and duration (log-normal, correlated), fitted to 66,664 sessions of 78
connectors in Perth & Kinross 2016–2019; begins follow its hours of the day and days of the week, a rate per connector that is
log-normal between connectors (median 0.6 a day, up to 8) and wanders from week to week, holidays that empty the whole network,
and regular users whose gaps are more irregular than chance (coefficient of variation 1.4). Failures come in small bursts, as
there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from alerts.evaluation.sessions import Session

HOURS = (
    0.07, 0.05, 0.03, 0.03, 0.1, 0.16, 0.43, 1.11, 1.54, 1.67, 1.81, 2.04,
    2.08, 1.96, 2.01, 1.91, 1.91, 1.72, 1.38, 0.91, 0.51, 0.29, 0.19, 0.1,
)  # fmt: skip
"""Begins per UTC hour against the mean."""
WEEKDAYS = (1.02, 0.99, 1.02, 1.05, 1.1, 0.99, 0.85)
START = 1_577_836_800.0
"""2020-01-01T00:00Z."""
DAY_S = 86_400.0

KINDS: dict[str, tuple[float, float, float, float, float, float, float]] = {
    # share failed, mean and σ of ln Wh, mean and σ of ln hours, their correlation, attempts a day against the network's median
    "Rapid DC": (0.02, 9.14, 0.72, -0.89, 0.60, 0.70, 2.6),
    "Rapid AC": (0.07, 8.94, 0.96, -0.23, 1.00, 0.61, 0.9),
    "22 kW": (0.07, 9.05, 0.86, 1.00, 1.05, 0.71, 0.6),
    "7 kW": (0.07, 9.20, 0.66, 2.00, 0.95, 0.57, 0.9),
}
_SHARES = (0.3, 0.2, 0.35, 0.15)
_BURST = 0.25
"""A failure is followed by another so often: the same car tries again."""


def generate(seed: int, connectors: int = 80, days: int = 720) -> list[Session]:
    """Sessions of `connectors` connectors, two a charge point and six a site, by begin."""
    rng = np.random.default_rng(seed)
    network = _network_days(rng, days)
    sessions = [session for number in range(connectors) for session in _connector(rng, number, network)]
    return sorted(sessions, key=lambda each: each.began)


def _network_days(rng: np.random.Generator, days: int) -> np.ndarray:
    """How busy each day is for everybody: weekdays, the season, and a week of holidays twice a year."""
    day = np.arange(days)
    busy = np.array(WEEKDAYS)[(day + 2) % 7] * (1.0 + 0.15 * np.sin(2 * np.pi * day / 365.25)) * rng.gamma(60.0, 1 / 60.0, days)
    busy[(day % 365 < 2) | ((day % 365 > 357) & (day % 365 < 362))] *= 0.35
    made: np.ndarray = busy
    return made


def _connector(rng: np.random.Generator, number: int, network: np.ndarray) -> Iterator[Session]:
    kind = list(KINDS)[int(rng.choice(len(KINDS), p=_SHARES))]
    failed, ln_wh, sd_wh, ln_h, sd_h, together, factor = KINDS[kind]
    rate = float(np.clip(0.6 * factor * rng.lognormal(0.0, 0.5), 0.1, 20.0))
    weeks = len(network) // 7 + 1
    wander = np.exp(np.cumsum(rng.normal(0.0, 0.06, weeks)) * 0.7)
    wander *= rng.gamma(8.0, 1 / 8.0, weeks)
    wander /= wander.mean()
    own_failed = float(rng.beta(12.0 * failed * 5, 12.0 * (1 - failed) * 5))
    expected = rate * network * np.repeat(wander, 7)[: len(network)]
    hours = np.array(HOURS) / sum(HOURS)
    tokens = rng.zipf(1.6, size=4096) % 400
    free_at, again = 0.0, False
    for day, count in enumerate(rng.poisson(expected)):
        begins = np.sort(START + day * DAY_S + 3600.0 * (rng.choice(24, size=count, p=hours) + rng.random(count)))
        for began in begins:
            bad = bool(rng.random() < (_BURST if again else own_failed))
            again = bad and not again
            one, other = rng.normal(), rng.normal()
            energy = 1000.0 * rng.random() * 0.5 if bad else float(np.clip(np.exp(ln_wh + sd_wh * one), 501.0, 90_000.0))
            energy = 0.0 if bad and rng.random() < 0.6 else energy
            length = np.exp(ln_h + sd_h * (together * one + np.sqrt(1 - together**2) * other)) * 3600.0
            length = float(np.clip(120.0 * (1 + 2 * rng.random()) if bad else length, 60.0, 3 * DAY_S))
            start = float(max(began, free_at + 60.0))
            free_at = start + length
            yield Session(
                charge_point_id=f"GEN-{number // 2:04}",
                connector=str(number % 2 + 1),
                began=start,
                ended=free_at,
                energy_wh=round(energy, 0),
                site=f"site {number // 6}",
                model=kind,
                token=f"driver {int(tokens[int(rng.integers(4096))])}",
            )
