"""Tables of payments. All of it is primary data: what was asked of the gateway is known here alone."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, UniqueConstraint

from chargenet.storage.tables import TEXT, Instant, metadata

payments = Table(
    "payments",
    metadata,
    Column("payment_id", TEXT, primary_key=True),
    Column("kind", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("stuck", Boolean, nullable=False),
    Column("untold", Boolean, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("receivable", BigInteger, nullable=False),
    Column("gateway_id", TEXT),
    Column("customer_id", TEXT),
    Column("statement_id", TEXT),
    Column("token_key", TEXT),
    Column("look_at", Instant),
    Column("requested_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("version", Integer, nullable=False),
    Column("row", TEXT, nullable=False),
    UniqueConstraint("statement_id", name="uq_payments_statement_id"),
    UniqueConstraint("token_key", name="uq_payments_token_key"),
    UniqueConstraint("gateway_id", name="uq_payments_gateway_id"),
    Index(None, "look_at"),
    Index(None, "untold"),
    Index(None, "customer_id"),
    Index(None, "created_at", "payment_id"),
)
"""`row`: the whole payment with its pending request, which is stored here before it is sent; `requested_at`: since when."""

payment_history = Table(
    "payment_history",
    metadata,
    Column("payment_id", TEXT, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("what", TEXT, nullable=False),
)

payment_methods = Table(
    "payment_methods",
    metadata,
    Column("customer_id", TEXT, primary_key=True),
    Column("saved_at", Instant, nullable=False),
    Column("row", TEXT, nullable=False),
)

payment_events = Table(
    "payment_events",
    metadata,
    Column("event_id", TEXT, primary_key=True),
    Column("taken_at", Instant, nullable=False),
    Index(None, "taken_at"),
)

TABLES = (payments, payment_history, payment_methods, payment_events)
