"""Tables of `billing_reports.payments`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Payments, their history, saved methods, and the gateway's calls."""
    _payments()
    op.create_table(
        "payment_history",
        sa.Column("payment_id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        *_text("state", "what"),
        _key("payment_history", "payment_id", "version"),
    )
    op.create_table(
        "payment_methods",
        *_text("customer_id"),
        sa.Column("saved_at", INSTANT, nullable=False),
        *_text("row"),
        _key("payment_methods", "customer_id"),
    )
    op.create_table(
        "payment_events",
        *_text("event_id"),
        sa.Column("taken_at", INSTANT, nullable=False),
        _key("payment_events", "event_id"),
    )
    op.create_index(op.f("ix_payment_events_taken_at"), "payment_events", ["taken_at"])
    op.create_index(op.f("ix_statements_issued_at"), "statements", ["issued_at"])


def _payments() -> None:
    op.create_table(
        "payments",
        *_text("payment_id", "kind", "state"),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("stuck", "untold")),
        *_text("currency"),
        sa.Column("receivable", sa.BigInteger(), nullable=False),
        *_text("gateway_id", "customer_id", "statement_id", "token_key", nullable=True),
        *(sa.Column(name, INSTANT) for name in ("look_at", "requested_at")),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *_text("row"),
        _key("payments", "payment_id"),
        *(sa.UniqueConstraint(name, name=f"uq_payments_{name}") for name in ("statement_id", "token_key", "gateway_id")),
    )
    for columns in (("look_at",), ("untold",), ("customer_id",), ("created_at", "payment_id")):
        op.create_index(op.f(f"ix_payments_{'_'.join(columns)}"), "payments", list(columns))


def _text(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=nullable) for name in names]


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))
