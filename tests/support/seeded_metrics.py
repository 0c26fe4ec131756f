"""The exposition of the seeded network, minute by minute, as Prometheus would scrape it: written by the product's own code.

Charge points and connectors go through the projection and `FleetMetrics`, calls, journal, API through `PlatformMetrics`. What the
other programs would say is set by name, labels and value (`Said`), and refused where names.py does not have it like that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from chargenet import events as e
from chargenet.events import Fact
from chargenet.observe import names as n
from chargenet.observe.fleet import FleetMetrics
from chargenet.observe.names import Family
from chargenet.observe.platform import Buckets, PlatformMetrics
from collector.projections.fleet import FleetProjection
from tests.support.seeded_network import END, FAULTED, FAULTED_FOR, OFFLINE_FOR, STEP_S, SeededNetwork
from tests.support.seeded_programs import say_programs

Labels = tuple[str, ...]
TARGET = 'job="chargewatch",instance="collector"'
BESIDE = 'job="chargewatch",instance="billing"'
"""A program in a process of its own: what both expose must not be drawn or counted twice."""


class Said(Collector):
    """Families that a test sets: `say` for gauges and counters, `observe` for histograms."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[Family, dict[Labels, float]]] = {}
        self._buckets: dict[str, tuple[Family, dict[Labels, Buckets]]] = {}

    def say(self, family: Family, values: Mapping[Labels, float]) -> None:
        """All values of the family from now on."""
        for labels in values:
            assert len(labels) == len(family.labels), f"{family.name} has the labels {family.labels}, not {labels}"
        self._values[family.name] = (family, dict(values))

    def count(self, family: Family, labels: Labels = (), amount: float = 1.0) -> None:
        """Add to a counter."""
        assert family.kind == "counter" and len(labels) == len(family.labels), family.name
        _, values = self._values.setdefault(family.name, (family, {}))
        values[labels] = values.get(labels, 0.0) + amount

    def observe(self, family: Family, labels: Labels, seconds: float) -> None:
        """Add to a histogram."""
        _, buckets = self._buckets.setdefault(family.name, (family, {}))
        buckets.setdefault(labels, Buckets(family.buckets)).observe(seconds)

    def collect(self) -> Iterator[Metric]:
        for family, values in self._values.values():
            kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
            metric = kind(family.name, family.help, labels=family.labels)
            for labels, value in values.items():
                metric.add_metric(labels, value)
            yield metric
        for family, buckets in self._buckets.values():
            histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
            for labels, each in buckets.items():
                histogram.add_metric(labels, each.cumulative(), each.total)
            yield histogram


