"""Tables of reports: ports, exclusions, imported sessions, schedules. Entered by people: never dropped by `rebuild`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table

from chargenet.storage.tables import TEXT, Instant, metadata

_SERIAL = BigInteger().with_variant(Integer, "sqlite")

report_ports = Table(
    "report_ports",
    metadata,
    Column("charge_point_id", TEXT, primary_key=True),
    Column("evse_id", BigInteger, primary_key=True, autoincrement=False),
    Column("port_id", TEXT, nullable=False),
    Column("station_id", TEXT, nullable=False),
    Column("rated_w", BigInteger),
    Column("commissioned_at", Instant),
    Column("decommissioned_at", Instant),
    Column("hours", TEXT, nullable=False),
)
"""`hours`: as `billing_reports.opening_hours` reads them; "" is always open."""

uptime_exclusions = Table(
    "uptime_exclusions",
    metadata,
    Column("exclusion_id", _SERIAL, primary_key=True, autoincrement=True),
    Column("site_id", TEXT),
    Column("charge_point_id", TEXT),
    Column("evse_id", BigInteger),
    Column("reason", TEXT, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("evidence", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", TEXT, nullable=False),
    Column("withdrawn_at", Instant),
    Column("withdrawn_by", TEXT),
    Index(None, "began_at"),
    sqlite_autoincrement=True,
)

imported_sessions = Table(
    "imported_sessions",
    metadata,
    Column("source", TEXT, primary_key=True),
    Column("session_id", TEXT, primary_key=True),
    *(Column(name, TEXT, nullable=False) for name in ("charge_point_id", "connector", "site", "model", "user")),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("energy_wh", BigInteger, nullable=False),
    Column("charging_s", BigInteger),
    Column("peak_w", BigInteger),
    Column("rated_w", BigInteger),
    Column("revenue", TEXT),
    Column("currency", TEXT, nullable=False),
    Column("payment", TEXT, nullable=False),
    Column("successful", Boolean),
    Column("error_code", TEXT, nullable=False),
    Index(None, "began_at"),
)
"""`user` is a hash, never a token; `revenue` a decimal text."""

report_schedules = Table(
    "report_schedules",
    metadata,
    Column("schedule_id", TEXT, primary_key=True),
    Column("kind", TEXT, nullable=False),
    Column("format", TEXT, nullable=False),
    Column("every", TEXT, nullable=False),
    Column("time_zone", TEXT, nullable=False),
    Column("language", TEXT, nullable=False),
    Column("site_id", TEXT),
    Column("receiver", TEXT, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", TEXT, nullable=False),
    Column("delivered_upto", Instant),
)
"""`delivered_upto`: the end of the last period that was given to the relay."""

TABLES = (report_ports, uptime_exclusions, imported_sessions, report_schedules)
