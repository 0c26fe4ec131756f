"""Tables of rollouts. Decided here: a column is what is searched; what is only read whole is JSON."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table

from chargenet.storage.tables import TEXT, Instant, metadata

rollouts = Table(
    "rollouts",
    metadata,
    Column("rollout_id", TEXT, primary_key=True),
    Column("state", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("row", TEXT, nullable=False),
    Column("evidence", LargeBinary),
    Index(None, "state"),
    Index(None, "created_at", "rollout_id"),
)
"""`row` is the Rollout as JSON, `evidence` the state of its e-processes."""

device_updates = Table(
    "device_updates",
    metadata,
    Column("rollout_id", TEXT, primary_key=True),
    Column("charge_point_id", TEXT, primary_key=True),
    Column("wave", Integer, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("availability", TEXT, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("row", TEXT, nullable=False),
    Index(None, "charge_point_id", "state"),
    Index(None, "state"),
)

rollout_history = Table(
    "rollout_history",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("rollout_id", TEXT, nullable=False),
    Column("row", TEXT, nullable=False),
    Index(None, "rollout_id", "number"),
    sqlite_autoincrement=True,
)

rollout_notices = Table(
    "rollout_notices",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("row", TEXT, nullable=False),
    sqlite_autoincrement=True,
)
"""Notices that the relay has not taken yet."""

ROLLOUT_TABLES = (rollouts, device_updates, rollout_history, rollout_notices)
CURSOR = "firmware"
"""The program's position, in the table `cursors`: it moves in the transaction that stores what the facts meant."""
