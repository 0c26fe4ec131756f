"""Tables of firmware files, their approvals, and the grants to fetch them. Primary data."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table

from chargenet.storage.tables import TEXT, Instant, metadata

artifacts = Table(
    "firmware_artifacts",
    metadata,
    Column("artifact_id", TEXT, primary_key=True),
    Column("file_name", TEXT, nullable=False),
    Column("sha256", TEXT, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("manifest", TEXT, nullable=False),
    Column("signature_scheme", TEXT),
    Column("signature_sentence", TEXT, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("added_by", TEXT, nullable=False),
    Column("approvals_needed", Integer, nullable=False),
    Index(None, "added_at", "artifact_id"),
)

approvals = Table(
    "firmware_approvals",
    metadata,
    Column("artifact_id", TEXT, ForeignKey("firmware_artifacts.artifact_id"), primary_key=True),
    Column("key_id", TEXT, primary_key=True),
    Column("who", TEXT, nullable=False),
    Column("approved_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

grants = Table(
    "firmware_grants",
    metadata,
    Column("token_sha256", TEXT, primary_key=True),
    Column("artifact_id", TEXT, ForeignKey("firmware_artifacts.artifact_id"), nullable=False),
    Column("charge_point_id", TEXT, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("covered", TEXT, nullable=False),
    Column("sent_bytes", BigInteger, nullable=False),
    Column("completed_at", Instant),
    Column("closed_at", Instant),
    Column("last_at", Instant),
    Index(None, "charge_point_id", "issued_at"),
    Index(None, "expires_at"),
)

TABLES = (artifacts, approvals, grants)
