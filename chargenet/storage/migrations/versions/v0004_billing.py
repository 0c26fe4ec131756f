"""Tables of `billing_reports`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Each table in a function of its own, in groups."""
    _tariffs()
    _customers()
    _sessions()
    _cdrs()
    _statements()


def _text(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=nullable) for name in names]


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _tariffs() -> None:
    op.create_table(
        "tariffs",
        sa.Column("tariff_id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("removed_at", INSTANT),
        sa.Column("row", TEXT, nullable=False),
        _key("tariffs", "tariff_id", "version"),
    )
    op.create_table("tariff_assignments", *_text("key", "tariff_id", "row"), _key("tariff_assignments", "key"))
    op.create_table(
        "price_intervals",
        sa.Column("series", TEXT, nullable=False),
        sa.Column("start_at", INSTANT, nullable=False),
        sa.Column("end_at", INSTANT, nullable=False),
        *_text("currency", "price"),
        _key("price_intervals", "series", "start_at"),
    )
    op.create_table("billing_plans", *_text("plan_id", "row"), _key("billing_plans", "plan_id"))
    op.create_table("meter_keys", *_text("key_id", "row"), _key("meter_keys", "key_id"))


def _customers() -> None:
    op.create_table("customers", *_text("customer_id", "name", "time_zone", "row"), _key("customers", "customer_id"))
    op.create_table("contracts", *_text("contract_id", "customer_id", "row"), _key("contracts", "contract_id"))
    _index("contracts", "customer_id")
    op.create_table(
        "contract_tokens",
        sa.Column("token_key", TEXT, nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_to", INSTANT),
        *_text("token", "contract_id"),
        _key("contract_tokens", "token_key", "valid_from"),
    )
    _index("contract_tokens", "contract_id")


def _sessions() -> None:
    op.create_table(
        "billing_sessions",
        *_text("charge_point_id", "subject", "state"),
        sa.Column("reason", TEXT),
        sa.Column("look_at", INSTANT),
        *_text("token_key", "customer_id", nullable=True),
        sa.Column("ended_at", INSTANT),
        sa.Column("cdr_id", TEXT),
        sa.Column("row", TEXT, nullable=False),
        _key("billing_sessions", "charge_point_id", "subject"),
    )
    _index("billing_sessions", "state", "look_at")
    for first in ("token_key", "customer_id"):
        _index("billing_sessions", first, "state")


def _cdrs() -> None:
    op.create_table(
        "cdrs",
        sa.Column("ordinal", SERIAL, autoincrement=True, nullable=False),
        sa.Column("cdr_id", TEXT, nullable=False),
        *_text("charge_point_id", "connector", "site_id", "transaction_id", "token_key", "customer_id", nullable=True),
        sa.Column("contract_id", TEXT),
        *(sa.Column(name, INSTANT, nullable=False) for name in ("started_at", "ended_at", "created_at")),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        *_text("before_taxes", "after_taxes", "rates"),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("tax_included", "home", "credit")),
        *_text("credit_reference_id", "credited_by", "statement_id", nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _key("cdrs", "ordinal"),
        sa.UniqueConstraint("cdr_id", name="uq_cdrs_cdr_id"),
        sqlite_autoincrement=True,
    )
    for columns in (("customer_id", "ended_at"), ("charge_point_id", "ended_at"), ("ended_at",), ("token_key",), ("statement_id",)):
        _index("cdrs", *columns)


def _statements() -> None:
    op.create_table(
        "statements",
        *_text("statement_id", "kind", "state", "series"),
        sa.Column("ordinal", sa.BigInteger()),
        sa.Column("number", TEXT),
        *_text("customer_id", "customer_name"),
        sa.Column("month", sa.Date(), nullable=False),
        *_text("currency", "payable"),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("issued_at", INSTANT),
        sa.Column("due_on", sa.Date()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _key("statements", "statement_id"),
        sa.UniqueConstraint("series", "ordinal", name="uq_statements_series_ordinal"),
        sa.UniqueConstraint("number", name="uq_statements_number"),
    )
    for columns in (("customer_id", "month"), ("month", "state"), ("created_at", "statement_id")):
        _index("statements", *columns)
    op.create_table(
        "statement_series",
        sa.Column("series", TEXT, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        _key("statement_series", "series"),
    )
    op.create_table(
        "billing_runs",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("row", TEXT, nullable=False),
        _key("billing_runs", "run_id"),
    )
    _index("billing_runs", "started_at", "run_id")
