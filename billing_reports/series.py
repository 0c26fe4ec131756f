"""Prices that change with time on their own: spot markets, demand, place. Decided here: which price holds at an instant.

A series is absolute UTC intervals and never a time of day, because the hour that a clock change repeats has two prices
(ocpi/ocpi#534). Prices may be negative. A gap is an error and never a price of zero.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from chargenet.errors import ChargewatchError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class PriceMissing(ChargewatchError):
    """A price series has no price for an instant that was used: nothing is billed until it is there."""

    def __init__(self, series: str, at: datetime) -> None:
        super().__init__(f"price series {series}: no price for {at:%Y-%m-%dT%H:%M:%SZ}; import that interval, then price again")
        self.series, self.at = series, at


class PriceInterval(msgspec.Struct, frozen=True):
    """`[start_at, end_at)` in UTC at one price per kWh or per hour, before taxes unless the tariff includes them."""

    start_at: datetime
    end_at: datetime
    price: Decimal


class PriceSeries(msgspec.Struct, frozen=True):
    """Intervals in order, without overlap; gaps are allowed and have no price. Raises ValueError for anything else.

    `name` is what a price component refers to, e.g. `spot:NO1` or `demand:harbour`.
    """

    name: str
    currency: str
    intervals: tuple[PriceInterval, ...]

    def __post_init__(self) -> None:
        ended: datetime | None = None
        for number, each in enumerate(self.intervals):
            where = f"price series {self.name}: interval {number}"
            if each.start_at.utcoffset() is None or each.end_at.utcoffset() is None:
                raise ValueError(f"{where}: an instant without zone; write it in UTC")
            if each.end_at <= each.start_at:
                raise ValueError(f"{where}: ends at {each.end_at.isoformat()}, not after its start")
            if ended is not None and each.start_at < ended:
                raise ValueError(f"{where}: begins at {each.start_at.isoformat()}, before the one before it ends")
            ended = each.end_at

    def price_at(self, at: datetime) -> Decimal:
        """The price that holds at an instant; PriceMissing in a gap."""
        index = bisect_right(self.intervals, at, key=lambda each: each.start_at) - 1
        if index < 0 or at >= self.intervals[index].end_at:
            raise PriceMissing(self.name, at)
        return self.intervals[index].price


def hourly(name: str, currency: str, first_at: datetime, prices: Sequence[Decimal], *, slot_minutes: int = 60) -> PriceSeries:
    """A series of equal slots from `first_at` on, as spot markets publish a day: 92, 96 or 100 quarters, 23 to 25 hours."""
    slot = timedelta(minutes=slot_minutes)
    start = first_at.astimezone(UTC)
    made = tuple(PriceInterval(start + slot * n, start + slot * (n + 1), each) for n, each in enumerate(prices))
    return PriceSeries(name, currency, made)


class DemandStep(msgspec.Struct, frozen=True):
    """From this share of connectors in use on (0 to 1), prices are multiplied by `factor`."""

    from_share: Decimal
    factor: Decimal


def by_demand(name: str, base: PriceSeries, in_use: Mapping[datetime, Decimal], steps: Iterable[DemandStep]) -> PriceSeries:
    """`base` with each interval that begins at a key of `in_use` priced by how full the place was; others keep the base price.

    The share must be known before the interval begins: a price is announced, never found afterwards.
    """
    ladder = sorted(steps, key=lambda step: step.from_share)
    made = []
    for each in base.intervals:
        share = in_use.get(each.start_at)
        factor = Decimal(1)
        if share is not None:
            factor = next((step.factor for step in reversed(ladder) if share >= step.from_share), Decimal(1))
        made.append(PriceInterval(each.start_at, each.end_at, each.price * factor))
    return PriceSeries(name, base.currency, tuple(made))
