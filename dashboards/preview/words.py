"""Numbers as Grafana writes them: units, thresholds, value mappings, colours by name. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

COLOURS = {
    "green": "#73BF69", "semi-dark-green": "#56A64B", "dark-green": "#37872D", "yellow": "#FADE2A", "orange": "#FF9830",
    "red": "#F2495C", "dark-red": "#C4162A", "blue": "#5794F2", "light-blue": "#8AB8FF", "super-light-blue": "#C0D8FF",
    "dark-blue": "#1F60C4", "purple": "#B877D9", "light-purple": "#CA95E5", "dark-purple": "#8F3BB8", "text": "#D8D9DA",
}  # fmt: skip
PALETTE = ("#73BF69", "#F2CC0C", "#8AB8FF", "#FF780A", "#F2495C", "#5794F2", "#B877D9", "#705DA0", "#37872D", "#FADE2A", "#447EBC",
           "#C15C17", "#890F02", "#0A437C", "#6D1F62", "#584477")  # fmt: skip
_LARGE = {
    "short": ("", " K", " Mil", " Bil"), "watt": (" W", " kW", " MW", " GW"), "watth": (" Wh", " kWh", " MWh", " GWh"),
    "bytes": (" B", " KiB", " MiB", " GiB", " TiB"), "amp": (" A", " kA"), "volt": (" V", " kV"), "cps": (" c/s", " kc/s"),
}  # fmt: skip


def colour(name: str) -> str:
    """Grafana's word or a hex colour → hex."""
    return COLOURS.get(name, name if name.startswith("#") else COLOURS["text"])


def shown(value: object, unit: str, decimals: int | None, now_s: float) -> str:
    """A value as text. `now_s`: seconds since the epoch, for ages."""
    if not isinstance(value, int | float):
        return str(value)
    if math.isnan(value):
        return "no data"
    if unit == "percentunit":
        return f"{value * 100:.{_places(value * 100, decimals)}f} %"
    if unit in ("s", "dateTimeFromNow"):
        return _age(value, now_s) if unit == "dateTimeFromNow" else _seconds(value, decimals)
    if unit == "celsius":
        return f"{value:.{_places(value, decimals)}f} °C"
    if unit.startswith("suffix:"):
        return f"{value:.{_places(value, decimals)}f}{unit.removeprefix('suffix:')}"
    base = 1024.0 if unit == "bytes" else 1000.0
    return _scaled(value, _LARGE.get(unit, ("",)), base, decimals)


def axis_text(value: float, unit: str) -> str:
    """A tick of an axis: as short as it can be said."""
    text = shown(value, unit, None, 0.0)
    number, space, word = text.partition(" ")
    return (number.rstrip("0").rstrip(".") if "." in number else number) + space + word


def text_px(text: str) -> float:
    """About how wide a word of a legend is drawn, in pixels."""
    return sum(8.4 if letter.isupper() else 3.6 if letter in "ijl.,:' |" else 6.9 for letter in text)


def _scaled(value: float, words: Sequence[str], base: float, decimals: int | None) -> str:
    step = 0
    while abs(value) >= base and step < len(words) - 1:
        value, step = value / base, step + 1
    return f"{value:.{_places(value, decimals)}f}{words[step]}"


def _places(value: float, decimals: int | None) -> int:
    if decimals is not None:
        return decimals
    if value == round(value):
        return 0
    return 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4


def _seconds(value: float, decimals: int | None) -> str:
    for size, word in ((86_400.0, " d"), (3600.0, " h"), (60.0, " min"), (1.0, " s"), (0.001, " ms"), (1e-6, " µs")):
        if abs(value) >= size:
            amount = value / size
            return f"{amount:.{min(1, _places(amount, decimals))}f}{word}"
    return "0 s"


def _age(millis: float, now_s: float) -> str:
    return f"{_seconds(max(0.0, now_s - millis / 1000), 0)} ago"


def instant(millis: float) -> str:
    """A time column."""
    return datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def threshold_colour(value: float, steps: Sequence[Mapping[str, Any]]) -> str:
    """The colour of the highest step that the value reaches."""
    reached = [step["color"] for step in steps if step.get("value") is None or value >= step["value"]]
    return colour(reached[-1] if reached else "text")


def mapped(value: object, mappings: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    """(word, colour) that a value mapping says instead, None for none."""
    for mapping in mappings:
        options = mapping["options"]
        if mapping["type"] == "special" and isinstance(value, float) and math.isnan(value):
            return options["result"]["text"], colour(options["result"]["color"])
        key = f"{value:g}" if isinstance(value, int | float) else str(value)
        if mapping["type"] == "value" and key in options:
            return options[key]["text"], colour(options[key]["color"])
    return None
