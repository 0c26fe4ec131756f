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
