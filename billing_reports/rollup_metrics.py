"""Metrics of the rollups: what the boards read. Decided here: sums by site only, so that their number stays small."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from billing_reports.rollups import SiteWindow
from chargenet.observe import names as n
from chargenet.observe.names import Family

_STATES = ("total", "occupied", "charging", "idle", "faulted", "unavailable", "offline", "unknown")


class RollupMetrics(Collector):
    """Asked at each scrape, on the event loop; the rollup program sets what it knows."""

    def __init__(self, behind: Callable[[], int]) -> None:
        self._behind = behind
        self.windows: Sequence[SiteWindow] = ()
        self.upto: datetime | None = None
        """End of the last complete hour in `windows`."""
        self.restated = 0
        self.working = True

    def collect(self) -> Iterator[Metric]:
        """All families of n.REPORTS."""
        windows = self.windows
        yield _gauge(n.SITE_WINDOW_ENERGY, {(each.site, each.window): float(each.energy_wh) for each in windows})
        seconds: dict[tuple[str, ...], float] = {
            (each.site, each.window, state): float(getattr(each, f"{state}_s")) for each in windows for state in _STATES
        }
        yield _gauge(n.SITE_WINDOW_SECONDS, seconds)
        yield _gauge(n.SITE_WINDOW_SESSIONS, {(each.site, each.window): float(each.sessions) for each in windows})
        revenue: dict[tuple[str, ...], float] = {
            (each.site, each.window, currency): amount for each in windows for currency, amount in each.revenue.items()
        }
        yield _gauge(n.SITE_WINDOW_REVENUE, revenue)
        yield _gauge(n.ROLLUPS_UPTO, {} if self.upto is None else {(): self.upto.timestamp()})
        restated = CounterMetricFamily(n.ROLLUPS_RESTATED.name, n.ROLLUPS_RESTATED.help)
        restated.add_metric([], self.restated)
        yield restated
        yield _gauge(n.ROLLUPS_BEHIND, {(): float(self._behind())})
        yield _gauge(n.ROLLUPS_WORKING, {(): float(self.working)})


def _gauge(family: Family, values: dict[tuple[str, ...], float]) -> Metric:
    metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric
