"""Pictures of boards: numbers as people read them, tables merged, every kind of panel drawn, with an answer and without."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from dashboards.asking import Answer, Grid, Line
from dashboards.boards import BOARDS
from dashboards.build import json_of
from dashboards.preview.page import WIDTH_PX, picture
from dashboards.preview.table import merged
from dashboards.preview.words import axis_text, mapped, shown, text_px, threshold_colour
from dashboards.queries import View

VIEW = View(start=0.0, end=3600.0, points=60, scrape_s=60)
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "text"),
    [
        (0.9216, "percentunit", 1, "92.2 %"),
        (2_135_478.0, "watt", 1, "2.1 MW"),
        (0.0, "watt", None, "0 W"),
        (13_701_691.0, "watth", 1, "13.7 MWh"),
        (421_141_000.0, "bytes", None, "401.6 MiB"),
        (0.0234, "s", None, "23.4 ms"),
        (7140.0, "s", 0, "2 h"),
        (0.0, "s", None, "0 s"),
        (70.0, "celsius", None, "70 °C"),
        (54.0, "short", None, "54"),
        (1250.0, "short", None, "1.25 K"),
        (6.0, "suffix: per hour", None, "6 per hour"),
        (3_505_000.0, "dateTimeFromNow", None, "2 min ago"),
        (math.nan, "short", None, "no data"),
        ("Faulted", "short", None, "Faulted"),
    ],
)
def test_numbers_as_people_read_them(value: float | str, unit: str, decimals: int | None, text: str) -> None:
    """Scaled, with their unit; what is not known says so."""
    assert shown(value, unit, decimals, 3600.0) == text


def test_ticks_of_an_axis_are_short() -> None:
    """No zeros that say nothing; the unit stays."""
    ticks = [(2_400_000.0, "watt"), (1_500_000.0, "watt"), (0.0, "watt"), (10.0, "short"), (0.5, "cps"), (134_217_728.0, "bytes")]
    assert [axis_text(value, unit) for value, unit in ticks] == ["2.4 MW", "1.5 MW", "0 W", "10", "0.5 c/s", "128 MiB"]


def test_wide_letters_take_more_of_a_legend() -> None:
    """So that names do not run into each other."""
    assert text_px("SEV") > text_px("sev") > text_px("ill") > 0


def test_thresholds_and_words() -> None:
    """The highest step that is reached; a word instead of a number, and one for NaN."""
    steps: list[dict[str, Any]] = [{"value": None, "color": "green"}, {"value": 1, "color": "orange"}, {"value": 5, "color": "red"}]
    assert [threshold_colour(value, steps) for value in (0.0, 1.0, 9.0)] == ["#73BF69", "#FF9830", "#F2495C"]
    words: list[dict[str, Any]] = [
        {"type": "value", "options": {"1": {"text": "yes", "color": "green"}}},
        {"type": "special", "options": {"match": "nan", "result": {"text": "no data", "color": "red"}}},
    ]
    assert (mapped(1.0, words), mapped(0.0, words)) == (("yes", "#73BF69"), None)
    assert mapped(math.nan, words) == ("no data", "#F2495C")


def test_tables_are_merged_on_what_they_share() -> None:
    """As Grafana's `merge`: rows that agree in common columns are one; each answer has its own value."""
    one = Grid([{"Time": 1.0, "site": "A", "Value": 1.0}, {"Time": 1.0, "site": "B", "Value": 2.0}])
    other = Grid([{"Time": 1.0, "site": "B", "vendor": "V", "Value": 3.0}, {"Time": 1.0, "site": "C", "Value": 4.0}])
    assert merged([one, other]) == [
        {"Time": 1.0, "site": "A", "Value #A": 1.0},
        {"Time": 1.0, "site": "B", "vendor": "V", "Value #A": 2.0, "Value #B": 3.0},
        {"Time": 1.0, "site": "C", "Value #B": 4.0},
    ]
    assert merged([one]) == [dict(row) for row in one.rows]


def made_up(panel: dict[str, Any]) -> list[Answer]:
    """An answer of the shape that each query of the panel has, with a gap in it."""
    times = [60.0 * minute for minute in range(60)]
    values = [math.nan if minute == 30 else float(minute % 11 + 1) for minute in range(60)]
    columns = [each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]]
    grid = Grid([{name: 3.5 if name.startswith("Value") else "x" for name in (*columns, "Value")}])
    line = Line("a line with a long name", {}, times, values)
    return [grid if panel["type"] == "table" else [line, line] for _ in panel["targets"]]


@pytest.mark.parametrize("uid", ["chargewatch-network", "chargewatch-connector", "chargewatch-platform"])
@pytest.mark.parametrize("answered", [True, False])
def test_a_board_is_drawn(uid: str, answered: bool, tmp_path: Path) -> None:
    """A PNG as wide as a wall, whether there are answers or not."""
    board = json_of(next(board for board in BOARDS if board.uid == uid))
    answers = {panel["id"]: made_up(panel) for panel in board["panels"] if panel.get("targets")} if answered else {}
    picture(board, answers, VIEW, "site: harbour", tmp_path / "board.png")
    content = (tmp_path / "board.png").read_bytes()
    assert content.startswith(PNG)
    assert int.from_bytes(content[16:20]) == WIDTH_PX
