"""Pricing twice: a slow reference that walks minute by minute in fractions, and strategies for tariffs and usages on that grid.

The reference shares nothing with the engine but the words of a tariff: no cuts, no masks, no integer units. It is exact because the
strategies only make whole minutes, a whole number of Wh per minute, and thresholds that such a usage meets at a whole minute: every
period uses a multiple of 200 Wh at a rate that divides 200, and thresholds are whole kWh.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from billing_reports.cdr import ChargingPeriod, PeriodKind, Usage
from billing_reports.tariff import (
    DayOfWeek,
    Dimension,
    PriceComponent,
    PriceLimit,
    ReservationRestriction,
    Restrictions,
    Tariff,
    TariffElement,
    TaxIncluded,
)

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")
MINUTE = timedelta(minutes=1)
_WORDS = list(DayOfWeek)


class Minute:
    """One minute of a usage: what was measured in it, and the state it began in."""

    def __init__(self, at: datetime, zone: ZoneInfo, period: ChargingPeriod, used_wh: Fraction, since_s: int, wh: Fraction) -> None:
        self.local, self.period, self.used_wh, self.since_s, self.wh = at.astimezone(zone), period, used_wh, since_s, wh

    def inside(self, each: Restrictions) -> bool:
        """All restrictions but the reservation, straight from the words of OCPI."""
        clock, day = f"{self.local:%H:%M}", f"{self.local:%Y-%m-%d}"
        start, end = each.start_time or "00:00", each.end_time or "24:00"
        end = "24:00" if end == "00:00" else end
        timely = start <= clock < end if start < end else start == end or clock >= start or clock < end
        dated = (each.start_date or "0") <= day < (each.end_date or "9")
        weekly = not each.day_of_week or _WORDS[self.local.weekday()] in each.day_of_week
        kwh = self.used_wh / 1000
        power = self.period.max_power_w if self.period.kind is PeriodKind.CHARGING else 0
        return (
            timely
            and dated
            and weekly
            and between(each.min_kwh, kwh, each.max_kwh)
            and between(each.min_duration, Fraction(self.since_s), each.max_duration)
            and between(each.min_power, None if power is None else Fraction(power, 1000), each.max_power)
        )


def between(low: Decimal | int | None, value: Fraction | None, high: Decimal | int | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= Fraction(low)) and (high is None or value < Fraction(high))


def minutes_of(usage: Usage) -> Iterator[Minute]:
    zone, used, began = ZoneInfo(usage.time_zone), Fraction(0), None
    for period in usage.periods:
        reserved = period.kind is PeriodKind.RESERVATION
        began = began or (None if reserved else period.start_at)
        count = (period.end_at - period.start_at) // MINUTE
        wh = Fraction(period.energy_wh, count) if count else Fraction(0)
        for number in range(count):
            at = period.start_at + number * MINUTE
            yield Minute(at, zone, period, used, 0 if began is None else int((at - began).total_seconds()), wh)
            used += 0 if reserved else wh


def chosen(tariff: Tariff, minute: Minute, dimension: Dimension, expired: bool) -> PriceComponent | None:
    reserved = minute.period.kind is PeriodKind.RESERVATION
    passes: list[ReservationRestriction | None] = [ReservationRestriction.RESERVATION] if reserved else [None]
    if reserved and expired:
        passes.insert(0, ReservationRestriction.RESERVATION_EXPIRES)
    for wanted in passes:
        for element in tariff.elements:
            if element.restrictions.reservation is wanted and minute.inside(element.restrictions):
                for each in element.price_components:
                    if each.type is dimension:
                        return each
    return None


def reference(usage: Usage, tariff: Tariff) -> tuple[Fraction, Fraction]:
    """(before taxes, after taxes), exact."""
    volumes: list[tuple[str, PriceComponent, Fraction]] = []
    flats: dict[bool, PriceComponent] = {}
    for minute in minutes_of(usage):
        kind = minute.period.kind
        reserved = kind is PeriodKind.RESERVATION
        flat = chosen(tariff, minute, Dimension.FLAT, usage.reservation_expired)
        if flat is not None:
            flats.setdefault(reserved, flat)
        energy = None if reserved else chosen(tariff, minute, Dimension.ENERGY, False)
        if energy is not None and minute.wh:
            volumes.append(("energy", energy, minute.wh))
        time = Dimension.PARKING_TIME if kind is PeriodKind.PARKING else Dimension.TIME
        timed = chosen(tariff, minute, time, usage.reservation_expired)
        if timed is not None:
            volumes.append((kind.value, timed, Fraction(60)))
    timed_names = [name for name, _, _ in volumes if name in ("CHARGING", "PARKING")]
    for name in {"energy", "RESERVATION", *timed_names[-1:]}:
        mine = [(component, volume) for other, component, volume in volumes if other == name]
        if mine:
            whole, step = sum((volume for _, volume in mine), Fraction(0)), max(1, mine[-1][0].step_size)
            volumes.append((name, mine[-1][0], ceil(whole / step) * step - whole))
    charged = [(each, Fraction(each.price)) for each in flats.values()]
    charged += [(each, Fraction(each.price) * volume / (1000 if name == "energy" else 3600)) for name, each, volume in volumes]
    return limited(tariff, usage, charged)


def limited(tariff: Tariff, usage: Usage, charged: list[tuple[PriceComponent, Fraction]]) -> tuple[Fraction, Fraction]:
    net = gross = Fraction(0)
    for each, amount in charged:
        rate = 1 + Fraction(each.vat or 0) / 100
        if tariff.tax_included is TaxIncluded.NOT_APPLICABLE:
            rate = Fraction(1)
        included = tariff.tax_included is TaxIncluded.YES
        net += amount / rate if included else amount
        gross += amount if included else amount * rate
    if tariff.min_price and any(each.kind is not PeriodKind.RESERVATION for each in usage.periods):
        net, gross = max(net, Fraction(tariff.min_price.before_taxes)), max(gross, Fraction(tariff.min_price.after_taxes or 0))
    if tariff.max_price:
        assert tariff.max_price.after_taxes is not None
        net, gross = min(net, Fraction(tariff.max_price.before_taxes)), min(gross, Fraction(tariff.max_price.after_taxes))
    return net, gross


_prices = st.integers(-200, 5000).map(lambda each: Decimal(each).scaleb(-3))
_rates = st.sampled_from([None, Decimal(0), Decimal("5.2"), Decimal(19), Decimal(20), Decimal("7.7")])
_clock = st.one_of(st.none(), st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59])))
_bound = st.one_of(st.none(), st.integers(0, 12))


@st.composite
def restrictions(draw: st.DrawFn, reservation: bool) -> Restrictions:
    """Some conditions, also ones that never hold."""
    return Restrictions(
        start_time=draw(_clock),
        end_time=draw(_clock),
        start_date=draw(st.sampled_from([None, None, "2026-10-25", "2026-03-29"])),
        end_date=draw(st.sampled_from([None, None, "2026-10-26", "2026-11-02"])),
        min_kwh=draw(_bound.map(lambda each: None if each is None else Decimal(each))),
        max_kwh=draw(_bound.map(lambda each: None if each is None else Decimal(each))),
        min_duration=draw(_bound.map(lambda each: None if each is None else each * 600)),
        max_duration=draw(_bound.map(lambda each: None if each is None else each * 600)),
        min_power=draw(st.sampled_from([None, None, None, Decimal(6), Decimal(12)])),
        max_power=draw(st.sampled_from([None, None, None, Decimal(12), Decimal(30)])),
        day_of_week=tuple(draw(st.lists(st.sampled_from(_WORDS), max_size=4))) if draw(st.booleans()) else (),
        reservation=draw(st.sampled_from(list(ReservationRestriction))) if reservation else None,
    )


@st.composite
def elements(draw: st.DrawFn) -> TariffElement:
    reservation = draw(st.integers(0, 4)) == 0
    dimensions = [Dimension.TIME, Dimension.FLAT] if reservation else list(Dimension)
    components = [
        PriceComponent(each, draw(_prices), draw(_rates), draw(st.sampled_from([0, 1, 1, 7, 60, 300, 900])))
        for each in draw(st.lists(st.sampled_from(dimensions), min_size=1, unique=True))
    ]
    plain = not reservation and draw(st.integers(0, 2)) == 0
    return TariffElement(tuple(components), Restrictions() if plain else draw(restrictions(reservation)))


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    """Tariffs with up to five elements; limits always have both figures."""
    low = draw(st.one_of(st.none(), st.integers(0, 300)))
    high = draw(st.one_of(st.none(), st.integers(300, 3000)))

    def limit(cents: int | None) -> PriceLimit | None:
        return None if cents is None else PriceLimit(Decimal(cents) / 100, Decimal(cents) / 80)

    return Tariff(
        id="T",
        currency="EUR",
        elements=tuple(draw(st.lists(elements(), min_size=1, max_size=5))),
        min_price=limit(low),
        max_price=limit(high),
        tax_included=draw(st.sampled_from(list(TaxIncluded))),
    )


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Up to five periods of whole minutes around clock changes and ordinary days; perhaps a reservation first."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    day = draw(
        st.sampled_from([(2026, 1, 16), (2026, 3, 28), (2026, 3, 29), (2026, 4, 5), (2026, 10, 25), (2026, 11, 1), (2026, 10, 4)])
    )
    at = datetime(*day, draw(st.integers(0, 23)), draw(st.integers(0, 59)), tzinfo=zone).astimezone(UTC)
    kinds = draw(st.lists(st.sampled_from([PeriodKind.CHARGING, PeriodKind.CHARGING, PeriodKind.PARKING]), max_size=4))
    if draw(st.booleans()):
        kinds.insert(0, PeriodKind.RESERVATION)
    periods = []
    for kind in kinds or [PeriodKind.CHARGING]:
        minutes = draw(st.integers(1, 150))
        charging = kind is PeriodKind.CHARGING
        rate = draw(st.sampled_from([0, 10, 50, 100, 200])) if charging else 0
        if rate:
            minutes = ceil(minutes * rate / 200) * 200 // rate
        wh = rate * minutes
        power = draw(st.sampled_from([None, 3000, 6000, 11999, 12000, 40000])) if charging else None
        end = at + minutes * MINUTE
        periods.append(ChargingPeriod(at, end, kind, wh, min_power_w=power, max_power_w=power))
        at = end
    return Usage(tuple(periods), zone.key, draw(st.booleans()))
