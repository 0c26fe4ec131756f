"""Alerts on the platform itself: does it run, keep, judge and tell? Decided here: what of that wakes somebody.

Evidence that cannot be kept and alerts that cannot be told page; what is slow or piles up is a ticket.
"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import uids
from dashboards.rules.config import RuleConfig
from dashboards.rules.model import CRITICAL, WARNING, Alert, Group, duration, named, series

FAILED, UNANSWERED = 'status=~"5.."', 'outcome="timed_out"'
_PLATFORM = {"layer": "platform"}


def platform(config: RuleConfig) -> list[Group]:
    """All groups of the platform."""
    return [
        Group("platform", [_down(config), _restarting(config), _loop(config), _scrape(config), _api(config), _sockets(config)]),
        Group("programs", _programs(config)),
        Group("keeping", [*_journal(config), *_read_models(config), _telemetry(config), _quarantine(config)]),
        Group("traffic", [_call_errors(config), _commands(config), _logins(config)]),
        Group("servers", [_targets(config)]),
    ]


def platform_alert(
    name: str,
    expr: str,
    severity: str,
    summary: str,
    description: str,
    *,
    for_s: float = 0.0,
    keep_s: float = 0.0,
    board: str = uids.PLATFORM,
) -> Alert:
    return Alert(
        name=name,
        expr=expr,
        severity=severity,
        summary=summary,
        description=description,
        for_s=for_s,
        keep_s=keep_s,
        board=board,
        labels=_PLATFORM,
    )


# -- does it run?


def _down(config: RuleConfig) -> Alert:
    """By a family that the collector alone has: `up` has a series for each process, and programs may answer while it does not."""
    return platform_alert(
        "ChargewatchDown",
        f"absent({series(config, n.JOURNAL_HEALTHY)})",
        CRITICAL,
        "The platform does not answer Prometheus.",
        "No collector of chargewatch answers: charge points may not be answered either, and nobody judges what they say.",
        for_s=120.0,
    )


def _programs(config: RuleConfig) -> list[Alert]:
    """Programs in processes of their own. Of a collector that is gone another alert tells."""
    collector = f"and on () {series(config, n.JOURNAL_HEALTHY)}"
    return [
        platform_alert(
            "ProgramDown",
            f"max by (instance) ({named(config, 'up')}) == 0 {collector}",
            WARNING,
            "A process of the platform does not answer, while the collector does.",
            "{{ $labels.instance }} does not answer Prometheus: its part of the API is gone, and what it does waits.",
            for_s=300.0,
        ),
        platform_alert(
            "ProgramCutOff",
            f"min by (program) ({series(config, n.PROGRAM_REACHES)}) == 0 {collector}",
            CRITICAL,
            "A program runs, and hears nothing of the collector.",
            "The {{ $labels.program }} program gets no answers from the collector, which runs: it knows nothing new.",
            for_s=180.0,
        ),
    ]


def _restarting(config: RuleConfig) -> Alert:
    starts = named(config, "chargewatch_process_start_time_seconds", window=duration(config, 1800))
    return platform_alert(
        "ChargewatchRestarting",
        f"max by (instance) (changes({starts})) > 2",
        WARNING,
        "The platform starts again and again.",
        "{{ $labels.instance }} started {{ $value }} times within half an hour. "
        "Each start of the collector makes all charge points connect anew.",
        keep_s=900.0,
    )


def _loop(config: RuleConfig) -> Alert:
    return platform_alert(
        "EventLoopSlow",
        f"max by (instance) ({series(config, n.LOOP_LAG_MAX)}) > {config.loop_lag_s:g}",
        WARNING,
        "A process of the platform answers late: something holds its event loop.",
        "The worst delay of {{ $labels.instance }} within a minute was {{ $value | humanizeDuration }}.",
        for_s=300.0,
    )


def _scrape(config: RuleConfig) -> Alert:
    bound = config.scrape_share * config.scrape_interval_s
    took = named(config, "scrape_duration_seconds")
    return platform_alert(
        "ScrapeSlow",
        f"max by (instance) ({took}) > {bound / config.speed:g}",
        WARNING,
        "Reading the platform's metrics takes nearly as long as the interval between two readings.",
        "The last reading of {{ $labels.instance }} took {{ $value | humanizeDuration }}. Beyond it, boards and alerts go blind.",
        for_s=600.0,
    )


def _api(config: RuleConfig) -> Alert:
    window = duration(config, 600)
    failed = f"sum by (instance) (rate({series(config, n.API_REQUESTS, FAILED, window=window)}))"
    every = f"sum by (instance) (rate({series(config, n.API_REQUESTS, window=window)}))"
    return platform_alert(
        "ApiFailing",
        f"{failed} / {every} > {config.api_error_share:g}",
        WARNING,
        "The HTTP API answers with errors.",
        "{{ $value | humanizePercentage }} of the requests to {{ $labels.instance }} in the last ten minutes failed on our side.",
        for_s=300.0,
    )


def _sockets(config: RuleConfig) -> Alert:
    refused = series(config, n.SOCKETS, 'outcome="out_of_sockets"', window=duration(config, 600))
    return platform_alert(
        "OutOfSockets",
        f"sum by (instance) (increase({refused})) > 0",
        CRITICAL,
        "Charge points cannot connect: the process has no sockets left.",
        "{{ $labels.instance }} had no socket left for a charge point within the last ten minutes.",
        keep_s=300.0,
    )


# -- does it keep what it is told?


def _journal(config: RuleConfig) -> list[Alert]:
    slow = named(config, f"{n.JOURNAL_FSYNC.name}_bucket", window=duration(config, 600))
    return [
        platform_alert(
            "JournalNotKeeping",
            f"min by (instance) ({series(config, n.JOURNAL_HEALTHY)}) == 0",
            CRITICAL,
            "Nothing that charge points say can be kept, so nothing is acknowledged.",
            "The journal of {{ $labels.instance }} cannot write: the disk is full, read-only or broken. "
            "Charge points keep their reports and send them again.",
            for_s=60.0,
        ),
        platform_alert(
            "JournalSlow",
            f"histogram_quantile(0.99, sum by (instance, le) (rate({slow}))) > {config.fsync_s:g}",
            WARNING,
            "The disk of the journal is slow, so charge points are answered late.",
            "99 % of the commits of {{ $labels.instance }} took up to {{ $value | humanizeDuration }}.",
            for_s=900.0,
        ),
        *_disk(config),
    ]


def _disk(config: RuleConfig) -> list[Alert]:
    free, size = (f"min by (instance) ({series(config, each)})" for each in (n.DISK_FREE, n.DISK_SIZE))
    falling = f"predict_linear({series(config, n.DISK_FREE, window=duration(config, 21_600))}, {86_400 / config.speed:g})"
    return [
        platform_alert(
            "DiskNearlyFull",
            f"{free} / {size} < {config.disk_share:g}",
            CRITICAL,
            "The disk under the platform's data is nearly full: soon nothing can be kept.",
            "{{ $value | humanizePercentage }} of the disk of {{ $labels.instance }} is left.",
            for_s=300.0,
        ),
        platform_alert(
            "DiskFilling",
            f"min by (instance) ({falling}) < 0 and {free} / {size} < 0.5",
            WARNING,
            "At this pace the disk under the platform's data is full within a day.",
            "Free space on the disk of {{ $labels.instance }} falls towards zero within 24 hours.",
            for_s=1800.0,
        ),
    ]


def _read_models(config: RuleConfig) -> list[Alert]:
    return [
        platform_alert(
            "ReadModelBehind",
            f"max by (projection) ({series(config, n.PROJECTION_LAG)}) > {config.lag_s / config.speed:g}",
            WARNING,
            "What is shown is older than what is known: a store does not keep up.",
            "The read model {{ $labels.projection }} is {{ $value | humanizeDuration }} behind the journal. Nothing is lost.",
            for_s=300.0,
        ),
    ]


def _telemetry(config: RuleConfig) -> Alert:
    rejected = series(config, n.TELEMETRY_REJECTED, window=duration(config, 3600))
    return platform_alert(
        "TelemetryRejected",
        f"sum by (store) (increase({rejected})) > 0",
        WARNING,
        "A telemetry store refuses points.",
        "The {{ $labels.store }} store set {{ $value | humanize }} points aside within an hour; the log names the first of them.",
        keep_s=900.0,
    )


def _quarantine(config: RuleConfig) -> Alert:
    aside = series(config, n.QUARANTINED, window=duration(config, 3600))
    return platform_alert(
        "ReportsQuarantined",
        f"sum by (reason) (increase({aside})) > {config.quarantined}",
        WARNING,
        "Many reports belong to no transaction: sessions may go unbilled.",
        "{{ $value | humanize }} reports were set aside within an hour ({{ $labels.reason }}).",
        board=uids.TRAFFIC,
        keep_s=900.0,
    )


# -- what charge points and people say to it


def _call_errors(config: RuleConfig) -> Alert:
    window = duration(config, 900)
    failed = f"sum by (action) (rate({series(config, n.CALL_ERRORS, window=window)}))"
    every = f"sum by (action) (rate({series(config, n.CALLS, window=window)}))"
    return platform_alert(
        "CallErrorsHigh",
        f"{failed} / {every} > {config.call_error_share:g}",
        WARNING,
        "Many calls from charge points are answered with an error.",
        "{{ $value | humanizePercentage }} of the {{ $labels.action }} calls of the last quarter of an hour.",
        for_s=900.0,
        board=uids.TRAFFIC,
    )


def _commands(config: RuleConfig) -> Alert:
    window = duration(config, 1800)
    silent = f"sum(increase({series(config, n.COMMANDS, UNANSWERED, window=window)}))"
    every = f"sum(increase({series(config, n.COMMANDS, window=window)}))"
    return platform_alert(
        "CommandsUnanswered",
        f"{silent} / {every} > {config.unanswered_share:g} and {every} > 10",
        WARNING,
        "Charge points do not answer what we ask of them.",
        "{{ $value | humanizePercentage }} of our calls of the last half hour got no answer in time.",
        for_s=300.0,
        board=uids.TRAFFIC,
    )


def _logins(config: RuleConfig) -> Alert:
    wrong = series(config, n.LOGINS_REFUSED, window=duration(config, 900))
    return platform_alert(
        "LoginsRefusedBurst",
        f"sum(increase({wrong})) > {config.failed_logins}",
        WARNING,
        "Many connections come with wrong passwords.",
        "{{ $value | humanize }} wrong passwords within 15 minutes: an attack, or passwords changed on one side.",
        board=uids.TRAFFIC,
        keep_s=900.0,
    )


def _targets(config: RuleConfig) -> Alert:
    ours = f" unless {named(config, 'up')}" if config.selector else ""
    return platform_alert(
        "ServerDown",
        f"max by (job, instance) (up{ours}) == 0",
        WARNING,
        "A server beside the platform does not answer.",
        "{{ $labels.job }} at {{ $labels.instance }} does not answer Prometheus.",
        for_s=300.0,
    )
