"""Queries with their macros and variables filled, as Grafana fills them. Pure.

Sources, in grafana/grafana: pkg/promlib/models/query.go (intervals and macros of Prometheus), packages/grafana-prometheus/src/
escaping.ts (values of variables in PromQL), packages/grafana-data rangeutil.roundInterval, and the InfluxDB plugin.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

Value = str | tuple[str, ...]
"""The value of a variable that takes one, or the values of one that takes many."""
ALL = "$__all"

_BELOW_MS = (
    10, 15, 35, 75, 150, 350, 750, 1500, 3500, 7500, 12_500, 17_500, 25_000, 45_000, 90_000, 210_000, 450_000, 750_000, 1_050_000,
    1_500_000, 2_700_000, 5_400_000, 9_000_000, 16_200_000, 32_400_000, 86_400_000, 604_800_000, 1_814_400_000,
)  # fmt: skip
_ROUND_MS = (
    1, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000,
    1_200_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 604_800_000, 2_592_000_000,
)  # fmt: skip


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at: seconds since the epoch, the points that a panel is wide, and how often Prometheus scrapes."""

    start: float
    end: float
    points: int = 1000
    scrape_s: float = 15.0

    @property
    def range_s(self) -> float:
        """Length of the time range."""
        return self.end - self.start

    @property
    def interval_ms(self) -> int:
        """$__interval_ms: the range over the points, rounded to a pleasant step, and never below the scrape interval."""
        exact = self.range_s * 1000 / self.points
        rounded = _ROUND_MS[bisect_right(_BELOW_MS, exact)]
        return max(rounded, round(self.scrape_s * 1000))

    @property
    def rate_interval_ms(self) -> int:
        """$__rate_interval: wide enough for four scrapes, and for one more than a step."""
        scrape = round(self.scrape_s * 1000)
        return max(self.interval_ms + scrape, 4 * scrape)


def duration(millis: int) -> str:
    """`15s`, `1m`, `500ms`: one unit, as Prometheus and InfluxDB both take it."""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if millis % size == 0:
            return f"{millis // size}{unit}"
    return f"{millis}ms"


def promql(text: str, view: View, chosen: Mapping[str, Value]) -> str:
    """The text that Prometheus gets. Raises KeyError on a variable that nobody chose."""
    macros = {
        "__interval_ms": str(view.interval_ms),
        "__interval": duration(view.interval_ms),
        "__rate_interval_ms": str(view.rate_interval_ms),
        "__rate_interval": duration(view.rate_interval_ms),
        "__range_ms": str(round(view.range_s * 1000)),
        "__range_s": str(round(view.range_s)),
        "__range": f"{round(view.range_s)}s",
    }
    return _filled(text, macros | {name: in_promql(value) for name, value in chosen.items()}, chosen)


def influxql(text: str, view: View, chosen: Mapping[str, Value]) -> str:
    """The text that InfluxDB gets; the same errors."""
    macros = {
        "timeFilter": f"time >= {round(view.start * 1000)}ms and time <= {round(view.end * 1000)}ms",
        "__interval_ms": str(view.interval_ms),
        "__interval": duration(view.interval_ms),
    }
    return _filled(text, macros | {name: in_influxql(value) for name, value in chosen.items()}, chosen, keep=("tag_",))


def in_promql(value: Value) -> str:
    """A chosen value between the quotes of a PromQL matcher: escaped, as a regular expression where many may be chosen."""
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("'", "\\\\'")
    if value == (ALL,):
        return ".*"
    escaped = [re.sub(r"[$^*{}\[\]+?.()|]", lambda found: f"\\\\{found[0]}", each.replace("\\", "\\" * 4)) for each in value]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def in_influxql(value: Value) -> str:
    """The same in InfluxQL; a single value stands as it is."""
    if isinstance(value, str):
        return value
    if value == (ALL,):
        return ".*"
    return "(" + "|".join(re.sub(r"[\\^$*+?.()|\[\]{}/]", lambda found: f"\\{found[0]}", each) for each in value) + ")"


def _filled(text: str, values: Mapping[str, str], chosen: Mapping[str, Value], keep: tuple[str, ...] = ()) -> str:
    def fill(found: re.Match[str]) -> str:
        name, form = found["bare"] or found["name"], found["form"]
        if keep and name.startswith(keep):
            return found[0]
        if form == "percentencode":
            return quote(_plain(chosen[name]), safe="")
        return values[name]

    return re.sub(r"\$(?:(?P<bare>\w+)|\{(?P<name>\w+)(?::(?P<form>\w+))?\})", fill, text)


def _plain(value: Value) -> str:
    return value if isinstance(value, str) else ",".join(value)
