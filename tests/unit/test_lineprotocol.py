"""Facts as InfluxDB lines."""

from __future__ import annotations

import pytest

from chargenet.events import StatusReported
from chargenet.model.ids import ConnectorRef
from chargenet.model.measurement import Measurement
from chargenet.storage.lineprotocol import Liner, field_meaning, field_name, one_per_field, parsed
from tests.support.facts import at, fact, measured, register

NOW_US = 1_772_323_200_000_000  # DAY


def test_one_instant_of_one_place_is_one_line() -> None:
    """Values with the same tags share a line; a phase has a line of its own."""
    values = [
        register(1500.0),
        Measurement(measurand="Power.Active.Import", value=7000.5, unit="W"),
        Measurement(measurand="Current.Import", value=10.0, unit="A", phase="L1"),
    ]
    lines = list(Liner().lines(fact(3, measured(values, 1, transaction_id="77"), received=2)))
    assert lines == [
        "meter,charge_point=CP1,connector=1,phase=-,location=Outlet,context=Sample.Periodic "
        "energy_active_import_register_wh=1500.0,power_active_import_w=7000.5,sequence=3i,received_at_us=1772323202000000i,"
        'transaction_id="77" 1772323201000000000',
        "meter,charge_point=CP1,connector=1,phase=L1,location=Outlet,context=Sample.Periodic "
        'current_import_a=10.0,sequence=3i,received_at_us=1772323202000000i,transaction_id="77" 1772323201000000000',
    ]


def test_a_device_clock_that_does_not_order_is_a_field() -> None:
    """The instant as the device said it is kept beside the one that orders."""
    [line] = Liner().lines(fact(3, measured([register(1)], 86_400 * 365), received=2))
    assert parsed(line).fields["measured_at_us"] == f"{NOW_US + 86_400 * 365 * 1_000_000}i"
    assert parsed(line).time_ns == (NOW_US + 2_000_000) * 1000


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_never_written(value: float) -> None:
    """Line protocol has no word for it; the other values of the line are kept."""
    odd = Measurement(measurand="Voltage", value=value, unit="V")
    [line] = Liner().lines(fact(1, measured([odd, register(5)], 1)))
    assert set(parsed(line).fields) == {"energy_active_import_register_wh", "sequence", "received_at_us"}
    assert list(Liner().lines(fact(1, measured([odd], 1)))) == []


def test_a_site_is_a_tag_where_it_is_asked_for() -> None:
    """Every point then has the tag, also where the site is not known: a table's tags are fixed."""
    sites = {"CP1": "North, by the sea"}
    liner = Liner(sites.get)
    [known] = liner.lines(fact(1, measured([register(5)], 1)))
    [unknown] = liner.lines(fact(1, StatusReported(connector=None, status="Available", raw_status="Available"), charge_point="CP2"))
    assert parsed(known).tags["site"] == "North, by the sea"
    assert parsed(unknown).tags["site"] == "-"
    sites["CP1"] = "South"
    [moved] = liner.lines(fact(1, measured([register(5)], 1)))
    assert parsed(moved).tags["site"] == "South"


def test_no_tag_has_a_fields_name_and_no_tag_says_who_or_which_transaction() -> None:
    """Tags name things and places; ids of transactions are fields, ID tokens are nowhere."""
    status = StatusReported(connector=ConnectorRef(1), status="Faulted", raw_status="Faulted", error_code="GroundFailure")
    lines = [parsed(line) for line in Liner().lines(fact(1, measured([register(5)], 1, transaction_id="t"), status))]
    assert [line.measurement for line in lines] == ["meter", "status", "error"]
    for line in lines:
        assert not set(line.tags) & set(line.fields)
        assert set(line.tags) <= {"charge_point", "connector", "phase", "location", "context", "site"}


def test_states_of_one_instant_have_times_of_their_own() -> None:
    """InfluxDB keeps one point per series and time: three statuses of one second must not become one."""
    events = [StatusReported(connector=None, status=word, raw_status=word, reported_at=at(1)) for word in ("Available", "Faulted")]
    lines = [line for sequence, event in enumerate(events * 2, 1) for line in Liner().lines(fact(sequence, event))]
    times = [parsed(line).time_ns for line in lines]
    assert len(set(times)) == 4
    assert times == sorted(times)
    assert max(times) - min(times) < 1_000_000


def test_a_line_comes_apart_into_its_fields() -> None:
    """Each field alone, with the tags and the time of the whole; commas and spaces in texts are not cut at."""
    line = r'status,charge_point=a\ b value="x, y=\"z\"",sequence=1i 5'
    assert one_per_field(line) == [r'status,charge_point=a\ b value="x, y=\"z\"" 5', r"status,charge_point=a\ b sequence=1i 5"]


@pytest.mark.parametrize(
    ("measurand", "unit", "name"),
    [
        ("Energy.Active.Import.Register", "Wh", "energy_active_import_register_wh"),
        ("SoC", "Percent", "soc_percent"),
        ("Temperature", "Celsius", "temperature_celsius"),
        ("Display.PresentSOC", "Percent", "display_present_soc_percent"),
        ("EnergyRequest.Minimum.V2X", "Wh", "energy_request_minimum_v2x_wh"),
        ("Power.Factor", "", "power_factor"),
        ("SOC", "Percent", "vendor.SOC[Percent]"),
        ("Voltage", "m/s", "vendor.Voltage[m%2Fs]"),
    ],
)
def test_a_field_is_named_by_measurand_and_unit(measurand: str, unit: str, name: str) -> None:
    """The standard's words in snake case with their unit; a vendor's own words as they are."""
    assert field_name(measurand, unit) == name
    assert field_meaning(name) == (measurand, unit)


def test_fields_that_are_no_measurand_have_no_meaning() -> None:
    """sequence, received_at_us and their kin are not taken for values."""
    assert [field_meaning(name) for name in ("sequence", "received_at_us", "measured_at_us", "transaction_id")] == [None] * 4
