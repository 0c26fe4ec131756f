"""Tables of `firmware_orchestrator`: those of rollouts, then those of artifacts; and what rollouts select by."""

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
    _firmware_artifacts()
    _firmware_approvals()
    _firmware_grants()
    op.add_column("registrations", sa.Column("tags", TEXT))
    op.add_column("registrations", sa.Column("hardware", TEXT))


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


def _firmware_artifacts() -> None:
    op.create_table(
        "firmware_artifacts",
        sa.Column("artifact_id", TEXT, nullable=False),
        sa.Column("file_name", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("manifest", TEXT, nullable=False),
        sa.Column("signature_scheme", TEXT),
        sa.Column("signature_sentence", TEXT, nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.Column("added_by", TEXT, nullable=False),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("artifact_id", name=op.f("pk_firmware_artifacts")),
    )
    op.create_index(op.f("ix_firmware_artifacts_added_at_artifact_id"), "firmware_artifacts", ["added_at", "artifact_id"])


def _firmware_approvals() -> None:
    op.create_table(
        "firmware_approvals",
        sa.Column("artifact_id", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("approved_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["firmware_artifacts.artifact_id"], name=op.f("fk_firmware_approvals_artifact_id")
        ),
        sa.PrimaryKeyConstraint("artifact_id", "key_id", name=op.f("pk_firmware_approvals")),
    )


def _firmware_grants() -> None:
    op.create_table(
        "firmware_grants",
        sa.Column("token_sha256", TEXT, nullable=False),
        sa.Column("artifact_id", TEXT, nullable=False),
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("covered", TEXT, nullable=False),
        sa.Column("sent_bytes", sa.BigInteger(), nullable=False),
        sa.Column("completed_at", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.Column("last_at", INSTANT),
        sa.ForeignKeyConstraint(["artifact_id"], ["firmware_artifacts.artifact_id"], name=op.f("fk_firmware_grants_artifact_id")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_firmware_grants")),
    )
    op.create_index(op.f("ix_firmware_grants_charge_point_id_issued_at"), "firmware_grants", ["charge_point_id", "issued_at"])
    op.create_index(op.f("ix_firmware_grants_expires_at"), "firmware_grants", ["expires_at"])
