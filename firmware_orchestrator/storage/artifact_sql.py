"""Firmware files, approvals and grants in SQL: the adapter of `firmware_orchestrator.artifacts.ArtifactStore`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy.exc
from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, tuple_, update

from chargenet.errors import Conflict, NotFound
from chargenet.model.record import instant, microseconds
from chargenet.storage import paging
from chargenet.storage.relational_engine import Database
from chargenet.stores import Page
from firmware_orchestrator.artifacts import Approval, Artifact, Grant, SignatureCheck
from firmware_orchestrator.manifest import Manifest
from firmware_orchestrator.storage.artifact_tables import approvals, artifacts, grants


class SqlArtifacts:
    """Implements `ArtifactStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, artifact: Artifact) -> None:
        def work(connection: Connection) -> None:
            try:
                connection.execute(insert(artifacts).values(**_row(artifact)))
            except sqlalchemy.exc.IntegrityError:
                raise Conflict(f"there is a firmware {artifact.artifact_id!r} already") from None

        await self._database.write(work)

    async def artifact(self, artifact_id: str) -> Artifact:
        query = select(artifacts).where(artifacts.c.artifact_id == artifact_id)
        found = await self._database.read(lambda connection: _artifacts(connection, connection.execute(query).mappings().all()))
        if not found:
            raise NotFound("firmware", artifact_id)
        return found[0]

    async def page(self, *, cursor: str | None = None, limit: int = 100) -> Page[Artifact]:
        limit = paging.bounded(limit)
        order = (artifacts.c.added_at, artifacts.c.artifact_id)
        query = select(artifacts).order_by(*(each.desc() for each in order)).limit(limit + 1)
        if (key := paging.decode(cursor, int, str)) is not None:
            at = bindparam("at", instant(int(key[0])), artifacts.c.added_at.type)
            query = query.where(tuple_(*order) < tuple_(at, key[1]))
        rows = await self._database.read(lambda connection: _artifacts(connection, connection.execute(query).mappings().all()))
        return paging.page(rows, limit, lambda row: (microseconds(row.added_at), row.artifact_id))

    async def approve(self, approval: Approval) -> None:
        def work(connection: Connection) -> None:
            known = connection.execute(select(artifacts.c.artifact_id).where(artifacts.c.artifact_id == approval.artifact_id))
            if known.one_or_none() is None:
                raise NotFound("firmware", approval.artifact_id)
            same = (approvals.c.artifact_id == approval.artifact_id, approvals.c.key_id == approval.key_id)
            connection.execute(delete(approvals).where(*same))
            connection.execute(insert(approvals).values(**msgspec.structs.asdict(approval)))

        await self._database.write(work)

    async def grant(self, grant: Grant) -> None:
        await self._database.write(lambda connection: connection.execute(insert(grants).values(**_grant_row(grant))))

    async def find(self, token_sha256: str) -> Grant | None:
        query = select(grants).where(grants.c.token_sha256 == token_sha256)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().one_or_none())
        return None if row is None else _grant(row)

    async def served(self, grant: Grant) -> None:
        row = _grant_row(grant)
        values = {name: row[name] for name in ("covered", "sent_bytes", "completed_at", "last_at")}
        statement = update(grants).where(grants.c.token_sha256 == grant.token_sha256).values(**values)
        await self._database.write(lambda connection: connection.execute(statement))

    async def close(self, charge_point_id: str, at: datetime) -> int:
        mine = (grants.c.charge_point_id == charge_point_id, grants.c.closed_at.is_(None), grants.c.completed_at.is_(None))
        statement = update(grants).where(*mine).values(closed_at=at)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)

    async def grants(self, charge_point_id: str, limit: int = 100) -> list[Grant]:
        mine = grants.c.charge_point_id == charge_point_id
        query = select(grants).where(mine).order_by(grants.c.issued_at.desc(), grants.c.token_sha256).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [_grant(row) for row in rows]

    async def forget(self, before: datetime) -> int:
        statement = delete(grants).where(grants.c.expires_at < before)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)


def _row(artifact: Artifact) -> dict[str, Any]:
    return {
        "artifact_id": artifact.artifact_id,
        "file_name": artifact.file_name,
        "sha256": artifact.sha256,
        "size_bytes": artifact.size_bytes,
        "manifest": msgspec.json.encode(artifact.manifest).decode(),
        "signature_scheme": artifact.signature_check.scheme,
        "signature_sentence": artifact.signature_check.sentence,
        "added_at": artifact.added_at,
        "added_by": artifact.added_by,
        "approvals_needed": artifact.approvals_needed,
    }


def _artifacts(connection: Connection, rows: Sequence[RowMapping]) -> list[Artifact]:
    """Rows as values, with their approvals."""
    given: dict[str, list[Approval]] = defaultdict(list)
    query = select(approvals).where(approvals.c.artifact_id.in_([row["artifact_id"] for row in rows]))
    for row in connection.execute(query.order_by(approvals.c.approved_at, approvals.c.key_id)).mappings():
        given[row["artifact_id"]].append(Approval(**row))
    return [_artifact(row, given[row["artifact_id"]]) for row in rows]


def _artifact(row: RowMapping, given: Sequence[Approval]) -> Artifact:
    fields = dict(row)
    manifest = msgspec.json.decode(fields.pop("manifest"), type=Manifest)
    check = SignatureCheck(fields.pop("signature_scheme"), fields.pop("signature_sentence"))
    return Artifact(**fields, manifest=manifest, signature_check=check, approvals=tuple(given))


def _grant_row(grant: Grant) -> dict[str, Any]:
    return msgspec.structs.asdict(grant) | {"covered": msgspec.json.encode(grant.covered).decode()}


def _grant(row: RowMapping) -> Grant:
    fields = dict(row)
    covered = msgspec.json.decode(fields.pop("covered"), type=tuple[tuple[int, int], ...])
    return Grant(**fields, covered=covered)
