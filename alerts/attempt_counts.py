"""Attempts to charge, counted for Prometheus. Decided here: the outcomes, and that what is told a day late is not of now.

A group begins with all its outcomes at zero, so that the first failure of a kind is an increase and not a new series. Only its very
first attempt since the start is not one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from prometheus_client.core import CounterMetricFamily, Metric

from alerts.attempts import Attempt, Failure
from chargenet.observe import names as n
from chargenet.observe.names import Family

LATE = timedelta(days=1)
"""Charge points that were offline tell later; those whose clock is some hours wrong are not late."""
MAX_SITES, MAX_FIRMWARES = 10_000, 1_000
"""Groups; attempts of further ones are counted under "other"."""
SERVED, BROKEN_OFF, UNKNOWN = "served", "broken_off", "unknown"
OUTCOMES = (
    SERVED, BROKEN_OFF, Failure.REJECTED, Failure.NOT_STARTED, Failure.FAULT, Failure.NO_ENERGY, Failure.LITTLE_ENERGY, UNKNOWN,
)  # fmt: skip
Group = tuple[str, ...]
Counts = dict[Group, dict[str, int]]


def outcome_of(attempt: Attempt) -> str:
    """One of OUTCOMES. Energy and a technical end: it served its driver, and broke off."""
    if attempt.failure is not None:
        return attempt.failure
    if attempt.energy_wh is None:
        return UNKNOWN
    return SERVED if attempt.clean else BROKEN_OFF


class AttemptCounts:
    """Since this process began. On the event loop."""

    def __init__(self) -> None:
        self._sites: Counts = {}
        self._firmwares: Counts = {}

    def count(self, attempts: Iterable[Attempt], site: str, firmware: tuple[str, str, str], now: datetime) -> None:
        """Attempts that one charge point's report finished. `firmware`: vendor, model, version; each "" where unknown."""
        for attempt in attempts:
            if now - attempt.ended_at <= LATE:
                outcome = outcome_of(attempt)
                _group(self._sites, (site,), MAX_SITES)[outcome] += 1
                _group(self._firmwares, firmware, MAX_FIRMWARES)[outcome] += 1

    def collect(self) -> Iterator[Metric]:
        """Both families."""
        yield _counter(n.SITE_ATTEMPTS, self._sites)
        yield _counter(n.FIRMWARE_ATTEMPTS, self._firmwares)


def _group(counts: Counts, group: Group, limit: int) -> dict[str, int]:
    if group not in counts and len(counts) >= limit:
        group = ("other",) * len(group)
    return counts.setdefault(group, dict.fromkeys(OUTCOMES, 0))


def _counter(family: Family, counts: Mapping[Group, Mapping[str, int]]) -> Metric:
    metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
    for group, outcomes in counts.items():
        for outcome, count in outcomes.items():
            metric.add_metric((*group, outcome), count)
    return metric
