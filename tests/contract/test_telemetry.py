"""What every telemetry store promises: the fake, the embedded one and a real InfluxDB pass the same suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chargenet.events import (
    ConnectionClosed,
    ConnectionOpened,
    DiagnosticsStatusReported,
    DiagnosticsUploaded,
    FirmwareStatusReported,
    FrameDeviated,
    SecurityEventReported,
    StatusReported,
)
from chargenet.model.ids import ConnectorRef
from chargenet.model.measurement import Measurement
from chargenet.ports import SeriesSamples, Telemetry, TelemetryQuery
from chargenet.storage.embedded import EmbeddedTelemetry
from chargenet.storage.influx import InfluxTelemetry
from chargenet.testing import FrozenClock, MemoryTelemetry
from tests.support.facts import DAY, at, fact, measured, register
from tests.support.influx import Influx, influxd
from tests.support.influx_v2_shim import shim

POWER = Measurement(measurand="Power.Active.Import", value=7000.0, unit="W")


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """One real InfluxDB for this file; each test has a database of its own."""
    with influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server


@pytest.fixture
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Telemetry]:
    """A store over an empty database of the real InfluxDB."""
    server: Influx = request.getfixturevalue("influx")
    server.make(tmp_path.name)
    with shim(server) as front:
        yield InfluxTelemetry(server.target(front.url, tmp_path.name), tmp_path, FrozenClock(), lambda: 0.5)


@pytest.fixture(params=["memory", "embedded", pytest.param("influxdb", marks=pytest.mark.server("influxdb"))])
async def telemetry(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Telemetry]:
    """One empty store of each kind."""
    make: dict[str, Callable[[], Telemetry]] = {
        "memory": MemoryTelemetry,
        "embedded": lambda: EmbeddedTelemetry(tmp_path / "telemetry", FrozenClock()),
        "influxdb": lambda: request.getfixturevalue("bucket"),
    }
    store = make[request.param]()
    yield store
    await store.close()


def of_day(**rest: object) -> TelemetryQuery:
    """Everything of the test's day, unless `rest` says otherwise."""
    return TelemetryQuery(**{"start": DAY, "end": DAY + timedelta(days=1), **rest})  # type: ignore[arg-type]


def values(series: SeriesSamples) -> list[float]:
    """The values of one series."""
    return [sample.value for sample in series.samples]


def power(value: float) -> Measurement:
    """A power of the whole connector."""
    return Measurement(measurand="Power.Active.Import", value=value, unit="W")


async def test_a_new_store_is_empty(telemetry: Telemetry) -> None:
    """Nothing was written: position 0 and empty answers."""
    assert await telemetry.position() == 0
    assert await telemetry.query(of_day()) == []
    assert await telemetry.states("CP1", DAY, at(86_400)) == []
    assert await telemetry.hourly_energy(DAY, at(86_400)) == []


async def test_a_measurement_comes_back_with_all_its_labels(telemetry: Telemetry) -> None:
    """Measurand, phase, location, context, unit, connector and the sequence of its frame are kept."""
    current = Measurement(
        measurand="Current.Import", value=16.25, unit="A", phase="L1", location="Inlet", context="Transaction.Begin"
    )
    await telemetry.write([fact(7, measured([current], 60, connector=2, transaction_id="t1"))], 7)
    [series] = await telemetry.query(of_day())
    assert series.labels == {
        "charge_point": "CP1",
        "connector": "2",
        "measurand": "Current.Import",
        "phase": "L1",
        "location": "Inlet",
        "context": "Transaction.Begin",
        "unit": "A",
    }
    [sample] = series.samples
    assert (sample.measured_at, sample.value, sample.sequence) == (at(60), 16.25, 7)


