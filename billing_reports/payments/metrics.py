"""Metrics of payments. Decided here: counted now and then, shown as counted last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from billing_reports.payments.payment import money
from billing_reports.payments.store import Summary
from chargenet.observe import names as n
from chargenet.observe.names import Family


class PaymentMetrics(Collector):
    """Asked at each scrape, on the event loop. Shows nothing but whether it works before the first count."""

    def __init__(self, now: Callable[[], datetime], working: Callable[[], bool]) -> None:
        self._now, self._working = now, working
        self._counted: Summary | None = None

    def counted(self, summary: Summary) -> None:
        """Payments as they are now."""
        self._counted = summary

    def collect(self) -> Iterator[Metric]:
        """All families of n.PAYMENT."""
        known = self._counted
        if known is not None:
            oldest = known.oldest_request_at
            waited = 0.0 if oldest is None else max(0.0, (self._now() - oldest).total_seconds())
            receivable: dict[tuple[str, ...], float] = {
                (currency,): float(money(owed, currency).amount) for currency, owed in known.receivable.items()
            }
            yield _gauge(n.PAYMENTS, {key: float(count) for key, count in known.states.items()})
            yield _gauge(n.PAYMENTS_STUCK, {(): float(known.stuck)})
            yield _gauge(n.PAYMENTS_RECEIVABLE, receivable)
            yield _gauge(n.PAYMENTS_WAITED, {(): waited})
        yield _gauge(n.PAYMENTS_WORKING, {(): float(self._working())})


def _gauge(family: Family, values: Mapping[tuple[str, ...], float]) -> Metric:
    metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric
