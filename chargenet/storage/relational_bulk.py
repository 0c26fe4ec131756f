"""Many rows at once, for projections. Decided here: read models are written by the driver's own executemany.

Through SQLAlchemy's bind processing a row of `transactions` costs 55 µs of CPU on SQLite, this way 29 (docs/adr/0008-sql.md); a
rebuild writes millions of them. All names in the SQL come from storage.tables; values are parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, Table

from chargenet.model.record import microseconds
from chargenet.model.text import storable_number, storable_text
from chargenet.model.transaction import Transaction
from chargenet.storage import tables

_CONSTANT: dict[str, frozenset[str]] = {"transactions": frozenset({"first_sequence"})}
"""Indexed columns that never change in a row: SQLite leaves their indexes alone when they are not in the SET list."""


def write_rows(connection: Connection, table: Table, rows: Sequence[msgspec.Struct]) -> None:
    """Insert rows, or replace those with the same primary key. The fields of a row are columns of the table."""
    if not rows:
        return
    kind, dialect = type(rows[0]), connection.dialect.name
    convert = converters(dialect)
    astuple = msgspec.structs.astuple
    encoded = [tuple([None if value is None else convert[type(value)](value) for value in astuple(row)]) for row in rows]
    if kind is Transaction:
        encoded = [(*values, row.token_key) for values, row in zip(encoded, rows, strict=True)]  # type: ignore[attr-defined]
    connection.exec_driver_sql(_statement(table.name, kind, dialect), encoded)


def update_rows(connection: Connection, table: Table, rows: Sequence[msgspec.Struct], changed: Sequence[tuple[str, ...]]) -> None:
    """Write some fields of rows that are stored, those that `changed` names for each.

    Two of 28 columns cost SQLite 3 µs where the whole row costs 12, and half of a network only says that it is there.
    """
    alike: dict[tuple[str, ...], list[msgspec.Struct]] = {}
    for row, fields in zip(rows, changed, strict=True):
        alike.setdefault(fields, []).append(row)
    dialect = connection.dialect.name
    convert = converters(dialect)
    keys = tuple(column.name for column in table.primary_key.columns)
    for fields, some in alike.items():
        get = attrgetter(*fields, *keys)
        encoded = [tuple([None if value is None else convert[type(value)](value) for value in get(row)]) for row in some]
        connection.exec_driver_sql(_update(table.name, fields, keys, dialect), encoded)


@lru_cache(maxsize=256)
def _update(name: str, fields: tuple[str, ...], keys: tuple[str, ...], dialect: str) -> str:
    mark = placeholder(dialect)
    assignments = ", ".join(f'"{field}" = {mark}' for field in fields)
    key = " AND ".join(f'"{field}" = {mark}' for field in keys)
    return f'UPDATE "{name}" SET {assignments} WHERE {key}'  # noqa: S608 - names of our own tables


def placeholder(dialect: str) -> str:
    """How the driver's own SQL names a parameter."""
    return "%s" if dialect == "postgresql" else "?"


@lru_cache(maxsize=64)
def _statement(name: str, kind: type[msgspec.Struct], dialect: str) -> str:
    """INSERT … ON CONFLICT DO UPDATE with one placeholder per field of `kind`."""
    table = tables.metadata.tables[name]
    fields = [*kind.__struct_fields__, *(["id_token_key"] if kind is Transaction else [])]
    if set(fields) != set(table.columns.keys()):
        raise TypeError(f"the fields of {kind.__name__} are not the columns of {name}")
    quoted = [f'"{field}"' for field in fields]
    keys = [f'"{column.name}"' for column in table.primary_key.columns]
    constant = {*keys, *(f'"{column}"' for column in _CONSTANT.get(name, ()))}
    changed = [column for column in quoted if column not in constant]
    placeholders = ", ".join([placeholder(dialect)] * len(fields))
    assignments = ", ".join(f"{column} = excluded.{column}" for column in changed)
    return (
        f'INSERT INTO "{name}" ({", ".join(quoted)}) VALUES ({placeholders}) '  # noqa: S608 - names of our own tables
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {assignments}"
    )


Converter = Callable[[Any], object]


class _Converters(dict[type, Converter]):
    """Type of a value → what the driver takes. Learns each type once: enums of text become text, the rest stays."""

    def __missing__(self, kind: type) -> Converter:
        converter: Converter = _enum_text if issubclass(kind, str) else _same
        self[kind] = converter
        return converter


def _same(value: Any) -> object:
    return value


def _enum_text(value: str) -> str:
    return storable_text(str(value))


def _flags(flags: tuple[str, ...]) -> str:
    """As "|a|b|"."""
    return f"|{'|'.join(flags)}|" if flags else ""


_instants = lru_cache(maxsize=65_536)(microseconds)
"""Most instants of a row are written again with each reading."""
_SQLITE = _Converters({str: storable_text, int: storable_number, datetime: _instants, tuple: _flags})
_POSTGRESQL = _Converters({str: storable_text, int: storable_number, tuple: _flags})


def converters(dialect: str) -> Mapping[type, Converter]:
    """What makes a value of each type one that the driver takes; None stays None, and is not asked for."""
    return _POSTGRESQL if dialect == "postgresql" else _SQLITE