async def test_names_and_units_of_a_vendors_own_are_kept_as_said(telemetry: Telemetry) -> None:
    """Measurands and units outside of the standard, with any characters, come back letter by letter."""
    odd = [
        Measurement(measurand="Vendor,Odd Thing=1", value=1.0, unit="m/s\\"),
        Measurement(measurand='"Quoted"', value=2.0, unit=""),
        Measurement(measurand="SOC", value=3.0, unit="Percent"),
        Measurement(measurand="SoC", value=4.0, unit="Percent"),
        Measurement(measurand="Température", value=5.0, unit="°C", location="Câble, rouge", context="a=b c\\"),
    ]
    await telemetry.write([fact(1, measured(odd, 60))], 1)
    answer = {
        (s.labels["measurand"], s.labels["unit"], s.labels["location"], s.labels["context"]): values(s)
        for s in await telemetry.query(of_day())
    }
    assert answer == {(m.measurand, m.unit, m.location, m.context): [m.value] for m in odd}


async def test_a_charge_points_own_measurements_have_no_connector(telemetry: Telemetry) -> None:
    """connectorId 0 is the charge point itself: the label is empty, and can be asked for."""
    await telemetry.write([fact(1, measured([POWER], 60, connector=None)), fact(2, measured([POWER], 60))], 2)
    [series] = await telemetry.query(of_day(connector=""))
    assert series.labels["connector"] == ""


async def test_filters_choose_series(telemetry: Telemetry) -> None:
    """Charge points, connector and measurand each narrow the answer; without them all series come, ordered by label."""
    facts = [
        fact(1, measured([POWER, register(5)], 60), charge_point="B"),
        fact(2, measured([POWER], 60, connector=2), charge_point="A"),
        fact(3, measured([POWER], 60), charge_point="C"),
    ]
    await telemetry.write(facts, 3)
    names = [(s.labels["charge_point"], s.labels["measurand"]) for s in await telemetry.query(of_day())]
    assert names == [("A", POWER.measurand), ("B", register(0).measurand), ("B", POWER.measurand), ("C", POWER.measurand)]
    assert len(await telemetry.query(of_day(charge_points=("A", "B")))) == 3
    assert len(await telemetry.query(of_day(connector="2"))) == 1
    assert len(await telemetry.query(of_day(measurand=POWER.measurand, charge_points=("B",)))) == 1
    assert await telemetry.query(of_day(charge_points=("no such",))) == []
    assert await telemetry.query(of_day(measurand="No.Such")) == []


async def test_a_range_includes_its_start_and_excludes_its_end(telemetry: Telemetry) -> None:
    """[start, end), so that adjacent ranges share no sample."""
    await telemetry.write([fact(n, measured([power(n)], n * 10)) for n in (1, 2, 3)], 3)
    [series] = await telemetry.query(of_day(start=at(10), end=at(30)))
    assert values(series) == [1, 2]


async def test_samples_come_in_the_order_of_the_devices_clock(telemetry: Telemetry) -> None:
    """A backlog that arrives later, even after years, takes the place where it was measured."""
    old = DAY - timedelta(days=900)
    await telemetry.write([fact(1, measured([power(2)], 100)), fact(2, measured([power(1)], 50, transaction_id="x"))], 2)
    event = measured([power(0)], (old - DAY).total_seconds())
    await telemetry.write([fact(3, event)], 3)
    [series] = await telemetry.query(of_day(start=old))
    assert values(series) == [0, 1, 2]


@pytest.mark.parametrize(
    "device",
    [None, datetime(1970, 1, 1, tzinfo=UTC), datetime(2009, 12, 31, tzinfo=UTC), at(1000 + 301), datetime(2099, 1, 1, tzinfo=UTC)],
    ids=["none", "1970", "2009", "five minutes ahead", "2099"],
)
async def test_a_device_clock_that_cannot_be_right_does_not_order(telemetry: Telemetry, device: datetime | None) -> None:
    """Without a credible device clock, ours orders; two meter values of one frame stay two."""
    seconds = None if device is None else (device - DAY).total_seconds()
    await telemetry.write([fact(5, measured([power(1)], seconds), measured([power(2)], seconds), received=1000)], 5)
    [series] = await telemetry.query(of_day(start=at(1000), end=at(1001)))
    assert values(series) == [1, 2]
    assert series.samples[0].measured_at == at(1000)


