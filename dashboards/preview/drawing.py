"""What is in a panel: figures, bars, lines, states, text. Decided here: how each kind is drawn; tables are table.py."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator, MultipleLocator

from dashboards.asking import Answer, Grid, Line
from dashboards.preview.words import PALETTE, axis_text, colour, mapped, shown, text_px, threshold_colour
from dashboards.queries import View

TICKS_S = (300, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
TEXT, FAINT, GRID = "#d8d9da", "#8e8e8e", "#2c3235"
LEGEND_ROWS, LEGEND_PX = 2, 16
Json = Mapping[str, Any]


class Canvas:
    """The body of a panel, in pixels from the lower left corner of the page."""

    def __init__(
        self, figure: Figure, x: float, y: float, width: float, height: float, page_width: float, page_height: float
    ) -> None:
        self.figure, self.x, self.y, self.width, self.height = figure, x, y, width, height
        self._page = page_width, page_height

    def axes(self, left: float = 0, right: float = 0, bottom: float = 0, top: float = 0) -> Axes:
        """Axes with these margins in pixels, without frame."""
        across, up = self._page
        box = (
            (self.x + left) / across,
            (self.y + bottom) / up,
            (self.width - left - right) / across,
            (self.height - top - bottom) / up,
        )
        axes = self.figure.add_axes(box, facecolor="none")
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes

    def plain(self) -> Axes:
        """Axes of which one unit is one pixel."""
        axes = self.axes()
        axes.set(xlim=(0, self.width), ylim=(0, self.height), xticks=[], yticks=[])
        return axes


class Look:
    """What field options say of a panel, and of single lines of it."""

    def __init__(self, panel: Json, view: View) -> None:
        self.defaults: Json = panel["fieldConfig"]["defaults"]
        self.now_s = view.end
        self._overrides: dict[str, list[Json]] = {}
        for each in panel["fieldConfig"]["overrides"]:
            self._overrides.setdefault(each["matcher"]["options"], []).extend(each["properties"])

    def of(self, name: str) -> dict[str, Any]:
        """Property → value that an override sets for a field."""
        return {each["id"]: each.get("value") for each in self._overrides.get(name, [])}

    @property
    def steps(self) -> Sequence[Json]:
        """Thresholds."""
        steps: Sequence[Json] = self.defaults["thresholds"]["steps"]
        return steps

    def text(self, value: object, unit: str | None = None) -> str:
        """A value of this panel."""
        return shown(value, unit or self.defaults.get("unit", "short"), self.defaults.get("decimals"), self.now_s)

    def colour(self, name: str, number: int) -> str:
        """Of a line."""
        fixed = self.of(name).get("color")
        return colour(fixed["fixedColor"]) if fixed else PALETTE[number % len(PALETTE)]

    @property
    def nothing(self) -> str:
        """Shown where there is no answer."""
        return str(self.defaults.get("noValue") or "No data")


def draw(canvas: Canvas, panel: Json, answers: Sequence[Answer], view: View) -> None:
    """The body of one panel."""
    from dashboards.preview.table import draw_table

    look = Look(panel, view)
    lines = [line for answer in answers if not isinstance(answer, Grid) for line in answer]
    match panel["type"]:
        case "text":
            _text(canvas, panel["options"]["content"])
        case "table":
            draw_table(canvas, panel, [answer for answer in answers if isinstance(answer, Grid)], look)
        case _ if not lines:
            _nothing(canvas, look.nothing)
        case "stat":
            _stat(canvas, lines[0], look)
        case "bargauge":
            _bars(canvas, lines, look)
        case "state-timeline":
            _states(canvas, lines, look, view)
        case _:
            _graph(canvas, lines, look, view)


def _nothing(canvas: Canvas, word: str) -> None:
    canvas.plain().text(canvas.width / 2, canvas.height / 2, word, color=FAINT, fontsize=12, ha="center", va="center")


def _stat(canvas: Canvas, line: Line, look: Look) -> None:
    value = line.values[-1]
    word, tint = mapped(value, look.defaults.get("mappings", [])) or (look.text(value), threshold_colour(value, look.steps))
    if len(line.values) > 2:
        axes = canvas.axes(left=2, right=2, bottom=2, top=canvas.height * 0.55)
        axes.set(xticks=[], yticks=[], xlim=(line.times[0], line.times[-1]))
        axes.plot(line.times, line.values, color=tint, linewidth=1.2)
        low, high = axes.get_ylim()
        axes.fill_between(line.times, line.values, low, color=tint, alpha=0.18, linewidth=0)
        axes.set_ylim(low, high + (high - low) * 0.1)
    size = min(34.0, canvas.height * 0.33, canvas.width / max(3, len(word)) * 1.15)
    up = 0.62 if len(line.values) > 2 else 0.5
    canvas.plain().text(
        canvas.width / 2, canvas.height * up, word, color=tint, fontsize=size, weight="bold", ha="center", va="center"
    )


def _bars(canvas: Canvas, lines: list[Line], look: Look) -> None:
    axes = canvas.plain()
    room = max(1, int(canvas.height // 22))
    lines = lines[:room]
    most = max([look.defaults.get("max") or 0, *(line.last for line in lines), 1e-9])
    name_width = min(canvas.width * 0.5, 18 + 8.4 * max(len(line.name) for line in lines))
    tall = min(46.0, canvas.height / len(lines))
    for number, line in enumerate(lines):
        middle = canvas.height - tall * (number + 0.5)
        tint = threshold_colour(line.last, look.steps)
        length = max(2.0, (canvas.width - name_width - 70) * line.last / most)
        axes.text(name_width - 6, middle, line.name, color=TEXT, fontsize=10, ha="right", va="center")
        axes.barh(middle, canvas.width - name_width - 70, height=tall * 0.62, left=name_width, color=GRID, linewidth=0)
        axes.barh(middle, length, height=tall * 0.62, left=name_width, color=tint, linewidth=0)
        axes.text(canvas.width - 62, middle, look.text(line.last), color=tint, fontsize=11, weight="bold", va="center")


def _time_axis(axes: Axes, view: View) -> None:
    step = next((each for each in TICKS_S if view.range_s / each <= 8), TICKS_S[-1])
    first = math.ceil(view.start / step) * step
    ticks = [first + step * number for number in range(int((view.end - first) / step) + 1)]
    form = "%H:%M" if view.range_s <= 2 * 86_400 else "%m-%d"
    axes.set_xlim(view.start, view.end)
    axes.set_xticks(ticks, [datetime.fromtimestamp(at, UTC).strftime(form) for at in ticks])
    axes.tick_params(axis="x", colors=FAINT, labelsize=8.5, length=0, pad=8)


def _graph(canvas: Canvas, lines: list[Line], look: Look, view: View) -> None:
    custom = look.defaults["custom"]
    stacked = custom["stacking"]["mode"] == "normal"
    right = {line.name for line in lines if look.of(line.name).get("custom.axisPlacement") == "right"}
    rows = _legend(canvas, [(line.name, look.colour(line.name, number)) for number, line in enumerate(lines)])
    axes = canvas.axes(left=72, right=66 if right else 24, bottom=30 + LEGEND_PX * rows, top=8)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    second = axes.twinx() if right else axes
    if stacked:
        _stack(axes, lines, look, "post" if custom["lineInterpolation"] == "stepAfter" else None)
    else:
        for number, line in enumerate(lines):
            on, tint = (second if line.name in right else axes), look.colour(line.name, number)
            times, values = _broken(line, look, view)
            on.plot(times, values, color=tint, linewidth=1.6)
            if custom.get("fillOpacity", 0) and line.name not in right:
                on.fill_between(times, values, 0, color=tint, alpha=custom["fillOpacity"] / 100, linewidth=0)
    _value_axis(axes, look, look.defaults.get("unit", "short"), _values(line for line in lines if line.name not in right))
    if right:
        for spine in second.spines.values():
            spine.set_visible(False)
        unit = str(look.of(next(iter(right))).get("unit", "short"))
        _value_axis(second, look, unit, _values(line for line in lines if line.name in right))
    if custom.get("thresholdsStyle", {}).get("mode") == "dashed":
        for step in look.steps:
            if step.get("value") is not None and step["value"] <= axes.get_ylim()[1] * 1.6:
                axes.axhline(step["value"], color=colour(step["color"]), linestyle="--", linewidth=1)
    _time_axis(axes, view)


def _values(lines: Iterable[Line]) -> list[float]:
    return [value for line in lines for value in line.values]


def _broken(line: Line, look: Look, view: View) -> tuple[list[float], list[float]]:
    """Times and values with NaN where the line is broken: no reading for longer than it is joined over."""
    joined_s = (look.defaults["custom"].get("spanNulls") or 0) / 1000 or view.interval_ms * 1.5 / 1000
    times: list[float] = []
    values: list[float] = []
    for at, value in zip(line.times, line.values, strict=True):
        if math.isnan(value):
            continue
        if times and at - times[-1] > joined_s:
            times.append((times[-1] + at) / 2)
            values.append(math.nan)
        times.append(at)
        values.append(value)
    return times, values


def _stack(axes: Axes, lines: list[Line], look: Look, step: Literal["post"] | None) -> None:
    """A line that has no value at an instant adds nothing to the stack there."""
    instants = sorted({at for line in lines for at in line.times})
    below = [0.0] * len(instants)
    for number, line in enumerate(lines):
        values = dict(zip(line.times, line.values, strict=True))
        top = [low + (0.0 if math.isnan(value := values.get(at, 0.0)) else value) for low, at in zip(below, instants, strict=True)]
        tint = look.colour(line.name, number)
        axes.fill_between(instants, below, top, color=tint, alpha=0.65, linewidth=0, step=step)
        axes.plot(instants, top, color=tint, linewidth=0.8, drawstyle="steps-post" if step else "default")
        below = top


def _value_axis(axes: Axes, look: Look, unit: str, values: Iterable[float]) -> None:
    low, high = axes.get_ylim()
    from_zero = look.defaults["custom"].get("axisSoftMin") == 0
    least, most = axes.dataLim.y0, axes.dataLim.y1
    bottom = min(0.0, least) if from_zero else low
    top = (most if from_zero else high) + (most - bottom) * 0.06
    axes.set_ylim(look.defaults.get("min", bottom), look.defaults.get("max", top if top > bottom else 1.0))
    axes.yaxis.set_major_locator(_ticks(axes, unit, values))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: axis_text(value, unit)))
    axes.tick_params(axis="y", colors=FAINT, labelsize=8.5, length=0)


def _ticks(axes: Axes, unit: str, values: Iterable[float]) -> Locator:
    """Bytes step by powers of two, counts of things by whole things."""
    if unit == "bytes":
        return MultipleLocator(2.0 ** math.ceil(math.log2(max(1.0, axes.get_ylim()[1] / 5))))
    return MaxNLocator(5, integer=unit == "short" and all(value == round(value) for value in values if math.isfinite(value)))


def _legend(canvas: Canvas, names: Sequence[tuple[str, str]]) -> int:
    """Wrapped; returns how many rows it took. What does not fit into the last is counted."""
    axes = canvas.plain()
    rows: list[list[tuple[str, str]]] = [[]]
    room = left = canvas.width - 64 - 60
    for name, tint in names:
        width = 30 + text_px(name)
        if width > left and rows[-1]:
            if len(rows) == LEGEND_ROWS:
                break
            rows.append([])
            left = room
        rows[-1].append((name, tint))
        left -= width
    for number, row in enumerate(rows):
        x, y = 64.0, 12 + LEGEND_PX * (len(rows) - 1 - number)
        for name, tint in row:
            axes.plot([x, x + 12], [y, y], color=tint, linewidth=3)
            axes.text(x + 16, y, name, color=FAINT, fontsize=8.5, va="center")
            x += 30 + text_px(name)
    if left_out := len(names) - sum(map(len, rows)):
        axes.text(x, 12, f"and {left_out} more", color=FAINT, fontsize=8.5, va="center")
    return len(rows)


def _states(canvas: Canvas, lines: list[Line], look: Look, view: View) -> None:
    names_width = min(170.0, 16 + 7.0 * max(len(line.name) for line in lines))
    lines = lines[: max(1, int((canvas.height - 50) // 15))]
    seen: dict[str, str] = {}
    for value in (value for line in lines for value in line.values):
        word, tint = mapped(value, look.defaults["mappings"]) or (f"{value:g}", TEXT)
        seen[word] = tint
    axes = canvas.axes(left=names_width, right=24, bottom=30 + LEGEND_PX * _legend(canvas, list(seen.items())), top=6)
    step = view.interval_ms / 1000
    for number, line in enumerate(lines):
        for at, value in zip(line.times, line.values, strict=True):
            _, tint = mapped(value, look.defaults["mappings"]) or ("", TEXT)
            axes.barh(number, step * 1.04, left=at, height=0.78, color=tint, linewidth=0)
    axes.set_yticks(range(len(lines)), [line.name for line in lines])
    axes.invert_yaxis()
    _time_axis(axes, view)
    axes.tick_params(axis="y", colors=TEXT, labelsize=9, length=0)


def _text(canvas: Canvas, content: str) -> None:
    axes = canvas.plain()
    lines = [line for line in content.replace("**", "").splitlines() if line.strip() and not line.startswith("```")]
    for number, line in enumerate(lines):
        axes.text(12, canvas.height - 18 - 22 * number, line.split("](")[0].replace("[", ""), color=TEXT, fontsize=10, va="center")
