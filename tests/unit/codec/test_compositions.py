"""Measurements kept together: the same as single ones, and the short way through a known list gives what the long way gives."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from chargenet.events import FrameDeviated
from chargenet.model.measurement import Composition, Kind, Measurement, Measurements, Plans, composition_of, together
from chargenet.model.words import Protocol
from collector.handlers import measurements
from collector.handlers.measurements import sampled_2x, sampled_v16
from collector.ocpp.schemas import schema_for

ONE, TWO = Measurement("Voltage", 230.0, "V", "L1"), Measurement("SoC", 54.0, "Percent")


def test_together_they_are_the_same() -> None:
    """Equal to a tuple of them from either side, in order, made once; what is together already stays."""
    both, pair = together((ONE, TWO)), (ONE, TWO)
    assert both == pair and pair == both and list(both) == [ONE, TWO] and len(both) == 2 and both[1] == TWO
    assert both.made() is both.made() and together(both) is both and hash(both) == hash((ONE, TWO))
    assert both != (TWO, ONE) and both != together((ONE,))


def test_a_composition_is_one_object() -> None:
    """The same kinds give the same object, also after a pickle."""
    composition = together((ONE, TWO)).composition
    assert together((Measurement("Voltage", 1.0, "V", "L1"), TWO)).composition is composition
    assert pickle.loads(pickle.dumps(composition)) is composition


def test_what_is_nobodys_habit_is_not_kept() -> None:
    """Very long lists and labels are neither remembered nor planned for."""
    long_label, long_list = composition_of([Kind("x" * 300, "V")]), composition_of([Kind("Voltage", "V")] * 65)
    assert not long_label.shared and not long_list.shared
    decided: list[Composition] = []

    def decide(composition: Composition) -> int:
        decided.append(composition)
        return len(composition.kinds)

    plans = Plans(decide, limit=2)
    assert [plans[long_label], plans[long_label]] == [1, 1] and len(decided) == 2
    for count in (1, 2, 3, 3):
        assert plans[composition_of([Kind("Voltage", "V")] * count)] == count
    assert len(decided) == 5, "shared ones are decided once, and forgotten together at the limit"


def _both_ways(sampler: Any, learned: list[Any], values: list[Any]) -> list[tuple[Any, Any, list[FrameDeviated]]]:
    """The outcome with the list known and with nothing known."""
    found = []
    for known in (True, False):
        measurements._usual.clear()
        if known:
            sampler(learned, "", [])
            assert len(measurements._usual) == 1
        deviations: list[FrameDeviated] = []
        taken, signed = sampler(values, "", deviations)
        assert isinstance(taken, Measurements)
        found.append((taken.made(), list(signed), deviations))
    return found


@pytest.mark.parametrize(
    "text", ["7", "7.5", " 12 ", "1_0", "nan", "inf", "1e400", "1,2", "", "+5", ".5", "007", "1]", "1],[2", "-3e2", "٣", "OCMF|{}"]
)
def test_both_ways_read_a_text_alike(text: str) -> None:
    """OCPP 1.6: whatever the text of a value is."""
    sample = schema_for(Protocol.OCPP16, "MeterValues").decode(
        b'{"connectorId":1,"meterValue":[{"timestamp":"2026-03-01T12:00:00Z","sampledValue":[{"value":"1"}]}]}'
    ).meterValue[0].sampledValue[0]  # fmt: skip
    form = type(sample)
    short, long = _both_ways(sampled_v16, [sample, sample], [form(value=text), form(value="3")])
    assert short == long


@pytest.mark.parametrize("value", [1.5, 3, 1e308, float("inf"), float("nan"), None, "7", True])
def test_both_ways_read_a_number_alike(value: Any) -> None:
    """OCPP 2.x: whatever the number is, also a repaired one."""
    sample = schema_for(Protocol.OCPP201, "MeterValues").decode(
        b'{"evseId":1,"meterValue":[{"timestamp":"2026-03-01T12:00:00Z","sampledValue":[{"value":1,"unitOfMeasure":{"unit":"V"},'
        b'"measurand":"Voltage"}]}]}'
    ).meterValue[0].sampledValue[0]  # fmt: skip

    def of(number: Any) -> Any:
        return type(sample)(value=number, unitOfMeasure=sample.unitOfMeasure, measurand="Voltage")

    short, long = _both_ways(sampled_2x, [of(1.0), of(2.0)], [of(value), of(1e308)])
    assert short == long