class SeededMetrics:
    """`text(at)` after each `take`: one scrape, with its instant, as OpenMetrics lines without comments."""

    def __init__(self, network: SeededNetwork) -> None:
        self.network = network
        self.fleet = FleetMetrics(lambda charge_point_id: network.site_of[charge_point_id])
        self.platform = PlatformMetrics("0.1.0")
        self.said = Said()
        self.platform.registry.register(self.said)
        self.beside = PlatformMetrics("0.1.0", n.PROGRAM_PROCESS)
        self._projection = FleetProjection(self.fleet)
        self._step = self._records = 0
        self._watch()

    def _watch(self) -> None:
        self._watch_beside()
        watch = self.platform.watch
        watch(n.JOURNAL_SEQUENCE, lambda: float(self._records))
        watch(n.JOURNAL_PENDING, lambda: float(self._step // 20 % 3))
        watch(n.JOURNAL_BYTES, lambda: 4e8 + self._records * 900.0)
        watch(n.JOURNAL_HEALTHY, lambda: 1.0)
        watch(n.LOOP_LAG_MAX, lambda: 0.012 + 0.004 * (self._step % 7))
        for projection in ("telemetry-influx", "stations", "transactions", "fleet"):
            watch(n.PROJECTION_BEHIND, lambda: float(self._step % 40), projection)
            watch(n.PROJECTION_LAG, lambda: 0.2 + 0.1 * (self._step % 5), projection)
        watch(n.TELEMETRY_WRITTEN, lambda: self._records * 8.0, "telemetry-influx")
        watch(n.TELEMETRY_REJECTED, lambda: float(self._step // 90), "telemetry-influx")
        watch(n.TELEMETRY_EXPIRED, lambda: float(self._step // 60), "telemetry-influx")
        for outcome, share in (("accepted", 2.0), ("upgraded", 1.7), ("refused", 0.2), ("timed_out", 0.1)):
            watch(n.SOCKETS, lambda share=share: self._step * share, outcome)  # type: ignore[misc]

    def _watch_beside(self) -> None:
        watch = self.beside.watch
        watch(n.LOOP_LAG_MAX, lambda: 0.15)
        watch(n.PROJECTION_BEHIND, lambda: 7.0, "rollups")
        watch(n.PROJECTION_LAG, lambda: 0.1, "rollups")
        watch(n.PROGRAM_BEHIND, lambda: 12.0, "billing")
        watch(n.PROGRAM_REACHES, lambda: 1.0, "billing")

    async def take(self, at: datetime, facts: list[Fact]) -> None:
        """What happened in this minute."""
        self._step += 1
        self._records += len(facts)
        await self._projection.apply(facts, facts[-1].sequence if facts else 0)
        for fact in facts:
            self._count(fact)
        self._heartbeats(at)
        self._odds_and_ends()
        say_programs(self.said, self.network, at, self._step)

    def _count(self, fact: Fact) -> None:
        if fact.action:
            self.platform.call_handled(fact.protocol, fact.action, 0.002 + (fact.sequence % 50) * 0.0002)
        for event in fact.events:
            if isinstance(event, e.ConnectionOpened):
                self.platform.connection_opened(fact.protocol, event.security_profile)
            elif isinstance(event, e.ConnectionClosed):
                self.platform.connection_closed(fact.protocol, 2, "lost")
            elif isinstance(event, e.SecurityEventReported):
                self.platform.security_event(event.type)

    def _heartbeats(self, at: datetime) -> None:
        for box in self.network.boxes:
            if box.connected:
                self.fleet.touch(box.name, at.timestamp())
                self.platform.call_handled(box.protocol, "Heartbeat", 0.0006)

    def _odds_and_ends(self) -> None:
        platform, step = self.platform, self._step
        for number in range(6):
            platform.call_handled("ocpp1.6", "DataTransfer", 0.003, "NotImplemented" if number == 0 else None)
        platform.journal_committed(40, 0.002 + 0.001 * (step % 4))
        platform.journal_committed(25, 0.012 if step % 20 == 0 else 0.003)
        platform.loop_lagged(0.0004 + 0.0002 * (step % 5))
        for route, seconds in (("/api/v1/charge-points", 0.02), ("/api/v1/transactions", 0.05), ("/metrics", 0.12)):
            platform.api_answered("GET", route, 200, seconds)
        if step % 5 == 0:
            platform.frame_deviated("missing-unit")
            platform.frame_repeated("StartTransaction")
            platform.command_ended("TriggerMessage", "accepted", 0.4)
        if step % 12 == 0:
            platform.command_ended("Reset", "timed_out", 30.0)
            platform.frame_refused("FormationViolation")
            platform.upgrade_refused("unknown")
            platform.login_refused()
            platform.api_answered("GET", "/api/v1/charge-points/{id}", 404, 0.004)
        if step % 60 == 0:
            platform.quarantined("unknown transaction")
            platform.log_suppressed()
        platform.fleet_rendered(self.fleet.series, 0.03)
        self.beside.loop_lagged(0.004)
        self.beside.api_answered("GET", "/api/v1/transactions", 200, 4.0)
        self.beside.api_answered("GET", "/api/v1/cdrs", 200, 9.0)

    def text(self, at: datetime) -> bytes:
        """The scrape at this instant."""
        now = at.timestamp()
        body = b"".join(self.fleet.chunks(now)) + self.platform.text() + b"up 1\n" + self._alerts(at)
        return stamped(body, now) + stamped(self.beside.text() + b"up 1\n", now, BESIDE)

    def _alerts(self, at: datetime) -> bytes:
        """ALERTS is Prometheus' own series of what its rules find."""
        gone = (END - at).total_seconds() / STEP_S
        firing = []
        if gone <= FAULTED_FOR and not self.network.calm:
            site, charge_point, connector = FAULTED
            firing.append(f'alertname="ConnectorSafetyFault",site="{site}",charge_point="{charge_point}",connector="{connector}"')
        if gone <= OFFLINE_FOR - 10 and not self.network.calm:
            firing.append('alertname="SiteOffline",site="old-mill"')
        return "".join(f'ALERTS{{{labels},alertstate="firing",severity="critical"}} 1\n' for labels in firing).encode()


def stamped(body: bytes, at: float, target: str = TARGET) -> bytes:
    """Without comments, with the labels of a scrape and its instant."""
    stamp, labels = f" {at:.0f}".encode(), b"{" + target.encode()
    made = []
    for line in body.splitlines():
        if not line.startswith(b"#"):
            head, brace, rest = line.partition(b"{")
            if not brace:
                name, value = line.split(b" ")
                made.append(name + labels + b"} " + value + stamp)
            else:
                made.append(head + labels + (b"" if rest.startswith(b"}") else b",") + rest + stamp)
    return b"\n".join(made) + b"\n"
