"""The embedded telemetry's file: the only module that imports duckdb. Decided here: transactions, checkpoints, retention, bounds.

Everything blocks. `write` and its kin run on one thread, which owns the writing connection; `query` and its kin on another, with a
connection of its own; embedded.py sees to that. What is committed is on disk: after kill -9, rows and position agree.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa

from chargenet.errors import StoreUnavailable
from chargenet.model.record import instant, microseconds
from chargenet.ports import EnergyHour, Sample, SeriesSamples, StateChange, TelemetryQuery
from chargenet.storage import embedded_sql as sql
from chargenet.storage.embedded_batch import Batch, SeriesNumbers, series_table
from chargenet.storage.energy import HourlyEnergy, hourly_energy
from chargenet.storage.points import SeriesKey
from chargenet.storage.ranges import bounded, enough

log = logging.getLogger(__name__)

FILE_NAME = "telemetry.duckdb"

ROWS_AT_ONCE = 2_000
"""Rows that become Python objects without a pause: a few milliseconds."""

REGISTERS_AT_ONCE = 4_000_000
"""Registers that hourly_energy holds in memory at a time (about 300 MB while they are sorted)."""


class EmbeddedLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of the embedded telemetry."""

    memory_mb: int = 512
    temporary_gb: int = 20
    threads: int = 2
    wal_mb: int = 64
    """The write-ahead log is folded into the file at this size, which bounds the time that a restart takes."""
    retention_days: float | None = None
    """Rows that arrived longer ago are deleted; None keeps them for ever."""
    query_timeout_s: float = 60.0
    waiting_queries: int = 64