async def test_a_device_clock_a_little_ahead_is_believed(telemetry: Telemetry) -> None:
    """Five minutes ahead of our clock is drift, not nonsense."""
    await telemetry.write([fact(5, measured([power(1)], 1300), received=1000)], 5)
    [series] = await telemetry.query(of_day())
    assert series.samples[0].measured_at == at(1300)


async def test_writing_the_same_facts_again_changes_nothing(telemetry: Telemetry) -> None:
    """After a crash between store and cursor the same facts come again: no sample and no state is doubled."""
    facts = [
        fact(1, measured([power(1)], 10)),
        fact(2, StatusReported(connector=ConnectorRef(1), status="Charging", raw_status="Charging", reported_at=at(11))),
        fact(3, measured([power(2)], 20)),
    ]
    await telemetry.write(facts[:2], 2)
    await telemetry.write(facts, 3)
    await telemetry.write(facts, 3)
    [series] = await telemetry.query(of_day())
    assert values(series) == [1, 2]
    assert len(await telemetry.states("CP1", DAY, at(86_400))) == 1
    assert await telemetry.position() == 3


async def test_a_repeated_value_is_counted_once_and_the_later_word_counts(telemetry: Telemetry) -> None:
    """A charge point that sends the same instant again (a retry, a correction) does not weigh twice."""
    await telemetry.write([fact(1, measured([power(10)], 10)), fact(2, measured([power(30)], 20))], 2)
    await telemetry.write([fact(3, measured([power(20)], 10))], 3)
    [series] = await telemetry.query(of_day())
    assert values(series) == [20, 30]
    [counted] = await telemetry.query(of_day(step_s=3600, aggregate="count"))
    assert values(counted) == [2]
    [mean] = await telemetry.query(of_day(step_s=3600, aggregate="mean"))
    assert values(mean) == [25]


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("mean", [2.0, 10.0]),
        ("min", [1.0, 10.0]),
        ("max", [3.0, 10.0]),
        ("first", [2.0, 10.0]),
        ("last", [3.0, 10.0]),
        ("sum", [6.0, 10.0]),
        ("count", [3.0, 1.0]),
    ],
)
async def test_steps_are_aligned_to_the_epoch_and_empty_ones_left_out(
    telemetry: Telemetry, aggregate: str, expected: list[float]
) -> None:
    """A 60 s step holds what was measured in its minute; a step without samples does not appear."""
    facts = [fact(n, measured([power(value)], s)) for n, (value, s) in enumerate([(2, 1), (1, 30), (3, 59), (10, 120)], 1)]
    await telemetry.write(facts, 4)
    [series] = await telemetry.query(of_day(start=at(-30), step_s=60, aggregate=aggregate))
    assert values(series) == expected
    assert [sample.measured_at for sample in series.samples] == [at(0), at(120)]


async def test_a_limit_keeps_the_earliest_samples(telemetry: Telemetry) -> None:
    """The limit counts samples of all series together, in time order, raw or in steps."""
    facts = [fact(n, measured([power(n), register(n)], n * 60)) for n in range(1, 6)]
    await telemetry.write(facts, 5)
    raw = await telemetry.query(of_day(limit=4))
    assert sorted(value for series in raw for value in values(series)) == [1, 1, 2, 2]
    steps = await telemetry.query(of_day(limit=4, step_s=60))
    assert sorted(value for series in steps for value in values(series)) == [1, 1, 2, 2]


@pytest.mark.parametrize("wrong", [{"aggregate": "median"}, {"step_s": 0}, {"start": datetime(2026, 1, 1)}])
async def test_a_question_without_sense_is_refused(telemetry: Telemetry, wrong: dict[str, object]) -> None:
    """An unknown aggregate, a step of nothing or an instant without zone is the caller's error."""
    with pytest.raises(ValueError, match=r"aggregate|step_s|time zone"):
        await telemetry.query(of_day(**wrong))


