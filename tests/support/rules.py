"""The rule files as data, and promtool's tests of the case alerts, made from the table of kinds."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import yaml

from alerts.kinds import Kind

REPOSITORY = Path(__file__).parents[2]
RULES = REPOSITORY / "dashboards" / "rules"
RUNBOOKS = REPOSITORY / "docs" / "runbooks"
TESTS = REPOSITORY / "tests" / "cases" / "rules"
Rule = dict[str, Any]


@functools.cache
def rules() -> tuple[Rule, ...]:
    """Every rule of every committed file."""
    documents = [yaml.safe_load(path.read_text()) for path in sorted(RULES.glob("*.rules.yaml"))]
    return tuple(rule for document in documents for group in document["groups"] for rule in group["rules"])


def alert_names() -> list[str]:
    """Of every alert."""
    return [rule["alert"] for rule in rules() if "alert" in rule]


def case_test(kind: Kind) -> dict[str, Any]:
    """A case of this kind opens, is told with what it says, and is over some minutes after it is gone."""
    place = _place(kind)
    labels = {"job": "chargewatch", "kind": kind.kind, "severity": kind.severity} | place
    text = ",".join(f'{name}="{value}"' for name, value in labels.items())
    expected = {"layer": "case", "case_kind": kind.kind, "severity": kind.severity} | place
    said = {"summary": kind.means, "description": f"{_named(kind)}: sure to 87.5%. What to do: {kind.action}"}
    return {
        "name": f"a case of the kind {kind.kind}",
        "interval": "30s",
        "input_series": [{"series": f"chargewatch_case{{{text}}}", "values": "0.875x10 stale"}],
        "alert_rule_test": [
            {
                "alertname": kind.title,
                "eval_time": "3m",
                "exp_alerts": [{"exp_labels": expected, "exp_annotations": said | _links(kind)}],
            },
            {"alertname": kind.title, "eval_time": "10m", "exp_alerts": []},
        ],
    }


def _place(kind: Kind) -> dict[str, str]:
    if kind.thing == "connector":
        return {"site": "S 1", "charge_point": "CP/1", "connector": "2"}
    if kind.thing == "charge point":
        return {"site": "S 1", "charge_point": "CP/1"}
    return {"site": "S 1", "group": "site:S 1"} if kind.kind.startswith("site") else {"group": "vendor:V"}


def _named(kind: Kind) -> str:
    if kind.thing == "connector":
        return "CP/1 connector 2 at site S 1"
    return "CP/1 at site S 1" if kind.thing == "charge point" else _place(kind)["group"]


def _links(kind: Kind) -> dict[str, str]:
    variables = "".join(
        f"&var-{name}={value.replace(' ', '+').replace('/', '%2F')}" for name, value in _place(kind).items() if name != "group"
    )
    board = {"connector": "connector", "charge point": "charge-point"}.get(kind.thing, "site" if "site" in kind.kind else "network")
    return {
        "runbook_url": f"http://localhost:8080/runbooks/{kind.title}",
        "dashboard_url": f"http://localhost:3000/d/chargewatch-{board}?from=now-6h&to=now{variables}",
    }
