"""Each lint rule, with a board that breaks it and nothing else; and the boards that are built break none."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from chargewatch.rule_files import rule_files
from dashboards.boards import BOARDS
from dashboards.build import json_of
from dashboards.lint import RULES, context_of, lint, recorded_by
from dashboards.spec import INFLUX, Board, Column, Kind, Panel, Query, Row, Unit, Variable

Json = dict[str, Any]

SOUND = Board(
    uid="chargewatch-sound",
    title="Sound",
    question="Is this board sound?",
    variables=(Variable(name="site", label="Site", query="label_values(chargewatch_site_charge_points, site)"),),
    rows=(
        Row(
            (
                Panel(
                    id=1,
                    kind=Kind.GRAPH,
                    title="Calls",
                    description="Calls of charge points per second.",
                    queries=(Query("sum(rate(chargewatch_calls_total[$__rate_interval]))", legend="calls"),),
                    unit=Unit.PER_SECOND,
                ),
                Panel(
                    id=2,
                    kind=Kind.TABLE,
                    title="Site",
                    description="Power of the chosen site.",
                    queries=(Query('chargewatch_site_power_watts{site="$site"}'),),
                    unit=Unit.WATT,
                    columns=(Column(field="site", title="Site", link="/d/chargewatch-sound?${__url_time_range}&var-site=x"),),
                ),
                Panel(
                    id=3,
                    kind=Kind.GRAPH,
                    title="Measured",
                    description="Mean power from the telemetry store.",
                    queries=(Query('SELECT mean("w") FROM "meter" WHERE $timeFilter GROUP BY time($__interval)', "power", INFLUX),),
                    unit=Unit.WATT,
                ),
            )
        ),
    ),
)


def expr(board: Json, text: str) -> None:
    """Another question for the first panel."""
    board["panels"][0]["targets"][0]["expr"] = text


def question(board: Json, text: str) -> None:
    """Another question for the panel of InfluxDB."""
    board["panels"][2]["targets"][0]["query"] = text


def link(board: Json, url: str) -> None:
    """Another link in the table."""
    [override] = board["panels"][1]["fieldConfig"]["overrides"]
    next(each for each in override["properties"] if each["id"] == "links")["value"][0]["url"] = url


def unused(board: Json) -> None:
    """A variable that nothing uses."""
    extra = copy.deepcopy(board["templating"]["list"][-1])
    extra["name"] = "vendor"
    board["templating"]["list"].append(extra)


BROKEN: list[tuple[str, str, Callable[[Json], object]]] = [
    ("fixed-uid", "a name of its own", lambda board: board.update(uid="wall")),
    ("fixed-uid", "a database id", lambda board: board.update(id=7)),
    ("question", "no question", lambda board: board.update(description="Everything.")),
    ("uneditable-dashboard", "editable", lambda board: board.update(editable=True)),
    ("dashboard-refresh-interval", "none", lambda board: board.update(refresh="")),
    ("dashboard-refresh-interval", "too often", lambda board: board.update(refresh="1s")),
    ("template-datasource", "no label", lambda board: board["templating"]["list"][0].update(label="")),
    ("template-on-time-change-reload", "asked once", lambda board: board["templating"]["list"][-1].update(refresh=1)),
    ("template-label-promql", "metrics()", lambda board: board["templating"]["list"][-1].update(query={"query": "metrics(.*)"})),
    ("template-unused", "unused", unused),
    ("template-unused", "missing", lambda board: expr(board, 'sum(chargewatch_site_power_watts{site="$sight"})')),
    ("grid", "outside", lambda board: board["panels"][2]["gridPos"].update(x=20)),
    ("grid", "on each other", lambda board: board["panels"][1]["gridPos"].update(x=3)),
    ("links", "to no board", lambda board: link(board, "/d/chargewatch-gone?${__url_time_range}")),
    ("links", "sets no variable", lambda board: link(board, "/d/chargewatch-sound?${__url_time_range}&var-place=x")),
    ("links", "loses the time range", lambda board: link(board, "/d/chargewatch-sound?var-site=x")),
    ("panel-ids", "twice", lambda board: board["panels"][1].update(id=1)),
    ("panel-title-description", "no title", lambda board: board["panels"][0].update(title=" ")),
    ("panel-title-description", "no description", lambda board: board["panels"][0].update(description="")),
    ("panel-units", "no unit", lambda board: board["panels"][0]["fieldConfig"]["defaults"].pop("unit")),
    ("panel-units", "no unit of Grafana's", lambda board: board["panels"][0]["fieldConfig"]["defaults"].update(unit="kilowatt")),
    ("panel-datasource", "fixed", lambda board: board["panels"][0]["datasource"].update(uid="P1809F7CD0C75ACF3")),
    ("panel-datasource", "of another plugin", lambda board: board["panels"][0]["targets"][0]["datasource"].update(uid="${influx}")),
    ("panel-no-targets", "asks nothing", lambda board: board["panels"][0].update(targets=[])),
    ("panel-legends", "no legend", lambda board: board["panels"][0]["targets"][0].update(legendFormat="__auto")),
    ("panel-references", "no letter", lambda board: board["panels"][0]["targets"][0].pop("refId")),
    ("target-promql", "not PromQL", lambda board: expr(board, "sum(rate(chargewatch_calls_total[$__rate_interval])")),
    ("target-promql", "rate of an instant", lambda board: expr(board, "rate(chargewatch_calls_total)")),
    ("target-rate-interval", "fixed window", lambda board: expr(board, "sum(rate(chargewatch_calls_total[5m]))")),
    ("target-counter-aggregation", "counter as it is", lambda board: expr(board, "sum(chargewatch_calls_total)")),
    ("target-counter-aggregation", "rate of a gauge", lambda board: expr(board, "rate(chargewatch_connections[$__rate_interval])")),
    (
        "target-histogram",
        "buckets without bounds",
        lambda board: expr(board, "histogram_quantile(0.9, sum(rate(chargewatch_loop_lag_seconds_bucket[$__rate_interval])))"),
    ),
    ("known-metrics", "nobody exposes it", lambda board: expr(board, "sum(chargewatch_wishes)")),
    ("known-labels", "not a label of it", lambda board: expr(board, 'sum(chargewatch_connections{site="a"})')),
    ("target-false-zero", "zero for nothing", lambda board: expr(board, "sum(chargewatch_connections) or vector(0)")),
    ("target-influxql", "foreign measurement", lambda board: question(board, 'SELECT "w" FROM "cpu" WHERE $timeFilter LIMIT 1')),
    ("target-influxql", "all of time", lambda board: question(board, 'SELECT mean("w") FROM "meter" GROUP BY time($__interval)')),
    ("target-influxql", "every point", lambda board: question(board, 'SELECT "w" FROM "meter" WHERE $timeFilter')),
]


def test_the_sound_board_is_sound() -> None:
    """What the tests below break is whole before."""
    board = json_of(SOUND)
    assert lint(board, context_of([board])) == []


@pytest.mark.parametrize(("rule", "what", "broken"), BROKEN, ids=[f"{rule}: {what}" for rule, what, _ in BROKEN])
def test_a_rule_finds_the_board_that_breaks_it(rule: str, what: str, broken: Callable[[Json], object]) -> None:
    """That rule has something to say, and no other."""
    board = json_of(SOUND)
    context = context_of([board])
    broken(board)
    found = lint(board, context)
    assert {problem.rule for problem in found} == {rule}, list(map(str, found))
    assert all(str(problem).endswith(f"({rule})") for problem in found)


def test_every_rule_has_a_board_that_breaks_it() -> None:
    """A rule without one could be a rule that finds nothing."""
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_our_boards_break_no_rule(board: Board) -> None:
    """Not one sentence about them."""
    every = [json_of(each) for each in BOARDS]
    assert [str(problem) for problem in lint(json_of(board), context_of(every, recorded_by(rule_files().values())))] == []
