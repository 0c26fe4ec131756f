"""Who is compared: the detectors that ship, and three baselines. Decided here: which tests each of them listens to.

Every method has the same false-alarm budget. The random one raises findings by the clock alone, at the rate of the whole budget,
of a kind drawn by lot: whoever is no better than it found nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from alerts.evaluation.fit import MONTH_S, SHARES, TICKET_BUDGET, Looks

OURS, FIXED, FOREST, RANDOM = "chargewatch", "fixed thresholds", "isolation forest alone", "random"
BASELINES = (FIXED, FOREST, RANDOM)


class Test(msgspec.Struct, frozen=True):
    """One test of a method: which levels it reads, under which limit, and what a finding of it is called."""

    levels: str
    limit: str
    kind: str


def _tests(*names: str, prefix: str = "") -> tuple[Test, ...]:
    return tuple(Test(prefix + name, prefix + name, name.partition(",")[0]) for name in names)


_SOFT = ("zero_energy", "failing_attempts", "silent", "temperature_above_siblings", "irregular_meter_values", "unusual")
_FIXED = ("zero_energy", "failing_attempts", "silent")
TESTS: Mapping[tuple[str, bool], tuple[Test, ...]] = {
    (OURS, False): _tests(*_SOFT, "power_derated"),
    (OURS, True): _tests(*_SOFT, "power_derated, energy only"),
    (FIXED, False): _tests(*_FIXED, "power_derated", prefix="fixed: "),
    (FIXED, True): _tests(*_FIXED, "power_derated, energy only", prefix="fixed: "),
    (FOREST, False): (Test("unusual", "forest alone", "unusual"),),
    (FOREST, True): (Test("unusual", "forest alone", "unusual"),),
}
"""(method, charge points report no power) → its tests; where two speak at once, the first is heard."""


class Alarm(msgspec.Struct, frozen=True):
    """The first finding of a kind. `at`: UTC seconds."""

    at: float
    kind: str


def alarms(
    method: str, energy_only: bool, looks: Looks, limits: Mapping[str, float], subject: int, start: float, end: float, seed: int
) -> list[Alarm]:
    """The first finding of each kind about a subject between two instants, in order of time."""
    if method == RANDOM:
        return _by_lot(subject, start, end, seed)
    found: list[Alarm] = []
    for test in TESTS[method, energy_only]:
        look = looks.get(test.levels, {}).get(subject)
        if look is None:
            continue
        hits = np.flatnonzero((look.level <= limits[test.limit]) & (look.at >= start) & (look.at <= end))
        if len(hits):
            found.append(Alarm(float(look.at[hits[0]]), test.kind))
    return sorted(found, key=lambda each: each.at)


def _by_lot(subject: int, start: float, end: float, seed: int) -> list[Alarm]:
    rng = np.random.default_rng((seed, subject))
    count = int(rng.poisson(TICKET_BUDGET * (end - start) / MONTH_S))
    kinds = rng.choice(list(SHARES), size=count)
    return [Alarm(float(at), str(kind)) for at, kind in zip(np.sort(rng.uniform(start, end, count)), kinds, strict=True)]
