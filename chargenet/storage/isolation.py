"""Finding the bad points of a refused batch, pure. Decided here: no point is given up for another's sake.

Writing a point again changes nothing, so a refused batch is simply written in parts: first without the lines that the server
quotes, then in halves, down to single lines; a single line of several fields is tried field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from chargenet.storage.lineprotocol import one_per_field


class Rejected(NamedTuple):
    """A point that the server will not have, and its reason."""

    line: str
    reason: str


Send = Callable[[Sequence[str]], str | None]
"""Write lines; gives the server's problem with them, None when it took them. Raises when the server is not there."""


def write_good(lines: Sequence[str], send: Send) -> list[Rejected]:
    """Write all lines that the server takes; the others come back, each with the server's reason."""
    problem = send(lines)
    if problem is None or not lines:
        return []
    named = [line for line in lines if line in problem]
    if named and len(named) < len(lines):
        rest = [line for line in lines if line not in problem]
        return [*_halve(named, problem, send), *write_good(rest, send)]
    return _halve(lines, problem, send)


def _halve(lines: Sequence[str], problem: str, send: Send) -> list[Rejected]:
    """`lines` were refused for `problem`."""
    if len(lines) == 1:
        return _field_by_field(lines[0], problem, send)
    middle = len(lines) // 2
    rejected = []
    for half in (lines[:middle], lines[middle:]):
        problem_of_half = send(half)
        if problem_of_half is not None:
            rejected += _halve(half, problem_of_half, send)
    return rejected


def _field_by_field(line: str, problem: str, send: Send) -> list[Rejected]:
    parts = one_per_field(line)
    if len(parts) == 1:
        return [Rejected(line, _short(problem, line))]
    problems = [(part, send([part])) for part in parts]
    rejected = [Rejected(part, _short(reason, part)) for part, reason in problems if reason is not None]
    return [Rejected(line, rejected[0].reason)] if len(rejected) == len(parts) else rejected


def _short(reason: str, line: str) -> str:
    """The server's reason without the line itself, which is kept beside it."""
    return reason.replace(line, "…")
