"""Rules: what is committed is what the code makes, asks for metrics that exist, and says what somebody needs to know."""

from __future__ import annotations

import re
from collections.abc import Iterator

import promql_parser
import pytest

from chargenet.observe import names as n
from chargewatch.rule_files import rule_files
from dashboards import uids
from tests.support.rules import RULES, Rule, alert_names, rules

FOREIGN = {
    "up": "of every target, by Prometheus",
    "scrape_duration_seconds": "of every target, by Prometheus",
    "chargewatch_process_start_time_seconds": "by the Prometheus client library",
    "prometheus_notifications_dropped_total": "Prometheus of itself",
    "prometheus_notifications_errors_total": "Prometheus of itself",
    "prometheus_rule_evaluation_failures_total": "Prometheus of itself",
    "alertmanager_notifications_failed_total": "Alertmanager of itself",
}
"""Series that are not ours, and whose they are."""
ALL_RULES = list(rules())
ALERTS = [rule for rule in ALL_RULES if "alert" in rule]


def selected(node: object) -> Iterator[promql_parser.VectorSelector]:
    """Every selector in an expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
        return
    for part in ("expr", "lhs", "rhs", "vector_selector", "param"):
        child = getattr(node, part, None)
        if child is not None and not isinstance(child, (str, float, int)):
            yield from selected(child)
    arguments = getattr(node, "args", None)
    for child in arguments if isinstance(arguments, list) else []:
        yield from selected(child)


def named_metrics() -> dict[str, n.Family]:
    """Every exposed series by its name; a histogram has three."""
    known: dict[str, n.Family] = {}
    for family in n.FAMILIES:
        suffixes = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
        known |= {family.name + suffix: family for suffix in suffixes}
    return known


def test_committed_rules_are_those_that_the_code_makes() -> None:
    """Somebody who changes a rule runs `chargewatch dashboards build`, and commits what it wrote."""
    assert {path.name: path.read_text() for path in RULES.glob("*.rules.yaml")} == rule_files()


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_asks_for_series_and_labels_that_exist(rule: Rule) -> None:
    """Every series is exposed, recorded, or named as somebody else's; every matcher is on a label that the family has."""
    known, recorded = named_metrics(), {each["record"] for each in ALL_RULES if "record" in each}
    for selector in selected(promql_parser.parse(rule["expr"])):
        name = selector.name
        assert name in known or name in recorded or name in FOREIGN, name
        if name in known:
            labels = {matcher.name for matcher in selector.matchers.matchers}
            assert labels <= {*known[name].labels, "job", "le", "instance"}, (name, labels)


def test_the_reader_of_expressions_sees_every_series() -> None:
    """The test above would be worth nothing if a part of an expression were skipped."""
    text = 'max by (a) (rate(x[5m])) / on () y > bool 2 and histogram_quantile(0.9, sum(z_bucket{a="1"}))'
    text += " unless avg_over_time((w)[1h:]) + -v"
    assert {selector.name for selector in selected(promql_parser.parse(text))} == {"x", "y", "z_bucket", "w", "v"}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_how_urgent_it_is_what_is_wrong_and_where_to_look(alert: Rule) -> None:
    """Severity (its own, or the case's), layer, a summary that is the same for all, runbook and board."""
    labels, notes = alert["labels"], alert["annotations"]
    assert labels["layer"] in {"case", "state", "objective", "platform", "rollout", "billing"}
    assert labels.get("severity") in {"critical", "warning", "info"} or (labels["layer"] == "case" and "severity" in alert["expr"])
    assert "{{" not in notes["summary"]
    assert notes["summary"].endswith(".")
    assert notes["description"].strip()
    assert notes["runbook_url"].endswith(f"/{alert['alert']}")
    uid = re.search(r"/d/([a-z-]+)\?", notes["dashboard_url"])
    assert uid is not None
    assert uid[1] in {value for name, value in vars(uids).items() if name.isupper()}


def test_names_of_alerts_are_unique() -> None:
    """Two alerts of one name would share a runbook and be told as one."""
    assert len(alert_names()) == len(set(alert_names()))
