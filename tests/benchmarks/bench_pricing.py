"""Pricing: the scalar engine on one core, and its twin in columns. Sessions of three periods under a tariff of four elements.

The ratio is against the plainest exact code there is: the reference of the property tests, minute by minute in fractions.
(The engine on PyPI, `ocpi-tariffs` 0.1.0, cannot be a peer: its wheel holds no code.)
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
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
SCALAR, REFERENCE, COLUMNS = 20_000, 200, 1_000_000
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


def cpu_s(work: Callable[[], Any]) -> float:
    """Of this process, all threads."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


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
    reference_s = cpu_s(lambda: [reference(each, tariff()) for each in made[:REFERENCE]])
    scalar_s = cpu_s(lambda: [pricer.price(each) for each in made])
    history = month_of(history_of(made), COLUMNS // SCALAR)
    found: list[Any] = []
    columns_s = cpu_s(lambda: found.append(price_history(history, tariff())))
    for index in range(0, SCALAR, 997):
        assert found[0].price(index) == pricer.price(made[index]).totals.cost
    figures = {
        "benchmark": "pricing",
        "periods": 3,
        "elements": 4,
        "scalar_cdrs_per_cpu_s": round(SCALAR / scalar_s),
        "columns_cdrs_per_cpu_s": round(COLUMNS / columns_s),
        "reference_cdrs_per_cpu_s": round(REFERENCE / reference_s),
        "scalar_to_reference": round(SCALAR / scalar_s / (REFERENCE / reference_s), 1),
        "columns_to_scalar": round(COLUMNS / columns_s / (SCALAR / scalar_s), 1),
    }
    print("\n" + json.dumps(figures))
