"""The tables of the relay. Decided here: keys and indexes of what is open, what was told, what is to be delivered, what was.

The tables of cases are in `cases_tables.py`. `plain` columns hold values of `alerts.relay.rows`; JSON columns say so.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from chargenet.storage.tables import TEXT, Instant, metadata

alert_notices = Table(
    "alert_notices",
    metadata,
    Column("key", TEXT, primary_key=True),
    Column("origin", TEXT, nullable=False),
    Column("given_group", TEXT),
    Column("taken_at", Instant, nullable=False),
    Column("heard_at", Instant, nullable=False),
    Column("notice", TEXT, nullable=False),
)
"""What is open now, and what is over but not yet told. `notice` is the JSON of a `chargenet.model.notice.Notice`."""

alert_groups = Table(
    "alert_groups",
    metadata,
    Column("receiver", TEXT, primary_key=True),
    Column("group_key", TEXT, primary_key=True),
    Column("change", BigInteger, nullable=False),
    Column("told_at", Instant, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("severity", TEXT, nullable=False),
    Column("told", TEXT, nullable=False),
    Column("news", TEXT, nullable=False),
)
"""What each receiver was last told of each group. `told` is JSON {key: mark}, `news` a JSON list of keys."""

alert_outbox = Table(
    "alert_outbox",
    metadata,
    Column("outbox_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("message_id", TEXT, nullable=False),
    Column("receiver", TEXT, nullable=False),
    Column("group_key", TEXT, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("ended_at", Instant),
    Column("message", TEXT, nullable=False),
    Index(None, "message_id", unique=True),
    Index(None, "receiver", "state", "group_key", "outbox_id"),
    Index(None, "state", "ended_at"),
    sqlite_autoincrement=True,
)
"""One row per (receiver, group, change): what must be delivered. `message` is the JSON of `alerts.message.Message`."""

alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("delivery_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("outbox_id", BigInteger, nullable=False),
    Column("message_id", TEXT, nullable=False),
    Column("receiver", TEXT, nullable=False),
    Column("group_key", TEXT, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("title", TEXT, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", TEXT, nullable=False),
    Column("http_status", BigInteger),
    Column("duration_ms", BigInteger, nullable=False),
    Column("detail", TEXT, nullable=False),
    Index(None, "receiver", "delivery_id"),
    Index(None, "message_id"),
    Index(None, "at"),
    sqlite_autoincrement=True,
)
"""The log of attempts; removed by age."""

alert_silences = Table(
    "alert_silences",
    metadata,
    Column("silence_id", TEXT, primary_key=True),
    Column("matchers", TEXT, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("comment", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", TEXT, nullable=False),
    Column("ended_by", TEXT),
    Index(None, "ends_at"),
)
"""`matchers` is a JSON list of texts such as `site=harbour`."""

TABLES = (alert_notices, alert_groups, alert_outbox, alert_deliveries, alert_silences)