class TelemetryFile:
    """One DuckDB file and the two connections to it."""

    def __init__(self, folder: Path, limits: EmbeddedLimits, *, read_only: bool = False) -> None:
        self._folder, self._limits, self._read_only = folder, limits, read_only
        self._writer: duckdb.DuckDBPyConnection | None = None
        self._reader: duckdb.DuckDBPyConnection | None = None
        self.numbers = SeriesNumbers()
        self.position = 0
        self.broken = False
        """DuckDB gave the file up: it must be closed before it can be opened again."""

    def open(self) -> None:
        """Open the file if it is not open; creates it unless read-only. Raises StoreUnavailable when another process has it."""
        if self._writer is not None:
            return
        try:
            self._open()
        except (duckdb.Error, OSError) as error:
            self.close()
            raise unavailable(error) from error

    def _open(self) -> None:
        path = self._folder / FILE_NAME
        if not self._read_only:
            self._folder.mkdir(parents=True, exist_ok=True)
        limits = self._limits
        self._writer = duckdb.connect(
            str(path),
            read_only=self._read_only,
            config={
                "memory_limit": f"{limits.memory_mb}MB",
                "threads": limits.threads,
                "temp_directory": str(self._folder / "tmp"),
                "max_temp_directory_size": f"{limits.temporary_gb}GB",
                "wal_autocheckpoint": f"{limits.wal_mb}MB",
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self._writer.execute("set enable_external_access = false")
        self._prepare(self._writer)
        self._reader = self._writer.cursor()
        rows = self._writer.execute(sql.KNOWN_SERIES).fetchall()
        self.numbers = SeriesNumbers((row[0], SeriesKey(*row[1:])) for row in rows)
        self.position = self._one(self._writer, "select upto from progress")

    def _prepare(self, writer: duckdb.DuckDBPyConnection) -> None:
        if not self._one(writer, "select count(*) from duckdb_tables() where table_name = 'about'"):
            writer.begin()
            writer.execute(sql.CREATE)
            writer.execute("insert into about values (?)", [sql.SCHEMA_VERSION])
            writer.commit()
        version = self._one(writer, "select schema_version from about")
        if version != sql.SCHEMA_VERSION:
            raise StoreUnavailable(
                "telemetry", f"{FILE_NAME} has schema {version}, this version reads {sql.SCHEMA_VERSION}: `chargewatch rebuild`"
            )

    @staticmethod
    def _one(connection: duckdb.DuckDBPyConnection, question: str) -> int:
        row = connection.execute(question).fetchone()
        assert row is not None, question
        return int(row[0])

    def close(self) -> None:
        """Fold the log into the file and let go of both connections; nothing happens when it is closed."""
        writer, reader = self._writer, self._reader
        self._writer = self._reader = None
        self.broken = False
        if reader is not None:
            reader.close()
        if writer is not None:
            writer.close()

    def write(self, batch: Batch) -> None:
        """Rows and position in one transaction."""
        writer = self._connected()
        fresh = len(self.numbers.unsaved)
        writer.begin()
        try:
            self._insert(writer, "series", series_table(self.numbers.unsaved[:fresh]) if fresh else None)
            self._insert(writer, "samples", batch.samples())
            self._insert(writer, "states", batch.states())
            writer.execute("update progress set upto = ?", [batch.upto])
            writer.commit()
        except duckdb.Error as error:
            self.broken = isinstance(error, duckdb.FatalException | duckdb.InternalException)
            self._roll_back(writer)
            raise unavailable(error) from error
        del self.numbers.unsaved[:fresh]
        self.position = batch.upto

    @staticmethod
    def _insert(writer: duckdb.DuckDBPyConnection, table: str, rows: pa.Table | None) -> None:
        if rows is not None:
            writer.register("fresh_rows", rows)
            try:
                writer.execute(f"insert into {table} select * from fresh_rows")  # noqa: S608 - a table of ours
            finally:
                writer.unregister("fresh_rows")

    @staticmethod
    def _roll_back(writer: duckdb.DuckDBPyConnection) -> None:
        try:
            writer.rollback()
        except duckdb.Error as error:  # the failed statement ended the transaction already
            log.debug("telemetry: nothing to roll back: %s", error)

    def reset(self) -> None:
        """Drop everything, position 0."""
        writer = self._connected()
        try:
            writer.begin()
            for table in sql.TABLES:
                writer.execute(f"drop table {table}")
            writer.execute(sql.CREATE)
            writer.execute("insert into about values (?)", [sql.SCHEMA_VERSION])
            writer.commit()
            writer.execute("checkpoint")
        except duckdb.Error as error:
            self._roll_back(writer)
            raise unavailable(error) from error
        self.numbers, self.position = SeriesNumbers(), 0

    def forget(self, now: datetime) -> int:
        """Delete rows that arrived before the retention; how many there were."""
        if self._limits.retention_days is None:
            return 0
        before_us = microseconds(now) - round(self._limits.retention_days * 86_400_000_000)
        writer = self._connected()
        try:
            return sum(
                self._one(writer, f"delete from {table} where received_us < {before_us}")  # noqa: S608 - a table of ours
                for table in ("samples", "states")
            )
        except duckdb.Error as error:
            raise unavailable(error) from error

    def interrupt(self) -> None:
        """Stop the query that runs now. From any thread."""
        if self._reader is not None:
            self._reader.interrupt()

    def query(self, query: TelemetryQuery) -> list[SeriesSamples]:
        """Samples per series, series ordered by their labels."""
        series: dict[SeriesKey, list[Sample]] = {}
        for row in self._rows(*sql.samples_query(query)):
            series.setdefault(SeriesKey(*row[:7]), []).append(Sample(instant(row[7]), row[8], row[9]))
        return [SeriesSamples(key._asdict(), samples) for key, samples in sorted(series.items())]

    def states(self, charge_point: str, start: datetime, end: datetime, kind: str | None, limit: int) -> list[StateChange]:
        """State changes in time order."""
        parameters = {
            "charge_point": charge_point,
            "start": microseconds(start),
            "end": microseconds(end),
            "kind": kind,
            "limit": bounded(limit),
        }
        return [StateChange(instant(row[0]), instant(row[1]), *row[2:]) for row in self._rows(sql.STATES, parameters)]

    def hourly_energy(self, start: datetime, end: datetime, charge_points: Sequence[str]) -> list[EnergyHour]:
        """Energy per connector and hour, in that order; connectors are taken by portions that fit in memory."""
        series = self._rows(sql.REGISTER_SERIES, {"charge_points": list(charge_points)})
        connectors = list(dict.fromkeys((row[1], row[2]) for row in series))
        key_of = {connector: key for key, connector in enumerate(connectors)}
        registers = pa.table(
            {
                "series": pa.array([row[0] for row in series], pa.int32()),
                "key": pa.array([key_of[row[1], row[2]] for row in series], pa.int32()),
            }
        )
        hours: list[EnergyHour] = []
        reader = self._reading()
        reader.register("registers", registers)
        try:
            for portion in self._portions(len(connectors), microseconds(start), microseconds(end)):
                columns = zip(portion.keys.tolist(), portion.hours_us.tolist(), portion.energy_wh.tolist(), strict=True)
                enough(len(hours) + len(portion.keys))
                hours.extend(EnergyHour(connectors[key][0], connectors[key][1], instant(at), wh) for key, at, wh in columns)
        finally:
            reader.unregister("registers")
        return hours

    def _portions(self, connectors: int, start_us: int, end_us: int) -> list[HourlyEnergy]:
        bounds = {"start": start_us, "end": end_us}
        count = self._rows(sql.COUNT_REGISTERS, bounds)[0][0]
        portions = count // REGISTERS_AT_ONCE + 1
        size = -(-connectors // portions) or 1
        energies = []
        for first in range(0, connectors, size):
            columns = self._columns(sql.REGISTERS, {**bounds, "first_key": first, "last_key": first + size})
            key, at_us, value, sequence = (columns[name] for name in ("key", "at_us", "value", "sequence"))
            energies.append(hourly_energy(key.astype(np.int64), at_us, value, sequence, start_us, end_us))
        return energies

    def _rows(self, question: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        try:
            return _in_slices(self._reading().execute(question, parameters))
        except duckdb.Error as error:
            raise unavailable(error) from error

    def _columns(self, question: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._reading().execute(question, parameters).fetchnumpy()
        except duckdb.Error as error:
            raise unavailable(error) from error

    def _connected(self) -> duckdb.DuckDBPyConnection:
        if self._writer is None:
            raise StoreUnavailable("telemetry", "the file is closed")
        return self._writer

    def _reading(self) -> duckdb.DuckDBPyConnection:
        if self._reader is None:
            raise StoreUnavailable("telemetry", "the file is closed")
        return self._reader


def _in_slices(answer: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """All rows. DuckDB keeps the interpreter to itself while it makes tuples, and the event loop needs it in between."""
    rows: list[tuple[Any, ...]] = []
    while some := answer.fetchmany(ROWS_AT_ONCE):
        rows += some
    return rows


def unavailable(error: Exception) -> StoreUnavailable:
    """The first line of DuckDB's own word; the rest is advice for developers."""
    return StoreUnavailable("telemetry", str(error).partition("\n")[0])
