"""Telemetry: how fast samples go in, how fast energy comes out, against SQLite in the same run. One JSON line each.

`pytest tests/benchmarks/bench_telemetry.py -m benchmark -p no:randomly -s`; the peer is SQLite as one would use it (WAL, one table
indexed by series and instant) and SQLite at its fastest in (no index).
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point
from influxdb_client.client.write_api import SYNCHRONOUS

from chargenet.clock import SystemClock
from chargenet.events import Fact, MeasurementsTaken
from chargenet.model.ids import ConnectorRef
from chargenet.model.measurement import ENERGY_REGISTER, Measurement
from chargenet.ports import TelemetryQuery
from chargenet.storage.embedded import EmbeddedLimits, EmbeddedTelemetry
from chargenet.storage.embedded_batch import Batch, SeriesNumbers
from chargenet.storage.influx import InfluxTelemetry
from chargenet.storage.lineprotocol import Liner, field_name
from tests.support.facts import DAY, at
from tests.support.influx import influxd
from tests.support.influx_v2_shim import shim

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

FACTS, BATCHES, SAMPLES = 2000, 60, 8
KINDS = (
    (ENERGY_REGISTER, "Wh", None),
    ("Power.Active.Import", "W", None),
    ("Current.Import", "A", "L1"),
    ("Current.Import", "A", "L2"),
    ("Current.Import", "A", "L3"),
    ("Voltage", "V", None),
    ("SoC", "Percent", None),
    ("Temperature", "Celsius", None),
)


def report(**figures: object) -> None:
    """One JSON line."""
    print(json.dumps(figures))


@contextmanager
def watch(into: dict[str, float]) -> Iterator[None]:
    """Wall and process seconds of the block."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    into["wall_s"], into["cpu_s"] = time.perf_counter() - wall, time.process_time() - cpu


def batch(number: int) -> list[Fact]:
    """MeterValues of 2,000 connectors, 8 samples each, strings as a decoder makes them: new objects each time."""
    facts = []
    for n in range(FACTS):
        values = [
            Measurement(measurand="".join([*measurand]), value=number + n / 7, unit="".join([*unit]), phase=phase)
            for measurand, unit, phase in KINDS
        ]
        event = MeasurementsTaken(
            connector=ConnectorRef(1), transaction_id=str(n), measured_at=at(number * 60 + n / 100), measurements=tuple(values)
        )
        facts.append(Fact(number * FACTS + n + 1, at(number * 60 + n / 100 + 1), f"CP{n}", 1, "ocpp1.6", "MeterValues", (event,)))
    return facts


def sqlite_rows(facts: Sequence[Fact], numbers: dict[tuple[str, int], int]) -> list[tuple[int, float, float, float, str, int]]:
    """The same rows for the peer."""
    return [
        (
            numbers.setdefault((fact.charge_point_id, place), len(numbers)),
            event.measured_at.timestamp(),
            fact.received_at.timestamp(),
            m.value,
            str(event.transaction_id),
            fact.sequence,
        )
        for fact in facts
        for event in fact.events
        if isinstance(event, MeasurementsTaken) and event.measured_at is not None
        for place, m in enumerate(event.measurements)
    ]


def sqlite_insert(path: Path, facts: Sequence[Sequence[Fact]], *, indexed: bool) -> dict[str, float]:
    """One durable transaction per batch."""
    connection = sqlite3.connect(path)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    key = ", primary key (series, at)) without rowid" if indexed else ")"
    connection.execute(f"create table samples (series integer, at real, received real, value real, tx text, sequence integer{key}")
    numbers: dict[tuple[str, int], int] = {}
    figures: dict[str, float] = {}
    with watch(figures):
        for one in facts:
            with connection:
                connection.executemany("insert or replace into samples values (?,?,?,?,?,?)", sqlite_rows(one, numbers))
    connection.close()
    return figures


async def test_insert_rate(tmp_path: Path) -> None:
    """Facts in, committed rows out: per batch of 2,000 facts one durable transaction, from Python objects on."""
    facts = [batch(number) for number in range(BATCHES)]
    rows = BATCHES * FACTS * SAMPLES
    telemetry = EmbeddedTelemetry(tmp_path, SystemClock(), limits=EmbeddedLimits(threads=1))
    await telemetry.position()
    ours: dict[str, float] = {}
    loop_s = 0.0
    with watch(ours):
        for one in facts:
            loop_began = time.thread_time()
            await telemetry.write(one, one[-1].sequence)
            loop_s += time.thread_time() - loop_began
    await telemetry.close()
    size = (tmp_path / "telemetry.duckdb").stat().st_size
    plain = sqlite_insert(tmp_path / "plain.sqlite", facts, indexed=False)
    indexed = sqlite_insert(tmp_path / "indexed.sqlite", facts, indexed=True)
    report(
        benchmark="telemetry_insert",
        rows=rows,
        duckdb_rows_per_s=round(rows / ours["wall_s"]),
        duckdb_cpu_us_per_row=round(ours["cpu_s"] / rows * 1e6, 2),
        duckdb_event_loop_us_per_row=round(loop_s / rows * 1e6, 2),
        duckdb_bytes_per_row=round(size / rows, 1),
        sqlite_rows_per_s=round(rows / plain["wall_s"]),
        sqlite_indexed_rows_per_s=round(rows / indexed["wall_s"]),
        ratio_to_sqlite=round(plain["wall_s"] / ours["wall_s"], 2),
        ratio_to_sqlite_indexed=round(indexed["wall_s"] / ours["wall_s"], 2),
    )
    assert rows == 960_000


