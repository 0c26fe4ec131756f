"""The programs that run beside the collector. Decided here: which there are, what each gets, and which of them live in a process.

Each program's `app.py` joins its own parts; this module alone knows all of them. What they stand on is the same everywhere: with
the collector in one process it is the journal and the gateway themselves, in a process of their own it is what reaches them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from prometheus_client.registry import Collector

from alerts.app import Alerts, AlertSettings
from alerts.detectors.rules import RuleSettings
from alerts.links import Purpose
from alerts.relay.metrics import RelayMetrics
from alerts.relay.relay import Relay
from alerts.storage.cases_sql import SqlCases
from alerts.storage.sql import SqlAlerts
from billing_reports.app import BillingProgram
from billing_reports.desk import BillingDesk
from billing_reports.payments.app import PaymentsProgram
from billing_reports.payments.desk import PaymentDesk
from billing_reports.reports_app import Reports
from billing_reports.rollup_projection import RollupProjection
from billing_reports.storage.ledger_sql import SqlLedger
from billing_reports.storage.report_sql import SqlReports
from billing_reports.storage.rollup_sql import SqlRollups
from chargenet.events import Fact
from chargenet.model.notice import Notice
from chargenet.model.record import Record
from chargenet.observe.platform import PlatformMetrics
from chargenet.ports import Clock, CommandGateway, HourSink, Journal, Notices, Program, States
from chargenet.settings import Settings
from chargenet.storage.relational import SqlStores
from chargewatch import layout
from chargewatch.api.platform import HealthCheck
from chargewatch.billing_settings import gateway_of, house_of, rules_of, terms_of
from chargewatch.firmware_files import FirmwareFiles, firmware_files
from chargewatch.relaying import load_link_key, make_relay
from chargewatch.rollout_links import LinkedNotices, RolloutLinks
from collector.feed import JournalFeed
from collector.interpret import interpret
from collector.projector import Projector
from firmware_orchestrator.app import FirmwareProgram
from firmware_orchestrator.desk import RolloutDesk
from firmware_orchestrator.storage.artifact_sql import SqlArtifacts

ALERTS, FIRMWARE, BILLING = "alerts", "firmware", "billing"
ALL = frozenset({ALERTS, FIRMWARE, BILLING})
Health = Callable[[], tuple[bool, str]]
STORE_WINDOW_S = 1.0
"""How long facts are gathered for stores, which pay for each transaction."""


class Hosting(ABC):
    """The programs of one process, and what they stand on. Those that run elsewhere are not there: no route asks for them."""

    settings: Settings
    clock: Clock
    stores: SqlStores
    journal: Journal
    feed: JournalFeed
    gateway: CommandGateway
    platform_metrics: PlatformMetrics
    alert_speed: float
    last_frames: Mapping[str, datetime]
    """Charge point → when it was last heard, heartbeats too."""

    relay: Relay
    alerts: Alerts
    firmware: FirmwareFiles
    rollout_links: RolloutLinks
    rollouts: RolloutDesk
    rollup_projector: Projector
    reports: Reports
    billing: BillingDesk
    payments: PaymentDesk | None

    @property
    @abstractmethod
    def states(self) -> States:
        """The telemetry, as far as programs ask it."""

    @property
    @abstractmethod
    def hour_sinks(self) -> Sequence[HourSink]:
        """Where hours of connectors go for boards."""

    @property
    @abstractmethod
    def upload_base(self) -> str:
        """The URL that charge points reach us by."""

    @abstractmethod
    def site_of(self, charge_point_id: str) -> str:
        """Site id of a charge point, "" where none is known."""

    def listening(self) -> bool:
        """Whether charge points could be heard now."""
        return True

    def interpret(self, record: Record) -> Fact:
        """The fact of a record."""
        return interpret(record)

    def host(self, here: Collection[str], notices: Notices | None) -> None:
        """Make the programs `here`, on the event loop that will run them.

        `notices`: the relay of another process, where the alerts are not `here`.
        """
        self.here = frozenset(here)
        self.programs: list[Program] = []
        self.checks: dict[str, Health] = {}
        if ALERTS in here:
            notices = self._host_alerts()
        assert notices is not None or not here, "a program would have nobody to tell"
        if FIRMWARE in here and notices is not None:
            self._host_firmware(notices)
        if BILLING in here and notices is not None:
            self._host_billing(notices)

    def _host_alerts(self) -> Relay:
        self.relay = make_relay(self.settings, SqlAlerts(self.stores.database), self.clock, lambda: self.upload_base)
        self.alerts = Alerts(
            self.feed,
            self.journal,
            self.clock,
            self.stores,
            SqlCases(self.stores.database),
            self.relay,
            self.site_of,
            self.last_frames,
            AlertSettings(
                speed=self.alert_speed,
                rules=RuleSettings(heartbeat_interval_s=float(self.settings.collector.heartbeat_interval_s)),
            ),
            self.listening,
        )
        self.relay.actions.owners["alerts"] = self._act
        self._measured(RelayMetrics(self.relay, self.clock), self.alerts.metrics)
        self.programs += [self.relay, self.alerts]
        self.checks |= {"alerts": lambda: self.alerts.health, "alert relay": lambda: self.relay.health}
        return self.relay

    async def _act(self, purpose: Purpose, notice: Notice, who: str, note: str) -> None:
        """A link in a message about a case was used."""
        step = self.alerts.acknowledge if purpose is Purpose.ACKNOWLEDGE else self.alerts.resolve
        await step(int(notice.key.removeprefix("case-")), who, note)

    def _host_firmware(self, notices: Notices) -> None:
        settings, stores, clock = self.settings, self.stores, self.clock
        self.firmware = firmware_files(settings, clock, SqlArtifacts(stores.database), stores.keys, lambda: self.upload_base)
        alerts, key = settings.alerts, load_link_key(layout.link_key_file(settings))
        self.rollout_links = RolloutLinks(key, lambda: alerts.public_url or self.upload_base, alerts.link_ttl_s)
        made = FirmwareProgram(
            stores.database,
            stores,
            self.states,
            self.journal,
            self.feed,
            self.gateway,
            self.firmware.shelf,
            LinkedNotices(notices, self.rollout_links, clock),
            clock,
            nowhere=lambda: f"{self.upload_base}/f/none",
        )
        self.rollouts = made.desk
        self._measured(made.metrics)
        self.programs.append(made)

    def _host_billing(self, notices: Notices) -> None:
        """Rollups, reports, CDRs and statements; payments where a gateway is set."""
        database, billing, clock = self.stores.database, self.settings.billing, self.clock
        rollups = RollupProjection(SqlRollups(database))
        self.rollup_projector = Projector(rollups, self.feed, self.journal, clock, window_s=STORE_WINDOW_S)
        self.reports = Reports(
            SqlRollups(database),
            SqlReports(database),
            self.stores,
            self.journal,
            self.interpret,
            clock,
            self.site_of,
            self.rollup_projector.lag,
            notices,
            self.settings.data_dir / "reports",
            self.hour_sinks,
            SqlLedger(database).made_after,
        )
        made = BillingProgram(
            database,
            self.stores,
            self.journal,
            self.feed,
            self.interpret,
            clock,
            self.site_of,
            house_of(billing),
            rules_of(billing),
        )
        self.billing = made.desk
        self._measured(self.reports.metrics, made.metrics)
        self.programs += [self.reports, made]
        self.checks |= {"reports": lambda: self.reports.health, "billing": lambda: made.health}
        self.payments = None
        if (gateway := gateway_of(billing.payments)) is not None:
            self._host_payments(PaymentsProgram(database, gateway, notices, clock, terms_of(billing.payments)))

    def _host_payments(self, made: PaymentsProgram) -> None:
        self.payments = made.desk
        self._measured(made.metrics)
        self.programs.append(made)
        self.checks["payments"] = lambda: made.health

    def program_checks(self) -> list[HealthCheck]:
        """Whether each program of this process is well."""
        said = {name: check() for name, check in self.checks.items()}
        return [HealthCheck(name=name, ok=well, detail=detail) for name, (well, detail) in said.items()]

    def _measured(self, *collectors: Collector) -> None:
        """Served with the platform's metrics."""
        for each in collectors:
            self.platform_metrics.registry.register(each)
