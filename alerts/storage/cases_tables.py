"""Tables of cases. Columns are named as the fields of the values in alerts.case, alerts.maintenance and alerts.store."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, Table

from chargenet.storage.tables import TEXT, Instant, metadata

_SERIAL = BigInteger().with_variant(Integer, "sqlite")

cases = Table(
    "cases",
    metadata,
    Column("case_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", TEXT, nullable=False),
    Column("thing", TEXT, nullable=False),
    Column("charge_point_id", TEXT),
    Column("connector", TEXT),
    Column("group", TEXT),
    Column("site_id", TEXT),
    Column("state", TEXT, nullable=False),
    Column("severity", TEXT, nullable=False),
    Column("score", Float, nullable=False),
    Column("summary", TEXT, nullable=False),
    Column("action", TEXT, nullable=False),
    Column("evidence", TEXT, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("gone_since", Instant),
    Column("acknowledged_at", Instant),
    Column("acknowledged_by", TEXT),
    Column("resolved_at", Instant),
    Column("resolved_by", TEXT),
    Column("resolution", TEXT),
    Column("note", TEXT),
    Column("times_reopened", Integer, nullable=False),
    Column("suppressed_by", BigInteger),
    Column("masked_by", TEXT),
    Column("revision", Integer, nullable=False),
    Column("told", Integer, nullable=False),
    Index(None, "state", "case_id"),
    Index(None, "charge_point_id", "case_id"),
    Index(None, "resolved_at"),
)
"""`evidence` is JSON."""

case_changes = Table(
    "case_changes",
    metadata,
    Column("change_id", _SERIAL, primary_key=True, autoincrement=True),
    Column("case_id", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("what", TEXT, nullable=False),
    Column("why", TEXT, nullable=False),
    Column("who", TEXT),
    Column("state", TEXT, nullable=False),
    Column("severity", TEXT, nullable=False),
    Index(None, "case_id", "change_id"),
    sqlite_autoincrement=True,
)

maintenance_windows = Table(
    "maintenance_windows",
    metadata,
    Column("window_id", _SERIAL, primary_key=True, autoincrement=True),
    Column("site_id", TEXT),
    Column("charge_point_id", TEXT),
    Column("begins_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("created_by", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", TEXT),
    Index(None, "ends_at"),
    sqlite_autoincrement=True,
)

alert_pieces = Table(
    "alert_pieces",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("state", LargeBinary, nullable=False),
)
"""What detectors know, by charge point, site and network, at the position `alerts` of `cursors`."""

TABLES = (cases, case_changes, maintenance_windows, alert_pieces)
