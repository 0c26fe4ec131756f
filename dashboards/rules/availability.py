"""Objectives and how fast their budgets burn. Decided here: the windows, after the Site Reliability Workbook, chapter 5.

A page when 2 % of a month's budget went in an hour, or 5 % in six; a ticket when 10 % went in a day, or in three. Each alert looks
at a long window, so that it does not fire for a moment, and at a twelfth of it, so that it ends soon after its cause.
"""

from __future__ import annotations

import msgspec

from chargenet.observe import names as n
from dashboards import uids
from dashboards.rules.config import RuleConfig
from dashboards.rules.model import CRITICAL, WARNING, Alert, Group, Recording, duration, series
from dashboards.rules.network import UNUSABLE

MONTH_S = 30 * 86_400.0


class Burn(msgspec.Struct, frozen=True):
    """`spent`: this share of a month's budget within the long window."""

    spent: float
    long: str
    long_s: float
    short: str
    short_s: float
    severity: str

    @property
    def factor(self) -> float:
        """How many times faster than a budget that lasts exactly a month."""
        return round(self.spent * MONTH_S / self.long_s, 3)


PAGES = (
    Burn(0.02, "1h", 3600, "5m", 300, CRITICAL),
    Burn(0.05, "6h", 21_600, "30m", 1800, CRITICAL),
)
TICKETS = (
    Burn(0.10, "1d", 86_400, "2h", 7200, WARNING),
    Burn(0.10, "3d", 259_200, "6h", 21_600, WARNING),
)
WINDOWS = {each.long: each.long_s for each in (*PAGES, *TICKETS)} | {each.short: each.short_s for each in (*PAGES, *TICKETS)}

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
            lambda window: f"{_UNUSABLE}_avg{window}",
            budget,
            "Far more connectors than allowed can serve nobody.",
            f"{{{{ $value | humanizePercentage }}}} of all connectors were faulted, unavailable or unknown; {_allowed(budget)}.",
            uids.AVAILABILITY,
        ),
        burning(
            "ConnectorAvailabilityLow",
            TICKETS,
            lambda window: f"{_UNUSABLE}_avg{window}",
            budget,
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


def burning(name: str, burns: tuple[Burn, ...], ratio: object, budget: float, summary: str, description: str, board: str) -> Alert:
    """An alert over several pairs of windows; its value is the share in the first long window that burns too fast."""
    assert callable(ratio)
    pairs = [
        f"({ratio(each.long)} > {_number(each.factor * budget)} and {ratio(each.short)} > {_number(each.factor * budget)})"
        for each in burns
    ]
    return Alert(
        name=name, expr=" or ".join(pairs), severity=burns[0].severity, summary=summary, description=description,
        for_s=120.0, board=board, labels={"layer": "objective"},
    )  # fmt: skip


def _number(value: float) -> str:
    return f"{value:.6g}"