async def test_state_changes_are_kept_by_kind(telemetry: Telemetry) -> None:
    """Status, error, connection, security and diagnostics each become one row; a deviation of a frame is not telemetry."""
    connector = ConnectorRef(2, 3)
    events = [
        ConnectionOpened(remote="10.0.0.1"),
        StatusReported(connector=connector, status="Charging", raw_status="Charging", error_code="NoError", reported_at=at(2)),
        StatusReported(
            connector=connector,
            status="Faulted",
            raw_status="Faulted",
            error_code="GroundFailure",
            vendor_error_code="E42",
            vendor_id="V",
            info="leak",
            reported_at=at(3),
        ),
        StatusReported(connector=None, status="Available", raw_status="Available", error_code="NoError", vendor_error_code="0x17"),
        SecurityEventReported(type="TamperDetectionActivated", info="door", occurred_at=at(5)),
        FirmwareStatusReported(status="Downloading", request_id=4),
        DiagnosticsStatusReported(status="Uploading"),
        DiagnosticsUploaded(file_id="f1", name="log.gz", size_bytes=12, sha256="00"),
        FrameDeviated(quirk="schema", detail="x"),
        ConnectionClosed(code=1006, reason="", lost=True),
    ]
    await telemetry.write([fact(n, event) for n, event in enumerate(events, 1)], len(events))
    states = await telemetry.states("CP1", DAY, at(86_400))
    assert [(s.sequence, s.kind, s.connector, s.value, s.detail) for s in states] == [
        (1, "connection", "", "opened", "10.0.0.1"),
        (2, "status", "2.3", "Charging", ""),
        (3, "status", "2.3", "Faulted", "leak"),
        (3, "error", "2.3", "GroundFailure", "E42; V; leak"),
        (4, "status", "", "Available", ""),
        (4, "error", "", "0x17", ""),
        (5, "security", "", "TamperDetectionActivated", "door"),
        (6, "diagnostics", "", "Downloading", "firmware, request 4"),
        (7, "diagnostics", "", "Uploading", "log"),
        (8, "diagnostics", "", "file", "f1 log.gz 12 bytes"),
        (10, "connection", "", "lost", "1006"),
    ]
    assert [s.at for s in states[:3]] == [at(1), at(2), at(3)]
    assert [s.sequence for s in await telemetry.states("CP1", DAY, at(86_400), kind="status")] == [2, 3, 4]
    assert [s.sequence for s in await telemetry.states("CP1", at(3), at(5))] == [3, 3, 4, 4]
    assert len(await telemetry.states("CP1", DAY, at(86_400), limit=3)) == 3
    assert await telemetry.states("CP2", DAY, at(86_400)) == []


async def test_state_changes_of_one_instant_are_all_kept_in_order(telemetry: Telemetry) -> None:
    """Device clocks tick in seconds: three statuses of one second are three, in the order in which they came."""
    words = ["Preparing", "Charging", "Faulted"]
    facts = [
        fact(n, StatusReported(connector=ConnectorRef(1), status=word, raw_status=word, reported_at=at(1)))
        for n, word in enumerate(words, 1)
    ]
    await telemetry.write(facts, 3)
    states = await telemetry.states("CP1", DAY, at(2))
    assert [(s.value, s.at) for s in states] == [(word, at(1)) for word in words]


async def test_texts_with_any_characters_come_back(telemetry: Telemetry) -> None:
    """Quotes, backslashes, line breaks and commas in what a charge point says are kept, and break nothing."""
    info = 'say "no", or \\ not,\n=end\r\t é\\'
    event = StatusReported(connector=ConnectorRef(1), status="Faulted", raw_status='F"\\', info=info, reported_at=at(1))
    await telemetry.write([fact(1, event, charge_point='CP "1", a=b\\c')], 1)
    [state] = await telemetry.states('CP "1", a=b\\c', DAY, at(2))
    assert state.detail == f'F"\\; {info}'


