"""Every query of every board against a real Prometheus and a real InfluxDB that hold a network whose faults are known.

Macros and variables are filled as Grafana fills them. An answer must be there, and must be true: tests/support/board_facts.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from dashboards.asking import Answer, Grid, Line, ask, offered
from dashboards.boards import BOARDS
from dashboards.build import json_of
from dashboards.queries import ALL, Value
from tests.support.board_facts import Expectation, Rows, Some, facts
from tests.support.seeded_network import SITES
from tests.support.seeded_programs import ROLLOUT
from tests.support.seeded_servers import VIEW, SeededServers, seeded_servers

pytestmark = [pytest.mark.server("prometheus", "promtool", "influxdb"), pytest.mark.timeout(300)]

DASHBOARDS = {board.uid: json_of(board) for board in BOARDS}
PANELS = [(uid, panel) for uid, board in DASHBOARDS.items() for panel in board["panels"] if panel.get("targets")]
IDS = [f"{uid}-{panel['id']}" for uid, panel in PANELS]
WALLBE = {"vendor": "Wallbe", "model": "Eco 2"}
FIXED = {"web": "http://localhost:8080", "rollout": ROLLOUT}
MANY = {
    "site": ("north.gate", "harbour"),
    "vendor": ("Alfen",),
    "model": ("Eve Double",),
    "kind": (ALL,),
    "firmware": ("3.1", "3.2"),
}
"""What the choice `charging` takes where several may be chosen; elsewhere it is everything."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededServers]:
    """Both servers, filled once."""
    with seeded_servers(tmp_path_factory.mktemp("boards")) as made:
        yield made


def choices(network: Any) -> dict[str, dict[str, str]]:
    """Places where something is so, by name."""
    box, plug = next(
        (box, plug)
        for box in network.boxes
        for plug in box.plugs
        if plug.transaction and plug.power_w > 50_000 and plug.length - plug.left > 8 and box.connected and not plug.fails
    )
    return {
        "faulted": {"site": "north.gate", "charge_point": "NG-2", "connector": "1"},
        "charging": {"site": box.site, "charge_point": box.name, "connector": plug.ref.label},
        "offline": {"site": "old-mill", "charge_point": "OM-1", "connector": "1"},
        "rebooting": {"site": "ring-road", "charge_point": "RR-3", "connector": "1"},
        "tampered": {"site": "hospital", "charge_point": "HO-2", "connector": "1"},
        "calm": {"site": "stadium", "charge_point": "ST-1", "connector": "1"},
    }


def chosen(board: Mapping[str, Any], name: str, network: Any) -> dict[str, Value]:
    """The value of every variable of the board under a choice."""
    single = FIXED | WALLBE | choices(network)[name]
    values: dict[str, Value] = {}
    for variable in board["templating"]["list"]:
        if variable.get("multi"):
            values[variable["name"]] = MANY[variable["name"]] if name == "charging" else (ALL,)
        elif variable["type"] != "datasource":
            values[variable["name"]] = single[variable["name"]]
    return values


def answers(servers: SeededServers, uid: str, panel: Mapping[str, Any], choice: str) -> dict[str, Answer]:
    """Letter of the query → its answer."""
    found = ask(panel, VIEW, chosen(DASHBOARDS[uid], choice, servers.network), servers.sources)
    return {target["refId"]: answer for target, answer in zip(panel["targets"], found, strict=True)}


@pytest.mark.parametrize(("uid", "panel"), PANELS, ids=IDS)
def test_a_panel_says_what_is_so(servers: SeededServers, uid: str, panel: dict[str, Any]) -> None:
    """Each of its queries has an answer, and it is the truth."""
    known = facts(servers.network)[uid, panel["id"]]
    for letter, expected in known:
        asked, _, choice = letter.partition("@")
        answer = answers(servers, uid, panel, choice or "faulted")[asked]
        assert agrees(panel["type"], answer, expected) is None, (
            f"{panel['title']}, {letter}: {agrees(panel['type'], answer, expected)}"
        )


def test_every_query_is_held_to_a_fact(servers: SeededServers) -> None:
    """No query of any board goes without: whoever adds a panel says what it must show."""
    known = facts(servers.network)
    asked = {(uid, panel["id"]): {target["refId"] for target in panel["targets"]} for uid, panel in PANELS}
    held = {key: {letter.partition("@")[0] for letter, _ in said} for key, said in known.items()}
    assert held == asked


