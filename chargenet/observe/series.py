"""Series as columns of cached lines. Decided here: an update is two array stores, and text is made at scrape, of what changed.

A `Table` has one row per thing (connector, charge point) with its label text. A `Column` is one family (with at most one fixed
extra label, e.g. phase="L1") over all rows: `values[row]` now, `touched[row]` when it was last said, `lines[row]` the encoded line.
NaN is "no value": such a row has no line. Nothing here reads a clock or yields to an event loop: `settle` is a generator
whose steps are short, and whoever drives it decides what happens between them.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from chargenet.observe.names import Family

NAN = math.nan
SLICE = 8192
"""Rows settled in one step: about 5 ms when all of them changed."""
MAX_LABEL_VALUE = 128


@lru_cache(maxsize=8192)
def label(name: str, value: str) -> bytes:
    """`name="value"`, escaped as the text format demands and cut to a bounded length."""
    clean = value[:MAX_LABEL_VALUE].replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'{name}="{clean}"'.encode("utf-8", "replace")


def header(family: Family) -> bytes:
    """HELP and TYPE lines."""
    text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {family.name} {text}\n# TYPE {family.name} {family.kind}\n".encode()


def view(column: array[float]) -> npt.NDArray[np.float64]:
    """A numpy view; the array cannot grow while one is alive, so keep it inside one step."""
    return np.frombuffer(column, dtype=np.float64) if column else np.empty(0)


def integers(column: array[int]) -> npt.NDArray[np.int64]:
    """The same for integers."""
    return np.frombuffer(column, dtype=np.int64) if column else np.empty(0, dtype=np.int64)


class Interner:
    """Label texts ↔ small numbers, bounded: a charge point that invents a word each minute grows neither memory nor cardinality."""

    def __init__(self, limit: int, overflow: bytes) -> None:
        self.words: list[bytes] = [overflow]
        self._numbers: dict[bytes, int] = {overflow: 0}
        self._limit = limit

    def number(self, word: bytes) -> int:
        """The word's number; 0, the overflow word, when there are too many words already."""
        known = self._numbers.get(word)
        if known is not None:
            return known
        if len(self.words) >= self._limit:
            return 0
        self._numbers[word] = len(self.words)
        self.words.append(word)
        return self._numbers[word]


class Table:
    """The rows that columns share. `labels[row]` is `{site="…",charge_point="…"` without its closing brace; b"" is a free row."""

    def __init__(self) -> None:
        self.labels: list[bytes] = []
        self.columns: list[Column] = []
        self._free: list[int] = []

    def add(self, labels: bytes) -> int:
        """A new row for these labels."""
        if self._free:
            row = self._free.pop()
            self.labels[row] = labels
            return row
        self.labels.append(labels)
        for column in self.columns:
            column.grow(len(self.labels))
        return len(self.labels) - 1

    def relabel(self, row: int, labels: bytes) -> None:
        """The thing moved: its lines are written anew at the next scrape."""
        self.labels[row] = labels
        for column in self.columns:
            column.spoil(row)

    def free(self, row: int) -> None:
        """The thing is gone: all of its series vanish."""
        self.labels[row] = b""
        self._free.append(row)
        for column in self.columns:
            column.values[row] = NAN

    def column(self, column: Column) -> Column:
        """Attach a column, which grows with this table from now on."""
        column.grow(len(self.labels))
        self.columns.append(column)
        return column


