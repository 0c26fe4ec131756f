"""Token files: which lines are taken, and the exact reason that each other line is not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chargenet.model.token import TokenReject
from chargenet.model.token_file import read_tokens

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_full_line_becomes_a_token() -> None:
    """Words in any case, instants with or without a zone, blanks around cells."""
    lines = [
        "value,kind,status,parent,expires_at\n",
        " A1 , emaid ,BLOCKED, fleet ,2027-01-31T12:00:00+02:00\n",
        "b2,,,,2027-01-31\n",
    ]
    result = read_tokens(lines, NOW)
    first, second = result.tokens
    assert (first.value, first.kind, first.status, first.parent) == ("A1", "eMAID", "Blocked", "fleet")
    assert first.expires_at == datetime(2027, 1, 31, 10, tzinfo=UTC)
    assert (second.kind, second.status, second.parent, second.created_at) == ("Unknown", "Accepted", None, NOW)
    assert second.expires_at == datetime(2027, 1, 31, tzinfo=UTC)
    assert result.rejects == ()


def test_columns_may_come_in_any_order_and_but_one_may_be_left_out() -> None:
    """Only `value` is needed; a byte order mark and empty lines are nothing."""
    result = read_tokens(["\ufeffstatus,value\n", "\n", "Blocked,A1\n", ",,\n", "A2\n"], NOW)
    assert [(row.value, row.status) for row in result.tokens] == [("A1", "Blocked")]
    assert result.rejects == (TokenReject(5, "no value"),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",Local,Accepted,,", "no value"),
        ("x" * 256 + ",,,,", "the value is longer than 255 characters"),
        ("A,Plastic,,,", "kind 'Plastic' is not one of"),
        ("A,,Fine,,", "status 'Fine' is not one of Accepted, Blocked, Expired, Invalid"),
        ("A,,,,tomorrow", "expires_at 'tomorrow' is not an instant such as 2027-01-31T00:00:00Z"),
        ("A,,,,,,", "more cells than columns"),
        ("taken,,,,", "the value 'taken' is in this file twice"),
        ("TAKEN,,,,", "the value 'TAKEN' is in this file twice"),
    ],
)
def test_a_bad_line_is_named_with_its_reason_and_the_others_are_taken(line: str, reason: str) -> None:
    """Lines count from 1, the header included."""
    result = read_tokens(["value,kind,status,parent,expires_at\n", "taken,,,,\n", line + "\n", "last,,,,\n"], NOW)
    assert [row.value for row in result.tokens] == ["taken", "last"]
    [reject] = result.rejects
    assert reject.line == 3
    assert reject.reason.startswith(reason)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "the first line must name the columns: value,kind,status,parent,expires_at"),
        ("A1,Local", "the first line must name the columns: value,kind,status,parent,expires_at"),
        ("value,expiry", "unknown column 'expiry': the columns are value,kind,status,parent,expires_at"),
    ],
)
def test_a_wrong_header_takes_nothing(header: str, reason: str) -> None:
    """A file with other columns is not guessed at."""
    result = read_tokens([header + "\n", "A1,x\n"], NOW)
    assert (result.tokens, result.rejects) == ((), (TokenReject(1, reason),))


def test_an_empty_file_takes_nothing() -> None:
    """And says why."""
    assert read_tokens([], NOW).rejects[0].line == 1


def test_what_is_no_csv_ends_the_file_with_its_line() -> None:
    """Lines before it are taken."""
    result = read_tokens(["value\n", "A1\n", '"open\n', "A2\n"], NOW)
    assert [row.value for row in result.tokens] == ["A1"]
    assert result.rejects[0].reason.startswith("not CSV from here on")


def test_a_quoted_value_may_hold_commas_and_lines() -> None:
    """As CSV says; the line named is where the record ends."""
    result = read_tokens(["value,kind\n", '"a,b",Local\n', '"c\n', 'd",Odd\n'], NOW)
    assert [row.value for row in result.tokens] == ["a,b"]
    assert result.rejects[0].line == 4
