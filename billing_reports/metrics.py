"""Metrics of CDRs and statements. Decided here: counted now and then, shown as counted last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chargenet.observe import names as n
from chargenet.observe.names import Family


class BillingMetrics(Collector):
    """Asked at each scrape, on the event loop."""

    def __init__(self, behind: Callable[[], int], working: Callable[[], bool]) -> None:
        self._behind, self._working = behind, working
        self._sessions: Mapping[str, int] = {}
        self._reasons: Mapping[str, int] = {}
        self._statements: Mapping[str, int] = {}

    def counted(self, sessions: Mapping[str, int], reasons: Mapping[str, int], statements: Mapping[str, int]) -> None:
        """Sessions by state, issues by reason, statements by state, as they are now."""
        self._sessions, self._reasons, self._statements = sessions, reasons, statements

    def collect(self) -> Iterator[Metric]:
        """All families of n.BILLING."""
        yield _gauge(n.BILLING_SESSIONS, {(state,): count for state, count in self._sessions.items()})
        yield _gauge(n.BILLING_UNBILLED, {(reason,): count for reason, count in self._reasons.items()})
        yield _gauge(n.STATEMENTS, {(state,): count for state, count in self._statements.items()})
        yield _gauge(n.BILLING_BEHIND, {(): self._behind()})
        yield _gauge(n.BILLING_WORKING, {(): int(self._working())})


def _gauge(family: Family, values: Mapping[tuple[str, ...], float]) -> Metric:
    metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric
