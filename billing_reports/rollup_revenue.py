"""Revenue by connector and hour. Decided here, alone: which CDRs count, in which hour, and with what amount.

A CDR counts whole in the UTC hour in which its session ended, before taxes, exact: cents are made on statements, and rounded hours
would not add up to the CDRs. So the hours of a site's connectors add up to what its windows show. A credit is negative in the hour
of its original. What the owner of a home connector is paid back is no revenue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from billing_reports.cdr_row import CdrRow
from billing_reports.money import decimal_text, minor_units, total
from billing_reports.rollups import HourRevenue, hour_of


def revenue_of(rows: Iterable[CdrRow]) -> list[HourRevenue]:
    """What these CDRs add to hours of connectors, one per connector and hour. A CDR without a connector is in no hour."""
    found: dict[tuple[datetime, str, str], Mapping[str, Decimal]] = {}
    for row in rows:
        if row.charge_point_id is None or row.connector is None or row.home:
            continue
        key = (hour_of(row.ended_at.astimezone(UTC)), row.charge_point_id, row.connector)
        found[key] = added(found.get(key, {}), {row.currency: row.before_taxes})
    return [HourRevenue(hour=key[0], charge_point_id=key[1], connector=key[2], revenue=each) for key, each in found.items()]


def added(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Amounts by currency, in its order. A currency that comes to nothing stays: zero is not the same as no CDR."""
    return {currency: _sum(one, other, currency) for currency in sorted({*one, *other})}


def _sum(one: Mapping[str, Decimal], other: Mapping[str, Decimal], currency: str) -> Decimal:
    exact = total(each[currency] for each in (one, other) if currency in each)
    return Decimal(decimal_text(exact, minor_units(currency)))
