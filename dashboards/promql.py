"""What a PromQL expression asks for. Decided here: how macros are stood in for while nobody has chosen anything. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import promql_parser

from dashboards.queries import View, promql

STAND_IN = View(start=0.0, end=6 * 3600.0)
COUNTED_BY = frozenset({"rate", "irate", "increase", "resets"})
HISTOGRAM_SUFFIXES = ("_bucket", "_sum", "_count")


class Selector(msgspec.Struct, frozen=True):
    """One selector. `function`: what it is an argument of, innermost; `range_s` None for an instant selector."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]
    """(label, operator, value)."""
    range_s: float | None
    function: str | None


def stood_in(text: str) -> str:
    """The expression with macros of a six-hour range and every variable as its own name."""
    names = set(re.findall(r"\$\{?(\w+)", text))
    return promql(text, STAND_IN, {name: name.upper() for name in names if not name.startswith("__")})


def selectors(text: str) -> list[Selector]:
    """Every selector of an expression without macros. Raises ValueError on one that is not PromQL."""
    return list(_selectors(promql_parser.parse(text), None))


def _selectors(expression: Any, function: str | None) -> Iterator[Selector]:
    if isinstance(expression, promql_parser.VectorSelector):
        yield _selector(expression, None, function)
    elif isinstance(expression, promql_parser.MatrixSelector):
        yield _selector(expression.vector_selector, expression.range.total_seconds(), function)
    elif isinstance(expression, promql_parser.Call):
        for argument in expression.args:
            yield from _selectors(argument, expression.func.name)
    else:
        for child in ("lhs", "rhs", "expr"):
            if (found := getattr(expression, child, None)) is not None:
                yield from _selectors(found, function)


def _selector(found: promql_parser.VectorSelector, range_s: float | None, function: str | None) -> Selector:
    every = tuple((each.name, _operator(each.op), each.value) for each in found.matchers.matchers)
    name = found.name or next((value for label, operator, value in every if (label, operator) == ("__name__", "=")), "")
    return Selector(name, every, range_s, function)


def _operator(op: promql_parser.MatchOp) -> str:
    return {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}[str(op).rsplit(".", 1)[-1]]
