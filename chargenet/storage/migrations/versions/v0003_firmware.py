"""Tables of `firmware_orchestrator`: first those of rollouts, then those of artifacts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Each table in a function of its own."""
    _rollouts()
    _device_updates()
    _rollout_history()
    _rollout_notices()


def _rollouts() -> None:
    op.create_table(
        "rollouts",
        sa.Column("rollout_id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("row", TEXT, nullable=False),
        sa.Column("evidence", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("rollout_id", name=op.f("pk_rollouts")),
    )
    op.create_index(op.f("ix_rollouts_state"), "rollouts", ["state"])
    op.create_index(op.f("ix_rollouts_created_at_rollout_id"), "rollouts", ["created_at", "rollout_id"])


def _device_updates() -> None:
    op.create_table(
        "device_updates",
        sa.Column("rollout_id", TEXT, nullable=False),
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("availability", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("row", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("rollout_id", "charge_point_id", name=op.f("pk_device_updates")),
    )
    op.create_index(op.f("ix_device_updates_charge_point_id_state"), "device_updates", ["charge_point_id", "state"])
    op.create_index(op.f("ix_device_updates_state"), "device_updates", ["state"])


def _rollout_history() -> None:
    op.create_table(
        "rollout_history",
        sa.Column("number", SERIAL, autoincrement=True, nullable=False),
        sa.Column("rollout_id", TEXT, nullable=False),
        sa.Column("row", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_rollout_history")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_rollout_history_rollout_id_number"), "rollout_history", ["rollout_id", "number"])


def _rollout_notices() -> None:
    op.create_table(
        "rollout_notices",
        sa.Column("number", SERIAL, autoincrement=True, nullable=False),
        sa.Column("row", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_rollout_notices")),
        sqlite_autoincrement=True,
    )
