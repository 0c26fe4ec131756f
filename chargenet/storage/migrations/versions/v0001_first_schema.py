"""The first schema: read models, primary data and their positions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _api_keys()
    _audit()
    _charge_point_events()
    _charge_points()
    _connectors()
    _cursors()
    _floors()
    _quarantine()
    _sites()
    _tokens()
    _transaction_aliases()
    _transaction_changes()
    _transactions()
    _uploads()
    _registrations()


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("secret_hash", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT),
        sa.Column("revoked_at", INSTANT),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("audit_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("before", TEXT),
        sa.Column("after", TEXT),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"])
    op.create_index(op.f("ix_audit_target_audit_id"), "audit", ["target", "audit_id"])


def _charge_point_events() -> None:
    op.create_table(
        "charge_point_events",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("detail", TEXT),
        sa.Column("request_id", sa.BigInteger()),
        sa.Column("occurred_at", INSTANT),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("sequence", "ordinal", name=op.f("pk_charge_point_events")),
    )
    op.create_index(
        op.f("ix_charge_point_events_charge_point_id_sequence_ordinal"),
        "charge_point_events",
        ["charge_point_id", "sequence", "ordinal"],
    )
    op.create_index(op.f("ix_charge_point_events_kind_sequence"), "charge_point_events", ["kind", "sequence"])


def _charge_points() -> None:
    op.create_table(
        "charge_points",
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("vendor", TEXT),
        sa.Column("model", TEXT),
        sa.Column("serial_number", TEXT),
        sa.Column("firmware_version", TEXT),
        sa.Column("iccid", TEXT),
        sa.Column("imsi", TEXT),
        sa.Column("meter_type", TEXT),
        sa.Column("meter_serial_number", TEXT),
        sa.Column("booted_at", INSTANT),
        sa.Column("boot_reason", TEXT),
        sa.Column("boots", sa.BigInteger(), nullable=False),
        sa.Column("connected", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("connected_at", INSTANT),
        sa.Column("disconnected_at", INSTANT),
        sa.Column("remote", TEXT),
        sa.Column("security_profile", sa.Integer()),
        sa.Column("protocol", TEXT),
        sa.Column("status", TEXT),
        sa.Column("status_at", INSTANT),
        sa.Column("error_code", TEXT),
        sa.Column("firmware_status", TEXT),
        sa.Column("firmware_status_at", INSTANT),
        sa.Column("diagnostics_status", TEXT),
        sa.Column("diagnostics_status_at", INSTANT),
        sa.Column("first_seen_at", INSTANT),
        sa.Column("last_seen_at", INSTANT),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("charge_point_id", name=op.f("pk_charge_points")),
    )


def _connectors() -> None:
    op.create_table(
        "connectors",
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("connector", TEXT, nullable=False),
        sa.Column("evse_id", sa.BigInteger(), nullable=False),
        sa.Column("connector_id", sa.BigInteger(), nullable=False),
        sa.Column("status", TEXT),
        sa.Column("raw_status", TEXT),
        sa.Column("error_code", TEXT),
        sa.Column("vendor_error_code", TEXT),
        sa.Column("vendor_id", TEXT),
        sa.Column("info", TEXT),
        sa.Column("reported_at", INSTANT),
        sa.Column("received_at", INSTANT),
        sa.Column("changed_at", INSTANT),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("charge_point_id", "connector", name=op.f("pk_connectors")),
    )


def _cursors() -> None:
    op.create_table(
        "cursors",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursors")),
    )


def _floors() -> None:
    op.create_table(
        "floors",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_floors")),
    )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("raw_transaction_id", TEXT),
        sa.Column("connector", TEXT),
        sa.Column("id_token", TEXT),
        sa.Column("reported_at", INSTANT),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("register_wh", sa.BigInteger()),
        sa.Column("stop_reason", TEXT),
        sa.Column("resolved_by", TEXT),
        sa.PrimaryKeyConstraint("sequence", "ordinal", name=op.f("pk_quarantine")),
    )
    op.create_index(op.f("ix_quarantine_charge_point_id_sequence"), "quarantine", ["charge_point_id", "sequence"])


def _sites() -> None:
    op.create_table(
        "sites",
        sa.Column("site_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("address", TEXT),
        sa.Column("latitude", sa.Float()),
        sa.Column("longitude", sa.Float()),
        sa.Column("time_zone", TEXT),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_sites")),
    )


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("parent", TEXT),
        sa.Column("expires_at", INSTANT),
        sa.Column("note", TEXT),
        sa.Column("created_at", INSTANT),
        sa.Column("updated_at", INSTANT),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_tokens")),
    )


def _transaction_aliases() -> None:
    op.create_table(
        "transaction_aliases",
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("alias_id", TEXT, nullable=False),
        sa.Column("transaction_id", TEXT, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("charge_point_id", "alias_id", name=op.f("pk_transaction_aliases")),
    )
    op.create_index(
        op.f("ix_transaction_aliases_charge_point_id_transaction_id"), "transaction_aliases", ["charge_point_id", "transaction_id"]
    )


def _transaction_changes() -> None:
    op.create_table(
        "transaction_changes",
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("transaction_id", TEXT, nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("value", TEXT),
        sa.Column("detail", TEXT),
        sa.Column("seq_no", sa.BigInteger()),
        sa.Column("changed_at", INSTANT),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("charge_point_id", "transaction_id", "sequence", "ordinal", name=op.f("pk_transaction_changes")),
    )


def _transactions() -> None:
    op.create_table(
        "transactions",
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("transaction_id", TEXT, nullable=False),
        sa.Column("protocol", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("connector", TEXT),
        sa.Column("id_token", TEXT),
        sa.Column("id_token_key", TEXT),
        sa.Column("id_token_kind", TEXT),
        sa.Column("token_status", TEXT),
        sa.Column("stop_id_token", TEXT),
        sa.Column("started_at", INSTANT),
        sa.Column("start_received_at", INSTANT),
        sa.Column("stopped_at", INSTANT),
        sa.Column("stop_received_at", INSTANT),
        sa.Column("began_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.Column("clock", TEXT, nullable=False),
        sa.Column("start_register_wh", sa.BigInteger()),
        sa.Column("stop_register_wh", sa.BigInteger()),
        sa.Column("last_register_wh", sa.BigInteger()),
        sa.Column("last_register_at", INSTANT),
        sa.Column("readings", sa.BigInteger(), nullable=False),
        sa.Column("readings_after_stop", sa.BigInteger(), nullable=False),
        sa.Column("after_stop_register_wh", sa.BigInteger()),
        sa.Column("stop_reason", TEXT),
        sa.Column("charging_state", TEXT),
        sa.Column("reservation_id", sa.BigInteger()),
        sa.Column("remote_start_id", sa.BigInteger()),
        sa.Column("charging_profile_id", sa.BigInteger()),
        sa.Column("offline", sa.Boolean(), nullable=False),
        sa.Column("seq_nos", TEXT, nullable=False),
        sa.Column("repeats", sa.BigInteger(), nullable=False),
        sa.Column("flags", TEXT, nullable=False),
        sa.Column("first_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("start_sequence", sa.BigInteger()),
        sa.Column("stop_sequence", sa.BigInteger()),
        sa.Column("evidence_sequence", sa.BigInteger()),
        sa.Column("evidence", TEXT),
        sa.PrimaryKeyConstraint("charge_point_id", "transaction_id", name=op.f("pk_transactions")),
    )
    op.create_index(op.f("ix_transactions_began_at"), "transactions", ["began_at"])
    op.create_index(op.f("ix_transactions_charge_point_id_first_sequence"), "transactions", ["charge_point_id", "first_sequence"])
    op.create_index(op.f("ix_transactions_first_sequence"), "transactions", ["first_sequence"])
    op.create_index(op.f("ix_transactions_id_token_key"), "transactions", ["id_token_key"])
    op.create_index(op.f("ix_transactions_state_charge_point_id"), "transactions", ["state", "charge_point_id"])


def _uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("file_id", TEXT, nullable=False),
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("request_id", sa.BigInteger()),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_uploads")),
    )
    op.create_index(op.f("ix_uploads_charge_point_id_sequence"), "uploads", ["charge_point_id", "sequence"])
    op.create_index(op.f("ix_uploads_sequence"), "uploads", ["sequence"])


def _registrations() -> None:
    op.create_table(
        "registrations",
        sa.Column("charge_point_id", TEXT, nullable=False),
        sa.Column("registration", TEXT, nullable=False),
        sa.Column("password_hash", TEXT),
        sa.Column("site_id", TEXT),
        sa.Column("note", TEXT),
        sa.Column("created_at", INSTANT),
        sa.Column("updated_at", INSTANT),
        sa.ForeignKeyConstraint(["site_id"], ["sites.site_id"], name=op.f("fk_registrations_site_id")),
        sa.PrimaryKeyConstraint("charge_point_id", name=op.f("pk_registrations")),
    )
    op.create_index(op.f("ix_registrations_site_id"), "registrations", ["site_id"])
