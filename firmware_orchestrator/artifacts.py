"""A firmware file with its manifest, pinned when it was added; who approved it; and the permission to fetch it once.

Decided here: when an artifact may be used, and what an address of a download looks like; not how bytes get to a charge point
(shelf.py, downloads.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from chargenet.errors import Conflict
from chargenet.stores import Page
from firmware_orchestrator.manifest import Manifest

MAX_URL = 512
"""OCPP 2.0.1 and the 1.6 security whitepaper; 2.1 takes 2000. Ours have about 60."""
ROUTE = "/f"


class SignatureCheck(msgspec.Struct, frozen=True):
    """Which scheme verified the signature with the key of the manifest's certificate; None: none did, and `sentence` says why."""

    scheme: str | None
    sentence: str


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One key's yes. It counts until `expires_at`."""

    artifact_id: str
    key_id: str
    who: str
    approved_at: datetime
    expires_at: datetime


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A firmware file. Everything but the approvals stays as it was when it was added."""

    artifact_id: str
    """The manifest's name."""
    file_name: str
    sha256: str
    size_bytes: int
    manifest: Manifest
    signature_check: SignatureCheck
    added_at: datetime
    added_by: str
    approvals_needed: int
    approvals: tuple[Approval, ...] = ()

    @property
    def version(self) -> str:
        """What a charge point is to report afterwards, for people."""
        return self.manifest.target_version


class ArtifactRef(msgspec.Struct, frozen=True):
    """An artifact as a plan and a rollout name it: the bytes are in the name."""

    artifact_id: str
    sha256: str
    version: str


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """The permission of one charge point to fetch one artifact once. The token itself is kept nowhere."""

    token_sha256: str
    artifact_id: str
    charge_point_id: str
    issued_at: datetime
    expires_at: datetime
    covered: tuple[tuple[int, int], ...] = ()
    """Byte ranges [from, to) that were handed to the network, merged and in order."""
    sent_bytes: int = 0
    """All that was sent, repeats included."""
    completed_at: datetime | None = None
    """Every byte was sent: the token is used up."""
    closed_at: datetime | None = None
    """Taken back before."""
    last_at: datetime | None = None


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """An address for one charge point. `url` is as good as a password: never log it."""

    url: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Download(expires_at={self.expires_at!r})"


class ArtifactStore(Protocol):
    """Artifacts, approvals and grants. Every method raises StoreUnavailable when the database does not answer in time."""

    async def add(self, artifact: Artifact) -> None:
        """Raises Conflict when there is one of that id."""

    async def artifact(self, artifact_id: str) -> Artifact:
        """Raises NotFound."""

    async def page(self, *, cursor: str | None = None, limit: int = 100) -> Page[Artifact]:
        """Newest first."""

    async def approve(self, approval: Approval) -> None:
        """One per artifact and key; a later one of the same key replaces it. Raises NotFound."""

    async def grant(self, grant: Grant) -> None:
        """Keep a new one."""

    async def find(self, token_sha256: str) -> Grant | None: ...

    async def served(self, grant: Grant) -> None:
        """Replace what was served of it (covered, sent_bytes, completed_at, last_at)."""

    async def close(self, charge_point_id: str, at: datetime) -> int:
        """Take back all open grants of a charge point; how many there were."""

    async def grants(self, charge_point_id: str, limit: int = 100) -> list[Grant]:
        """Newest first."""

    async def forget(self, before: datetime) -> int:
        """Drop grants that expired before; how many there were."""


def ref(artifact: Artifact) -> ArtifactRef:
    """How plans and rollouts name it."""
    return ArtifactRef(artifact.artifact_id, artifact.sha256, artifact.version)


def approvals_that_count(artifact: Artifact, now: datetime, revoked: Sequence[str] = ()) -> tuple[Approval, ...]:
    """Those that have not expired and whose key was not revoked, one per key."""
    return tuple(each for each in artifact.approvals if each.expires_at > now and each.key_id not in revoked)


def require_approved(artifact: Artifact, now: datetime, revoked: Sequence[str] = ()) -> None:
    """Raises Conflict while fewer keys than needed say yes."""
    given = len(approvals_that_count(artifact, now, revoked))
    if given < artifact.approvals_needed:
        raise Conflict(
            f"firmware {artifact.artifact_id} has {given} of {artifact.approvals_needed} approvals: "
            f"`chargewatch firmware approve {artifact.artifact_id}`{' with another key' if given else ''}"
        )


def download_url(base: str, token: str) -> str:
    """The address that a charge point is sent; `base` without a slash at the end. Raises Conflict when it is too long for OCPP."""
    url = f"{base}{ROUTE}/{token}"
    if len(url) > MAX_URL:
        raise Conflict(f"a download address would have {len(url)} characters, OCPP allows {MAX_URL}: shorten firmware.public_url")
    return url
