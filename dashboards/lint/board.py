"""Rules about a board as a whole: its uid, its variables, its grid, where it leads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import combinations

from dashboards.lint.context import Context, Json, Rule, label_values, named, panels, used_variables

COLUMNS = 24
SHORTEST_REFRESH_S = 10


def fixed_uid(board: Json, context: Context) -> Iterator[str]:
    """Links rest on the uid: it is ours, short enough for Grafana, and in no other place."""
    uid = board.get("uid") or ""
    if not re.fullmatch(r"chargewatch-[a-z-]{1,28}", uid):
        yield f"the uid {uid!r} is not `chargewatch-` and a word"
    if "id" in board:
        yield "it carries a database id of some Grafana"


def question(board: Json, context: Context) -> Iterator[str]:
    """A board answers one question, and says which."""
    if not str(board.get("description", "")).endswith("?"):
        yield "its description is not a question"


def uneditable(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter uneditable-dashboard: edits in the browser would be lost."""
    if board.get("editable", True):
        yield "it can be edited in the browser"


def refresh(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter dashboard-refresh-interval: a wall refreshes itself, and not so often that it becomes the load."""
    found = re.fullmatch(r"(\d+)(s|m|h)", str(board.get("refresh", "")))
    if not found:
        yield "it does not refresh itself"
    elif int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]] < SHORTEST_REFRESH_S:
        yield f"it refreshes itself more often than every {SHORTEST_REFRESH_S} s"


def template_datasource(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter template-datasource: every data source is a variable, and the first one is Prometheus."""
    sources = [each for each in board["templating"]["list"] if each["type"] == "datasource"]
    if not sources or sources[0].get("query") != "prometheus":
        yield "its first data source variable is not Prometheus"
    for each in sources:
        if not each.get("label"):
            yield f"the data source variable {each['name']!r} has no label"


def template_reload(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter template-on-time-change-reload: what is on offer follows the time range."""
    for each in board["templating"]["list"]:
        if each["type"] == "query" and each.get("refresh") != 2:
            yield f"the variable {each['name']!r} is not asked again when the time range changes"


def template_query(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter template-label-promql: variables ask Prometheus for label_values."""
    for each in board["templating"]["list"]:
        if each["type"] == "query" and label_values(each) is None:
            yield f"the variable {each['name']!r} does not ask for label_values(selector, label)"


def template_unused(board: Json, context: Context) -> Iterator[str]:
    """dashboard-linter template-unused: every variable is used, and every used one is there."""
    defined = {each["name"]: each for each in board["templating"]["list"]}
    without = {key: value for key, value in board.items() if key != "templating"}
    queries = [each.get("query") for each in defined.values()]
    used = used_variables(without) | used_variables(queries) | used_variables([each.get("datasource") for each in defined.values()])
    for name in sorted(set(defined) - used):
        yield f"nothing uses the variable {name!r}"
    for name in sorted(used - set(defined)):
        yield f"there is no variable {name!r}"


def grid(board: Json, context: Context) -> Iterator[str]:
    """Panels lie within 24 columns and not on each other."""
    places = {named(panel): panel["gridPos"] for panel in board["panels"]}
    for name, at in places.items():
        if at["x"] < 0 or at["x"] + at["w"] > COLUMNS:
            yield f"{name} lies outside of the {COLUMNS} columns"
    for (one, a), (other, b) in combinations(places.items(), 2):
        if a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]:
            yield f"{one} and {other} lie on each other"


def links(board: Json, context: Context) -> Iterator[str]:
    """A link to a board leads to one that is there, gives it variables that it has, and keeps the time range."""
    for url in sorted(set(re.findall(r'"url": "(/d/[^"]*)"', json.dumps(_plain(board))))):
        uid, _, query = url.removeprefix("/d/").partition("?")
        if uid not in context.variables:
            yield f"{url} leads to no board"
            continue
        for name in re.findall(r"var-(\w+)=", query):
            if name not in context.variables[uid]:
                yield f"{url} sets {name!r}, which is no variable of that board"
        if "${__url_time_range}" not in query:
            yield f"{url} loses the time range"


def _plain(value: object) -> object:
    """Links as they are, whatever their order."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def panel_ids(board: Json, context: Context) -> Iterator[str]:
    """Links to a panel and its rendered picture rest on its id."""
    seen: set[int] = set()
    for panel in panels(board):
        if not panel.get("id") or panel["id"] in seen:
            yield f"{named(panel)} has no id of its own"
        seen.add(panel.get("id", 0))


BOARD_RULES: dict[str, Rule] = {
    "fixed-uid": fixed_uid,
    "question": question,
    "uneditable-dashboard": uneditable,
    "dashboard-refresh-interval": refresh,
    "template-datasource": template_datasource,
    "template-on-time-change-reload": template_reload,
    "template-label-promql": template_query,
    "template-unused": template_unused,
    "grid": grid,
    "links": links,
    "panel-ids": panel_ids,
}
