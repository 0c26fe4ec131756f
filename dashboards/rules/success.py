"""The objective that drivers feel: attempts to charge that gave energy. Decided here: what counts as good, bad and neither.

A session that broke off after it gave energy served its driver. A refused token says nothing about the connector, and neither does
an energy that nobody knows. Counted by firmware, whose series are few, and by site for the boards.
"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import uids
from dashboards.rules.burn import PAGES, TICKETS, WINDOWS, burning
from dashboards.rules.config import RuleConfig
from dashboards.rules.model import WARNING, Alert, Group, Recording, duration, series

FAILED = 'outcome=~"not_started|fault|no_energy|little_energy"'
JUDGED = 'outcome!~"rejected|unknown"'
DAY = "1d"

_FAILED = "chargewatch_attempts_failed:ratio_rate"
_COUNT = "chargewatch_attempts:increase"


def success(config: RuleConfig) -> Group:
    """Recorded for the network by window, and for a day by site and firmware; alerts on the network and on single firmwares."""
    rules: list[Recording | Alert] = [_outcomes(config)]
    for name, seconds in WINDOWS.items():
        window = duration(config, seconds)
        rules.append(Recording(f"network:{_FAILED}{name}", _ratio(config, n.FIRMWARE_ATTEMPTS, "", window)))
        rules.append(
            Recording(f"network:{_COUNT}{name}", f"sum(increase({series(config, n.FIRMWARE_ATTEMPTS, JUDGED, window=window)}))")
        )
    day = duration(config, WINDOWS[DAY])
    for level, family, labels in (("site", n.SITE_ATTEMPTS, "site"), ("firmware", n.FIRMWARE_ATTEMPTS, "vendor, model, firmware")):
        rules.append(Recording(f"{level}:{_FAILED}{DAY}", _ratio(config, family, f" by ({labels})", day)))
        rules.append(
            Recording(f"{level}:{_COUNT}{DAY}", f"sum by ({labels}) (increase({series(config, family, JUDGED, window=day)}))")
        )
    return Group("success", [*rules, _burn(config), _low(config), _firmware(config)])


def _outcomes(config: RuleConfig) -> Recording:
    window = duration(config, 3600)
    return Recording(
        "outcome:chargewatch_attempts:increase1h",
        f"sum by (outcome) (increase({series(config, n.FIRMWARE_ATTEMPTS, window=window)}))",
    )


def _ratio(config: RuleConfig, family: n.Family, by: str, window: str) -> str:
    failed, judged = (f"sum{by} (rate({series(config, family, each, window=window)}))" for each in (FAILED, JUDGED))
    return f"{failed} / ({judged} > 0)"


def _burn(config: RuleConfig) -> Alert:
    return burning(
        "ChargeSuccessBurn",
        PAGES,
        config.success.budget,
        lambda window: f"network:{_FAILED}{window}",
        "Far more attempts to charge fail than allowed.",
        _description(config),
        uids.SESSIONS,
        lambda window: f"network:{_COUNT}{window} >= {config.success.least:g}",
    )


def _low(config: RuleConfig) -> Alert:
    return burning(
        "ChargeSuccessLow",
        TICKETS,
        config.success.budget,
        lambda window: f"network:{_FAILED}{window}",
        "For a day or longer, more attempts to charge fail than allowed.",
        _description(config),
        uids.SESSIONS,
        lambda window: f"network:{_COUNT}{window} >= {config.success.least:g}",
    )


def _description(config: RuleConfig) -> str:
    return (
        "{{ $value | humanizePercentage }} of the attempts to charge gave their driver nothing or next to nothing; "
        f"over a month, {config.success.budget:.1%} are allowed."
    )


def _firmware(config: RuleConfig) -> Alert:
    ratio, every = f"firmware:{_FAILED}{DAY}", f"network:{_FAILED}{DAY}"
    return Alert(
        name="FirmwareFailingAttempts",
        expr=f"{ratio} > {2 * config.success.budget:g} and {ratio} > on () group_left () 2 * {every} "
        f"and firmware:{_COUNT}{DAY} >= {config.success.least:g}",
        severity=WARNING,
        summary="Attempts to charge fail on one model and firmware at least twice as often as in the whole network.",
        description="{{ $value | humanizePercentage }} of a day's attempts failed on {{ $labels.vendor }} {{ $labels.model }} "
        "with firmware {{ $labels.firmware }}.",
        for_s=3600.0,
        board=uids.SESSIONS,
        variables={"vendor": "vendor", "model": "model"},
        labels={"layer": "objective"},
    )
