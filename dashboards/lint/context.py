"""What lint rules share: what they are given, and how they find their way in a board's JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
import yaml

Json = Mapping[str, Any]


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """`variables`: uid of every board → names of its variables. `recorded`: names of series that recording rules make."""

    variables: Mapping[str, set[str]]
    recorded: frozenset[str] = frozenset()


Rule = Callable[[Json, Context], Iterator[str]]


def panels(board: Json) -> Iterator[Json]:
    """All panels that show something."""
    for panel in board["panels"]:
        if panel["type"] != "row":
            yield panel


def asking(board: Json) -> Iterator[Json]:
    """Panels that ask a data source."""
    return (panel for panel in panels(board) if panel["type"] != "text")


def targets(board: Json) -> Iterator[tuple[str, Json]]:
    """(where, target) of every query."""
    for panel in asking(board):
        for target in panel.get("targets", []):
            yield f"{named(panel)}, query {target.get('refId', '?')}", target


def promql_targets(board: Json) -> Iterator[tuple[str, str]]:
    """(where, expression) of every PromQL query, of annotations and of variables' selectors too."""
    for where, target in targets(board):
        if target.get("datasource", {}).get("type") == "prometheus":
            yield where, target.get("expr", "")
    for annotation in board["annotations"]["list"]:
        yield f"annotation {annotation['name']!r}", annotation.get("expr", "")
    for variable in board["templating"]["list"]:
        if variable["type"] == "query" and (found := label_values(variable)):
            yield f"variable {variable['name']!r}", found[0]


def influx_targets(board: Json) -> Iterator[tuple[str, str]]:
    """(where, question) of every InfluxQL query."""
    for where, target in targets(board):
        if target.get("datasource", {}).get("type") == "influxdb":
            yield where, target.get("query", "")


def label_values(variable: Json) -> tuple[str, str] | None:
    """(selector, label) of a variable that asks for label_values(selector, label); None for any other question."""
    query = variable.get("query")
    text = query.get("query", "") if isinstance(query, Mapping) else str(query or "")
    found = re.fullmatch(r"label_values\((.+),\s*(\w+)\)", text)
    return (found[1], found[2]) if found else None


def named(panel: Json) -> str:
    """How a sentence names a panel."""
    return f"panel {panel.get('id', '?')} {panel.get('title', '')!r}"


def used_variables(value: object) -> set[str]:
    """Names of the variables in any text of a value; macros and fields of data links begin with two underscores."""
    text = json.dumps(value)
    names = re.findall(r"\$\{?(\w+)", text)
    return {name for name in names if name != "col" and not name.startswith(("__", "tag_", "timeFilter"))}


def recorded_by(rule_files: Iterable[str]) -> set[str]:
    """The names of the series that these rule files (YAML as text) record."""
    groups = (group for text in rule_files for group in yaml.safe_load(text)["groups"])
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
