"""Alerts on alerting itself. Decided here: what is a page: nobody judges, or nobody can be told."""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import uids
from dashboards.rules.config import RuleConfig
from dashboards.rules.model import CRITICAL, INFO, WARNING, Alert, Group, duration, series
from dashboards.rules.platform import platform_alert


def telling(config: RuleConfig) -> Group:
    """From the detectors to whoever is told."""
    return Group("telling", [*_judging(config), *_relay(config), _notifications(config), _rules(config), _watchdog()])


def _judging(config: RuleConfig) -> list[Alert]:
    return [
        platform_alert(
            "DetectorsNotWorking",
            "max(chargewatch:detectors_blind:bool) == 1",
            CRITICAL,
            "Nobody judges what charge points say: sick connectors stay unseen.",
            "The detectors have not worked for minutes. Until they do, plain states are alerted on (alerts ending in Unjudged).",
            for_s=120.0,
        ),
        platform_alert(
            "DetectorsBehind",
            f"max by (instance) ({series(config, n.ALERTS_BEHIND)}) > {config.behind_records}",
            WARNING,
            "The detectors do not keep up: cases open late.",
            "{{ $value | humanize }} records wait for the detectors of {{ $labels.instance }}.",
            for_s=600.0,
        ),
        platform_alert(
            "CasesUntold",
            f"max by (instance) ({series(config, n.CASES_UNTOLD)}) > 0",
            CRITICAL,
            "Cases are open that nobody was told of.",
            "{{ $value | humanize }} cases wait for the relay to store them. Look at them now: `chargewatch cases list --open`.",
            for_s=config.untold_s,
        ),
    ]


def _relay(config: RuleConfig) -> list[Alert]:
    late = f"(time() - max by (receiver) ({series(config, n.OUTBOX_OLDEST)})) > {config.undelivered_s / config.speed:g}"
    lost = series(config, n.ATTEMPTS, 'outcome=~"refused|given_up"', window=duration(config, 3600))
    return [
        platform_alert(
            "AlertRelayNotWorking",
            f"max by (instance) ({series(config, n.RELAY_WORKING)}) == 0",
            CRITICAL,
            "The relay groups and stores no alerts: nobody is told of anything.",
            "The alert relay of {{ $labels.instance }} does not work; its problem is in `chargewatch doctor`.",
            for_s=120.0,
        ),
        platform_alert(
            "AlertsUndelivered",
            late,
            CRITICAL,
            "An alert has been waiting for its receiver far too long.",
            "The oldest message to {{ $labels.receiver }} has waited for {{ $value | humanizeDuration }}.",
            board=uids.ALERTS,
        ),
        platform_alert(
            "ReceiverUnreachable",
            f"min by (receiver) ({series(config, n.RECEIVER_REACHABLE)}) == 0",
            WARNING,
            "A receiver of alerts fails so often that it is only tried now and then.",
            "{{ $labels.receiver }} does not take messages. They wait and are sent once it does.",
            for_s=600.0,
            board=uids.ALERTS,
        ),
        platform_alert(
            "AlertsLost",
            f"sum by (receiver) (increase({lost})) > 0",
            CRITICAL,
            "A message about an alert was given up: its receiver refused it, or it became too old.",
            "{{ $labels.receiver }} did not get {{ $value | humanize }} messages of the last hour: `chargewatch alerts log`.",
            board=uids.ALERTS,
            keep_s=900.0,
        ),
    ]


def _notifications(config: RuleConfig) -> Alert:
    # An upgrade stops the relay for a minute, and Alertmanager tries again by itself: only what goes on failing is a page.
    window = duration(config, 300)
    lost = (
        f"increase(prometheus_notifications_dropped_total[{window}])",
        f"increase(prometheus_notifications_errors_total[{window}])",
    )
    failed = f"increase(alertmanager_notifications_failed_total[{window}])"
    return platform_alert(
        "AlertsNotReachingRelay",
        f"sum({lost[0]}) > 0 or sum({lost[1]}) > 0 or sum({failed}) > 0",
        CRITICAL,
        "Alerts of Prometheus do not reach the relay.",
        "Between Prometheus, Alertmanager and the relay, {{ $value | humanize }} notifications failed within five minutes.",
        for_s=600.0,
        board=uids.ALERTS,
    )


def _rules(config: RuleConfig) -> Alert:
    failures = f"sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[{duration(config, 600)}]))"
    return platform_alert(
        "RulesFailing",
        f"{failures} > 0",
        WARNING,
        "Prometheus cannot evaluate some rules: their alerts stay silent.",
        "{{ $value | humanize }} evaluations of {{ $labels.rule_group }} failed within ten minutes.",
        for_s=300.0,
        board=uids.ALERTS,
    )


def _watchdog() -> Alert:
    return platform_alert(
        "Watchdog",
        "vector(1)",
        INFO,
        "Always firing, so that its absence is noticed.",
        "This alert is the proof that Prometheus, Alertmanager and the relay work. The relay tells when it does not come any more.",
        board=uids.ALERTS,
    )
