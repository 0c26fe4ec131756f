"""No panel asks Prometheus for more than 5,000 series at 50,000 connectors.

Checked against the exposition of such a network (tests/support/big_network.py) for charge points, connectors and their sums; for
what other programs expose and for recorded series, by the sizes declared here. Where many may be chosen, everything is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from alerts.metrics import MAX_SERIES
from chargenet.observe import names as n
from dashboards.boards import BOARDS
from dashboards.build import json_of
from dashboards.lint.target import FOREIGN, family_of
from dashboards.promql import STAND_IN, Selector, selectors
from dashboards.queries import ALL, Value, promql
from tests.support.big_network import FIRMWARES, MODELS, SITES, BigNetwork

MOST = 5000
LABELS: dict[str, int] = {
    "site": SITES, "vendor": 12, "model": 5, "firmware": FIRMWARES // MODELS, "window": 3, "state": 8, "currency": 2, "rollout": 20,
    "wave": 8, "signal": 10, "group": 2, "verdict": 1, "reason": 1, "version": 1, "kind": 40, "severity": 1, "receiver": 5,
    "outcome": 8, "origin": 2, "what": 8, "projection": 8, "store": 2, "protocol": 3, "action": 40, "error_code": 5,
    "security_profile": 4, "cause": 4, "type": 30, "quirk": 40, "method": 4, "route": 60, "status": 8, "program": 3,
}  # fmt: skip
"""How many values a label has for one value of the labels before it, in a network of this size."""
STATES_AT_ONCE = {n.ROLLOUT_STATE.name, n.ROLLOUT_WAVE_STATE.name}
"""Families whose `state` says how one thing stands: one series for each thing."""
RECORDED = {"network": 24, "site": SITES, "model": MODELS, "firmware": FIRMWARES, "outcome": 8, "action": 120, "chargewatch": 1}
"""By the level that the name of a recorded series begins with; a site's availability has three windows."""
SINGLE: dict[str, Value] = {
    "site": "site-0007", "charge_point": "CP000007", "connector": "1", "vendor": "Vendor 7", "model": "Model 7", "rollout": "r",
    "kind": "offline", "web": "", "firmware": "7.0",
}  # fmt: skip


@pytest.fixture(scope="module")
def lines() -> dict[str, list[str]]:
    """Family → its lines in the scrape of the big network."""
    network = BigNetwork(1000.0)
    network.change(1000.0)
    found: dict[str, list[str]] = {}
    for line in network.text(1001.0).decode().splitlines():
        if not line.startswith("#"):
            found.setdefault(line[: line.index("{")], []).append(line)
    return found


def asked(board: Mapping[str, Any]) -> Iterator[tuple[str, set[Selector]]]:
    """(panel, what it asks for) of every panel, annotation and variable."""
    values = {each["name"]: (ALL,) if each.get("multi") else SINGLE.get(each["name"], "") for each in board["templating"]["list"]}
    for panel in board["panels"]:
        texts = [target["expr"] for target in panel.get("targets", []) if "expr" in target]
        yield panel["title"], {each for text in texts for each in selectors(promql(text, STAND_IN, values))}
    for mark in board["annotations"]["list"]:
        yield mark["name"], set(selectors(promql(mark["expr"], STAND_IN, values)))


def size(selector: Selector, lines: Mapping[str, list[str]]) -> int:
    """How many series it selects."""
    family = family_of(selector.name)
    if family is None:
        if selector.name in FOREIGN:
            return MAX_SERIES if selector.name == "ALERTS" else 10
        level = RECORDED[selector.name.partition(":")[0]]
        exact = {label for label, operator, _ in selector.matchers if operator == "="}
        return level * 3 if "_window_" in selector.name and "window" not in exact and level == SITES else level
    if family in n.FLEET:
        return sum(_matches(line, selector) for line in lines[family.name])
    if family is n.CASE:
        exact = {label for label, operator, _ in selector.matchers if operator == "="}
        # Pages and the rest share what is shown at most.
        share = 2 if any(label == "severity" for label, _, _ in selector.matchers) else 1
        return 100 if "site" in exact else MAX_SERIES // share
    return _declared(family, selector)


def _matches(line: str, selector: Selector) -> bool:
    for label, operator, wanted in selector.matchers:
        found = re.search(rf'[{{,]{label}="([^"]*)"', line)
        value = found[1] if found else ""
        same = value == wanted if operator in ("=", "!=") else re.fullmatch(wanted, value) is not None
        if same != (operator in ("=", "=~")):
            return False
    return True


def _declared(family: n.Family, selector: Selector) -> int:
    exact = {label for label, operator, _ in selector.matchers if operator == "="}
    some = {label: len(value.split("|")) for label, operator, value in selector.matchers if operator == "=~" and "|" in value}
    product = len(family.buckets) + 1 if family.kind == "histogram" else 1
    for label in family.labels:
        if label == "state" and family.name in STATES_AT_ONCE:
            continue
        product *= 1 if label in exact else some.get(label, LABELS[label])
    return product


@pytest.mark.parametrize("uid", [board.uid for board in BOARDS])
def test_no_panel_asks_for_more_than_5000_series(uid: str, lines: dict[str, list[str]]) -> None:
    """Distinct selectors of a panel together; a selector that stands in two queries is read from the same series."""
    board = json_of(next(board for board in BOARDS if board.uid == uid))
    sizes = {title: sum(size(selector, lines) for selector in wanted) for title, wanted in asked(board)}
    assert {title: count for title, count in sizes.items() if count > MOST} == {}


def test_the_measure_sees_a_careless_panel(lines: dict[str, list[str]]) -> None:
    """Asking every connector for its power is what boards must not do."""
    [careless] = selectors("sum(chargewatch_connector_power_watts)")
    [careful] = selectors('sum(chargewatch_connector_power_watts{site="site-0007"})')
    assert (size(careless, lines), size(careful, lines)) == (50_000, 20)
