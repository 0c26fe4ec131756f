"""Lint of built boards: those rules of Grafana's dashboard-linter that concern us, and our own. Decided here: which there are.

Rules look at the JSON, as Grafana will, not at the code that made it. What a rule is about is its docstring; what a board does
against it is a sentence. A query that is right in form but asks the wrong thing is found by executing it, not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from dashboards.lint.board import BOARD_RULES
from dashboards.lint.context import Context, Rule, recorded_by
from dashboards.lint.panel import PANEL_RULES
from dashboards.lint.target import TARGET_RULES

__all__ = ["RULES", "Context", "Problem", "context_of", "lint", "recorded_by"]

RULES: Mapping[str, Rule] = {**BOARD_RULES, **PANEL_RULES, **TARGET_RULES}


class Problem(msgspec.Struct, frozen=True):
    """What one board does against one rule."""

    board: str
    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.board}: {self.sentence} ({self.rule})"


def context_of(boards: Iterable[Mapping[str, Any]], recorded: Iterable[str] = ()) -> Context:
    """What rules must know of the other boards, and the names of recorded series."""
    variables = {board["uid"]: {each["name"] for each in board["templating"]["list"]} for board in boards}
    return Context(variables=variables, recorded=frozenset(recorded))


def lint(board: Mapping[str, Any], context: Context) -> list[Problem]:
    """Everything that the board does against the rules, by rule."""
    found = [(name, sentence) for name, rule in RULES.items() for sentence in rule(board, context)]
    return [Problem(str(board.get("uid") or board.get("title")), name, sentence) for name, sentence in found]
