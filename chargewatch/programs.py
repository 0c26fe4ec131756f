"""The programs that run beside the collector. Decided here: which there are, and what each gets.

Each program's `app.py` joins its own parts; this module alone knows all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.app import Alerts, AlertSettings
from alerts.detectors.rules import RuleSettings
from alerts.links import Purpose
from alerts.relay.metrics import RelayMetrics
from alerts.relay.relay import Relay
from alerts.storage.cases_sql import SqlCases
from alerts.storage.sql import SqlAlerts
from billing_reports.app import BillingProgram
from billing_reports.payments.app import PaymentsProgram
from billing_reports.reports_app import Reports
from billing_reports.rollup_projection import RollupProjection
from billing_reports.storage.ledger_sql import SqlLedger
from billing_reports.storage.report_sql import SqlReports
from billing_reports.storage.rollup_sql import SqlRollups
from chargenet.model.notice import Notice
from chargenet.ports import Program
from chargenet.storage.influx import InfluxTelemetry
from chargewatch import layout
from chargewatch.billing_settings import gateway_of, house_of, rules_of, terms_of
from chargewatch.relaying import load_link_key, make_relay
from chargewatch.rollout_links import LinkedNotices, RolloutLinks
from firmware_orchestrator.app import FirmwareProgram

if TYPE_CHECKING:
    from chargewatch.platform import RunningPlatform


def make_alert_relay(platform: RunningPlatform) -> Relay:
    """What tells people. Made before the programs that have something to say."""
    made = make_relay(platform.settings, SqlAlerts(platform.stores.database), platform.clock, lambda: platform.upload_base)
    platform.platform_metrics.registry.register(RelayMetrics(made, platform.clock))
    return made


def make_rollout_links(platform: RunningPlatform) -> RolloutLinks:
    """The links in messages about rollouts, signed with the key of all links. On the event loop, before `make_rollouts`."""
    chosen, key = platform.settings.alerts, load_link_key(layout.link_key_file(platform.settings))
    return RolloutLinks(key, lambda: chosen.public_url or platform.upload_base, chosen.link_ttl_s)


def make_rollouts(platform: RunningPlatform) -> FirmwareProgram:
    """The firmware program. Its metrics are served with the platform's."""
    made = FirmwareProgram(
        platform.stores.database,
        platform.stores,
        platform.telemetry,
        platform.journal,
        platform.feed,
        platform.gateway,
        platform.firmware.shelf,
        LinkedNotices(platform.relay, platform.rollout_links, platform.clock),
        platform.clock,
        nowhere=lambda: f"{platform.upload_base}/f/none",
    )
    platform.platform_metrics.registry.register(made.metrics)
    return made


def make_alerts(platform: RunningPlatform) -> Alerts:
    """The alerts program. Its metrics are served with the platform's."""
    made = Alerts(
        platform.feed,
        platform.journal,
        platform.clock,
        platform.stores,
        SqlCases(platform.stores.database),
        platform.relay,
        platform.site_of,
        platform.last_frames,
        AlertSettings(
            speed=platform.alert_speed,
            rules=RuleSettings(heartbeat_interval_s=float(platform.settings.collector.heartbeat_interval_s)),
        ),
    )
    platform.platform_metrics.registry.register(made.metrics)

    async def act(purpose: Purpose, notice: Notice, who: str, note: str) -> None:
        step = made.acknowledge if purpose is Purpose.ACKNOWLEDGE else made.resolve
        await step(int(notice.key.removeprefix("case-")), who, note)

    platform.relay.actions.owners["alerts"] = act
    return made


def make_reports(platform: RunningPlatform) -> Reports:
    """The reports program. Its metrics are served with the platform's."""
    [rollups] = [each for each in platform.projectors if each.projection.name == RollupProjection.name]
    made = Reports(
        SqlRollups(platform.stores.database),
        SqlReports(platform.stores.database),
        platform.stores,
        platform.journal,
        platform.interpret,
        platform.clock,
        platform.site_of,
        rollups.lag,
        platform.relay,
        platform.settings.data_dir / "reports",
        [each for each in platform.opened.telemetry if isinstance(each, InfluxTelemetry)],
        SqlLedger(platform.stores.database).made_after,
    )
    platform.platform_metrics.registry.register(made.metrics)
    return made


def make_billing(platform: RunningPlatform) -> BillingProgram:
    """The billing program. Its metrics are served with the platform's."""
    billing = platform.settings.billing
    made = BillingProgram(
        platform.stores.database,
        platform.stores,
        platform.journal,
        platform.feed,
        platform.interpret,
        platform.clock,
        platform.site_of,
        house_of(billing),
        rules_of(billing),
    )
    platform.platform_metrics.registry.register(made.metrics)
    return made


def make_payments(platform: RunningPlatform) -> PaymentsProgram | None:
    """The payments program, where a gateway is set. Its metrics are served with the platform's."""
    chosen = platform.settings.billing.payments
    gateway = gateway_of(chosen)
    if gateway is None:
        return None
    made = PaymentsProgram(platform.stores.database, gateway, platform.relay, platform.clock, terms_of(chosen))
    platform.platform_metrics.registry.register(made.metrics)
    return made


def make_programs(platform: RunningPlatform) -> list[Program]:
    """What runs with the platform. Called on its event loop, once everything that a program may use is there."""
    made: list[Program] = [platform.relay, platform.alerts, platform.rollout_program, platform.reports, platform.billing_program]
    return made if platform.payments_program is None else [*made, platform.payments_program]