def agrees(kind: str, answer: Answer, expected: Expectation) -> str | None:
    """None, or what is wrong. Of a graph, the lines count that reach the end of the time range."""
    if isinstance(expected, Rows):
        return _rows(answer, expected)
    if isinstance(answer, Grid):
        return f"a table: {answer.rows[:3]}"
    if kind == "stat" and len(answer) != 1:
        return f"a figure with {len(answer)} values: {[(line.name, line.values[-1]) for line in answer]}"
    if isinstance(expected, Some):
        return _some(answer, expected)
    wanted = {answer[0].name if answer else "": expected} if isinstance(expected, float | int) else expected
    shown = {
        line.name: _now(kind, line)
        for line in answer
        if kind != "timeseries" or line.times[-1] > VIEW.end - VIEW.interval_ms / 1000
    }
    if set(shown) != set(wanted):
        return f"lines {sorted(shown)}, not {sorted(wanted)}"
    wrong = {name: (shown[name], value) for name, value in wanted.items() if not _near(shown[name], value)}
    return f"(shown, so): {wrong}" if wrong else None


def _now(kind: str, line: Line) -> float:
    """What a figure shows is its last value, which may be that it is not known; a graph's last value may be older."""
    return line.values[-1] if kind == "stat" else line.last


def _near(shown: object, so: object) -> bool:
    if isinstance(shown, int | float) and isinstance(so, int | float):
        return math.isclose(shown, so, rel_tol=0.01, abs_tol=1e-9)
    return shown == so


def _some(answer: list[Line], expected: Some) -> str | None:
    if {line.name for line in answer} != set(expected.names):
        return f"lines {sorted(line.name for line in answer)}, not {sorted(expected.names)}"
    if math.isnan(expected.least):
        return None
    low = {line.name: line.last for line in answer if not line.last >= expected.least}
    return f"below {expected.least}: {low}" if low else None


def _rows(answer: Answer, expected: Rows) -> str | None:
    if not isinstance(answer, Grid):
        return "no table"
    if not answer.rows or (expected.count is not None and len(answer.rows) != expected.count):
        return f"{len(answer.rows)} rows, not {expected.count}: {answer.rows[:5]}"
    for part in expected.among:
        if not any(all(_near(row.get(name), value) for name, value in part.items()) for row in answer.rows):
            return f"no row with {part}: {answer.rows[:12]}"
    if expected.first is not None and not all(_near(answer.rows[0].get(name), value) for name, value in expected.first.items()):
        return f"the first row is {answer.rows[0]}, not {expected.first}"
    return None


OFFERED: dict[str, tuple[str, ...]] = {
    "site": tuple(sorted(SITES)),
    "charge_point": ("NG-1", "NG-2", "NG-3", "NG-4"),
    "connector": ("1", "2"),
    "vendor": ("ABB", "Alfen", "Alpitronic", "Wallbe"),
    "rollout": (ROLLOUT,),
}


@pytest.mark.parametrize(
    ("uid", "name"),
    [(uid, each["name"]) for uid, board in DASHBOARDS.items() for each in board["templating"]["list"] if each["type"] == "query"],
)
def test_a_variable_offers_what_there_is(servers: SeededServers, uid: str, name: str) -> None:
    """All of it, and nothing else; what depends on another choice follows it."""
    board = DASHBOARDS[uid]
    variable = next(each for each in board["templating"]["list"] if each["name"] == name)
    values = offered(variable, VIEW, chosen(board, "faulted", servers.network), servers.sources)
    models = (
        ("Eco 2", "Eve Double", "HYC 300", "Terra 184") if any(each.get("multi") for each in _before(board, name)) else ("Eco 2",)
    )
    wanted = OFFERED | {"model": models, "firmware": ("3.1",)}
    if name == "kind":
        assert {"safety_fault", "site_offline", "failing_attempts"} <= set(values)
    else:
        assert tuple(values) == wanted[name]


def _before(board: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    every: list[Mapping[str, Any]] = board["templating"]["list"]
    return every[: [each["name"] for each in every].index(name)]


@pytest.mark.parametrize("uid", [uid for uid, board in DASHBOARDS.items() if board["annotations"]["list"]])
def test_annotations_mark_what_happened(servers: SeededServers, uid: str) -> None:
    """Pages that fire, rollouts that run, and planned work, each while it is so."""
    marks = {mark["name"]: servers.sources.over_time(mark["expr"], VIEW) for mark in DASHBOARDS[uid]["annotations"]["list"]}
    assert {line.labels["alertname"] for line in marks["Pages"]} == {"ConnectorSafetyFault", "SiteOffline"}
    assert [line.labels["rollout"] for line in marks["Rollouts"]] == [ROLLOUT]
    assert [line.labels["kind"] for line in marks["Planned work"]] == ["stuck_unavailable"]


def test_a_figure_does_not_show_the_past() -> None:
    """Figures with a line fill gaps with NaN, so that a series that is gone is shown as no data, not as its last value."""
    figures = [panel for _, panel in PANELS if panel["type"] == "stat"]
    assert figures
    for panel in figures:
        for target in (each for each in panel["targets"] if "expr" in each):
            assert target["instant"] or target["expr"].endswith("or vector(NaN)"), panel["title"]
        assert panel["options"]["reduceOptions"]["calcs"] == ["last"]
