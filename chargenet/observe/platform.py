"""The platform's own metrics. Decided here: hot paths add to plain numbers, and Prometheus types are made of them at scrape.

One method per thing that happens, named for it, so that no caller knows a metric's name. Label sets are bounded per family: past
the bound, what happens is counted under "other". All methods are called on the event loop. `registry` is open to other programs
for metrics of their own; everything in it is served at /metrics.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from chargenet.errors import Unavailable
from chargenet.observe import names as n
from chargenet.observe.names import Family

MAX_LABEL_SETS = 1000
"""Per family. The largest honest one is calls by protocol and action, below 300."""


class Buckets:
    """A histogram by hand: counts per bucket (the last is +Inf) and the sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds, self.counts, self.total = bounds, [0] * (len(bounds) + 1), 0.0

    def observe(self, seconds: float) -> None:
        """One more observation."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def cumulative(self) -> list[tuple[str, float]]:
        """(upper bound, observations up to it), as Prometheus wants them."""
        rows, running = [], 0
        for bound, count in zip((*self.bounds, math.inf), self.counts, strict=True):
            running += count
            rows.append(("+Inf" if math.isinf(bound) else repr(bound), float(running)))
        return rows


class Numbers:
    """One counter or gauge family: label values → number. A gauge that nobody has set is absent, not zero."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.values: dict[tuple[str, ...], float] = {(): 0.0} if family.kind == "counter" and not family.labels else {}

    def add(self, labels: tuple[str, ...], amount: float = 1.0) -> None:
        """Add to the number of these labels."""
        values = self.values
        if labels not in values:
            labels = bounded(values, labels)
        values[labels] = values.get(labels, 0.0) + amount


