"""The firmware files of this platform: added, approved, granted. Decided here: where a file lies, and what must hold before a
charge point is given an address; how its bytes leave is downloads.py's.

A file lies under its own hash in `DATA/firmware/`, readable by its owner only; the store has everything that is known of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from chargenet.errors import Conflict, NotFound
from chargenet.ports import Clock
from chargenet.stores import Keys, Page
from firmware_orchestrator.artifacts import (
    ROUTE,
    Approval,
    Artifact,
    ArtifactStore,
    Grant,
    approvals_that_count,
    download_url,
    require_approved,
)
from firmware_orchestrator.manifest import Manifest
from firmware_orchestrator.manifest_file import check_file
from firmware_orchestrator.signature import check_signature

TOKEN_BYTES = 16
"""128 bits of chance: 22 characters."""
TOKEN_LENGTH = 22
KEEP_GRANTS = timedelta(days=90)
TIDY = timedelta(days=1)


class ShelfLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator decides about firmware files."""

    approvals_needed: int = 1
    approval_ttl_s: float = 90 * 86_400.0
    download_ttl_s: float = 86_400.0


class Damage(msgspec.Struct, frozen=True):
    """What is wrong with a file, and since when that is known."""

    problem: str
    found_at: datetime


class FirmwareShelf:
    """Call it on the event loop; files are read and written in worker threads."""

    def __init__(
        self, store: ArtifactStore, keys: Keys, folder: Path, clock: Clock, base: Callable[[], str], limits: ShelfLimits
    ) -> None:
        """`base`: the URL that charge points reach us by, without a slash at the end."""
        self.store, self.clock = store, clock
        self._keys, self._folder, self._base, self._limits = keys, folder, base, limits
        self._damaged: dict[str, Damage] = {}
        self._tidied_at: datetime | None = None
        self.on_damage: Callable[[Artifact, Damage, datetime | None], Awaitable[None]] | None = None
        """Told once when the file of an artifact is found to be another, and once more, with when, when it was added again."""

    # -- what is there

    async def artifact(self, artifact_id: str) -> Artifact:
        """Raises NotFound."""
        return await self.store.artifact(artifact_id)

    async def page(self, *, cursor: str | None = None, limit: int = 100) -> Page[Artifact]:
        """Newest first."""
        return await self.store.page(cursor=cursor, limit=limit)

    def path_of(self, artifact: Artifact) -> Path:
        """Where its bytes are."""
        return self._folder / artifact.sha256

    @property
    def folder(self) -> Path:
        """Files lie here; a file on its way in has a name of its own."""
        return self._folder

    @property
    def url_length(self) -> int:
        """Characters of a download address."""
        return len(self._base()) + len(ROUTE) + 1 + TOKEN_LENGTH

    @property
    def offered(self) -> tuple[str, ...]:
        """Transfer protocols, as OCPP spells them."""
        return ("HTTPS",) if self._base().lower().startswith("https://") else ("HTTP",)

    # -- adding

    # The arguments are what is known of a file that has arrived.
    async def add(self, manifest: Manifest, source: str, file_name: str, path: Path, sha256: str, size: int, who: str) -> Artifact:
        """Take over the complete file at `path` (in `folder`). `source` names the manifest in errors.

        The same file with the same manifest again changes nothing. Raises InvalidFile when it is not the manifest's file, Conflict
        when there is another artifact of that name. The file at `path` is gone afterwards, whatever happens.
        """
        try:
            check_file(manifest, source, sha256, size)
            present = await self._same(manifest, sha256)
            if present is not None:
                damage = self._damaged.get(sha256)
                await asyncio.to_thread(self._keep, path, sha256)
                if damage is not None and self.on_damage is not None:
                    await self.on_damage(present, damage, self.clock.now())
                return present
            artifact = Artifact(
                artifact_id=manifest.name,
                file_name=file_name,
                sha256=sha256,
                size_bytes=size,
                manifest=manifest,
                signature_check=await asyncio.to_thread(check_signature, manifest, sha256),
                added_at=self.clock.now(),
                added_by=who,
                approvals_needed=self._limits.approvals_needed,
            )
            await asyncio.to_thread(self._keep, path, sha256)
            await self.store.add(artifact)
            return artifact
        finally:
            await asyncio.shield(asyncio.to_thread(path.unlink, missing_ok=True))

    async def _same(self, manifest: Manifest, sha256: str) -> Artifact | None:
        try:
            present = await self.store.artifact(manifest.name)
        except NotFound:
            return None
        if present.sha256 == sha256 and present.manifest == manifest:
            return present
        what = "with another manifest" if present.sha256 == sha256 else "which is another file"
        raise Conflict(f"there is a firmware {manifest.name!r} already, {what}: choose another name in the manifest")

    def _keep(self, path: Path, sha256: str) -> None:
        """Under its hash, durably; replaces a damaged copy."""
        path.replace(self._folder / sha256)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._damaged.pop(sha256, None)

    # -- approving

    async def approve(self, artifact_id: str, key_id: str, who: str) -> Artifact:
        """One key says yes, until the approval expires. Raises NotFound."""
        now = self.clock.now()
        expires_at = now + timedelta(seconds=self._limits.approval_ttl_s)
        await self.store.approve(Approval(artifact_id=artifact_id, key_id=key_id, who=who, approved_at=now, expires_at=expires_at))
        return await self.store.artifact(artifact_id)

    async def approvals(self, artifact: Artifact) -> tuple[Approval, ...]:
        """Those that count now."""
        return approvals_that_count(artifact, self.clock.now(), await self._revoked())

    async def usable(self, artifact_id: str) -> Artifact:
        """The artifact, if charge points may be sent to it now. Raises NotFound, Conflict with the reason why not."""
        artifact = await self.store.artifact(artifact_id)
        require_approved(artifact, self.clock.now(), await self._revoked())
        if artifact.sha256 in self._damaged:
            raise Conflict(f"firmware {artifact_id}: {self._damaged[artifact.sha256].problem}: add the file again")
        return artifact

    async def _revoked(self) -> list[str]:
        return [each.key.key_id for each in await self._keys.everything() if each.key.revoked_at is not None]

    # -- granting

    async def issue(self, artifact_id: str, charge_point_id: str) -> str:
        """A one-time address for one charge point; addresses given to it before end. The address is as good as a password.

        Raises NotFound, Conflict when the artifact may not be used, StoreUnavailable when the grant cannot be kept.
        """
        artifact = await self.usable(artifact_id)
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self.clock.now()
        url = download_url(self._base(), token)
        grant = Grant(
            token_sha256=token_hash(token),
            artifact_id=artifact.artifact_id,
            charge_point_id=charge_point_id,
            issued_at=now,
            expires_at=now + timedelta(seconds=self._limits.download_ttl_s),
        )
        await self.store.close(charge_point_id, now)
        await self.store.grant(grant)
        await self._tidy(now)
        return url

    async def take_back(self, charge_point_id: str) -> int:
        """End the addresses of a charge point; how many there were."""
        return await self.store.close(charge_point_id, self.clock.now())

    async def downloads(self, charge_point_id: str) -> list[Grant]:
        """What it was granted and how much of it was sent, newest first."""
        return await self.store.grants(charge_point_id)

    async def _tidy(self, now: datetime) -> None:
        if self._tidied_at is None or now - self._tidied_at >= TIDY:
            self._tidied_at = now
            await self.store.forget(now - KEEP_GRANTS)

    # -- damage

    @property
    def damaged(self) -> int:
        """Files that were found to be others than were added."""
        return len(self._damaged)

    async def found_damaged(self, artifact: Artifact, problem: str) -> None:
        """The bytes on disk are not the artifact's: no address is given until the file is added again."""
        if artifact.sha256 in self._damaged:
            return
        damage = self._damaged[artifact.sha256] = Damage(problem, self.clock.now())
        if self.on_damage is not None:
            await self.on_damage(artifact, damage, None)


def token_hash(token: str) -> str:
    """How a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()
