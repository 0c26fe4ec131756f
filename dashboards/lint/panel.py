"""Rules about single panels."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.lint.context import Context, Json, Rule, asking, named, panels
from dashboards.spec import Unit

SHORTEST_DESCRIPTION = 12


def title_description(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter panel-title-description: what is shown, and how to read it."""
    for panel in panels(board):
        if not str(panel.get("title", "")).strip():
            yield f"{named(panel)} has no title"
        if len(str(panel.get("description", "")).strip()) < SHORTEST_DESCRIPTION:
            yield f"{named(panel)} has no description"


def units(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter panel-units: every number has a unit that Grafana knows."""
    for panel in asking(board):
        unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit")
        if unit not in set(Unit):
            yield f"{named(panel)} has the unit {unit!r}"


def datasource(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter panel-datasource: every panel and every query goes through a data source variable of the right plugin."""
    variables = {each["name"]: each.get("query") for each in board["templating"]["list"] if each["type"] == "datasource"}
    for panel in asking(board):
        for each in (panel, *panel.get("targets", [])):
            source = each.get("datasource") or {}
            uid = str(source.get("uid"))
            if not uid.startswith("$") or variables.get(uid.strip("${}")) != source.get("type"):
                yield f"{named(panel)} asks {uid!r} rather than a data source variable"
                break


def no_targets(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter panel-no-targets: a panel asks something."""
    for panel in asking(board):
        if not panel.get("targets"):
            yield f"{named(panel)} asks nothing"


def legends(board: Json, context: Context) -> Iterator[str]:
    """Lines of a graph are told apart by words, not by the text of a query."""
    for panel in asking(board):
        if panel["type"] not in ("timeseries", "state-timeline", "bargauge"):
            continue
        for target in panel.get("targets", []):
            if target.get("legendFormat", target.get("alias")) in (None, "", "__auto"):
                yield f"{named(panel)}, query {target.get('refId')} has no legend"


def references(board: Json, context: Context) -> Iterator[str]:
    """Queries of a panel have different letters; Grafana drops one of two that are alike."""
    for panel in asking(board):
        letters = [target.get("refId") for target in panel.get("targets", [])]
        if len(set(letters)) < len(letters) or None in letters:
            yield f"{named(panel)} has queries without a letter of their own"


PANEL_RULES: dict[str, Rule] = {
    "panel-title-description": title_description,
    "panel-units": units,
    "panel-datasource": datasource,
    "panel-no-targets": no_targets,
    "panel-legends": legends,
    "panel-references": references,
}
