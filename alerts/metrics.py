"""Metrics of cases. Decided here: one series per case that somebody should hear of, so that Prometheus rules can alert on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts.attempt_counts import AttemptCounts
from alerts.case import Case, Change
from alerts.caseload import Caseload
from alerts.loop import AlertLoop
from chargenet.model.notice import Severity
from chargenet.observe import names as n
from chargenet.observe.names import Family

MAX_SERIES = 5000
"""Of single cases, pages first: a network in which more is wrong at once is read by its totals."""


class CaseMetrics(Collector):
    """Asked at each scrape, on the event loop."""

    def __init__(self, caseload: Caseload) -> None:
        self._caseload = caseload
        self._loop: AlertLoop | None = None
        self._changes: Counter[str] = Counter()
        self.attempts = AttemptCounts()
        caseload.changed = self._changed

    def watch(self, loop: AlertLoop) -> None:
        """The loop whose state is shown."""
        self._loop = loop

    def _changed(self, change: Change) -> None:
        self._changes[change.what] += 1

    def collect(self) -> Iterator[Metric]:
        """All families of n.ALERTS."""
        cases = [case for case in self._caseload.by_key.values() if case.is_open]
        totals = Counter((case.kind, case.severity, _shown(case)) for case in cases)
        yield _gauge(n.CASES_OPEN, {labels: float(count) for labels, count in totals.items()})
        shown = sorted((case for case in cases if not case.hidden), key=lambda case: case.severity != Severity.CRITICAL)
        yield _gauge(n.CASE, {_labels(case): case.score for case in shown[:MAX_SERIES]})
        changes = CounterMetricFamily(n.CASE_CHANGES.name, n.CASE_CHANGES.help, labels=n.CASE_CHANGES.labels)
        for what, count in self._changes.items():
            changes.add_metric([what], count)
        yield changes
        yield _gauge(n.CASES_UNTOLD, {(): float(len(self._caseload.untold()))})
        yield from self.attempts.collect()
        if self._loop is not None:
            yield _gauge(n.ALERTS_BEHIND, {(): float(self._loop.lag())})
            yield _gauge(n.ALERTS_JUDGING, {(): self._loop.judging_s})
            yield _gauge(n.ALERTS_WORKING, {(): float(self._loop.problem is None)})


def _gauge(family: Family, values: dict[tuple[str, ...], float]) -> Metric:
    metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric


def _shown(case: Case) -> str:
    if case.suppressed_by is not None:
        return "suppressed"
    return "masked" if case.masked_by is not None else case.state


def _labels(case: Case) -> tuple[str, ...]:
    return case.site_id or "", case.charge_point_id or "", case.connector or "", case.group or "", case.kind, case.severity
