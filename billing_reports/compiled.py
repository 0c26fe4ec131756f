"""A tariff as integer tables. Decided here: which element prices a dimension in a given state, and how many units one mWh costs.

A unit is 1/`denominator` of the currency; every price, tax and limit of the tariff is a whole number of units per mWh, ms or
transaction, so that sums are exact (and stay below 2⁶⁴ for the vectorised engine). Restrictions become bit masks over the elements.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from math import gcd, lcm
from zoneinfo import ZoneInfo

import msgspec

from billing_reports.cdr import PeriodKind
from billing_reports.describe import describe
from billing_reports.money import PLACES
from billing_reports.series import PriceMissing, PriceSeries
from billing_reports.split import FOREVER, Calendar, from_ms, to_ms, window_of
from billing_reports.tariff import Dimension, PriceComponent, ReservationRestriction, Tariff, TariffElement, TaxIncluded
from chargenet.errors import ChargewatchError

_MWH_PER_KWH = 1_000_000
_MS_PER_HOUR = 3_600_000
VOLUME_UNITS = lcm(_MWH_PER_KWH, _MS_PER_HOUR)
_WEIGHTS = {
    Dimension.ENERGY: VOLUME_UNITS // _MWH_PER_KWH,
    Dimension.TIME: VOLUME_UNITS // _MS_PER_HOUR,
    Dimension.PARKING_TIME: VOLUME_UNITS // _MS_PER_HOUR,
    Dimension.FLAT: VOLUME_UNITS,
}
# The state of a slice as one integer: mask of elements x STATES + flavour, where flavour is kind x 4 + GRACED + EXPIRED.
KINDS = (PeriodKind.CHARGING, PeriodKind.PARKING, PeriodKind.RESERVATION)
STATES, GRACED, EXPIRED = 12, 2, 1
FLAVOURS: Mapping[bool, Mapping[PeriodKind, int]] = {
    False: {kind: number * 4 for number, kind in enumerate(KINDS)},
    True: {kind: number * 4 + EXPIRED * (kind is PeriodKind.RESERVATION) for number, kind in enumerate(KINDS)},
}
"""By whether a reservation expired: the flavour of each kind."""


class TariffError(ChargewatchError):
    """A tariff that cannot be used: `where` names the place in it, the text what is wrong with it."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"tariff: {where}: {problem}")
        self.where, self.problem = where, problem


class SeriesTable(msgspec.Struct, frozen=True):
    """A price series as integers: from starts[i] to ends[i] the price is prices[i] (10^-decimals currency)."""

    name: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    prices: tuple[int, ...]

    def at(self, instant: int) -> int:
        """The price at an instant; PriceMissing in a gap."""
        index = bisect_right(self.starts, instant) - 1
        if index < 0 or instant >= self.ends[index]:
            raise PriceMissing(self.name, from_ms(instant))
        return self.prices[index]

    def next_change(self, at: int) -> int:
        """The first instant after `at` at which an interval begins."""
        following = bisect_right(self.starts, at)
        return self.starts[following] if following < len(self.starts) else FOREVER


class Component(msgspec.Struct, frozen=True, eq=False):
    """A price component as integers. cost = volume x price x weight, in units; the weight with `net` or `gross` taxes."""

    element: int
    dimension: Dimension
    source: PriceComponent
    price: int
    net: int
    """Units before taxes for price 1 and volume 1 (mWh, ms or once)."""
    gross: int
    step: int
    """mWh or ms."""
    vat: Decimal | None
    series: SeriesTable | None
    rule: str
    rule_stepped: str


class Choice(msgspec.Struct, frozen=True, eq=False):
    """What prices each dimension in one state. None: free."""

    energy: Component | None
    time: Component | None
    """For TIME, PARKING_TIME or the time of a reservation, by the kind of the period."""
    flat: Component | None
    graced: bool
    varies: bool
    """Whether a price series is among them."""
    energy_price: int
    time_price: int
    """The prices of the two, where no series has them; 0 for what is free."""

    def prices_at(self, instant: int) -> tuple[int, int]:
        """(energy, time) at an instant; PriceMissing in a gap of a series."""
        energy, time = self.energy_price, self.time_price
        if self.energy is not None and self.energy.series is not None:
            energy = self.energy.series.at(instant)
        if self.time is not None and self.time.series is not None:
            time = self.time.series.at(instant)
        return energy, time


class Bands(msgspec.Struct, frozen=True):
    """Masks of elements by a measured value: masks[number of edges <= value]. `unknown` is the mask when it is not known."""

    edges: tuple[int, ...]
    masks: tuple[int, ...]
    unknown: int

    def mask(self, value: int | None) -> int:
        """Elements whose restriction holds for `value`."""
        return self.unknown if value is None else self.masks[bisect_right(self.edges, value)]