class Histograms:
    """One histogram family: label values → buckets."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.values: dict[tuple[str, ...], Buckets] = {}
        if not family.labels:
            self.at(())

    def at(self, labels: tuple[str, ...]) -> Buckets:
        """The buckets of these labels."""
        found = self.values.get(labels)
        if found is None:
            labels = bounded(self.values, labels)
            found = self.values.setdefault(labels, Buckets(self.family.buckets))
        return found


def bounded(known: dict[tuple[str, ...], float] | dict[tuple[str, ...], Buckets], labels: tuple[str, ...]) -> tuple[str, ...]:
    """The labels, or "other" when the family has too many label sets already."""
    return labels if labels in known or len(known) < MAX_LABEL_SETS else ("other",) * len(labels)


class PlatformMetrics(Collector):
    """Counts what the platform does. `version` is shown in chargewatch_build_info; `shown`: the families of this process."""

    def __init__(self, version: str, shown: Sequence[Family] = n.PLATFORM) -> None:
        self.registry = CollectorRegistry()
        self._shown = frozenset(family.name for family in shown)
        self._numbers = {family.name: Numbers(family) for family in n.PLATFORM if family.kind != "histogram"}
        self._histograms = {family.name: Histograms(family) for family in n.PLATFORM if family.kind == "histogram"}
        self._watched: dict[str, dict[tuple[str, ...], Callable[[], float]]] = {}
        self._calls: dict[tuple[str, str], Buckets] = {}
        self._call_errors = self._numbers[n.CALL_ERRORS.name]
        self._lag = self._histograms[n.LOOP_LAG.name].at(())
        self._fsync = self._histograms[n.JOURNAL_FSYNC.name].at(())
        self._add(n.BUILD_INFO, version)
        self.registry.register(self)
        ProcessCollector(namespace="chargewatch", registry=self.registry)

    # -- the collector

    def call_handled(self, protocol: str, action: str, seconds: float, error: str | None = None) -> None:
        """A call from a charge point was answered, `seconds` after its frame came; `error`: the code of a call error."""
        buckets = self._calls.get((protocol, action))
        if buckets is None:
            buckets = self._histograms[n.CALL_HANDLING.name].at((protocol, action))
            if len(self._calls) < MAX_LABEL_SETS:
                self._calls[protocol, action] = buckets
        buckets.counts[bisect_left(n.WAIT_BUCKETS, seconds)] += 1
        buckets.total += seconds
        if error is not None:
            self._call_errors.add((protocol, action, error))

    def command_ended(self, action: str, outcome: str, seconds: float) -> None:
        """A call to a charge point ended; `outcome` is an OutcomeStatus."""
        self._add(n.COMMANDS, action, outcome)
        self._histograms[n.COMMAND_ANSWER.name].at((action,)).observe(seconds)

    def connection_opened(self, protocol: str, security_profile: int) -> None:
        """A connection was accepted."""
        self._add(n.CONNECTIONS_OPENED, protocol, str(security_profile))
        self._add(n.CONNECTIONS, protocol, str(security_profile))

    def connection_closed(self, protocol: str, security_profile: int, cause: str) -> None:
        """An accepted connection ended; `cause` is closed, lost, slow or superseded."""
        self._add(n.CONNECTIONS_CLOSED, protocol, cause)
        self._add(n.CONNECTIONS, protocol, str(security_profile), amount=-1.0)

    def upgrade_refused(self, reason: str) -> None:
        """A WebSocket upgrade was refused; `reason` is a word of ours."""
        self._add(n.UPGRADES_REFUSED, reason)

    def login_refused(self) -> None:
        """A wrong or missing password."""
        self._add(n.LOGINS_REFUSED)

    def frame_deviated(self, quirk: str) -> None:
        """A frame broke a rule and was used all the same."""
        self._add(n.FRAMES_DEVIATED, quirk)

    def frame_refused(self, error_code: str | None) -> None:
        """A frame could not be understood as a call."""
        self._add(n.FRAMES_REFUSED, error_code or "none")

    def frame_repeated(self, action: str) -> None:
        """A call repeated an earlier one."""
        self._add(n.FRAMES_REPEATED, action)

    def quarantined(self, reason: str) -> None:
        """A report was set aside."""
        self._add(n.QUARANTINED, reason)

    def security_event(self, kind: str) -> None:
        """A security event of this type."""
        self._add(n.SECURITY_EVENTS, kind)

    # -- stores, loop, API, logs

    def journal_committed(self, records: int, fsync_s: float) -> None:
        """One group commit made `records` durable and waited `fsync_s` for the disk."""
        self._add(n.JOURNAL_COMMITS)
        self._add(n.JOURNAL_RECORDS, amount=records)
        self._fsync.observe(fsync_s)

    def loop_lagged(self, seconds: float) -> None:
        """The event loop woke up this late."""
        self._lag.observe(seconds)

    def api_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """An HTTP request was answered; `route` is the template (`/api/v1/charge-points/{id}`), never the path."""
        self._add(n.API_REQUESTS, method, route, str(status))
        self._histograms[n.API_DURATION.name].at((method, route)).observe(seconds)

    def log_suppressed(self) -> None:
        """A log line was held back."""
        self._add(n.LOG_SUPPRESSED)

    def fleet_rendered(self, series: int, seconds: float) -> None:
        """The fleet's series were written for a scrape."""
        self._numbers[n.FLEET_SERIES.name].values[()] = float(series)
        self._numbers[n.FLEET_RENDER.name].values[()] = seconds

    def watch(self, family: Family, read: Callable[[], float], *labels: str) -> None:
        """Ask `read` at each scrape. A read that raises Unavailable gives NaN: not known, never a number of the past."""
        if len(labels) != len(family.labels) or family.name not in self._numbers:
            raise ValueError(f"{family.name} takes the labels {family.labels}")
        self._watched.setdefault(family.name, {})[labels] = read

    # -- exposition

    def collect(self) -> Iterator[Metric]:
        """All families that have a value, as Prometheus types."""
        self._count_calls()
        for name, numbers in self._numbers.items():
            values = numbers.values | {labels: _read(read) for labels, read in self._watched.get(name, {}).items()}
            if values and name in self._shown:
                yield _metric(numbers.family, values)
        for histograms in self._histograms.values():
            if histograms.values and histograms.family.name in self._shown:
                yield _histogram(histograms)

    def text(self) -> bytes:
        """The text exposition of everything registered."""
        return generate_latest(self.registry)

    def _add(self, family: Family, *labels: str, amount: float = 1.0) -> None:
        self._numbers[family.name].add(labels, amount)

    def _count_calls(self) -> None:
        """Calls are counted by their histogram; a counter of the same is what dashboards ask for."""
        handled = self._histograms[n.CALL_HANDLING.name].values
        self._numbers[n.CALLS.name].values = {labels: float(sum(buckets.counts)) for labels, buckets in handled.items()}


def _read(read: Callable[[], float]) -> float:
    try:
        return float(read())
    except Unavailable:
        return math.nan


def _metric(family: Family, values: dict[tuple[str, ...], float]) -> Metric:
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric


def _histogram(histograms: Histograms) -> Metric:
    family = histograms.family
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    for labels, buckets in histograms.values.items():
        metric.add_metric(labels, buckets.cumulative(), buckets.total)
    return metric
