"""The objective of availability: connectors that can serve a driver. Decided here: which statuses count against it."""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import uids
from dashboards.rules.burn import PAGES, TICKETS, WINDOWS, burning
from dashboards.rules.config import RuleConfig
from dashboards.rules.model import Alert, Group, Recording, duration, series
from dashboards.rules.network import UNUSABLE

_UNUSABLE = "network:chargewatch_unusable:ratio"


def availability(config: RuleConfig) -> Group:
    """Connectors that can serve a driver."""
    every = f"sum({series(config, n.MODEL_CONNECTORS)})"
    bad = f"sum({series(config, n.MODEL_CONNECTORS, UNUSABLE)})"
    rules: list[Recording | Alert] = [Recording(_UNUSABLE, f"({bad} or {every} * 0) / {every}")]
    for name, seconds in WINDOWS.items():
        rules.append(Recording(f"{_UNUSABLE}_avg{name}", _average(config, seconds)))
    budget = config.usable.budget
    rules += [
        burning(
            "ConnectorAvailabilityBurn",
            PAGES,
            budget,
            lambda window: f"{_UNUSABLE}_avg{window}",
            "Far more connectors than allowed can serve nobody.",
            f"{{{{ $value | humanizePercentage }}}} of all connectors were faulted, unavailable or unknown; {_allowed(budget)}.",
            uids.AVAILABILITY,
        ),
        burning(
            "ConnectorAvailabilityLow",
            TICKETS,
            budget,
            lambda window: f"{_UNUSABLE}_avg{window}",
            "For a day or longer, more connectors than allowed can serve nobody.",
            f"{{{{ $value | humanizePercentage }}}} of all connectors were faulted, unavailable or unknown; {_allowed(budget)}.",
            uids.AVAILABILITY,
        ),
    ]
    return Group("availability", rules)


def _average(config: RuleConfig, seconds: float) -> str:
    """Over a window of which half is known: an hour after the first start says nothing about three days."""
    window, known = duration(config, seconds), f"[{duration(config, seconds / 4)}] offset {duration(config, seconds / 2)}"
    return f"avg_over_time({_UNUSABLE}[{window}]) and present_over_time({_UNUSABLE}{known})"


def _allowed(budget: float) -> str:
    return f"over a month, {budget:.1%} are allowed"
