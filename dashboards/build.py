"""Boards as the JSON files that Grafana reads. Decided here: what all boards have in common; nothing is decided by a server.

Classic model, schema 42: Grafana 10 to 13 read it from files. The text is the same on every run, so a test can tell a stale file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.boards import BOARDS
from dashboards.panels import panel, source, target
from dashboards.sdk import dashboard as d
from dashboards.spec import PLUGIN, PROMETHEUS, SOURCE_UID, Annotation, Board, Kind, Query, Row, Variable

TAG = "chargewatch"
COLUMNS = 24
PROVISIONED = Path(__file__).parent / "provisioning" / "boards"
"""Where the built files are kept with the code."""

SOURCE_LABEL = {"prometheus": "Prometheus", "influx": "InfluxDB", "alertmanager": "Alertmanager"}


def json_of(board: Board) -> dict[str, Any]:
    """The board as Grafana's JSON."""
    parsed: dict[str, Any] = json.loads(json.dumps(_model(board), cls=JSONEncoder))
    return parsed


def text_of(board: Board) -> str:
    """The file of the board."""
    return json.dumps(json_of(board), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def file_name(board: Board) -> str:
    """`chargewatch-site.json`."""
    return f"{board.uid}.json"


def build(folder: Path = PROVISIONED, boards: Iterable[Board] = BOARDS) -> list[Path]:
    """Write all boards; files of boards that are no more are removed. Returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {file_name(board): text_of(board) for board in boards}
    for old in folder.glob(f"{TAG}-*.json"):
        if old.name not in wanted:
            old.unlink()
    for name, body in wanted.items():
        (folder / name).write_text(body, "utf-8")
    return [folder / name for name in wanted]


def stale(folder: Path = PROVISIONED, boards: Iterable[Board] = BOARDS) -> list[str]:
    """What differs between the folder and the boards, as sentences."""
    wanted = {file_name(board): text_of(board) for board in boards}
    there = {path.name: path.read_text("utf-8") for path in folder.glob("*.json")}
    return [
        *(f"{name} is missing" for name in wanted if name not in there),
        *(f"{name} is not a board any more" for name in there if name not in wanted),
        *(f"{name} is not what the boards' code builds" for name, body in there.items() if wanted.get(name, body) != body),
    ]


def _model(board: Board) -> d.Dashboard:
    return d.Dashboard(
        uid=board.uid,
        title=board.title,
        description=board.question,
        tags=[TAG],
        timezone="browser",
        editable=False,
        graph_tooltip=d.DashboardCursorSync.CROSSHAIR,
        time=d.DashboardDashboardTime(from_val=board.since, to="now"),
        refresh=board.refresh,
        schema_version=42,
        panels=list(_placed(board.rows)),
        templating=d.DashboardDashboardTemplating(list_val=_variables(board)),
        annotations=d.AnnotationContainer(list_val=[_annotation(each) for each in board.annotations]),
        links=[_other_boards()],
    )


def _placed(rows: Iterable[Row]) -> Iterator[d.Panel | d.RowPanel]:
    y = 0
    for number, row in enumerate(rows):
        if row.heading:
            yield d.RowPanel(title=row.heading, id_val=1000 + number, grid_pos=d.GridPos(h=1, w=COLUMNS, x=0, y=y), panels=[])
            y += 1
        x = tallest = 0
        for spec in row.panels:
            if x + spec.width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            yield panel(spec, x, y)
            x, tallest = x + spec.width, max(tallest, spec.height)
        y += tallest


def _variables(board: Board) -> list[d.VariableModel]:
    return [*map(_source_variable, board.sources), *map(_variable, board.variables)]


def _source_variable(name: str) -> d.VariableModel:
    return d.VariableModel(
        type_val=d.VariableType.DATASOURCE,
        name=name,
        label=SOURCE_LABEL[name],
        description="Where the data are; the provisioned source unless there are several.",
        query=PLUGIN[name],
        current=d.VariableOption(selected=True, text=SOURCE_LABEL[name], value=SOURCE_UID[name]),
        refresh=d.VariableRefresh.ON_DASHBOARD_LOAD,
    )


def _variable(spec: Variable) -> d.VariableModel:
    if not spec.query:
        chosen = d.VariableOption(selected=True, text=spec.default, value=spec.default)
        return d.VariableModel(
            type_val=d.VariableType.TEXTBOX, name=spec.name, label=spec.label, query=spec.default, current=chosen, options=[chosen]
        )
    everything = d.VariableOption(selected=True, text="All", value="$__all")
    return d.VariableModel(
        type_val=d.VariableType.QUERY,
        name=spec.name,
        label=spec.label,
        datasource=source(PROMETHEUS),
        query={"query": spec.query, "refId": f"variable-{spec.name}", "qryType": 1},
        definition=spec.query,
        refresh=d.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=d.VariableSort.ALPHABETICAL_ASC,
        multi=spec.many,
        include_all=spec.many,
        all_value=".*" if spec.many else None,
        current=everything if spec.many else None,
    )


def _annotation(spec: Annotation) -> d.AnnotationQuery:
    return d.AnnotationQuery(
        name=spec.name,
        datasource=source(PROMETHEUS),
        enable=True,
        icon_color=spec.colour,
        expr=spec.query,
        title_format=spec.title,
        text_format=spec.title,
        target=target(Query(spec.query), "annotation", Kind.GRAPH),
    )


def _other_boards() -> d.DashboardLink:
    return d.DashboardLink(
        title="Boards", type_val=d.DashboardLinkType.DASHBOARDS, tags=[TAG], as_dropdown=True, keep_time=True, icon="external link"
    )