def test_columns_and_lines_per_sample() -> None:
    """What the event loop pays: columns for the embedded store, lines for InfluxDB."""
    numbers, liner = SeriesNumbers(), Liner()
    columns, lines, count = [], [], 0
    for number in range(12):
        facts = batch(number)
        began = time.thread_time()
        Batch(numbers, 1).add(facts)
        columns.append(time.thread_time() - began)
        began = time.thread_time()
        count = sum(len(list(liner.lines(fact))) for fact in facts)
        lines.append(time.thread_time() - began)
    samples = FACTS * SAMPLES
    report(
        benchmark="telemetry_caller",
        columns_us_per_sample=round(min(columns) / samples * 1e6, 2),
        lines_us_per_sample=round(min(lines) / samples * 1e6, 2),
        lines_us_per_line=round(min(lines) / count * 1e6, 2),
    )
    assert count == FACTS * 4


@pytest.mark.server("influxdb")
async def test_influx_write_rate(tmp_path: Path) -> None:
    """Facts to a real InfluxDB, against the client library's own Point objects written synchronously to the same server.

    The shim in front of the server runs in this process and is part of both figures, so the true ratio is larger.
    """
    facts = [batch(number) for number in range(8)]
    samples = (len(facts) - 1) * FACTS * SAMPLES
    with influxd(tmp_path) as server, shim(server) as front:
        server.make("peer")
        peers_token = server.token
        server.make("ours")
        telemetry = InfluxTelemetry(server.target(front.url, "ours"), tmp_path, SystemClock(), lambda: 0.5)
        ours: dict[str, float] = {}
        await telemetry.write(facts[0], facts[0][-1].sequence)
        loop_s = time.thread_time()
        with watch(ours):
            for one in facts[1:]:
                await telemetry.write(one, one[-1].sequence)
        loop_s = time.thread_time() - loop_s
        await telemetry.close()
        peer: dict[str, float] = {}
        with InfluxDBClient(front.url, peers_token, org=server.org or "-", enable_gzip=True) as client, watch(peer):
            writer = client.write_api(write_options=SYNCHRONOUS)
            for one in facts[1:]:
                points = [point for fact in one for point in client_points(fact)]
                for start in range(0, len(points), 5000):
                    writer.write("peer", record=points[start : start + 5000], write_precision="us")
        counts = [
            server.ask("SELECT count(energy_active_import_register_wh) FROM meter", name)[0]["series"][0]["values"][0][1]
            for name in ("ours", "peer")
        ]
    report(
        benchmark="telemetry_influx",
        samples=samples,
        samples_per_s=round(samples / ours["wall_s"]),
        event_loop_us_per_sample=round(loop_s / samples * 1e6, 2),
        client_points_samples_per_s=round(samples / peer["wall_s"]),
        cpu_ratio_to_client_points=round(peer["cpu_s"] / ours["cpu_s"], 1),
    )
    assert counts == [len(facts) * FACTS, (len(facts) - 1) * FACTS]


def client_points(fact: Fact) -> list[Any]:
    """The same points by the client library."""
    new: Any = Point
    points: dict[tuple[str, str, str], Any] = {}
    for event in fact.events:
        assert isinstance(event, MeasurementsTaken)
        for m in event.measurements:
            point = points.get((m.phase or "-", m.location, m.context))
            if point is None:
                point = points[m.phase or "-", m.location, m.context] = new("meter").time(event.measured_at, "us")
                point.tag("charge_point", fact.charge_point_id).tag("connector", "1").tag("phase", m.phase or "-")
                point.tag("location", m.location).tag("context", m.context)
                point.field("sequence", fact.sequence).field("transaction_id", event.transaction_id)
            point.field(field_name(m.measurand, m.unit), m.value)
    return list(points.values())


async def test_raw_insert_rate_of_the_databases(tmp_path: Path) -> None:
    """The databases alone, rows ready: DuckDB's part of the transaction against SQLite's executemany."""
    facts = [batch(number) for number in range(20)]
    telemetry = EmbeddedTelemetry(tmp_path, SystemClock(), limits=EmbeddedLimits(threads=1))
    await telemetry.position()
    file = telemetry._file
    tables = []
    for one in facts:
        columns = Batch(file.numbers, one[-1].sequence)
        columns.add(one)
        tables.append(columns)
    duck: dict[str, float] = {}
    with watch(duck):
        for columns in tables:
            await telemetry._write(lambda ready=columns: file.write(ready))  # type: ignore[misc]
    await telemetry.close()
    numbers: dict[tuple[str, int], int] = {}
    ready_rows = [sqlite_rows(one, numbers) for one in facts]
    connection = sqlite3.connect(tmp_path / "peer.sqlite")
    connection.execute("pragma journal_mode = wal")
    connection.execute("create table samples (series integer, at real, received real, value real, tx text, sequence integer)")
    lite: dict[str, float] = {}
    with watch(lite):
        for rows in ready_rows:
            with connection:
                connection.executemany("insert into samples values (?,?,?,?,?,?)", rows)
    connection.close()
    count = 20 * FACTS * SAMPLES
    report(
        benchmark="telemetry_database_insert",
        rows=count,
        duckdb_rows_per_s=round(count / duck["wall_s"]),
        sqlite_rows_per_s=round(count / lite["wall_s"]),
        ratio=round(lite["wall_s"] / duck["wall_s"], 2),
    )
    assert count == 320_000


