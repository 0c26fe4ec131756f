"""Properties of telemetry: what is written as text reads back, and hours of energy sum to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chargenet.events import StatusReported
from chargenet.model.ids import ConnectorRef
from chargenet.model.measurement import Measurement
from chargenet.storage.energy import HOUR_US, hourly_energy
from chargenet.storage.lineprotocol import Liner, field_meaning, field_name, one_per_field, parsed, tag_value
from chargenet.storage.points import DEVICE_AHEAD_US, DEVICE_FLOOR_US, ordered_at_us
from tests.support.facts import fact, measured

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def unquoted(field: str) -> str:
    """A string field as InfluxDB reads it: a backslash protects a quote or a backslash."""
    assert field[0] == field[-1] == '"'
    characters = iter(field[1:-1])
    return "".join(next(characters) if character == "\\" else character for character in characters)


@given(TEXT, TEXT, TEXT, TEXT, st.text(max_size=10), FINITE, TEXT)
@example("a,b=c d\\", "-", "\\", "%2C\n", "", 1.0, '"\\')
def test_any_measurement_reads_back_from_its_line(
    charge_point: str, measurand: str, location: str, context: str, unit: str, value: float, transaction_id: str
) -> None:
    """Whatever characters a charge point uses, tags, field and value are those that were given."""
    one = Measurement(measurand=measurand, value=value, unit=unit, location=location, context=context)
    event = measured([one], 1, transaction_id=transaction_id)
    [line] = Liner().lines(fact(9, event, charge_point=charge_point))
    assert "\n" not in line.split(" ")[0]
    measurement, tags, fields, _ = parsed(line)
    assert measurement == "meter"
    assert [tag_value(tags[name]) for name in ("charge_point", "location", "context")] == [charge_point, location, context]
    assert unquoted(fields["transaction_id"]) == transaction_id
    [(name, text)] = [(name, text) for name, text in fields.items() if field_meaning(name)]
    assert field_meaning(name) == (measurand, unit)
    assert float(text) == value
    assert [list(parsed(part).fields.items()) for part in one_per_field(line)] == [[item] for item in fields.items()]


@given(TEXT, st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_of_a_state_reads_back_from_its_line(charge_point: str, info: str) -> None:
    """Line breaks, quotes and backslashes included."""
    event = StatusReported(connector=ConnectorRef(1), status="Faulted", raw_status="Faulted", info=info)
    [line] = Liner().lines(fact(9, event, charge_point=charge_point))
    _, tags, fields, _ = parsed(line)
    assert tag_value(tags["charge_point"]) == charge_point
    assert unquoted(fields["detail"]) == info


@given(st.sets(st.tuples(TEXT, st.text(max_size=5)), max_size=20))
def test_no_two_measurands_share_a_field(pairs: set[tuple[str, str]]) -> None:
    """Names differ where measurand or unit differ."""
    pairs |= {("SoC", "Percent"), ("SOC", "Percent"), ("soc", "percent"), ("Voltage", "V"), ("Voltage", "v"), ("voltage_v", "")}
    assert len({field_name(*pair) for pair in pairs}) == len(pairs)


@given(st.none() | st.integers(-(2**62), 2**62), st.integers(DEVICE_FLOOR_US, 2**52), st.integers(0, 50))
def test_the_ordering_instant_is_credible(device_us: int | None, received_us: int, ordinal: int) -> None:
    """It is the device's or ours, and always inside the window."""
    at_us = ordered_at_us(device_us, received_us, ordinal)
    assert at_us in (device_us, received_us + ordinal)
    assert DEVICE_FLOOR_US <= at_us <= received_us + max(DEVICE_AHEAD_US, ordinal)


REGISTERS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 200 * HOUR_US), st.integers(0, 10**6), st.integers(0, 100)), max_size=30
)


def naive(registers: Sequence[tuple[int, int, float, int]], start_us: int, end_us: int) -> dict[tuple[int, int], float]:
    """The rule of energy.py, read aloud: plain Python, one interval and one hour after the other."""
    hours: dict[tuple[int, int], float] = {}
    for key in {key for key, *_ in registers}:
        at_instant: dict[int, tuple[int, float]] = {}
        for _, at_us, wh, sequence in (row for row in registers if row[0] == key):
            at_instant[at_us] = max(at_instant.get(at_us, (sequence, wh)), (sequence, wh))
        ordered = sorted((at_us, wh) for at_us, (_, wh) in at_instant.items())
        for (begin, before), (end, after) in pairwise(ordered):
            for hour in range(begin // HOUR_US, end // HOUR_US + 1):
                low, high = max(begin, start_us, hour * HOUR_US), min(end, end_us, (hour + 1) * HOUR_US)
                if low < high and after > before:
                    cell = (key, hour * HOUR_US)
                    hours[cell] = hours.get(cell, 0.0) + (after - before) * (high - low) / (end - begin)
    return hours


def energy(registers: Sequence[tuple[int, int, float, int]], start_us: int, end_us: int) -> dict[tuple[int, int], float]:
    """The product's answer as a mapping."""
    columns = list(zip(*registers, strict=True)) or [(), (), (), ()]
    keys, at_us, sequences = (np.array(columns[place], np.int64) for place in (0, 1, 3))
    found = hourly_energy(keys, at_us, np.array(columns[2], np.float64), sequences, start_us, end_us)
    cells = zip(found.keys.tolist(), found.hours_us.tolist(), strict=True)
    return dict(zip(cells, found.energy_wh.tolist(), strict=True))


@given(REGISTERS, st.integers(0, 200), st.integers(1, 100))
def test_energy_is_what_the_rule_says(registers: list[tuple[int, int, float, int]], start_hour: int, hours: int) -> None:
    """The fast answer agrees with the plain one, hour by hour, for any readings in any order, with repeats and resets."""
    start_us, end_us = start_hour * HOUR_US, (start_hour + hours) * HOUR_US
    expected = naive(registers, start_us, end_us)
    assert energy(registers, start_us, end_us) == pytest.approx(expected)
    assert all(wh > 0 for wh in expected.values())


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**5)), min_size=2, max_size=40, unique_by=lambda row: row[0]))
def test_hours_sum_to_the_whole(steps: list[tuple[int, int]]) -> None:
    """For a register that only grows, all hours together are its last less its first."""
    total, registers = 0, []
    for sequence, (at_us, wh) in enumerate(sorted(steps)):
        total += wh
        registers.append((0, at_us, float(total), sequence))
    whole = sum(energy(registers, 0, 10**13).values())
    assert whole == pytest.approx(registers[-1][2] - registers[0][2])


@given(REGISTERS, st.lists(st.integers(0, 200 * HOUR_US), min_size=1, max_size=5, unique=True))
def test_adjacent_ranges_sum_to_their_union(registers: list[tuple[int, int, float, int]], cuts: list[int]) -> None:
    """Wherever a time line is cut, its parts hold as much energy as the whole."""
    edges = [0, *sorted(cuts), 201 * HOUR_US]
    parts = sum(sum(energy(registers, start, end).values()) for start, end in pairwise(edges))
    assert parts == pytest.approx(sum(energy(registers, edges[0], edges[-1]).values()))
