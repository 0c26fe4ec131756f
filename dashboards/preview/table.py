"""Tables: the answers merged on their common columns as Grafana's `merge` does, columns as the overrides say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboards.asking import Grid
from dashboards.panels import REFERENCES
from dashboards.preview.drawing import FAINT, GRID, TEXT, Canvas, Look
from dashboards.preview.words import instant, mapped, shown, threshold_colour

ROW_PX = 26.0
Row = dict[str, Any]


def merged(grids: Sequence[Grid]) -> list[Row]:
    """One row for what agrees in all columns that two answers share; of several, `Value` becomes `Value #A`, `Value #B`."""
    if len(grids) == 1:
        return [dict(row) for row in grids[0].rows]
    rows: list[Row] = []
    for letter, grid in zip(REFERENCES, grids, strict=False):
        for given in grid.rows:
            row = {(f"Value #{letter}" if name == "Value" else name): value for name, value in given.items()}
            match = next((each for each in rows if _agree(each, row)), None)
            if match is None:
                rows.append(row)
            else:
                match.update(row)
    return rows


def _agree(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    common = [name for name in one.keys() & other.keys() if name != "Time"]
    return bool(common) and all(one[name] == other[name] for name in common)


def draw_table(canvas: Canvas, panel: Mapping[str, Any], grids: Sequence[Grid], look: Look) -> None:
    """Heading and as many rows as there is room for."""
    axes = canvas.plain()
    rows = merged(grids)
    if not rows:
        axes.text(canvas.width / 2, canvas.height / 2, look.nothing, color=FAINT, fontsize=12, ha="center", va="center")
        return
    order: Mapping[str, int] = panel["transformations"][-1]["options"]["indexByName"]
    columns = [(name, look.of(name)) for name in sorted(order, key=lambda name: order[name])]
    _sort(rows, panel, columns)
    widths = _widths(canvas.width - 20, columns)
    y, room = canvas.height - 14, int((canvas.height - 30) // ROW_PX)
    x = 12.0
    for (_, said), width in zip(columns, widths, strict=True):
        axes.text(x, y, said["displayName"], color="#6e9fff", fontsize=9.5, weight="bold", va="center")
        x += width
    for number, row in enumerate(rows[:room]):
        y = canvas.height - 14 - ROW_PX * (number + 1)
        axes.plot([8, canvas.width - 8], [y + ROW_PX / 2, y + ROW_PX / 2], color=GRID, linewidth=0.7)
        x = 12.0
        for (name, said), width in zip(columns, widths, strict=True):
            _cell(axes, x, y, width, row.get(name, ""), name, said, look, rows)
            x += width


def _sort(rows: list[Row], panel: Mapping[str, Any], columns: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    for wanted in panel["options"].get("sortBy") or []:
        name = next(name for name, said in columns if said["displayName"] == wanted["displayName"])
        rows.sort(key=lambda row: (isinstance(row.get(name), str), row.get(name, 0.0) or 0.0), reverse=bool(wanted.get("desc")))


def _widths(total: float, columns: Sequence[tuple[str, Mapping[str, Any]]]) -> list[float]:
    fixed = [said.get("custom.width") for _, said in columns]
    free = max(60.0, (total - sum(width or 0 for width in fixed)) / max(1, fixed.count(None)))
    return [float(width or free) for width in fixed]


def _cell(
    axes: Any, x: float, y: float, width: float, value: Any, name: str, said: Mapping[str, Any], look: Look, rows: Sequence[Row]
) -> None:
    if name == "Time" and isinstance(value, int | float):
        axes.text(x, y, instant(value), color=TEXT, fontsize=9.5, va="center")
        return
    unit = said.get("unit") or look.defaults.get("unit", "short")
    word = shown(value, unit, said.get("decimals"), look.now_s)
    tint = TEXT
    if (said_instead := mapped(value, said.get("mappings", []))) is not None:
        word, tint = said_instead
    elif "thresholds" in said and isinstance(value, int | float):
        tint = threshold_colour(value, said["thresholds"]["steps"])
    if said.get("custom.cellOptions", {}).get("type") == "gauge" and isinstance(value, int | float):
        most = said.get("max") or max((row[name] for row in rows if isinstance(row.get(name), int | float)), default=1.0) or 1.0
        axes.barh(y, width - 84, height=ROW_PX * 0.5, left=x, color=GRID, linewidth=0)
        axes.barh(y, max(1.0, (width - 84) * min(1.0, value / most)), height=ROW_PX * 0.5, left=x, color=tint, linewidth=0)
        x += width - 76
    room = int((width - 6) / 6.4)
    axes.text(
        x, y, word if len(word) <= room or word == "" else word[: max(3, room - 1)] + "…", color=tint, fontsize=9.5, va="center"
    )
