"""Rows ↔ values, and the few statements that all SQL stores share. Decided here: upserts, positions, and how odd text is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Column, Connection, RowMapping, Table, TextualSelect, delete, select, text
from sqlalchemy.dialects import postgresql, sqlite

from chargenet.errors import StoreUnavailable
from chargenet.model.text import storable_number, storable_text
from chargenet.model.transaction import Transaction
from chargenet.storage import tables

Value = TypeVar("Value", bound=msgspec.Struct)

CHUNK = 500
"""Values in one IN list."""


def plain(row: msgspec.Struct) -> dict[str, Any]:
    """A value as a row: its fields, with nothing in them that a database refuses."""
    return {name: _storable(value) for name, value in msgspec.structs.asdict(row).items()}


def _storable(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return storable_text(value)
    if kind is int:
        return storable_number(value)
    return str(value) if isinstance(value, str) else value


def values(kind: type[Value], rows: Iterable[RowMapping]) -> list[Value]:
    """Rows whose columns are the fields of `kind`."""
    return [kind(**row) for row in rows]


_TRANSACTION_COLUMNS = tuple(column.name for column in tables.transactions.columns)


def transaction_value(row: Sequence[Any]) -> Transaction:
    """A row of `transactions`, all its columns in order, as a value: flags from "|a|b|", without the token's key."""
    fields: dict[str, Any] = dict(zip(_TRANSACTION_COLUMNS, row, strict=True))
    del fields["id_token_key"]
    flags = fields["flags"]
    fields["flags"] = tuple(flags[1:-1].split("|")) if flags else ()
    return Transaction(**fields)


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or replace those with the same primary key."""
    if not rows:
        return
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    keys = [column.name for column in table.primary_key.columns]
    others = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), list(rows))


def position(connection: Connection, name: str) -> int:
    """How far a read model is built."""
    return connection.execute(select(tables.cursors.c.sequence).where(tables.cursors.c.name == name)).scalar() or 0


def advance(connection: Connection, name: str, after: int, upto: int) -> None:
    """Move a read model's position, holding its row until commit. Raises StoreUnavailable when it is not at `after`."""
    here = tables.cursors.c.name == name, tables.cursors.c.sequence == after
    move = tables.cursors.update().where(*here).values(sequence=upto)
    if connection.execute(move).rowcount == 1:
        return
    if after == 0:  # the first time
        insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(insert(tables.cursors).values(name=name, sequence=0).on_conflict_do_nothing())
        if connection.execute(move).rowcount == 1:
            return
    raise StoreUnavailable("sql", f"{name} is at {position(connection, name)}, not at {after}: another write came between")


def drop_model(connection: Connection, name: str, model: Iterable[Table]) -> None:
    """Empty a read model and its position."""
    for table in model:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f'TRUNCATE TABLE "{table.name}"'))  # DELETE would outlast the statement timeout
        else:
            connection.execute(delete(table))
    connection.execute(delete(tables.cursors).where(tables.cursors.c.name == name))


def chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    """`items` in lists that fit into one IN."""
    everything = list(items)
    for start in range(0, len(everything), CHUNK):
        yield everything[start : start + CHUNK]


_GIVEN = {
    "sqlite": "SELECT value AS id FROM json_each(:ids)",
    "postgresql": "SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)) AS id",
}


def given(connection: Connection) -> TextualSelect:
    """A query of the texts in its parameter, which `listed` makes: a list of any length is one parameter of one statement."""
    return text(_GIVEN[connection.dialect.name]).columns(Column("id", tables.TEXT))


def listed(texts: Sequence[str]) -> dict[str, str]:
    """The parameter of `given`."""
    return {"ids": msgspec.json.encode(texts).decode()}


def containing(pattern: str) -> str:
    """A LIKE pattern (escape character \\) for "contains", lower case."""
    escaped = pattern.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
