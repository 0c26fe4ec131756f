"""Sampled values of 1.6 and 2.x: numbers, units, defaults, signed data."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from chargenet.events import FrameDeviated
from chargenet.model.ids import ConnectorRef
from chargenet.model.measurement import Measurement, SignedMeterValue
from chargenet.model.units import conversion, default_unit, plausible
from chargenet.model.words import Protocol
from collector.handlers import measurements
from collector.handlers.measurements import number, taken_2x, taken_v16
from collector.ocpp.schemas import decode

AT = "2026-03-01T12:00:00Z"


def _v16(*samples: dict[str, Any]) -> Any:
    payload = {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": list(samples)}]}
    return decode(Protocol.OCPP16, "MeterValues", json.dumps(payload).encode()).meterValue


def _v201(*samples: dict[str, Any]) -> Any:
    payload = {"evseId": 1, "meterValue": [{"timestamp": AT, "sampledValue": list(samples)}]}
    return decode(Protocol.OCPP201, "MeterValues", json.dumps(payload).encode()).meterValue


def _one(taken: list[Any]) -> Measurement:
    (measurement,) = taken[0].measurements
    assert isinstance(measurement, Measurement)
    return measurement


@pytest.mark.parametrize(
    ("sample", "value", "unit"),
    [
        ({"value": "7.2", "measurand": "Power.Active.Import", "unit": "kW"}, 7200.0, "W"),
        ({"value": "0.29", "unit": "kWh"}, 290.0, "Wh"),
        ({"value": "1.001", "unit": "kWh"}, 1001.0, "Wh"),
        ({"value": "1e1", "unit": "kWh"}, 10000.0, "Wh"),
        ({"value": "1,5", "unit": "kWh"}, 1500.0, "Wh"),
        ({"value": " -3 ", "unit": "Wh"}, -3.0, "Wh"),
        ({"value": "300", "measurand": "Temperature", "unit": "K"}, 26.85, "Celsius"),
        ({"value": "212", "measurand": "Temperature", "unit": "Fahrenheit"}, 100.0, "Celsius"),
        ({"value": "21", "measurand": "Temperature", "unit": "Celcius"}, 21.0, "Celsius"),
        ({"value": "3", "measurand": "Energy.Reactive.Import.Register", "unit": "kvarh"}, 3000.0, "varh"),
        ({"value": "80", "measurand": "SoC", "unit": "Percent"}, 80.0, "Percent"),
    ],
)
def test_values_of_16_come_in_base_units(sample: dict[str, Any], value: float, unit: str) -> None:
    """Decimal prefixes are exact; temperatures are Celsius."""
    deviations: list[FrameDeviated] = []
    measurement = _one(taken_v16(_v16(sample), "meterValue", None, None, deviations))
    assert (measurement.value, measurement.unit) == (value, unit)
    assert deviations == []


@pytest.mark.parametrize("text", ["", "   ", "NaN", "inf", "-Infinity", "1_000", "12 kWh", "0x10", "1e999"])
def test_what_is_no_finite_number_is_dropped_and_flagged(text: str) -> None:
    """Each one leaves a deviation, none leaves a measurement."""
    deviations: list[FrameDeviated] = []
    assert taken_v16(_v16({"value": text}), "meterValue", None, None, deviations) == []
    assert len(deviations) == 1
    assert deviations[0].quirk in ("value-empty", "value-not-a-number")
    assert "meterValue[0].sampledValue[0].value" in deviations[0].detail


def test_one_unusable_value_does_not_cost_the_others() -> None:
    """The samples around it are kept, in order."""
    taken = taken_v16(_v16({"value": "1"}, {"value": ""}, {"value": "3"}), "meterValue", ConnectorRef(1), "9", [])
    assert [measurement.value for measurement in taken[0].measurements] == [1.0, 3.0]
    assert (taken[0].connector, taken[0].transaction_id) == (ConnectorRef(1), "9")


def test_the_standards_defaults() -> None:
    """No measurand, unit, location or context: energy register in Wh at the outlet, sampled periodically."""
    measurement = _one(taken_v16(_v16({"value": "5"}), "meterValue", None, None, []))
    assert measurement == Measurement("Energy.Active.Import.Register", 5.0, "Wh", None, "Outlet", "Sample.Periodic")


@pytest.mark.parametrize(
    ("measurand", "unit"),
    [("Frequency", "Hertz"), ("Voltage", "V"), ("Current.Import", "A"), ("SoC", "Percent"), ("Power.Active.Import", "W")],
)
def test_the_default_wh_is_for_energy_alone(measurand: str, unit: str) -> None:
    """A measurand without unit takes its own, and says that it was left out."""
    deviations: list[FrameDeviated] = []
    measurement = _one(taken_v16(_v16({"value": "5", "measurand": measurand}), "meterValue", None, None, deviations))
    assert measurement.unit == unit
    assert [deviation.quirk for deviation in deviations] == ["unit-missing"]


def test_a_unit_that_cannot_be_is_kept_as_said() -> None:
    """A current in Wh stays in Wh: nobody knows which of the two is wrong."""
    deviations: list[FrameDeviated] = []
    measurement = _one(
        taken_v16(_v16({"value": "5", "measurand": "Current.Import", "unit": "Wh"}), "meterValue", None, None, deviations)
    )
    assert (measurement.measurand, measurement.unit) == ("Current.Import", "Wh")
    assert [deviation.quirk for deviation in deviations] == ["unit-unlikely"]


def test_signed_data_stays_to_the_letter() -> None:
    """Blanks, escapes and order inside are the evidence; what its wrapper says is copied beside it."""
    data = '{ "signedMeterValue":"T0NN\\u0052g==",  "publicKey":"MFkw", "encodingMethod":"OCMF" }'
    (event,) = taken_v16(_v16({"value": data, "format": "SignedData", "context": "Transaction.End"}), "meterValue", None, "1", [])
    assert event.measurements == ()
    assert event.signed == (SignedMeterValue(data, "OCMF", None, "MFkw", "Transaction.End"),)


@pytest.mark.parametrize(
    ("data", "quirk"),
    [
        ('OCMF|{"FV":"1.0"}|{"SD":"30"}', "signed-without-format"),
        ("<signedMeterValue>x</signedMeterValue>", "signed-without-format"),
    ],
)
def test_signed_data_is_known_by_its_looks(data: str, quirk: str) -> None:
    """Without format SignedData it is kept as well."""
    deviations: list[FrameDeviated] = []
    (event,) = taken_v16(_v16({"value": data}), "meterValue", None, None, deviations)
    assert event.signed[0].data == data
    assert [deviation.quirk for deviation in deviations] == [quirk]


def test_signed_data_that_only_looks_like_json() -> None:
    """It is kept, with nothing beside it."""
    deviations: list[FrameDeviated] = []
    (event,) = taken_v16(_v16({"value": '{"signedMeterValue":', "format": "SignedData"}), "meterValue", None, None, deviations)
    assert event.signed == (SignedMeterValue('{"signedMeterValue":'),)
    assert [deviation.quirk for deviation in deviations] == ["signed-not-json"]


def test_signed_data_without_data() -> None:
    """There is nothing to keep."""
    deviations: list[FrameDeviated] = []
    assert taken_v16(_v16({"value": "", "format": "SignedData"}), "meterValue", None, None, deviations) == []
    assert [deviation.quirk for deviation in deviations] == ["value-empty"]


@pytest.mark.parametrize(
    ("sample", "value", "unit"),
    [
        ({"value": 7.2, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "kW"}}, 7200.0, "W"),
        ({"value": 1.001, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}}, 1001.0, "Wh"),
        ({"value": 1.001, "unitOfMeasure": {"multiplier": 3}}, 1001.0, "Wh"),
        ({"value": 5, "unitOfMeasure": {"unit": "kWh", "multiplier": -3}}, 5.0, "Wh"),
        ({"value": 12}, 12.0, "Wh"),
    ],
)
def test_values_of_2x_obey_their_multiplier(sample: dict[str, Any], value: float, unit: str) -> None:
    """Unit and multiplier together make one exact decimal shift."""
    deviations: list[FrameDeviated] = []
    measurement = _one(taken_2x(_v201(sample), "meterValue", None, None, deviations))
    assert (measurement.value, measurement.unit) == (value, unit)
    assert deviations == []


def test_signed_values_of_2x_come_beside_the_number() -> None:
    """Number and signature are both kept."""
    signed = {"signedMeterData": "T0NNRg==", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "MFkw"}
    (event,) = taken_2x(_v201({"value": 3, "context": "Transaction.End", "signedMeterValue": signed}), "meterValue", None, None, [])
    assert event.measurements[0].value == 3.0
    assert event.signed == (SignedMeterValue("T0NNRg==", "OCMF", "", "MFkw", "Transaction.End"),)


def test_an_absurd_multiplier_drops_the_value() -> None:
    """Beyond a double there is no measurement."""
    deviations: list[FrameDeviated] = []
    assert (
        taken_2x(_v201({"value": 3, "unitOfMeasure": {"unit": "Wh", "multiplier": 400}}), "meterValue", None, None, deviations)
        == []
    )
    assert [deviation.quirk for deviation in deviations] == ["value-not-a-number"]


def test_memory_for_combinations_is_bounded() -> None:
    """A charge point that invents measurands without end does not grow the process."""
    sample = _v16({"value": "1"})[0].sampledValue[0]
    for at in range(measurements._MAX_RECIPES + 50):
        changed = msgspec.structs.replace(sample, measurand=f"Own.{at}", unit="A")
        assert measurements.sampled_v16([changed], "", [])[0][0].measurand == f"Own.{at}"
    assert len(measurements._recipes) <= measurements._MAX_RECIPES


def test_units() -> None:
    """Spellings meet, mega is not milli, and what is not known is None."""
    assert conversion("KWH") == conversion("kWh")
    assert conversion("MWh") != conversion("mWh")
    assert conversion("furlong") is None
    assert default_unit("Power.Offered") == "W"
    assert default_unit("Request.Energy") == ""
    assert plausible("Voltage", "V")
    assert not plausible("Voltage", "A")
    assert plausible("Request.Energy", "anything")


def test_numbers_are_read_once_and_exactly() -> None:
    """Text, int and float are one number; shifts are decimal."""
    assert number("0.1", "e3") == number(0.1, "e3") == 100.0
    assert number(5) == 5.0
    assert number(True) is None
    assert number(None) is None
