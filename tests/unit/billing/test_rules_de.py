"""Rules on a German statement are German: whatever an element may be restricted by, and whatever a tariff may limit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billing_reports.cdr import Cdr, ChargingPeriod, PeriodKind, Usage
from billing_reports.policy import PricingPolicy
from billing_reports.price import price
from billing_reports.render.rules_de import conditions, doubt, rule
from billing_reports.render.words import words
from billing_reports.series import PriceInterval, PriceSeries
from billing_reports.signed import verify
from billing_reports.tariff import (
    DayOfWeek,
    Dimension,
    PriceComponent,
    PriceLimit,
    ReservationRestriction,
    Restrictions,
    Tariff,
    TariffElement,
)
from chargenet.model.measurement import SignedMeterValue

BEGAN = datetime(2026, 3, 2, 12, tzinfo=UTC)
GERMAN, ENGLISH = words("de"), words("en")


def billed(tariff: Tariff, policy: PricingPolicy | None = None) -> list[tuple[str, str]]:
    """(as the CDR says it, in German) of each line and adjustment of an hour of charging and an hour of parking."""
    hour = timedelta(hours=1)
    periods = (
        ChargingPeriod(BEGAN, BEGAN + hour, energy_wh=10_050, max_power_w=11_000, min_power_w=11_000),
        ChargingPeriod(BEGAN + hour, BEGAN + 2 * hour, kind=PeriodKind.PARKING),
    )
    usage = Usage(periods, "Europe/Berlin")
    series = {"no1": PriceSeries("no1", "EUR", (PriceInterval(BEGAN, BEGAN + 4 * hour, Decimal("0.25")),))}
    priced = price(usage, tariff, series=series, policy=policy or PricingPolicy())
    cdr = Cdr(
        id="C", created_at=BEGAN, started_at=BEGAN, ended_at=BEGAN + 2 * hour, currency="EUR", total=priced.totals.cost,
        usage=usage, priced=priced, tariff=tariff,
    )  # fmt: skip
    lines = [(line.rule, line.element) for period in priced.periods for line in period.lines]
    said = [*lines, *((each.rule, None) for each in priced.adjustments)]
    assert [rule(text, element, cdr, ENGLISH) for text, element in said] == [text for text, _ in said]
    return [(text, rule(text, element, cdr, GERMAN)) for text, element in said]


def energy(restrictions: Restrictions | None = None, *, step: int = 1, series: str | None = None) -> TariffElement:
    component = PriceComponent(Dimension.ENERGY, Decimal("0.5"), Decimal(19), step_size=step, series=series)
    return TariffElement((component,), restrictions or Restrictions())


def tariff(*elements: TariffElement, least: str | None = None, most: str | None = None) -> Tariff:
    def limit(amount: str | None) -> PriceLimit | None:
        return None if amount is None else PriceLimit(Decimal(amount), Decimal(amount) * 2)

    return Tariff(id="t", currency="EUR", elements=elements, min_price=limit(least), max_price=limit(most))


@pytest.mark.parametrize(
    ("restrictions", "expected"),
    [
        (Restrictions(start_time="17:00", end_time="20:00"), ["von 17:00 bis 20:00 Uhr"]),
        (Restrictions(start_time="17:00"), ["ab 17:00 Uhr"]),
        (Restrictions(end_time="20:00"), ["bis 20:00 Uhr"]),
        (
            Restrictions(day_of_week=(DayOfWeek.MONDAY, DayOfWeek.TUESDAY, DayOfWeek.WEDNESDAY, DayOfWeek.SUNDAY)),
            ["Mo–Mi, So"],
        ),
        (Restrictions(start_date="2026-01-01", end_date="2026-07-01"), ["ab 01.01.2026 vor 01.07.2026"]),
        (Restrictions(min_kwh=Decimal("1.5"), max_kwh=Decimal(1000)), ["ab 1,5 unter 1.000 kWh"]),
        (Restrictions(min_current=Decimal(16)), ["ab 16 A"]),
        (Restrictions(max_power=Decimal("43.1")), ["unter 43,1 kW"]),
        (Restrictions(min_duration=3600), ["ab 3.600 s nach Beginn"]),
        (Restrictions(max_duration=60), ["vor 60 s nach Beginn"]),
        (Restrictions(reservation=ReservationRestriction.RESERVATION), ["solange reserviert ist"]),
        (Restrictions(reservation=ReservationRestriction.RESERVATION_EXPIRES), ["wenn eine Reservierung verfällt"]),
        (Restrictions(), []),
    ],
)
def test_every_restriction_in_german(restrictions: Restrictions, expected: list[str]) -> None:
    """Times with Uhr, days as they are written, numbers with comma."""
    assert conditions(restrictions, GERMAN) == expected


def test_lines_of_a_session() -> None:
    """Elements with their conditions, steps and series; what no element prices; English stays what the CDR says."""
    found = billed(tariff(energy(Restrictions(start_time="08:00", end_time="18:00"), step=1000)))
    assert found == [
        ("element 0: from 08:00 to 18:00; in steps of 1000 Wh", "Element 0: von 08:00 bis 18:00 Uhr; in Schritten von 1.000 Wh"),
        ("free: no element prices TIME", "frei: kein Element hat dafür einen Preis (Zeit)"),
        ("free: no element prices PARKING_TIME", "frei: kein Element hat dafür einen Preis (Stehen)"),
    ]
    assert billed(tariff(energy(series="no1", step=100)))[0] == (
        "element 0; price series no1; in steps of 100 Wh", "Element 0; Preisreihe no1; in Schritten von 100 Wh",
    )  # fmt: skip


def test_limits_and_grants() -> None:
    """Minimum, cap, cap on parking, idle grace, free vend."""
    parking = TariffElement((PriceComponent(Dimension.PARKING_TIME, Decimal(6), Decimal(19)),))
    assert billed(tariff(energy(), least="9.5"))[-1][1] == "Mindestpreis 9,50 EUR vor Steuern, 19,00 EUR mit Steuern"
    assert billed(tariff(energy(), most="1.255"))[-1][1] == "Höchstpreis 1,255 EUR vor Steuern, 2,51 EUR mit Steuern"
    capped = billed(tariff(energy(), parking), PricingPolicy(idle_cap=PriceLimit(Decimal(1))))
    assert capped[-1] == ("cap on parking 1.00 EUR before taxes", "Höchstpreis für das Stehen 1,00 EUR vor Steuern")
    assert ("free: idle grace", "frei: Karenz nach dem Laden") in billed(
        tariff(energy(), parking), PricingPolicy(idle_grace_s=7200)
    )
    assert billed(tariff(energy()), PricingPolicy(free_vend=True))[-1][1] == "freies Laden: hier wird nichts berechnet"


def test_what_is_not_known_stays_as_it_is() -> None:
    """Words of another version, and elements that the tariff does not have."""
    priced = price(Usage((ChargingPeriod(BEGAN, BEGAN + timedelta(hours=1), energy_wh=1),)), tariff(energy()))
    cdr = Cdr(
        id="C", created_at=BEGAN, started_at=BEGAN, ended_at=BEGAN, currency="EUR", total=priced.totals.cost,
        usage=Usage(()), priced=priced, tariff=tariff(energy()),
    )  # fmt: skip
    for text, element in (("by hand", None), ("element 0, at night", 0), ("element 7", 7)):
        assert rule(text, element, cdr, GERMAN) == text


def test_doubts_about_signed_values() -> None:
    """As `verify` says them."""
    said = {
        doubt(verify(SignedMeterValue("x", "EDL", None)).reason or "", GERMAN),
        doubt("no public key of this meter is known", GERMAN),
        doubt(verify(SignedMeterValue("OCMF|rubbish", "OCMF", None)).reason or "", GERMAN)[:13],
    }
    assert said == {
        "EDL ist aufbewahrt, wie es kam; geprüft wird hier nur OCMF",
        "kein öffentlicher Schlüssel dieses Zählers ist bekannt",
        "nicht prüfbar",
    }
