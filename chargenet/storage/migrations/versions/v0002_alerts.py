"""Tables of `alerts`: first those of the relay, then those of cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Each table in a function of its own."""
    _alert_notices()
    _alert_groups()
    _alert_outbox()
    _alert_deliveries()
    _alert_silences()
    _cases()
    _case_changes()
    _maintenance_windows()
    _alert_pieces()


def _alert_notices() -> None:
    op.create_table(
        "alert_notices",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("given_group", TEXT),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.Column("heard_at", INSTANT, nullable=False),
        sa.Column("notice", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_alert_notices")),
    )


def _alert_groups() -> None:
    op.create_table(
        "alert_groups",
        sa.Column("receiver", TEXT, nullable=False),
        sa.Column("group_key", TEXT, nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("told_at", INSTANT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("severity", TEXT, nullable=False),
        sa.Column("told", TEXT, nullable=False),
        sa.Column("news", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("receiver", "group_key", name=op.f("pk_alert_groups")),
    )


def _alert_outbox() -> None:
    op.create_table(
        "alert_outbox",
        sa.Column("outbox_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("receiver", TEXT, nullable=False),
        sa.Column("group_key", TEXT, nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("message", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_alert_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alert_outbox_message_id"), "alert_outbox", ["message_id"], unique=True)
    op.create_index(
        op.f("ix_alert_outbox_receiver_state_group_key_outbox_id"), "alert_outbox", ["receiver", "state", "group_key", "outbox_id"]
    )
    op.create_index(op.f("ix_alert_outbox_state_ended_at"), "alert_outbox", ["state", "ended_at"])


def _alert_deliveries() -> None:
    op.create_table(
        "alert_deliveries",
        sa.Column("delivery_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("receiver", TEXT, nullable=False),
        sa.Column("group_key", TEXT, nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("http_status", sa.BigInteger()),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_alert_deliveries")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alert_deliveries_receiver_delivery_id"), "alert_deliveries", ["receiver", "delivery_id"])
    op.create_index(op.f("ix_alert_deliveries_message_id"), "alert_deliveries", ["message_id"])
    op.create_index(op.f("ix_alert_deliveries_at"), "alert_deliveries", ["at"])


def _alert_silences() -> None:
    op.create_table(
        "alert_silences",
        sa.Column("silence_id", TEXT, nullable=False),
        sa.Column("matchers", TEXT, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("comment", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("ended_by", TEXT),
        sa.PrimaryKeyConstraint("silence_id", name=op.f("pk_alert_silences")),
    )
    op.create_index(op.f("ix_alert_silences_ends_at"), "alert_silences", ["ends_at"])


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("thing", TEXT, nullable=False),
        sa.Column("charge_point_id", TEXT),
        sa.Column("connector", TEXT),
        sa.Column("group", TEXT),
        sa.Column("site_id", TEXT),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("severity", TEXT, nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("summary", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("evidence", TEXT, nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("found_at", INSTANT, nullable=False),
        sa.Column("gone_since", INSTANT),
        sa.Column("acknowledged_at", INSTANT),
        sa.Column("acknowledged_by", TEXT),
        sa.Column("resolved_at", INSTANT),
        sa.Column("resolved_by", TEXT),
        sa.Column("resolution", TEXT),
        sa.Column("note", TEXT),
        sa.Column("times_reopened", sa.Integer(), nullable=False),
        sa.Column("suppressed_by", sa.BigInteger()),
        sa.Column("masked_by", TEXT),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_cases")),
    )
    op.create_index(op.f("ix_cases_state_case_id"), "cases", ["state", "case_id"])
    op.create_index(op.f("ix_cases_charge_point_id_case_id"), "cases", ["charge_point_id", "case_id"])
    op.create_index(op.f("ix_cases_resolved_at"), "cases", ["resolved_at"])


def _case_changes() -> None:
    op.create_table(
        "case_changes",
        sa.Column("change_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.Column("who", TEXT),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("severity", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_case_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_case_changes_case_id_change_id"), "case_changes", ["case_id", "change_id"])


def _maintenance_windows() -> None:
    op.create_table(
        "maintenance_windows",
        sa.Column("window_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("site_id", TEXT),
        sa.Column("charge_point_id", TEXT),
        sa.Column("begins_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("ended_by", TEXT),
        sa.PrimaryKeyConstraint("window_id", name=op.f("pk_maintenance_windows")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_maintenance_windows_ends_at"), "maintenance_windows", ["ends_at"])


def _alert_pieces() -> None:
    op.create_table(
        "alert_pieces",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_alert_pieces")),
    )
