"""Firmware files, approvals and grants in memory: the fake of `ArtifactStore`. It passes the suite of the SQL adapter."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chargenet.errors import Conflict, NotFound
from chargenet.model.record import instant, microseconds
from chargenet.storage import paging
from chargenet.stores import Page
from firmware_orchestrator.artifacts import Approval, Artifact, Grant


class MemoryArtifacts:
    """Implements `ArtifactStore`."""

    def __init__(self) -> None:
        self._artifacts: dict[str, Artifact] = {}
        self._approvals: dict[tuple[str, str], Approval] = {}
        self._grants: dict[str, Grant] = {}

    async def add(self, artifact: Artifact) -> None:
        if artifact.artifact_id in self._artifacts:
            raise Conflict(f"there is a firmware {artifact.artifact_id!r} already")
        self._artifacts[artifact.artifact_id] = msgspec.structs.replace(artifact, approvals=())

    async def artifact(self, artifact_id: str) -> Artifact:
        if artifact_id not in self._artifacts:
            raise NotFound("firmware", artifact_id)
        return self._whole(self._artifacts[artifact_id])

    async def page(self, *, cursor: str | None = None, limit: int = 100) -> Page[Artifact]:
        limit = paging.bounded(limit)
        rows = sorted(self._artifacts.values(), key=lambda row: (row.added_at, row.artifact_id), reverse=True)
        if (key := paging.decode(cursor, int, str)) is not None:
            last = (instant(int(key[0])), str(key[1]))
            rows = [row for row in rows if (row.added_at, row.artifact_id) < last]
        found = [self._whole(row) for row in rows[: limit + 1]]
        return paging.page(found, limit, lambda row: (microseconds(row.added_at), row.artifact_id))

    async def approve(self, approval: Approval) -> None:
        if approval.artifact_id not in self._artifacts:
            raise NotFound("firmware", approval.artifact_id)
        self._approvals[approval.artifact_id, approval.key_id] = approval

    async def grant(self, grant: Grant) -> None:
        self._grants[grant.token_sha256] = grant

    async def find(self, token_sha256: str) -> Grant | None:
        return self._grants.get(token_sha256)

    async def served(self, grant: Grant) -> None:
        present = self._grants.get(grant.token_sha256)
        if present is not None:
            self._grants[grant.token_sha256] = msgspec.structs.replace(
                present,
                covered=grant.covered,
                sent_bytes=grant.sent_bytes,
                completed_at=grant.completed_at,
                last_at=grant.last_at,
            )

    async def close(self, charge_point_id: str, at: datetime) -> int:
        open_ = [
            each
            for each in self._grants.values()
            if each.charge_point_id == charge_point_id and each.closed_at is None and each.completed_at is None
        ]
        for each in open_:
            self._grants[each.token_sha256] = msgspec.structs.replace(each, closed_at=at)
        return len(open_)

    async def grants(self, charge_point_id: str, limit: int = 100) -> list[Grant]:
        mine = [each for each in self._grants.values() if each.charge_point_id == charge_point_id]
        mine.sort(key=lambda each: each.token_sha256)
        mine.sort(key=lambda each: each.issued_at, reverse=True)
        return mine[:limit]

    async def forget(self, before: datetime) -> int:
        old = [name for name, each in self._grants.items() if each.expires_at < before]
        for name in old:
            del self._grants[name]
        return len(old)

    def _whole(self, artifact: Artifact) -> Artifact:
        mine = [each for each in self._approvals.values() if each.artifact_id == artifact.artifact_id]
        mine.sort(key=lambda each: (each.approved_at, each.key_id))
        return msgspec.structs.replace(artifact, approvals=tuple(mine))
