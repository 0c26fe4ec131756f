"""Tables of the rollups: a read model, dropped and made again by `rebuild`. Columns are fields of the values they hold."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table

from chargenet.storage.tables import TEXT, Instant, metadata

connector_spans = Table(
    "connector_spans",
    metadata,
    Column("charge_point_id", TEXT, primary_key=True),
    Column("connector", TEXT, primary_key=True),
    Column("layer", TEXT, primary_key=True),
    Column("began_at", Instant, primary_key=True),
    Column("ended_at", Instant),
    Column("value", TEXT, nullable=False),
    Column("detail", TEXT, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Index(None, "charge_point_id", "began_at"),
)

_COUNTS = (
    "total_s",
    "occupied_s",
    "charging_s",
    "idle_s",
    "faulted_s",
    "unavailable_s",
    "offline_s",
    "unknown_s",
    "energy_wh",
    "sessions",
    "revision",
)

hourly_rollups = Table(
    "hourly_rollups",
    metadata,
    Column("hour", Instant, primary_key=True),
    Column("charge_point_id", TEXT, primary_key=True),
    Column("connector", TEXT, primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in _COUNTS),
    Column("revenue", TEXT, nullable=False),
    Column("exported", BigInteger),
    Index(None, "exported", "hour"),
)
"""`revenue`: {currency: amount} as JSON. `exported`: the revision that was exported; nothing where the row has changed since."""

rollup_points = Table(
    "rollup_points",
    metadata,
    Column("charge_point_id", TEXT, primary_key=True),
    Column("state", LargeBinary, nullable=False),
    Column("dirty_from", Instant),
    Column("rolled_upto", Instant),
)
"""`dirty_from`: the earliest hour to make again; `rolled_upto`: the end of the last hour made."""

ROLLUP_MODEL = (connector_spans, hourly_rollups, rollup_points)
