"""Tables of billing. All of it is primary data. A column is what is searched or summed; what is only read whole is JSON."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, LargeBinary, Table, UniqueConstraint

from chargenet.storage.tables import TEXT, Instant, metadata

SERIAL = BigInteger().with_variant(Integer, "sqlite")
CURSOR = "billing"
"""The program's position, in the table `cursors`: it moves in the transaction that stores what the facts meant."""

tariffs = Table(
    "tariffs",
    metadata,
    Column("tariff_id", TEXT, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("removed_at", Instant),
    Column("row", TEXT, nullable=False),
)

tariff_assignments = Table(
    "tariff_assignments",
    metadata,
    Column("key", TEXT, primary_key=True),
    Column("tariff_id", TEXT, nullable=False),
    Column("row", TEXT, nullable=False),
)

price_intervals = Table(
    "price_intervals",
    metadata,
    Column("series", TEXT, primary_key=True),
    Column("start_at", Instant, primary_key=True),
    Column("end_at", Instant, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("price", TEXT, nullable=False),
)

plans = Table("billing_plans", metadata, Column("plan_id", TEXT, primary_key=True), Column("row", TEXT, nullable=False))

customers = Table(
    "customers",
    metadata,
    Column("customer_id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("time_zone", TEXT, nullable=False),
    Column("row", TEXT, nullable=False),
)

contracts = Table(
    "contracts",
    metadata,
    Column("contract_id", TEXT, primary_key=True),
    Column("customer_id", TEXT, nullable=False),
    Column("row", TEXT, nullable=False),
    Index(None, "customer_id"),
)

contract_tokens = Table(
    "contract_tokens",
    metadata,
    Column("token_key", TEXT, primary_key=True),
    Column("valid_from", Instant, primary_key=True),
    Column("valid_to", Instant),
    Column("token", TEXT, nullable=False),
    Column("contract_id", TEXT, nullable=False),
    Index(None, "contract_id"),
)

sessions = Table(
    "billing_sessions",
    metadata,
    Column("charge_point_id", TEXT, primary_key=True),
    Column("subject", TEXT, primary_key=True),
    Column("state", TEXT, nullable=False),
    Column("reason", TEXT),
    Column("look_at", Instant),
    Column("token_key", TEXT),
    Column("customer_id", TEXT),
    Column("ended_at", Instant),
    Column("cdr_id", TEXT),
    Column("row", TEXT, nullable=False),
    Index(None, "state", "look_at"),
    Index(None, "token_key", "state"),
    Index(None, "customer_id", "state"),
)

cdrs = Table(
    "cdrs",
    metadata,
    Column("ordinal", SERIAL, primary_key=True, autoincrement=True),
    Column("cdr_id", TEXT, nullable=False),
    Column("charge_point_id", TEXT),
    Column("connector", TEXT),
    Column("site_id", TEXT),
    Column("transaction_id", TEXT),
    Column("token_key", TEXT),
    Column("customer_id", TEXT),
    Column("contract_id", TEXT),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("energy_wh", BigInteger, nullable=False),
    Column("before_taxes", TEXT, nullable=False),
    Column("after_taxes", TEXT, nullable=False),
    Column("rates", TEXT, nullable=False),
    Column("tax_included", Boolean, nullable=False),
    Column("home", Boolean, nullable=False),
    Column("credit", Boolean, nullable=False),
    Column("credit_reference_id", TEXT),
    Column("credited_by", TEXT),
    Column("statement_id", TEXT),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("cdr_id", name="uq_cdrs_cdr_id"),
    Index(None, "customer_id", "ended_at"),
    Index(None, "charge_point_id", "ended_at"),
    Index(None, "ended_at"),
    Index(None, "token_key"),
    Index(None, "statement_id"),
    sqlite_autoincrement=True,
)
"""`rates`: [[VAT percent or null, before taxes, after taxes], …]; `body`: the whole CDR, deflated JSON. A row's CDR never changes;
`credited_by` and `statement_id` say what became of it."""

statements = Table(
    "statements",
    metadata,
    Column("statement_id", TEXT, primary_key=True),
    Column("kind", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("series", TEXT, nullable=False),
    Column("ordinal", BigInteger),
    Column("number", TEXT),
    Column("customer_id", TEXT, nullable=False),
    Column("customer_name", TEXT, nullable=False),
    Column("month", Date, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("payable", TEXT, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("issued_at", Instant),
    Column("due_on", Date),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("series", "ordinal", name="uq_statements_series_ordinal"),
    UniqueConstraint("number", name="uq_statements_number"),
    Index(None, "customer_id", "month"),
    Index(None, "month", "state"),
    Index(None, "created_at", "statement_id"),
    Index(None, "issued_at"),
)
"""`body`: the statement without its CDRs, deflated JSON."""

statement_series = Table(
    "statement_series",
    metadata,
    Column("series", TEXT, primary_key=True),
    Column("last", BigInteger, nullable=False),
)
"""The last ordinal given. It moves in the transaction that makes the statement final, so no number is lost or given twice."""

billing_runs = Table(
    "billing_runs",
    metadata,
    Column("run_id", TEXT, primary_key=True),
    Column("month", Date, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("row", TEXT, nullable=False),
    Index(None, "started_at", "run_id"),
)

meter_keys = Table(
    "meter_keys", metadata, Column("key_id", TEXT, primary_key=True), Column("row", TEXT, nullable=False)
)  # fmt: skip
"""Public keys of meters, as the operator registered them."""

TABLES = (
    tariffs, tariff_assignments, price_intervals, plans, customers, contracts, contract_tokens, sessions, cdrs, statements,
    statement_series, billing_runs, meter_keys,
)  # fmt: skip
