"""Which points of a refused batch are given up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chargenet.storage.isolation import write_good


class PickyServer:
    """Refuses a whole request that holds a bad word, as InfluxDB 2 does; `quotes`: it says which lines it means."""

    def __init__(self, *, quotes: bool = False) -> None:
        self.taken: set[str] = set()
        self.requests = 0
        self._quotes = quotes

    def send(self, lines: Sequence[str]) -> str | None:
        self.requests += 1
        bad = [line for line in lines if "bad=" in line]
        if not bad:
            self.taken.update(lines)
            return None
        return "; ".join(f"unable to parse '{line}'" for line in bad) if self._quotes else "field type conflict"


def good(n: int) -> list[str]:
    """Well-formed lines."""
    return [f"m,t={i} v=1.0 {i}" for i in range(n)]


def test_a_good_batch_is_one_request() -> None:
    """The common case costs nothing more."""
    server = PickyServer()
    assert write_good(good(100), server.send) == []
    assert server.requests == 1
    assert server.taken == set(good(100))


@pytest.mark.parametrize("quotes", [True, False])
def test_only_the_bad_points_are_given_up(quotes: bool) -> None:
    """Wherever they stand, with or without the server naming them; each with the server's reason."""
    lines = good(1000)
    for place in (0, 17, 500, 999):
        lines[place] = f"m,t={place} bad=1i {place}"
    server = PickyServer(quotes=quotes)
    rejected = write_good(lines, server.send)
    assert [point.line for point in rejected] == [lines[place] for place in (0, 17, 500, 999)]
    assert all(point.reason for point in rejected)
    assert server.taken == set(lines) - {point.line for point in rejected}


def test_halving_needs_few_requests() -> None:
    """One bad line among 4,096 is found in about two requests per halving."""
    lines = good(4096)
    lines[1234] = "m bad=1i 5"
    server = PickyServer()
    write_good(lines, server.send)
    assert server.requests <= 2 * 12 + 2


def test_a_bad_field_does_not_take_the_others_with_it() -> None:
    """A line of several fields is saved field by field."""
    server = PickyServer()
    rejected = write_good(["m,t=1 a=1.0,bad=1i,c=2.0 9"], server.send)
    assert [point.line for point in rejected] == ["m,t=1 bad=1i 9"]
    assert server.taken == {"m,t=1 a=1.0 9", "m,t=1 c=2.0 9"}


def test_an_outage_while_searching_is_not_taken_for_a_refusal() -> None:
    """The server's absence is raised, so that the whole batch is tried again later."""
    answers = iter(["refused"])

    def send(lines: Sequence[str]) -> str | None:
        try:
            return next(answers)
        except StopIteration:
            raise ConnectionError from None

    with pytest.raises(ConnectionError):
        write_good(good(4), send)