Bound = Callable[[TariffElement], int | None]


def bands(elements: Sequence[TariffElement], low: Bound, high: Bound) -> Bands:
    """Bands of `low <= value < high`, either of which may be absent."""
    limits = [(low(each), high(each)) for each in elements]
    edges = sorted({edge for pair in limits for edge in pair if edge is not None})
    masks = []
    for value in [(edges[0] - 1 if edges else 0), *edges]:
        held = (n for n, (least, most) in enumerate(limits) if (least is None or value >= least) and (most is None or value < most))
        masks.append(sum(1 << n for n in held))
    return Bands(tuple(edges), tuple(masks), sum(1 << n for n, pair in enumerate(limits) if pair == (None, None)))


def scaled(limit: Decimal | int | None, by: int) -> int | None:
    """A limit in thousandths, rounded up: for whole measured values, `>=` and `<` say the same of both."""
    return None if limit is None else int((Decimal(limit) * by).to_integral_value(ROUND_CEILING))


def decimals(amount: Decimal) -> int:
    """Decimals that matter: 2 for 0.250, 0 for 100."""
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


class Compiled:
    """Tables of one tariff at one place. Immutable but for what it remembers of days and states that came up."""

    def __init__(self, tariff: Tariff, zone: ZoneInfo, series: Mapping[str, PriceSeries]) -> None:
        self.tariff, self.zone = tariff, zone
        elements = tariff.elements
        self.all = (1 << len(elements)) - 1
        self.calendar = Calendar([window_of(each.restrictions) for each in elements], zone)
        self.energy = bands(
            elements, lambda e: scaled(e.restrictions.min_kwh, 10**6), lambda e: scaled(e.restrictions.max_kwh, 10**6)
        )
        self.duration = bands(
            elements, lambda e: scaled(e.restrictions.min_duration, 1000), lambda e: scaled(e.restrictions.max_duration, 1000)
        )
        self.power = _two_sided(elements, lambda e: e.restrictions.min_power, lambda e: e.restrictions.max_power)
        self.current = _two_sided(elements, lambda e: e.restrictions.min_current, lambda e: e.restrictions.max_current)
        self.electrical = self.power is not None or self.current is not None
        self._money(tariff, series)
        self.choices: dict[int, Choice] = {}
        """What `choose` has found, by state."""

    def choice(self, mask: int, kind: PeriodKind, graced: bool, expired: bool) -> Choice:
        """What prices each dimension while the elements of `mask` apply."""
        return self.choose(mask * STATES + KINDS.index(kind) * 4 + GRACED * graced + EXPIRED * expired)

    def choose(self, state: int) -> Choice:
        """The same, by state; it is remembered in `choices`."""
        found = self.choices.get(state)
        if found is None:
            mask, flavour = divmod(state, STATES)
            found = self._choose(mask, KINDS[flavour >> 2], bool(flavour & GRACED), bool(flavour & EXPIRED))
            self.choices[state] = found
        return found

    def _choose(self, mask: int, kind: PeriodKind, graced: bool, expired: bool) -> Choice:
        """For each dimension the first element, in list order, that matches and has it (OCPI mod_tariffs, TariffElement)."""
        order = [n for n in self._order(kind, expired) if mask >> n & 1]

        def first(dimension: Dimension) -> Component | None:
            return next((each for n in order for each in self.components[n] if each.dimension is dimension), None)

        time = Dimension.PARKING_TIME if kind is PeriodKind.PARKING else Dimension.TIME
        energy = first(Dimension.ENERGY) if kind is not PeriodKind.RESERVATION else None
        timed = None if graced else first(time)
        varies = any(each is not None and each.series is not None for each in (energy, timed))
        prices = (0 if each is None or each.series is not None else each.price for each in (energy, timed))
        return Choice(energy, timed, first(Dimension.FLAT), graced, varies, *prices)

    def _order(self, kind: PeriodKind, expired: bool) -> list[int]:
        """Elements that may price a kind: those for reservations never price charging, nor the others a reservation."""
        wanted: tuple[ReservationRestriction | None, ...] = (None,)
        if kind is PeriodKind.RESERVATION:
            wanted = (ReservationRestriction.RESERVATION,)
            if expired:
                wanted = (ReservationRestriction.RESERVATION_EXPIRES, *wanted)
        return [n for each in wanted for n, element in enumerate(self.tariff.elements) if element.restrictions.reservation == each]

    def _money(self, tariff: Tariff, series: Mapping[str, PriceSeries]) -> None:
        components = [(n, each) for n, element in enumerate(tariff.elements) for each in element.price_components]
        found = [(n, each, _priced(n, each, tariff, series)) for n, each in components]
        limits = [
            each for limit in (tariff.min_price, tariff.max_price) if limit for each in (limit.before_taxes, limit.after_taxes)
        ]
        known = [each for each in limits if each is not None]
        amounts = [each.price for _, each, _ in found] + known
        amounts += [price for _, _, table in found if table for _, _, price in table]
        places = max((decimals(each) for each in amounts), default=0)
        if places > PLACES:
            raise TariffError(tariff.id, f"a price has {places} decimals; {PLACES} are possible")
        rates = [_rate(tariff, each.vat) for _, each, _ in found]
        gross_given = tariff.tax_included is TaxIncluded.YES
        common = lcm(*(rate.numerator if gross_given else rate.denominator for rate in rates))
        self._places, self.price_scale = places, 10**places
        self.denominator = self.price_scale * VOLUME_UNITS * common
        weights = []
        for (_, each, _), rate in zip(found, rates, strict=True):
            given = _WEIGHTS[each.type] * common
            weights.append((int(given / rate), given) if gross_given else (given, int(given * rate)))
        shared = gcd(
            self.denominator, *(each for pair in weights for each in pair), *(int(each * self.denominator) for each in known)
        )
        self.denominator //= shared
        self.components: list[list[Component]] = [[] for _ in tariff.elements]
        for (n, each, table), (net, gross) in zip(found, weights, strict=True):
            self.components[n].append(self._component(n, each, table, net // shared, gross // shared))
        tables = (each.series for held in self.components for each in held)
        self.series = tuple({each.name: each for each in tables if each is not None}.values())

    def as_decimal(self, price: int) -> Decimal:
        """An integer price as the tariff would write it."""
        return Decimal(price).scaleb(-self._places)

    def _component(
        self, element: int, source: PriceComponent, table: list[tuple[int, int, Decimal]] | None, net: int, gross: int
    ) -> Component:
        scale = self.price_scale
        step = max(1, source.step_size)
        rule = describe(element, self.tariff.elements[element].restrictions)
        series = None
        if table is not None and source.series is not None:
            rule = f"{rule}; price series {source.series}"
            prices = tuple(int(price * scale) for _, _, price in table)
            series = SeriesTable(source.series, tuple(each[0] for each in table), tuple(each[1] for each in table), prices)
        unit = "Wh" if source.type is Dimension.ENERGY else "s"
        vat = None if self.tariff.tax_included is TaxIncluded.NOT_APPLICABLE else source.vat
        stepped = f"{rule}; in steps of {step} {unit}"
        price = int(source.price * scale)
        return Component(element, source.type, source, price, net, gross, step * 1000, vat, series, rule, stepped)


def _two_sided(
    elements: Sequence[TariffElement],
    low: Callable[[TariffElement], Decimal | None],
    high: Callable[[TariffElement], Decimal | None],
) -> tuple[Bands, Bands, Bands] | None:
    """Bands for the least value of a period, for the greatest, and for both (kW → W, A → mA); None where no element asks."""

    def least(element: TariffElement) -> int | None:
        return scaled(low(element), 1000)

    def most(element: TariffElement) -> int | None:
        return scaled(high(element), 1000)

    both = bands(elements, least, most)
    return (bands(elements, least, _no), bands(elements, _no, most), both) if both.edges else None


def _no(_: TariffElement) -> int | None:
    return None


def _rate(tariff: Tariff, vat: Decimal | None) -> Fraction:
    """Gross over net."""
    if vat is None or tariff.tax_included is TaxIncluded.NOT_APPLICABLE:
        return Fraction(1)
    if vat <= -100:
        raise TariffError(tariff.id, f"a VAT of {vat} % is not possible")
    return 1 + Fraction(vat) / 100


def _priced(
    element: int, component: PriceComponent, tariff: Tariff, series: Mapping[str, PriceSeries]
) -> list[tuple[int, int, Decimal]] | None:
    """(start, end, price) of a component that follows a series; None for the others."""
    where = f"{tariff.id}: elements[{element}]"
    if not component.price.is_finite():
        raise TariffError(where, f"the price of {component.type} is {component.price}, which is no number")
    if component.series is None:
        return None
    if component.type is Dimension.FLAT:
        raise TariffError(where, "a FLAT fee cannot follow a price series")
    found = series.get(component.series)
    if found is None:
        raise TariffError(where, f"the price series {component.series!r} is not known: import it first")
    if found.currency != tariff.currency:
        raise TariffError(where, f"the price series {found.name} is in {found.currency}, the tariff in {tariff.currency}")
    return [(to_ms(each.start_at), to_ms(each.end_at), each.price * component.factor + component.price) for each in found.intervals]
