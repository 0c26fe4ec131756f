"""Pricing: the scalar engine on one core, and its twin in columns. Sessions of three periods under a tariff of four elements.

Seconds are CPU time of this process, and a rate is that of the best of several equal parts, because a machine that does other
things too makes some of them slow. The ratio is against the plainest exact code there is: the reference of the property tests,
minute by minute in fractions. (The engine on PyPI, `ocpi-tariffs` 0.1.0, cannot be a peer: its wheel holds no code.)
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from billing_reports.cdr import ChargingPeriod, PeriodKind, Usage
from billing_reports.price import Pricer
from billing_reports.tariff import DayOfWeek, Dimension, PriceComponent, Restrictions, Tariff, TariffElement, TaxIncluded
from billing_reports.vector import History, history_of, price_history
from tests.support.pricing import reference

ZONE = "Europe/Berlin"
SCALAR, PART, REFERENCE, COLUMNS = 20_000, 200, 40, 1_000_000
WEEKEND = (DayOfWeek.SATURDAY, DayOfWeek.SUNDAY)
START = datetime(2026, 3, 2, tzinfo=UTC)


def component(dimension: Dimension, price: str, step: int = 1) -> PriceComponent:
    return PriceComponent(dimension, Decimal(price), Decimal(19), step)


def tariff() -> Tariff:
    """Night, weekend, day, and a fee for standing there."""
    return Tariff(
        id="four",
        currency="EUR",
        tax_included=TaxIncluded.NO,
        elements=(
            TariffElement((component(Dimension.ENERGY, "0.29"),), Restrictions(start_time="22:00", end_time="06:00")),
            TariffElement((component(Dimension.ENERGY, "0.35"),), Restrictions(day_of_week=WEEKEND)),
            TariffElement((component(Dimension.PARKING_TIME, "6.00", 60),), Restrictions(min_duration=3600)),
            TariffElement((component(Dimension.FLAT, "0.50"), component(Dimension.ENERGY, "0.45"))),
        ),
    )


def usage(index: int) -> Usage:
    """Slow, fast, then standing there; begun at any minute of a month."""
    begun = START + timedelta(minutes=index * 37 % 43_200)
    periods = []
    for kind, minutes, energy_wh, power_w in (
        (PeriodKind.CHARGING, 20, 2_000, 6_000),
        (PeriodKind.CHARGING, 40, 30_000, 45_000),
        (PeriodKind.PARKING, 30, 0, None),
    ):
        ended = begun + timedelta(minutes=minutes)
        periods.append(ChargingPeriod(begun, ended, kind=kind, energy_wh=energy_wh, min_power_w=power_w, max_power_w=power_w))
        begun = ended
    return Usage(tuple(periods), ZONE)


def best_per_s(count: int, *parts: Callable[[], Any]) -> int:
    """Best rate of parts that each do `count`."""
    seconds = []
    for part in parts:
        begun = time.process_time()
        part()
        seconds.append(time.process_time() - begun)
    return round(count / min(seconds))


def each_of(work: Callable[[Usage], Any], usages: Sequence[Usage]) -> Callable[[], None]:
    """Does something with each usage and keeps nothing."""

    def run() -> None:
        for one in usages:
            work(one)

    return run


def month_of(sample: History, repeats: int) -> History:
    """The same columns again, each time with its own sessions."""
    rows, count = int(sample.first[-1]), len(sample)
    names = ("kind", "start", "end", "energy", "time", "min_power", "max_power", "min_current", "max_current")
    first = np.append(np.concatenate([sample.first[:-1] + rows * each for each in range(repeats)]), rows * repeats)
    return History(
        sample.time_zone, first, np.zeros(count * repeats, np.bool_), *(np.tile(getattr(sample, name), repeats) for name in names)
    )


@pytest.mark.benchmark
@pytest.mark.timeout(300)
def test_cdrs_per_second() -> None:
    """Both engines price the same sessions to the same cent."""
    made, pricer = [usage(index) for index in range(SCALAR)], Pricer(tariff(), ZONE)
    parts = [made[begin : begin + PART] for begin in range(0, SCALAR, PART)]
    amounts = best_per_s(PART, *(each_of(pricer.tally, part) for part in parts))
    breakdowns = best_per_s(PART, *(each_of(pricer.price, part) for part in parts))
    plain = best_per_s(REFERENCE, *(each_of(lambda one: reference(one, tariff()), part[:REFERENCE]) for part in parts[:3]))
    history = month_of(history_of(made), COLUMNS // SCALAR)
    found: list[Any] = []
    columns = best_per_s(COLUMNS, *[lambda: found.append(price_history(history, tariff()))] * 3)
    for index in range(0, SCALAR, 997):
        cost = found[0].price(index)
        assert cost == pricer.tally(made[index]).price == pricer.price(made[index]).totals.cost
    figures = {
        "benchmark": "pricing",
        "periods": 3,
        "elements": 4,
        "scalar_cdrs_per_cpu_s": amounts,
        "scalar_with_breakdown_per_cpu_s": breakdowns,
        "columns_cdrs_per_cpu_s": columns,
        "reference_cdrs_per_cpu_s": plain,
        "scalar_to_reference": round(amounts / plain, 1),
        "columns_to_scalar": round(columns / amounts, 1),
    }
    print("\n" + json.dumps(figures))
    assert amounts >= 50_000, "the engine that prices statements"
    assert columns >= 1_000_000, "its twin for histories"
