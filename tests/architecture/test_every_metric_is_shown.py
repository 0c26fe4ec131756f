"""Boards and rules ask for metrics that exist; every metric there is is on a board, in a rule, or listed here with the reason."""

from __future__ import annotations

from chargenet.observe import names as n
from chargewatch.rule_files import rule_files
from dashboards.boards import BOARDS
from dashboards.build import json_of
from dashboards.lint.context import promql_targets, recorded_by
from dashboards.lint.target import FOREIGN, family_of
from dashboards.promql import selectors, stood_in
from tests.support.rules import rules

NEITHER = {
    n.CONNECTOR_ENERGY.name: "board 4 draws the register from telemetry, which keeps it longer and by the charge point's clock",
    n.POINT_SECURITY_EVENTS.name: "board 3 counts the events themselves; this is for rules that a network writes for itself",
    n.JOURNAL_SEQUENCE.name: "a position, not a state: what is behind it has metrics of its own",
}


def asked_by_boards() -> set[str]:
    """Names of series in every query, annotation and variable."""
    texts = [text for board in BOARDS for _, text in promql_targets(json_of(board))]
    return {selector.name for text in texts for selector in selectors(stood_in(text))}


def asked_by_rules() -> set[str]:
    """Names of series in every expression."""
    return {selector.name for rule in rules() for selector in selectors(rule["expr"])}


def test_what_is_asked_for_exists() -> None:
    """No board asks for a series that nobody exposes or records."""
    recorded = recorded_by(rule_files().values())
    assert {name for name in asked_by_boards() if family_of(name) is None and name not in FOREIGN} <= recorded


def test_every_metric_is_shown_or_judged() -> None:
    """A metric that nobody looks at costs as much as one that is; whoever adds one says where it is seen."""
    seen = {family.name for name in asked_by_boards() | asked_by_rules() if (family := family_of(name)) is not None}
    unseen = {family.name for family in n.FAMILIES} - seen
    assert unseen == set(NEITHER), "put it on a board or in a rule, or list it here with the reason"
