"""Alerts on states as charge points report them. Decided here: they speak while nobody judges, and of what no single case can say.

While the detectors work, a faulted connector or a silent charge point is a case, with planned work and wider causes taken into
account. When they have not worked for minutes, the plain state is better than silence: those alerts end in `Unjudged`.
"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import uids
from dashboards.rules.config import RuleConfig
from dashboards.rules.model import CRITICAL, WARNING, Alert, Group, Recording, duration, series

BLIND = "chargewatch:detectors_blind:bool"
APART = 'program="alerts"'
_STATE = {"layer": "state"}


def states(config: RuleConfig) -> Group:
    """All of them."""
    return Group("states", [_blind(config), _site(config), _point(config), _connector(config), _lost(config), _model(config)])


def _blind(config: RuleConfig) -> Recording:
    """1 while nobody judges, absent else; also where a platform runs that never started its detectors, or they hear nothing."""
    window = duration(config, config.blind_after_s)
    working = f"max(max_over_time({series(config, n.ALERTS_WORKING, window=window)}))"
    runs = f"max(max_over_time({series(config, n.BUILD_INFO, window=window)}))"
    hears = f"max(max_over_time({series(config, n.PROGRAM_REACHES, APART, window=window)}))"
    return Recording(BLIND, f"({working} == 0) + 1 or ({hears} == 0) + 1 or ({runs} unless on () {working})")


def _unjudged(expr: str) -> str:
    return f"({expr}) and on () {BLIND} == 1"


def _site(config: RuleConfig) -> Alert:
    points, connected = series(config, n.SITE_POINTS, 'site!=""'), series(config, n.SITE_CONNECTED, 'site!=""')
    return Alert(
        name="SiteDisconnectedUnjudged",
        expr=_unjudged(f"sum by (site) ({connected}) == 0 and sum by (site) ({points}) > 1"),
        severity=CRITICAL,
        summary="No charge point of a site is connected, and the detectors do not work.",
        description="No charge point of site {{ $labels.site }} is connected. Planned work is not taken into account.",
        for_s=config.unjudged_offline_s,
        keep_s=config.case_keep_firing_s,
        board=uids.SITE,
        variables={"site": "site"},
        labels=_STATE,
    )


def _point(config: RuleConfig) -> Alert:
    return Alert(
        name="ChargePointDisconnectedUnjudged",
        expr=_unjudged(f"max by (site, charge_point) ({series(config, n.POINT_CONNECTED)}) == 0"),
        severity=WARNING,
        summary="A charge point is not connected, and the detectors do not work.",
        description="{{ $labels.charge_point }}{{ with $labels.site }} at site {{ . }}{{ end }} is not connected. "
        "Planned work is not taken into account.",
        for_s=config.unjudged_offline_s,
        keep_s=config.case_keep_firing_s,
        board=uids.CHARGE_POINT,
        variables={"site": "site", "charge_point": "charge_point"},
        labels=_STATE,
    )


def _connector(config: RuleConfig) -> Alert:
    faulted = series(config, n.CONNECTOR_STATUS, 'status="Faulted"')
    return Alert(
        name="ConnectorFaultedUnjudged",
        expr=_unjudged(f"max by (site, charge_point, connector) ({faulted}) == 1"),
        severity=WARNING,
        summary="A connector calls itself Faulted, and the detectors do not work.",
        description="{{ $labels.charge_point }} connector {{ $labels.connector }}{{ with $labels.site }} at site {{ . }}{{ end }} "
        "is Faulted. Nobody has looked whether it is a danger: read its error code.",
        for_s=config.unjudged_fault_s,
        keep_s=config.case_keep_firing_s,
        board=uids.CONNECTOR,
        variables={"site": "site", "charge_point": "charge_point", "connector": "connector"},
        labels=_STATE,
    )


def _lost(config: RuleConfig) -> Alert:
    now, every = "network:chargewatch_charge_points_connected:sum", "network:chargewatch_charge_points:sum"
    fell = f"(max_over_time({now}[{duration(config, 600)}]) - {now})"
    return Alert(
        name="FleetMassDisconnect",
        expr=f"{fell} / {every} > {config.lost_share:g} and {fell} >= {config.lost_least}",
        severity=CRITICAL,
        summary="Many charge points lost their connection within ten minutes.",
        description="{{ $value | humanizePercentage }} of all charge points disconnected within ten minutes and are not back.",
        for_s=120.0,
        keep_s=config.case_keep_firing_s,
        board=uids.NETWORK,
        labels=_STATE,
    )


def _model(config: RuleConfig) -> Alert:
    def count(*matchers: str) -> str:
        return f"sum by (vendor, model) ({series(config, n.MODEL_CONNECTORS, *matchers)})"

    faulted = count('status="Faulted"')
    return Alert(
        name="ModelFaultedHigh",
        expr=f"{faulted} / {count()} > {config.model_faulted_share:g} and {faulted} >= {config.model_faulted_least}",
        severity=WARNING,
        summary="Unusually many connectors of one model are faulted.",
        description="{{ $value | humanizePercentage }} of the connectors of {{ $labels.vendor }} {{ $labels.model }} are faulted: "
        "one cause is likelier than many, such as firmware, heat or a batch.",
        for_s=1800.0,
        keep_s=config.case_keep_firing_s,
        board=uids.FLEET,
        variables={"vendor": "vendor", "model": "model"},
        labels=_STATE,
    )
