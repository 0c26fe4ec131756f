"""What a month comes to before any statement is made: control totals. Decided here: the cents of statements, as arrays. Pure.

A vectorised twin of `compose` for CDRs priced before taxes: lines in whole minor units, tax per customer and rate on their sum. The
totals of a run must be these; what people see is always made by `compose`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec
import numpy as np
from numpy.typing import NDArray

from billing_reports.cdr_row import CdrRow
from billing_reports.money import minor_units, round_amount

NO_VAT = -1
"""Rate of what no VAT applies to; other rates are thousandths of a percent."""


class Lines(msgspec.Struct):
    """Lines as columns, one entry each: customer and rate as numbers, `net` in minor units of one currency."""

    customer: NDArray[np.int64]
    rate: NDArray[np.int64]
    net: NDArray[np.int64]


class MonthTotals(msgspec.Struct):
    """Per customer (index of the arrays): sums in minor units. `lines` is how many."""

    lines: NDArray[np.int64]
    net: NDArray[np.int64]
    tax: NDArray[np.int64]

    @property
    def payable(self) -> NDArray[np.int64]:
        """Net and tax."""
        return self.net + self.tax


def lines_of(rows: Iterable[CdrRow], customers: dict[str, int], currency: str) -> Lines:
    """Columns of CDRs of one currency; `customers` gets a number for each customer that is new."""
    made: list[tuple[int, int, int]] = []
    places = minor_units(currency)
    for row in rows:
        if row.currency == currency and row.customer_id is not None:
            number = customers.setdefault(row.customer_id, len(customers))
            made += [(number, _rate(each.vat), _minor(each.before_taxes, places)) for each in row.rates]
    columns = np.array(made, dtype=np.int64).reshape(-1, 3)
    return Lines(columns[:, 0].copy(), columns[:, 1].copy(), columns[:, 2].copy())


def joined(parts: Sequence[Lines]) -> Lines:
    """Several columns behind each other."""
    return Lines(*(np.concatenate([getattr(each, name) for each in parts]) for name in ("customer", "rate", "net")))


def month_totals(lines: Lines, customers: int) -> MonthTotals:
    """Totals of each customer's statement. Exact: integers all through; tax is rounded half up, per customer and rate."""
    count = np.bincount(lines.customer, minlength=customers)
    net = np.zeros(customers, dtype=np.int64)
    tax = np.zeros(customers, dtype=np.int64)
    for rate in np.unique(lines.rate):
        mine = lines.rate == rate
        base = np.zeros(customers, dtype=np.int64)
        np.add.at(base, lines.customer[mine], lines.net[mine])
        net += base
        if rate > 0:
            tax += np.sign(base) * ((2 * np.abs(base) * rate + 100_000) // 200_000)
    return MonthTotals(count.astype(np.int64), net, tax)


def _rate(vat: Decimal | None) -> int:
    return NO_VAT if vat is None else int(vat * 1000)


def _minor(amount: Decimal, places: int) -> int:
    return int(round_amount(amount, places).scaleb(places))
