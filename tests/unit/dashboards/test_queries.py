"""Macros and variables are filled as Grafana fills them."""

from __future__ import annotations

import pytest

from dashboards.queries import ALL, Value, View, duration, in_influxql, in_promql, influxql, promql

SIX_HOURS = View(start=0, end=6 * 3600, points=1000, scrape_s=15)


@pytest.mark.parametrize(
    ("range_s", "points", "scrape_s", "interval", "rate_interval"),
    [
        (6 * 3600, 1000, 15, "20s", "1m"),
        (3600, 1000, 15, "15s", "1m"),
        (7 * 86_400, 1000, 15, "10m", "615s"),
        (300, 1500, 60, "1m", "4m"),
        (30 * 86_400, 1200, 15, "30m", "1815s"),
    ],
)
def test_intervals(range_s: float, points: int, scrape_s: float, interval: str, rate_interval: str) -> None:
    """$__interval is a pleasant step, never below a scrape; $__rate_interval spans four scrapes, and a step and a scrape."""
    view = View(start=0, end=range_s, points=points, scrape_s=scrape_s)
    assert (duration(view.interval_ms), duration(view.rate_interval_ms)) == (interval, rate_interval)


def test_macros_of_prometheus() -> None:
    """All spellings, longest name first."""
    text = "rate(x[$__rate_interval]) + increase(x[$__range]) + ${__range_s} + $__interval_ms + avg_over_time(y[${__interval}])"
    assert promql(text, SIX_HOURS, {}) == "rate(x[1m]) + increase(x[21600s]) + 21600 + 20000 + avg_over_time(y[20s])"


def test_macros_of_influxdb() -> None:
    """The time filter has both ends, in milliseconds; tags in an alias are left alone."""
    text = "SELECT mean(w) FROM m WHERE $timeFilter AND \"c\" = '$cp' GROUP BY time($__interval), $tag_x"
    filled = influxql(text, SIX_HOURS, {"cp": "CP 1"})
    assert filled == (
        "SELECT mean(w) FROM m WHERE time >= 0ms and time <= 21600000ms AND \"c\" = 'CP 1' GROUP BY time(20s), $tag_x"
    )


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("north.gate", "north.gate"),
        ("a\\b", "a\\\\b"),
        ("it's", "it\\\\'s"),
        (("north.gate",), "north\\\\.gate"),
        (("a", "b+c"), "(a|b\\\\+c)"),
        (("x (old)", "[y]"), "(x \\\\(old\\\\)|\\\\[y\\\\])"),
        ((ALL,), ".*"),
    ],
)
def test_values_in_promql(value: Value, filled: str) -> None:
    """One value stands as it is; where many may be chosen, each is escaped for a regular expression in a quoted string."""
    assert in_promql(value) == filled


def test_values_in_influxql() -> None:
    """One value stands as it is; many become a group of escaped alternatives."""
    assert (in_influxql("a.b"), in_influxql(("a.b", "c/d")), in_influxql((ALL,))) == ("a.b", "(a\\.b|c\\/d)", ".*")


def test_a_variable_that_nobody_chose_is_an_error() -> None:
    """An empty place in a query would ask for something else."""
    with pytest.raises(KeyError, match="site"):
        promql('x{site="$site"}', SIX_HOURS, {})


def test_a_variable_in_a_url_is_percent_encoded() -> None:
    """As in links."""
    assert promql("${cp:percentencode}", SIX_HOURS, {"cp": "CP 1/2"}) == "CP%201%2F2"
