"""How fast the budget of an objective burns. Decided here: the windows, after the Site Reliability Workbook, chapter 5.

A page when 2 % of a month's budget went in an hour, or 5 % in six; a ticket when 10 % went in a day, or in three. Each alert looks
at a long window, so that it does not fire for a moment, and at a twelfth of it, so that it ends soon after its cause.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from dashboards.rules.model import CRITICAL, WARNING, Alert

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


def burning(
    name: str,
    burns: tuple[Burn, ...],
    budget: float,
    ratio: Callable[[str], str],
    summary: str,
    description: str,
    board: str,
    enough: Callable[[str], str] | None = None,
) -> Alert:
    """Over several pairs of windows. Its value is the share in the first long window that burns too fast.

    `ratio`: window → series of the share that was bad; `enough`: window → a condition without which nothing is said of it.
    """
    return Alert(
        name=name,
        expr=" or ".join(_pair(burn, burn.factor * budget, ratio, enough) for burn in burns),
        severity=burns[0].severity,
        summary=summary,
        description=description,
        for_s=120.0,
        board=board,
        labels={"layer": "objective"},
    )


def _pair(burn: Burn, bound: float, ratio: Callable[[str], str], enough: Callable[[str], str] | None) -> str:
    parts = [f"{ratio(burn.long)} > {bound:.6g}", f"{ratio(burn.short)} > {bound:.6g}"]
    if enough is not None:
        parts.append(enough(burn.long))
    return f"({' and '.join(parts)})"