class Column:
    """One family over all rows. Hot paths store into `values` and `touched` themselves; `put` is the same for all others."""

    __slots__ = ("_encoded", "_horizon_s", "_name", "_tail", "family", "lines", "touched", "values")

    def __init__(self, family: Family, extra: bytes = b"") -> None:
        self.family = family
        self.values: array[float] = array("d")
        self.touched: array[float] = array("d")
        self.lines: list[bytes] = []
        self._encoded: array[float] = array("d")
        self._name = family.name.encode()
        self._tail = b"," + extra if extra else b""
        self._horizon_s = math.inf if family.horizon_s is None else family.horizon_s

    def grow(self, rows: int) -> None:
        """Room for `rows` rows."""
        more = rows - len(self.lines)
        if more == 1:  # as a storm of new charge points asks for
            self.values.append(NAN)
            self.touched.append(0.0)
            self._encoded.append(NAN)
            self.lines.append(b"")
            return
        self.values.extend([NAN] * more)
        self.touched.extend([0.0] * more)
        self._encoded.extend([NAN] * more)
        self.lines.extend([b""] * more)

    def put(self, row: int, value: float, at: float) -> None:
        """The value that was said at `at` (seconds since the epoch; infinity: it holds until told otherwise)."""
        self.values[row] = value
        self.touched[row] = at

    def count(self, row: int, at: float) -> None:
        """One more."""
        before = self.values[row]
        self.put(row, before + 1.0 if before == before else 1.0, at)

    def drop(self, row: int) -> None:
        """No value any more."""
        self.values[row] = NAN

    def spoil(self, row: int) -> None:
        """The line must be written anew, whatever its value."""
        self._encoded[row] = NAN
        self.lines[row] = b""

    def settle(self, labels: list[bytes], now: float) -> Iterator[None]:
        """Drop what is stale and encode what changed, a slice of rows per step."""
        for start in range(0, len(self.lines), SLICE):
            rows, values = self._changed(start, start + SLICE, now)
            self._encode(labels, rows, values)
            yield

    @property
    def series(self) -> int:
        """Lines that the last scrape had."""
        return int(np.count_nonzero(~np.isnan(view(self._encoded))))

    def text(self) -> Iterator[bytes]:
        """The lines, joined, a bounded piece per step."""
        for start in range(0, len(self.lines), 8 * SLICE):
            yield b"".join(self.lines[start : start + 8 * SLICE])

    def _changed(self, start: int, stop: int, now: float) -> tuple[list[int], list[float]]:
        values, encoded = view(self.values)[start:stop], view(self._encoded)[start:stop]
        stale = now - view(self.touched)[start:stop] > self._horizon_s
        values[stale] = NAN
        absent = np.isnan(values)
        changed = np.nonzero((values != encoded) & ~(absent & np.isnan(encoded)))[0]
        fresh = values[changed]
        encoded[changed] = fresh
        return (changed + start).tolist(), fresh.tolist()

    def _encode(self, labels: list[bytes], rows: list[int], values: list[float]) -> None:
        name, tail, lines = self._name, self._tail, self.lines
        for row, value in zip(rows, values, strict=True):
            lines[row] = b"%b%b%b} %a\n" % (name, labels[row], tail, value) if value == value else b""


class InstantColumn(Column):
    """Values are instants, in whole seconds."""

    __slots__ = ()

    def _encode(self, labels: list[bytes], rows: list[int], values: list[float]) -> None:
        name, lines = self._name, self.lines
        for row, value in zip(rows, values, strict=True):
            lines[row] = b"%b%b} %d\n" % (name, labels[row], value) if value == value else b""


class PercentColumn(Column):
    """Values are said in percent and shown as a ratio."""

    __slots__ = ()

    def _encode(self, labels: list[bytes], rows: list[int], values: list[float]) -> None:
        super()._encode(labels, rows, [round(value / 100.0, 6) for value in values])


class WordColumn(Column):
    """Values are numbers of interned label texts; the line carries the text and the value 1."""

    __slots__ = ("interner",)

    def __init__(self, family: Family, interner: Interner) -> None:
        super().__init__(family)
        self.interner = interner

    def _encode(self, labels: list[bytes], rows: list[int], values: list[float]) -> None:
        name, lines, words = self._name, self.lines, self.interner.words
        for row, value in zip(rows, values, strict=True):
            lines[row] = b"%b%b,%b} 1\n" % (name, labels[row], words[int(value)]) if value == value else b""
