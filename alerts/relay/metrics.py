"""Metrics of the relay. Decided here: what of it is counted; receivers are the only names, and the config bounds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts.relay.relay import Relay
from alerts.relay.rows import Delivery
from chargenet.observe import names as n
from chargenet.observe.names import Family
from chargenet.observe.platform import Buckets
from chargenet.ports import Clock

Values = Mapping[tuple[str, ...], float]


class RelayMetrics(Collector):
    """Asked at each scrape, on the event loop."""

    def __init__(self, relay: Relay, clock: Clock) -> None:
        self._relay, self._clock = relay, clock
        self._durations = {name: Buckets(n.ATTEMPT_DURATION.buckets) for name in relay.dispatchers}
        relay.on_attempt = self._attempted

    def _attempted(self, delivery: Delivery) -> None:
        self._durations[delivery.receiver].observe(delivery.duration_ms / 1000)

    def collect(self) -> Iterator[Metric]:
        """All families of the relay."""
        relay = self._relay
        is_open = Counter(alert.notice.severity for alert in relay.book.alerts.values() if not alert.is_over)
        yield _gauge(n.ALERTS_OPEN, {(severity,): float(count) for severity, count in is_open.items()})
        yield _counter(n.ALERTS_TAKEN, {labels: float(count) for labels, count in relay.intake.items()})
        yield _counter(n.ALERTS_JUDGED, {(reason,): float(count) for reason, count in relay.flusher.verdicts.items()})
        yield _counter(n.ATTEMPTS, {labels: float(count) for labels, count in relay.attempts.items()})
        yield _gauge(n.OUTBOX_WAITING, {(name,): float(relay.flusher.waiting[name]) for name in relay.dispatchers})
        oldest: Values = {(name,): each.oldest_at.timestamp() for name, each in relay.backlog.items() if each.oldest_at is not None}
        yield _gauge(n.OUTBOX_OLDEST, oldest)
        reachable: Values = {(name,): float(not each.breaker.is_open) for name, each in relay.dispatchers.items()}
        yield _gauge(n.RECEIVER_REACHABLE, reachable)
        yield _gauge(n.RELAY_WORKING, {(): float(relay.problem is None)})
        heard_at = relay.expected.heard_at
        yield _gauge(n.WATCHDOG_HEARD, {} if heard_at is None else {(): heard_at.timestamp()})
        durations = HistogramMetricFamily(n.ATTEMPT_DURATION.name, n.ATTEMPT_DURATION.help, labels=n.ATTEMPT_DURATION.labels)
        for name, buckets in self._durations.items():
            durations.add_metric([name], buckets.cumulative(), buckets.total)
        yield durations


def _gauge(family: Family, values: Values) -> Metric:
    metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric


def _counter(family: Family, values: Values) -> Metric:
    metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric
