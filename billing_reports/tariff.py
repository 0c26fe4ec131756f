"""A tariff as OCPI 2.3.0 has it, plus what it cannot say (a price series). Decided here: the words and what may be absent.

Field names are OCPI's (mod_tariffs, §11 of 2.3.0-ed2); prices and limits are Decimal in the tariff's currency, per kWh or per hour;
energies kWh, powers kW, currents A, durations seconds. JSON of the three OCPI versions comes in through `billing_reports.ocpi`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec


class Dimension(StrEnum):
    """What a price component counts (OCPI TariffDimensionType)."""

    ENERGY = "ENERGY"
    """Price per kWh, steps of 1 Wh."""
    TIME = "TIME"
    """Price per hour of charging (or, with a reservation restriction, of reservation), steps of 1 s."""
    PARKING_TIME = "PARKING_TIME"
    """Price per hour during which the vehicle requests no power, steps of 1 s."""
    FLAT = "FLAT"
    """Once per transaction; it has no step."""


class DayOfWeek(StrEnum):
    """OCPI DayOfWeek, in the order of `datetime.weekday`."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class ReservationRestriction(StrEnum):
    """An element with this restriction prices reservations and never charging."""

    RESERVATION = "RESERVATION"
    RESERVATION_EXPIRES = "RESERVATION_EXPIRES"


class TaxIncluded(StrEnum):
    """Whether prices in the tariff are gross."""

    YES = "YES"
    NO = "NO"
    NOT_APPLICABLE = "N/A"
    """No tax applies to this tariff."""


class TariffType(StrEnum):
    """Who a tariff is for; a tariff without type is for all."""

    AD_HOC_PAYMENT = "AD_HOC_PAYMENT"
    PROFILE_CHEAP = "PROFILE_CHEAP"
    PROFILE_FAST = "PROFILE_FAST"
    PROFILE_GREEN = "PROFILE_GREEN"
    REGULAR = "REGULAR"


class PriceLimit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A minimum or maximum of a whole transaction. Both figures apply, each to its own sum."""

    before_taxes: Decimal
    after_taxes: Decimal | None = None


class PriceComponent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One price. `vat` in percent; None = no VAT applies, which differs from 0. `step_size` in Wh or s; 0 counts as 1.

    With `series`, the price is that of the named price series at each instant times `factor`, plus `price` (the surcharge).
    """

    type: Dimension
    price: Decimal
    vat: Decimal | None = None
    step_size: int = 1
    series: str | None = None
    factor: Decimal = Decimal(1)


class Restrictions(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """When an element applies: all that are given must hold. Times are the site's local wall clock.

    A field that is not known is refused on reading: to ignore a restriction is to apply a price where it was not meant.
    """

    start_time: str | None = None
    """HH:MM, inclusive; None is 00:00."""
    end_time: str | None = None
    """HH:MM, exclusive; None and 00:00 are 24:00; earlier than start_time wraps over midnight."""
    start_date: str | None = None
    """YYYY-MM-DD, inclusive."""
    end_date: str | None = None
    """YYYY-MM-DD, exclusive."""
    min_kwh: Decimal | None = None
    max_kwh: Decimal | None = None
    min_current: Decimal | None = None
    max_current: Decimal | None = None
    min_power: Decimal | None = None
    max_power: Decimal | None = None
    min_duration: int | None = None
    max_duration: int | None = None
    day_of_week: tuple[DayOfWeek, ...] = ()
    """Empty: every day."""
    reservation: ReservationRestriction | None = None


class TariffElement(msgspec.Struct, frozen=True, omit_defaults=True):
    """Price components that apply under common restrictions. The first matching element with a dimension prices that dimension."""

    price_components: tuple[PriceComponent, ...]
    restrictions: Restrictions = Restrictions()


class DisplayText(msgspec.Struct, frozen=True):
    """A sentence for drivers in one language (ISO 639-1)."""

    language: str
    text: str


class Tariff(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A tariff. `start_date_time <= began < end_date_time` says for which transactions it is valid (UTC)."""

    id: str
    currency: str
    elements: tuple[TariffElement, ...]
    country_code: str | None = None
    party_id: str | None = None
    type: TariffType | None = None
    tariff_alt_text: tuple[DisplayText, ...] = ()
    tariff_alt_url: str | None = None
    min_price: PriceLimit | None = None
    max_price: PriceLimit | None = None
    tax_included: TaxIncluded = TaxIncluded.NO
    start_date_time: datetime | None = None
    end_date_time: datetime | None = None
    energy_mix: str | None = None
    """OCPI's EnergyMix as JSON text, kept as it came; it has no part in the price."""
    last_updated: datetime | None = None

    def valid_at(self, began_at: datetime) -> bool:
        """Whether a transaction that began then may use it: from start (inclusive) to end (exclusive)."""
        started = self.start_date_time is None or self.start_date_time <= began_at
        return started and (self.end_date_time is None or began_at < self.end_date_time)


def choose_tariff(candidates: Iterable[Tariff], began_at: datetime, kind: TariffType | None = None) -> Tariff | None:
    """The tariff that a transaction is frozen to: the first candidate valid at its start whose type fits (absent fits all).

    `kind` None means a regular contract. A candidate of exactly that type goes before one without type.
    """
    wanted = kind or TariffType.REGULAR
    valid = [each for each in candidates if each.valid_at(began_at) and each.type in (wanted, None)]
    return next((each for each in valid if each.type is wanted), valid[0] if valid else None)
