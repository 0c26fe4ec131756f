"""One board as one picture: where everything lies. Decided here: size, background, titles; what is in a panel is panels.py.

It is no picture of Grafana: fonts, spacing and axes are matplotlib's, and it says so at its foot.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from dashboards.asking import Answer
from dashboards.preview.drawing import Canvas, draw
from dashboards.preview.words import instant
from dashboards.queries import View

WIDTH_PX, ROW_PX, HEAD_PX, FOOT_PX, GAP_PX, DPI = 1920, 38, 62, 30, 8, 100
BACKGROUND, PANEL, EDGE, TEXT, FAINT = "#0b0c0e", "#181b1f", "#25282d", "#d8d9da", "#8e8e8e"
NOTE = "preview: real answers of Prometheus and InfluxDB, drawn by matplotlib; Grafana draws the same panels its own way"


def picture(
    board: Mapping[str, Any], answers: Mapping[int, list[Answer]], view: View, chosen: str, path: Path, note: str = NOTE
) -> None:
    """Write the PNG. `answers`: panel id → answer of each query; `chosen`: the choice of variables, in words."""
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    height = HEAD_PX + rows * ROW_PX + FOOT_PX
    figure = Figure(figsize=(WIDTH_PX / DPI, height / DPI), dpi=DPI, facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    figure.text(14 / WIDTH_PX, 1 - 24 / height, board["title"], color=TEXT, fontsize=17, weight="bold", va="center")
    figure.text(14 / WIDTH_PX, 1 - 48 / height, board["description"], color=FAINT, fontsize=11, va="center")
    span = f"{instant(view.start * 1000)[:16]} to {instant(view.end * 1000)[:16]} UTC"
    figure.text(1 - 14 / WIDTH_PX, 1 - 24 / height, span, color=FAINT, fontsize=11, ha="right", va="center")
    figure.text(1 - 14 / WIDTH_PX, 1 - 48 / height, chosen, color=FAINT, fontsize=11, ha="right", va="center")
    figure.text(0.5, FOOT_PX / 2 / height, note, color=FAINT, fontsize=9, ha="center", va="center", style="italic")
    for panel in board["panels"]:
        _place(figure, panel, answers.get(panel["id"], []), view, height)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, facecolor=BACKGROUND, metadata={"Software": None})


def _place(figure: Figure, panel: Mapping[str, Any], answers: list[Answer], view: View, height: int) -> None:
    at = panel["gridPos"]
    x, width = at["x"] * WIDTH_PX / 24 + GAP_PX / 2, at["w"] * WIDTH_PX / 24 - GAP_PX
    top, tall = HEAD_PX + at["y"] * ROW_PX, at["h"] * ROW_PX - GAP_PX
    if panel["type"] == "row":
        figure.text(x / WIDTH_PX, 1 - (top + tall / 2) / height, panel["title"], color=TEXT, fontsize=12, va="center")
        return
    left, bottom = x / WIDTH_PX, 1 - (top + tall) / height
    box = FancyBboxPatch(
        (left, bottom), width / WIDTH_PX, tall / height, boxstyle="square,pad=0", transform=figure.transFigure, facecolor=PANEL,
        edgecolor=EDGE, linewidth=1,
    )  # fmt: skip
    box.set_zorder(-1)
    figure.add_artist(box)
    figure.text(left + 9 / WIDTH_PX, 1 - (top + 15) / height, panel["title"], color=TEXT, fontsize=10.5, weight="bold", va="center")
    draw(Canvas(figure, x, height - top - tall, width, tall - 26, WIDTH_PX, height), panel, answers, view)
