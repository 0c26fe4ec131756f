"""The SQL schema, as SQLAlchemy Core tables. Decided here: column types on both databases, keys and indexes; not how they change
(that is in migrations/, and a test holds the two together).

Read models carry the journal sequence of their rows and may be dropped at any time; `PRIMARY` tables never are. Columns are named
as the fields of the row values in chargenet.model, so that a row is a value's fields and nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import TypeEngine

from chargenet.model.record import instant, microseconds

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime: timestamptz on PostgreSQL, microseconds since the epoch on SQLite (exact, and sorted as it is)."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        if value is None or dialect.name == "postgresql":
            return value
        return microseconds(value)

    def process_result_value(self, value: object, dialect: Dialect) -> datetime | None:
        if isinstance(value, int):
            return instant(value)
        return value.astimezone(UTC) if isinstance(value, datetime) else None


TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Compared byte by byte on both databases: pages keep one order wherever the server was set up."""


def _key(name: str) -> Column[str]:
    return Column(name, TEXT, primary_key=True)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger)


cursors = Table("cursors", metadata, _key("name"), Column("sequence", BigInteger, nullable=False))
"""How far each read model is built; moved in the same SQL transaction as its rows."""

# --- read models -----------------------------------------------------------------------------------------------------------

charge_points = Table(
    "charge_points",
    metadata,
    _key("charge_point_id"),
    *(Column(name, TEXT) for name in ("vendor", "model", "serial_number", "firmware_version", "iccid", "imsi")),
    *(Column(name, TEXT) for name in ("meter_type", "meter_serial_number")),
    Column("booted_at", Instant),
    Column("boot_reason", TEXT),
    Column("boots", BigInteger, nullable=False),
    Column("connected", Boolean, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("connected_at", Instant),
    Column("disconnected_at", Instant),
    Column("remote", TEXT),
    Column("security_profile", Integer),
    Column("protocol", TEXT),
    Column("status", TEXT),
    Column("status_at", Instant),
    Column("error_code", TEXT),
    Column("firmware_status", TEXT),
    Column("firmware_status_at", Instant),
    Column("diagnostics_status", TEXT),
    Column("diagnostics_status_at", Instant),
    Column("first_seen_at", Instant),
    Column("last_seen_at", Instant),
    Column("sequence", BigInteger, nullable=False),
)

connectors = Table(
    "connectors",
    metadata,
    _key("charge_point_id"),
    _key("connector"),
    Column("evse_id", BigInteger, nullable=False),
    Column("connector_id", BigInteger, nullable=False),
    *(Column(name, TEXT) for name in ("status", "raw_status", "error_code", "vendor_error_code", "vendor_id", "info")),
    Column("reported_at", Instant),
    Column("received_at", Instant),
    Column("changed_at", Instant),
    Column("sequence", BigInteger, nullable=False),
)

charge_point_events = Table(
    "charge_point_events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("charge_point_id", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("value", TEXT, nullable=False),
    Column("detail", TEXT),
    Column("request_id", BigInteger),
    Column("occurred_at", Instant),
    Column("received_at", Instant, nullable=False),
    Index(None, "charge_point_id", "sequence", "ordinal"),
    Index(None, "kind", "sequence"),
)

uploads = Table(
    "uploads",
    metadata,
    _key("file_id"),
    Column("charge_point_id", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", TEXT, nullable=False),
    Column("request_id", BigInteger),
    Column("received_at", Instant, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Index(None, "charge_point_id", "sequence"),
    Index(None, "sequence"),
)

transactions = Table(
    "transactions",
    metadata,
    _key("charge_point_id"),
    _key("transaction_id"),
    Column("protocol", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    *(Column(name, TEXT) for name in ("connector", "id_token", "id_token_key", "id_token_kind", "token_status", "stop_id_token")),
    *(Column(name, Instant) for name in ("started_at", "start_received_at", "stopped_at", "stop_received_at")),
    *(Column(name, Instant) for name in ("began_at", "ended_at")),
    Column("clock", TEXT, nullable=False),
    *(_number(name) for name in ("start_register_wh", "stop_register_wh", "last_register_wh")),
    Column("last_register_at", Instant),
    Column("readings", BigInteger, nullable=False),
    Column("readings_after_stop", BigInteger, nullable=False),
    _number("after_stop_register_wh"),
    Column("stop_reason", TEXT),
    Column("charging_state", TEXT),
    *(_number(name) for name in ("reservation_id", "remote_start_id", "charging_profile_id")),
    Column("offline", Boolean, nullable=False),
    Column("seq_nos", TEXT, nullable=False),
    Column("repeats", BigInteger, nullable=False),
    Column("flags", TEXT, nullable=False),
    Column("first_sequence", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    *(_number(name) for name in ("start_sequence", "stop_sequence", "evidence_sequence")),
    Column("evidence", TEXT),
    Index(None, "charge_point_id", "first_sequence"),
    Index(None, "first_sequence"),
    Index(None, "state", "charge_point_id"),
    Index(None, "began_at"),
    Index(None, "id_token_key"),
)
"""`flags` is a text of "|flag|flag|"; `id_token_key` is the case-folded token, for look-ups."""

transaction_changes = Table(
    "transaction_changes",
    metadata,
    _key("charge_point_id"),
    _key("transaction_id"),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("kind", TEXT, nullable=False),
    Column("value", TEXT),
    Column("detail", TEXT),
    Column("seq_no", BigInteger),
    Column("changed_at", Instant),
    Column("received_at", Instant, nullable=False),
)

transaction_aliases = Table(
    "transaction_aliases",
    metadata,
    _key("charge_point_id"),
    _key("alias_id"),
    Column("transaction_id", TEXT, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Index(None, "charge_point_id", "transaction_id"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("charge_point_id", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    *(Column(name, TEXT) for name in ("raw_transaction_id", "connector", "id_token")),
    Column("reported_at", Instant),
    Column("received_at", Instant, nullable=False),
    Column("register_wh", BigInteger),
    Column("stop_reason", TEXT),
    Column("resolved_by", TEXT),
    Index(None, "charge_point_id", "sequence"),
)

# --- primary data ----------------------------------------------------------------------------------------------------------

sites = Table(
    "sites",
    metadata,
    _key("site_id"),
    Column("name", TEXT, nullable=False),
    Column("address", TEXT),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("time_zone", TEXT),
)

registrations = Table(
    "registrations",
    metadata,
    _key("charge_point_id"),
    Column("registration", TEXT, nullable=False),
    Column("password_hash", TEXT),
    Column("site_id", TEXT, ForeignKey("sites.site_id"), index=True),
    Column("note", TEXT),
    Column("created_at", Instant),
    Column("updated_at", Instant),
    Column("tags", TEXT),
    Column("hardware", TEXT),
)

tokens = Table(
    "tokens",
    metadata,
    _key("key"),
    Column("value", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("parent", TEXT),
    Column("expires_at", Instant),
    Column("note", TEXT),
    Column("created_at", Instant),
    Column("updated_at", Instant),
)

api_keys = Table(
    "api_keys",
    metadata,
    _key("key_id"),
    Column("name", TEXT, nullable=False),
    Column("role", TEXT, nullable=False),
    Column("secret_hash", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("who", TEXT, nullable=False),
    Column("action", TEXT, nullable=False),
    Column("target", TEXT, nullable=False),
    Column("before", TEXT),
    Column("after", TEXT),
    Index(None, "at"),
    Index(None, "target", "audit_id"),
    sqlite_autoincrement=True,
)
"""`before` and `after` are JSON texts."""

floors = Table("floors", metadata, _key("name"), Column("value", BigInteger, nullable=False))

STATION_MODEL = (charge_points, connectors, charge_point_events, uploads)
TRANSACTION_MODEL = (transactions, transaction_changes, transaction_aliases, quarantine)
PRIMARY = (sites, registrations, tokens, api_keys, audit, floors)