async def test_hourly_energy_over_50_million_measurements(tmp_path: Path) -> None:
    """5,000 connectors × 8 series × 1,250 minutes; energy per connector and hour. SQLite gets a tenth of the rows, scaled."""
    minutes = int(os.environ.get("BENCH_MINUTES", "1250"))
    telemetry = EmbeddedTelemetry(tmp_path, SystemClock())
    await telemetry.write([msgspec.structs.replace(fact, sequence=1) for fact in batch(0)[:1]], 1)
    await telemetry._write(lambda: fill(telemetry, minutes))
    await telemetry.close()
    telemetry = EmbeddedTelemetry(tmp_path, SystemClock())
    began = time.perf_counter()
    await telemetry.position()
    opened_s = time.perf_counter() - began
    energy: dict[str, float] = {}
    with watch(energy):
        hours = await telemetry.hourly_energy(DAY, DAY + timedelta(days=2))
    part: dict[str, float] = {}
    with watch(part):
        await telemetry.hourly_energy(DAY + timedelta(hours=5), DAY + timedelta(hours=6))
    means: dict[str, float] = {}
    with watch(means):
        one_day = TelemetryQuery(charge_points=("X77",), start=DAY, end=DAY + timedelta(days=1), step_s=300)
        answer = await telemetry.query(one_day)
    size = (tmp_path / "telemetry.duckdb").stat().st_size
    await telemetry.close()
    peer_s = sqlite_rollup(tmp_path / "peer.sqlite", minutes // 10)
    rows = 40_000 * minutes
    report(
        benchmark="telemetry_hourly_energy",
        rows=rows,
        file_bytes_per_row=round(size / rows, 1),
        open_s=round(opened_s, 2),
        hourly_energy_s=round(energy["wall_s"], 2),
        hourly_energy_cpu_s=round(energy["cpu_s"], 2),
        hourly_energy_of_one_hour_s=round(part["wall_s"], 2),
        five_minute_means_of_one_charge_point_s=round(means["wall_s"], 2),
        sqlite_hourly_energy_s_scaled=round(peer_s * minutes / (minutes // 10), 1),
        ratio_to_sqlite=round(peer_s * minutes / (minutes // 10) / energy["wall_s"], 1),
    )
    assert len({(hour.charge_point, hour.connector) for hour in hours}) == 5000
    assert sum(hour.energy_wh for hour in hours) == pytest.approx(5000 * 100 * (minutes - 1))
    assert len(answer) == SAMPLES


def fill(telemetry: EmbeddedTelemetry, minutes: int) -> None:
    """Rows in the order in which they would have come, made by the database itself."""
    writer = telemetry._file._connected()
    kinds = ", ".join(f"({n}, '{measurand}', '{phase or ''}', '{unit}')" for n, (measurand, unit, phase) in enumerate(KINDS))
    writer.execute(
        f"""insert into series select 1000 + c * 8 + k, 'X' || c, '1', measurand, phase, 'Outlet', 'Sample.Periodic', unit
        from range(5000) t(c), (values {kinds}) kinds(k, measurand, phase, unit)"""
    )
    for first in range(0, minutes, 50):
        writer.execute(
            """insert into samples select 1000 + c * 8 + k, at_us, at_us, at_us + 500000, i * 100.0 + c,
            'tx' || (c + i // 60 * 5000), i * 5000 + c from (select i, c, k, $day + i * 60000000 + c * 1000 as at_us
            from range($first, $last) a(i), range(5000) b(c), range(8) d(k) order by i, c, k)""",
            {"first": first, "last": min(first + 50, minutes), "day": int(DAY.timestamp() * 1e6)},
        )


def sqlite_rollup(path: Path, minutes: int) -> float:
    """Seconds of the same question (register differences by hour, without the split at hours) in SQLite."""
    connection = sqlite3.connect(path)
    connection.execute("create table samples (series integer, at integer, value real)")
    rows = ((c * 8 + k, i * 60 + c / 1000, i * 100.0 + c) for i in range(minutes) for c in range(5000) for k in range(8))
    with connection:
        connection.executemany("insert into samples values (?,?,?)", rows)
    began = time.perf_counter()
    connection.execute(
        """select series, at / 3600, sum(d) from (select series, at, max(0, value - lag(value) over
        (partition by series order by at)) as d from samples where series % 8 = 0) group by 1, 2"""
    ).fetchall()
    took_s = time.perf_counter() - began
    connection.close()
    return took_s
