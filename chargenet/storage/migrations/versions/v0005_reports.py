"""Tables of reports: rollups by hour, what people enter for reports, imported sessions, schedules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Each table in a function of its own."""
    _connector_spans()
    _hourly_rollups()
    _rollup_points()
    _report_ports()
    _uptime_exclusions()
    _imported_sessions()
    _report_schedules()


def _connector_spans() -> None:
    op.create_table(
        "connector_spans",
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("connector", TEXT, nullable=False),
        sa.Column("layer", TEXT, nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("charge_point_id", "connector", "layer", "began_at", name=op.f("pk_connector_spans")),
    )
    op.create_index(op.f("ix_connector_spans_charge_point_id_began_at"), "connector_spans", ["charge_point_id", "began_at"])


def _hourly_rollups() -> None:
    counts = ("total_s", "occupied_s", "charging_s", "idle_s", "faulted_s", "unavailable_s", "offline_s", "unknown_s")
    op.create_table(
        "hourly_rollups",
        sa.Column("hour", INSTANT, nullable=False),
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("connector", TEXT, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in (*counts, "energy_wh", "sessions", "revision")),
        sa.Column("revenue", TEXT, nullable=False),
        sa.Column("exported", sa.BigInteger()),
        sa.PrimaryKeyConstraint("hour", "charge_point_id", "connector", name=op.f("pk_hourly_rollups")),
    )
    op.create_index(op.f("ix_hourly_rollups_exported_hour"), "hourly_rollups", ["exported", "hour"])


def _rollup_points() -> None:
    op.create_table(
        "rollup_points",
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("dirty_from", INSTANT),
        sa.Column("rolled_upto", INSTANT),
        sa.PrimaryKeyConstraint("charge_point_id", name=op.f("pk_rollup_points")),
    )


def _report_ports() -> None:
    op.create_table(
        "report_ports",
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("evse_id", sa.BigInteger(), nullable=False),
        sa.Column("port_id", TEXT, nullable=False),
        sa.Column("station_id", TEXT, nullable=False),
        sa.Column("rated_w", sa.BigInteger()),
        sa.Column("commissioned_at", INSTANT),
        sa.Column("decommissioned_at", INSTANT),
        sa.Column("hours", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("charge_point_id", "evse_id", name=op.f("pk_report_ports")),
    )


def _uptime_exclusions() -> None:
    op.create_table(
        "uptime_exclusions",
        sa.Column("exclusion_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("site_id", TEXT),
        sa.Column("charge_point_id", TEXT),
        sa.Column("evse_id", sa.BigInteger()),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=False),
        sa.Column("evidence", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("withdrawn_at", INSTANT),
        sa.Column("withdrawn_by", TEXT),
        sa.PrimaryKeyConstraint("exclusion_id", name=op.f("pk_uptime_exclusions")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_uptime_exclusions_began_at"), "uptime_exclusions", ["began_at"])


def _imported_sessions() -> None:
    op.create_table(
        "imported_sessions",
        sa.Column("source", TEXT, nullable=False),
        sa.Column("session_id", TEXT, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("charge_point_id", "connector", "site", "model", "user")),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("charging_s", sa.BigInteger()),
        sa.Column("peak_w", sa.BigInteger()),
        sa.Column("rated_w", sa.BigInteger()),
        sa.Column("revenue", TEXT),
        *(sa.Column(name, TEXT, nullable=False) for name in ("currency", "payment", "error_code")),
        sa.Column("successful", sa.Boolean()),
        sa.PrimaryKeyConstraint("source", "session_id", name=op.f("pk_imported_sessions")),
    )
    op.create_index(op.f("ix_imported_sessions_began_at"), "imported_sessions", ["began_at"])


def _report_schedules() -> None:
    op.create_table(
        "report_schedules",
        sa.Column("schedule_id", TEXT, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("kind", "format", "every", "time_zone", "language")),
        sa.Column("site_id", TEXT),
        sa.Column("receiver", TEXT, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("delivered_upto", INSTANT),
        sa.PrimaryKeyConstraint("schedule_id", name=op.f("pk_report_schedules")),
    )
