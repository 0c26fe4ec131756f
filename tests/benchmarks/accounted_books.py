"""What the books of tests.benchmarks.accounted say, in the words of the bar: the path of a message, and each program beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

PATH = ("connections", "journal", "projection fleet", "projection telemetry")
"""Receive, parse, validate, handle, append, reply; durable; fleet metrics; telemetry queued and written."""


def balance(state: Mapping[str, Any]) -> dict[str, float]:
    """CPU seconds by payer. "all" is the process; "path" what the bar lists; "collecting" (garbage) is part of the others."""
    spent: defaultdict[str, float] = defaultdict(float, state["tasks"])
    for payer, seconds in state["jobs"].items():
        spent[payer] += seconds
    threads: Mapping[str, float] = state["threads"]
    spent["connections"] = state["loop"] - sum(state["tasks"].values())
    spent["journal"] = threads.get("journal", 0.0)
    spent["projection telemetry"] += threads.get("native", 0.0)  # the worker threads of DuckDB
    spent["not booked"] = (
        state["process"] - state["loop"] - sum(state["jobs"].values()) - spent["journal"] - threads.get("native", 0.0)
    )
    spent["path"] = sum(spent[name] for name in PATH)
    return {"all": state["process"], **spent, "collecting": state["collecting"]}


def spent_between(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What each has used since, those that used nothing left out."""
    used = {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}
    return {name: seconds for name, seconds in used.items() if seconds > 0 or name == "all"}
