"""Customers from CSV: several rows are one customer, and what cannot be used is named by its line."""

from __future__ import annotations

from datetime import date

import pytest

from chargewatch.cli.exits import CommandFailed
from chargewatch.cli.importing_billing import read_customers

TODAY = date(2026, 3, 17)


def test_rows_of_one_customer_come_together() -> None:
    """Tokens gather; a contract is named after the customer where the file names none; commas and semicolons both work."""
    text = "customer_id;name;city;token;first_day\nanna;Anna Berg;Oslo;AA;2026-01-01\nanna;Anna Berg;Oslo;BB;2026-01-01\nbo;Bo;;;\n"
    read = read_customers(text, "c.csv", TODAY)
    assert read.rejects == []
    assert read.customers["anna"] == {
        "customer_id": "anna", "party": {"name": "Anna Berg", "city": "Oslo"}, "tokens": ["AA", "BB"], "contract_id": "anna",
        "first_day": "2026-01-01", "plan_id": None,
    }  # fmt: skip
    assert read.customers["bo"] == {"customer_id": "bo", "party": {"name": "Bo"}, "tokens": []}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a b,X,,", "customer_id 'a b': use letters, digits, dots and dashes"),
        ("a,,,", "name is missing"),
        ("a,X,T,31.12.2026", "first_day '31.12.2026' is no day: write 2026-01-31"),
    ],
)
def test_a_bad_row_is_named(row: str, reason: str) -> None:
    """Its line and the reason; the others are taken."""
    read = read_customers(f"customer_id,name,token,first_day\nok,Fine,,\n{row}\n", "c.csv", TODAY)
    assert (read.rejects, list(read.customers)) == ([(3, reason)], ["ok"])


def test_a_wrong_head_is_refused() -> None:
    """A misspelt column would otherwise be lost in silence."""
    with pytest.raises(CommandFailed, match="line 1: tokens is no column"):
        read_customers("customer_id,name,tokens\n", "c.csv", TODAY)
    with pytest.raises(CommandFailed, match="column name is missing"):
        read_customers("customer_id\n", "c.csv", TODAY)