async def test_energy_is_the_difference_of_registers_spread_over_hours(telemetry: Telemetry) -> None:
    """Half of what was charged between 00:30 and 01:30 belongs to each hour; the hours add up to last less first."""
    facts = [
        fact(1, measured([register(1000)], 1800), received=1800),
        fact(2, measured([register(2000)], 5400), received=5400),
        fact(3, measured([register(2600)], 7200), received=7200),
    ]
    await telemetry.write(facts, 3)
    hours = await telemetry.hourly_energy(DAY, at(86_400))
    assert [(h.charge_point, h.connector, h.hour, round(h.energy_wh, 6)) for h in hours] == [
        ("CP1", "1", at(0), 500.0),
        ("CP1", "1", at(3600), 1100.0),
    ]


async def test_energy_of_adjacent_ranges_adds_up(telemetry: Telemetry) -> None:
    """The reading before and the one after a range take part, so nothing is lost at its edges."""
    await telemetry.write([fact(n, measured([register(n * 100)], n * 1000), received=n * 1000) for n in range(1, 20)], 19)
    whole = sum(h.energy_wh for h in await telemetry.hourly_energy(DAY, at(86_400)))
    parts = [await telemetry.hourly_energy(at(a), at(b)) for a, b in ((0, 3600), (3600, 9000), (9000, 86_400))]
    assert whole == pytest.approx(1800)
    assert sum(h.energy_wh for part in parts for h in part) == pytest.approx(whole)


async def test_a_register_that_falls_gives_nothing_and_takes_nothing(telemetry: Telemetry) -> None:
    """A replaced meter starts again at 0: the energy goes on from there and no hour is negative."""
    registers = [5000, 5100, 0, 50]
    await telemetry.write([fact(n, measured([register(wh)], n * 60), received=n * 60) for n, wh in enumerate(registers, 1)], 4)
    [hour] = await telemetry.hourly_energy(DAY, at(86_400))
    assert hour.energy_wh == pytest.approx(150)


async def test_energy_counts_the_connectors_own_register_only(telemetry: Telemetry) -> None:
    """Phases, other locations, other units and the charge point's main meter are not added; contexts share one register."""
    first = [register(100), register(40, phase="L1"), register(9, location="Inlet")]
    second = [register(300, context="Transaction.End"), register(90, phase="L1"), register(999, location="Inlet")]
    facts = [
        fact(1, measured(first, 60), measured([register(10)], 60, connector=None), received=60),
        fact(2, measured(second, 120), measured([register(5000)], 120, connector=None), received=120),
        fact(3, measured([register(7)], 60), received=130, charge_point="CP2"),
        fact(4, measured([register(8)], 120), received=140, charge_point="CP2"),
    ]
    await telemetry.write(facts, 4)
    hours = await telemetry.hourly_energy(DAY, at(86_400))
    assert [(h.charge_point, round(h.energy_wh, 6)) for h in hours] == [("CP1", 200.0), ("CP2", 1.0)]
    assert [h.charge_point for h in await telemetry.hourly_energy(DAY, at(86_400), ["CP2"])] == ["CP2"]


async def test_reset_drops_everything_and_writing_goes_on(telemetry: Telemetry) -> None:
    """After a reset the store is as new; a rebuild from the first fact gives the same answers as before."""
    facts = [
        fact(1, measured([power(1)], 10)),
        fact(2, StatusReported(connector=None, status="Available", raw_status="Available")),
    ]
    await telemetry.write(facts, 2)
    before = await telemetry.query(of_day()), await telemetry.states("CP1", DAY, at(86_400))
    await telemetry.reset()
    assert await telemetry.position() == 0
    assert await telemetry.query(of_day()) == []
    assert await telemetry.states("CP1", DAY, at(86_400)) == []
    await telemetry.write(facts, 2)
    assert (await telemetry.query(of_day()), await telemetry.states("CP1", DAY, at(86_400))) == before


async def test_facts_without_telemetry_only_move_the_position(telemetry: Telemetry) -> None:
    """The cursor must not stop at facts that hold nothing to keep."""
    await telemetry.write([fact(4, FrameDeviated(quirk="schema", detail="x"))], 4)
    await telemetry.write([], 9)
    assert await telemetry.position() == 9
