"""Pictures of boards for people without Grafana: every query asked of real servers, one PNG for each board.

Decided here: which values the variables take where nobody chose (the first that is offered; everything where many may be chosen).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dashboards.asking import Sources, ask, offered
from dashboards.preview.page import picture
from dashboards.queries import ALL, Value, View

__all__ = ["choices", "preview"]


def choices(board: Mapping[str, Any], given: Mapping[str, str], view: View, sources: Sources) -> dict[str, Value]:
    """The value of every variable. Raises StoreUnavailable."""
    chosen: dict[str, Value] = {}
    for variable in board["templating"]["list"]:
        name = variable["name"]
        if variable["type"] == "datasource":
            continue
        if name in given:
            chosen[name] = tuple(given[name].split(",")) if variable.get("multi") else given[name]
        elif variable["type"] == "textbox":
            chosen[name] = str(variable["query"])
        elif variable.get("multi"):
            chosen[name] = (ALL,)
        else:
            chosen[name] = next(iter(offered(variable, view, chosen, sources)), "")
    return chosen


def preview(
    boards: Sequence[Mapping[str, Any]], given: Mapping[str, str], view: View, sources: Sources, folder: Path
) -> list[Path]:
    """Write one PNG for each board; without InfluxDB its panels stay empty. Blocking. Raises StoreUnavailable, OSError."""
    written = []
    for board in boards:
        chosen = choices(board, given, view, sources)
        answers = {
            panel["id"]: ask(_answerable(panel, sources), view, chosen, sources)
            for panel in board["panels"]
            if panel.get("targets")
        }
        words = "   ".join(
            f"{name}: {'all' if value == (ALL,) else _text(value)}" for name, value in chosen.items() if name != "web"
        )
        path = folder / f"{board['uid'].removeprefix('chargewatch-')}.png"
        picture(_filled(board, chosen), answers, view, words, path)
        written.append(path)
    return written


def _answerable(panel: Mapping[str, Any], sources: Sources) -> Mapping[str, Any]:
    if sources.influx is not None:
        return panel
    return {**panel, "targets": [each for each in panel["targets"] if each["datasource"]["type"] != "influxdb"]}


def _filled(board: Mapping[str, Any], chosen: Mapping[str, Value]) -> Mapping[str, Any]:
    """Texts with the chosen values in them."""
    panels = []
    for panel in board["panels"]:
        if panel["type"] == "text":
            content = panel["options"]["content"]
            for name, value in chosen.items():
                content = content.replace(f"${{{name}:percentencode}}", _text(value)).replace(f"${{{name}}}", _text(value))
                content = content.replace(f"${name}", _text(value))
            panel = {**panel, "options": {**panel["options"], "content": content}}
        panels.append(panel)
    return {**board, "panels": panels}


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ", ".join(value)
