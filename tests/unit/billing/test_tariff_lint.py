"""Doubts about tariffs: each says where it is, what happens, and what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from billing_reports.doubt import Doubt, Level
from billing_reports.lint import lint
from billing_reports.tariff import Dimension, PriceComponent, ReservationRestriction, Restrictions, Tariff, TariffElement
from chargewatch.cli import app

NOW = datetime(2026, 6, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def element(*dimensions: Dimension, price: str = "0.40", **restrictions: Any) -> TariffElement:
    """One price for some dimensions."""
    found = tuple(PriceComponent(each, Decimal(price), Decimal(19)) for each in dimensions or (Dimension.ENERGY,))
    return TariffElement(found, Restrictions(**restrictions))


def doubts(*elements: TariffElement, zone: ZoneInfo | None = BERLIN) -> dict[str, Doubt]:
    """By code; a tariff of this file has each at most once."""
    found = lint(Tariff(id="T", currency="EUR", elements=elements), NOW, zone)
    assert len({each.code for each in found}) == len(found), found
    return {each.code: each for each in found}


def test_a_boundary_in_the_repeated_hour() -> None:
    """It is named with its night, its zone and both instants, and so is the night on which it does not exist."""
    found = doubts(element(start_time="02:30", end_time="06:00"), element())
    twice, skipped = found["repeated_hour"], found["skipped_hour"]
    assert (twice.level, twice.where) == (Level.WARNING, "elements[0].restrictions.start_time")
    assert "02:30 comes twice on 2026-10-25 in Europe/Berlin (00:30 and 01:30 UTC): the element switches three times" in twice.text
    assert skipped.text == "02:30 does not exist on 2027-03-28 in Europe/Berlin: the boundary is where the clock jumps past it"


@pytest.mark.parametrize(("clock", "doubted"), [("01:59", False), ("02:00", True), ("02:59", True), ("03:00", False)])
def test_the_repeated_hour_has_a_first_and_a_last_minute(clock: str, doubted: bool) -> None:
    """In Berlin 02:00 to 02:59 come twice."""
    assert ("repeated_hour" in doubts(element(start_time=clock, end_time="06:00"), element())) is doubted


def test_without_a_zone_the_usual_hours_are_doubted() -> None:
    """Where nobody said which zone, an hour that many repeat is named, and how to find out."""
    found = doubts(element(start_time="02:30", end_time="06:00"), element(), zone=None)
    assert found["repeated_hour"].text.endswith("name the zone, or use a price series")


@pytest.mark.parametrize(
    ("restrictions", "code", "where", "text"),
    [
        ({"start_time": "17:00"}, "missing_end", "end_time", "begins at 17:00 and has no end_time: it counts to midnight"),
        ({"end_time": "06:30"}, "missing_start", "start_time", "ends at 06:30 and has no start_time: it counts from midnight"),
        (
            {"start_time": "09:00", "end_time": "23:59"},
            "minute_before_midnight",
            "end_time",
            "the last minute of the day is left out",
        ),
        ({"start_time": "09:00", "end_time": "09:00"}, "end_equals_start", "end_time", "here it is the whole day"),
    ],
)
def test_a_window_that_says_half(restrictions: dict[str, str], code: str, where: str, text: str) -> None:
    """What counts in place of the missing or doubtful end is said."""
    found = lint(Tariff(id="T", currency="EUR", elements=(element(**restrictions), element())), NOW, BERLIN)
    (doubt,) = [each for each in found if each.code == code]
    assert (doubt.level, doubt.where) == (Level.WARNING, f"elements[0].restrictions.{where}")
    assert text in doubt.text


def test_an_element_behind_one_that_always_applies() -> None:
    """It is an error, and the element that comes first is named."""
    found = doubts(element(), element(price="0.20", min_kwh=Decimal(20)))["unreachable"]
    assert (found.level, found.where) == (Level.ERROR, "elements[1]")
    assert found.text == (
        "element 1: from 20 kWh never prices ENERGY: "
        "whenever it applies, element 0 does too and comes first; put it before or remove it"
    )


def test_an_element_behind_several_that_share_its_time() -> None:
    """All that come first are named, each for its part."""
    day, night = element(start_time="07:00", end_time="22:00"), element(start_time="22:00", end_time="07:00")
    found = doubts(day, night, element())["unreachable"]
    assert "whenever it applies, one of elements 0, 1 does too and comes first" in found.text


def test_an_element_that_loses_one_of_its_prices() -> None:
    """What is left of it still applies: a warning."""
    found = doubts(element(Dimension.ENERGY), element(Dimension.ENERGY, Dimension.FLAT))["unreachable"]
    assert (found.level, found.where) == (Level.WARNING, "elements[1]")
    assert "never prices ENERGY: whenever it applies, element 0 does too" in found.text


def test_conditions_that_never_hold_together() -> None:
    """No earlier element is blamed for what excludes itself."""
    found = lint(Tariff(id="T", currency="EUR", elements=(element(min_kwh=Decimal(9), max_kwh=Decimal(9)), element())), NOW, BERLIN)
    assert {each.code for each in found} == {"never", "unreachable"}
    assert any("its conditions never hold together; widen them or remove it" in each.text for each in found)


def test_a_reservation_is_not_behind_charging() -> None:
    """Elements for reservations price what no other element can, wherever they stand."""
    reserved = element(Dimension.TIME, reservation=ReservationRestriction.RESERVATION)
    assert doubts(element(Dimension.ENERGY, Dimension.TIME), reserved) == {}


def test_a_plain_tariff_raises_no_doubt() -> None:
    """Nothing is said about what is clear."""
    assert doubts(element(start_time="22:00", end_time="06:00"), element()) == {}


def test_the_command_explains_and_fails_on_an_error(tmp_path: Path) -> None:
    """All three doubts are shown, the zone is that of the tariff's country, and the exit code is 1."""
    document = {
        "id": "city", "currency": "EUR", "country_code": "DE", "party_id": "ABC", "last_updated": "2026-01-01T00:00:00Z",
        "tax_included": "NO",
        "elements": [
            {"price_components": [{"type": "ENERGY", "price": 0.29, "vat": 19, "step_size": 1}], "restrictions": restrictions}
            for restrictions in ({"start_time": "02:30", "end_time": "06:00"}, {"start_time": "17:00"}, {}, {"min_kwh": 20})
        ],
    }  # fmt: skip
    (tmp_path / "tariff.json").write_text(json.dumps(document))
    found = CliRunner().invoke(app, ["tariff", "lint", str(tmp_path / "tariff.json"), "--json"])
    assert found.exit_code == 1
    shown = {each["code"]: each["text"] for each in json.loads(found.stdout)}
    assert "in Europe/Berlin" in shown["repeated_hour"]
    assert "it counts to midnight" in shown["missing_end"]
    assert "one of elements 0, 1, 2 does too and comes first" in shown["unreachable"]
