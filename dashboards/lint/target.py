"""Rules about queries: what a board asks, and that it can be answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from chargenet.observe.names import FAMILIES, Family
from chargenet.storage.hours import CONNECTOR_HOUR
from chargenet.storage.lineprotocol import METER, STATE_KINDS
from dashboards.lint.context import Context, Json, Rule, influx_targets, promql_targets
from dashboards.promql import COUNTED_BY, HISTOGRAM_SUFFIXES, Selector, selectors, stood_in

BY_NAME = {family.name: family for family in FAMILIES}
FOREIGN = {
    "ALERTS": ("alertname", "alertstate", "severity"),
    "up": ("job", "instance"),
    "chargewatch_process_resident_memory_bytes": (),
    "chargewatch_process_cpu_seconds_total": (),
    "chargewatch_process_open_fds": (),
    "chargewatch_process_max_fds": (),
    "chargewatch_process_start_time_seconds": (),
}
"""Series that are not ours: Prometheus' own, and those of its Python client."""
FOREIGN_COUNTERS = frozenset(name for name in FOREIGN if name.endswith("_total"))
TARGET_LABELS = frozenset({"job", "instance", "__name__"})
STEADY_WINDOWS = ("$__range", "$__rate_interval", "1h", "24h", "1d", "7d", "30d")
"""Of `increase`: a fixed window is right where the title says it."""
MEASUREMENTS = (METER, CONNECTOR_HOUR, *STATE_KINDS)


def family_of(name: str) -> Family | None:
    """The family of a series' name; a histogram's series carry a suffix."""
    if name in BY_NAME:
        return BY_NAME[name]
    stem = next((name.removesuffix(suffix) for suffix in HISTOGRAM_SUFFIXES if name.endswith(suffix)), "")
    found = BY_NAME.get(stem)
    return found if found is not None and found.kind == "histogram" else None


def is_counter(name: str) -> bool:
    """A counter of ours or of the Python client, or a histogram's series."""
    family = family_of(name)
    return name in FOREIGN_COUNTERS or (family is not None and family.kind in ("counter", "histogram"))


@lru_cache(maxsize=4096)
def _asked(expression: str) -> tuple[Selector, ...] | None:
    try:
        return tuple(selectors(stood_in(expression)))
    except (ValueError, KeyError):
        return None


def _selectors(board: Json) -> Iterator[tuple[str, Selector]]:
    for where, expression in promql_targets(board):
        for selector in _asked(expression) or ():
            yield where, selector


def promql(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter target-promql: every expression is PromQL."""
    for where, expression in promql_targets(board):
        if not expression or _asked(expression) is None:
            yield f"{where} is not PromQL: {expression}"


def rate_interval(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter target-rate-interval: a rate spans $__rate_interval, whatever the time range and the scrape interval."""
    for where, expression in promql_targets(board):
        for function, window in re.findall(r"\b(i?rate|increase)\(\w+(?:\{[^}]*\})?\[([^\]]+)\]", expression):
            allowed = STEADY_WINDOWS if function == "increase" else ("$__rate_interval",)
            if window not in allowed:
                yield f"{where} takes {function} over {window}"


def counter_aggregation(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter target-counter-agg: a counter means nothing but through rate or increase, and those take nothing else."""
    for where, selector in _selectors(board):
        if where.startswith("variable"):
            continue
        if is_counter(selector.name) and selector.function not in COUNTED_BY:
            yield f"{where} shows the counter {selector.name} as it is"
        elif selector.function in COUNTED_BY and not is_counter(selector.name):
            yield f"{where} takes {selector.function} of {selector.name}, which is no counter"


def histogram(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter target-histogram: buckets become a quantile, and keep their bounds until then."""
    for where, expression in promql_targets(board):
        for name in re.findall(r"(\w+)_bucket\b", expression):
            if not re.search(
                rf"histogram_quantile\([^()]*, ?(sum|max) by \(le\b[^)]*\) \((?:rate|increase)\({name}_bucket", expression
            ):
                yield f"{where} sums the buckets of {name} without their bounds"


def known_metrics(board: Json, context: Context) -> Iterator[str]:
    """Every metric is one that is exposed, recorded, or known of others."""
    for where, selector in _selectors(board):
        if family_of(selector.name) is None and selector.name not in FOREIGN and selector.name not in context.recorded:
            yield f"{where} asks for {selector.name}, which nobody exposes"


def known_labels(board: Json, context: Context) -> Iterator[str]:
    """Every matcher is about a label that the metric has; any other matches nothing, or everything, for ever."""
    for where, selector in _selectors(board):
        family = family_of(selector.name)
        labels = FOREIGN.get(selector.name, ()) if family is None else family.labels
        for label, _, _ in selector.matchers:
            if label not in TARGET_LABELS and label not in labels and selector.name not in context.recorded:
                yield f"{where} matches {selector.name} by {label!r}, which it does not have"


def influxql(board: Json, context: Context) -> Iterator[str]:
    """InfluxQL asks a measurement of ours, within the time range, and in steps of the panel's width or with a limit."""
    for where, question in influx_targets(board):
        found = re.search(r'FROM "(\w+)"', question)
        if not found or found[1] not in MEASUREMENTS:
            yield f"{where} asks no measurement of ours: {question}"
        if "$timeFilter" not in question:
            yield f"{where} asks for all of time"
        if "time($__interval)" not in question and " LIMIT " not in question:
            yield f"{where} asks for every point there is"


def false_zero(board: Json, context: Context) -> Iterator[str]:
    """A zero that is shown while nothing is known is a lie: `or vector(0)` stays green when the platform is gone."""
    for where, expression in promql_targets(board):
        if re.search(r"vector\(\s*0\s*\)", expression):
            yield f"{where} shows 0 where nothing is known"


TARGET_RULES: dict[str, Rule] = {
    "target-promql": promql,
    "target-rate-interval": rate_interval,
    "target-counter-aggregation": counter_aggregation,
    "target-histogram": histogram,
    "known-metrics": known_metrics,
    "known-labels": known_labels,
    "target-influxql": influxql,
    "target-false-zero": false_zero,
}
