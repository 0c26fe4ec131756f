"""What every store of firmware files promises: the fake, SQLite and a real PostgreSQL pass the same suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from chargenet.errors import Conflict, NotFound
from chargenet.storage.migrations import migrate
from chargenet.storage.relational_engine import Database
from firmware_orchestrator.artifacts import Approval, ArtifactStore, Grant, SignatureCheck
from firmware_orchestrator.manifest import HardwareRule, Normaliser
from firmware_orchestrator.storage.artifact_memory import MemoryArtifacts
from firmware_orchestrator.storage.artifact_sql import SqlArtifacts
from tests.support.firmware_files import NOW, artifact, manifest
from tests.support.postgres import Postgres, postgres
from tests.support.stores import KINDS

__all__ = ["postgres"]


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ArtifactStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryArtifacts()
        return
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.database()
    else:
        url = f"sqlite:///{tmp_path / 'x.sqlite'}"
    migrate(url)
    database = Database(url, timeout_s=5)
    yield SqlArtifacts(database)
    await database.close()


def approval(key: str, **changes: object) -> Approval:
    given = {
        "artifact_id": "acme-2.4.1",
        "key_id": key,
        "who": f"{key} boss",
        "approved_at": NOW,
        "expires_at": NOW + timedelta(days=1),
    }
    return Approval(**(given | changes))  # type: ignore[arg-type]


def grant(token: str, charge_point: str = "CP-1", **changes: object) -> Grant:
    given = {
        "token_sha256": token, "artifact_id": "acme-2.4.1", "charge_point_id": charge_point, "issued_at": NOW,
        "expires_at": NOW + timedelta(days=1),
    }  # fmt: skip
    return Grant(**(given | changes))  # type: ignore[arg-type]


async def test_an_artifact_comes_back_as_it_was_added(store: ArtifactStore) -> None:
    """Every part of its manifest survives; the same id again is refused and changes nothing."""
    made = manifest(
        hardware=("R2",), hardware_from=HardwareRule(field="model", pattern="R."), normalise={"AC-*": Normaliser(strip_prefix="v")},
        releases={"2.*": 200}, must_pass_through=("2.0",), signature="AAAA", signing_certificate="PEM\nÜ", sha256="b" * 64,
    )  # fmt: skip
    first = artifact(made, signature_check=SignatureCheck("ECDSA SHA-256", "verified"), size_bytes=1 << 33)
    await store.add(first)
    assert await store.artifact("acme-2.4.1") == first
    with pytest.raises(Conflict, match="already"):
        await store.add(artifact(sha256="c" * 64))
    assert await store.artifact("acme-2.4.1") == first
    with pytest.raises(NotFound, match="firmware 'none'"):
        await store.artifact("none")


async def test_pages_are_newest_first_and_whole(store: ArtifactStore) -> None:
    """Each artifact once, its approvals with it."""
    for number in range(5):
        await store.add(artifact(artifact_id=f"fw-{number}", added_at=NOW + timedelta(seconds=number // 2)))
    await store.approve(approval("k", artifact_id="fw-3"))
    found, cursor = [], None
    while True:
        page = await store.page(cursor=cursor, limit=2)
        found += page.items
        if (cursor := page.next_cursor) is None:
            break
    assert [each.artifact_id for each in found] == ["fw-4", "fw-3", "fw-2", "fw-1", "fw-0"]
    assert [len(each.approvals) for each in found] == [0, 1, 0, 0, 0]


async def test_a_key_approves_once(store: ArtifactStore) -> None:
    """A later approval of the same key replaces its first; an unknown artifact cannot be approved."""
    await store.add(artifact())
    later = approval("k1", approved_at=NOW + timedelta(hours=1))
    for each in (approval("k1"), approval("k2"), later):
        await store.approve(each)
    assert (await store.artifact("acme-2.4.1")).approvals == (approval("k2"), later)
    with pytest.raises(NotFound):
        await store.approve(approval("k1", artifact_id="none"))


async def test_grants_are_found_served_and_closed(store: ArtifactStore) -> None:
    """What was sent is kept; closing takes back the open ones of one charge point alone."""
    await store.add(artifact())
    for each in (grant("t1"), grant("t2", issued_at=NOW + timedelta(seconds=1)), grant("t3", "CP-2")):
        await store.grant(each)
    assert await store.find("none") is None
    served = grant("t1", covered=((0, 5), (7, 1 << 33)), sent_bytes=1 << 34, completed_at=NOW, last_at=NOW)
    await store.served(served)
    assert await store.find("t1") == served
    closed_at = NOW + timedelta(minutes=1)
    assert await store.close("CP-1", closed_at) == 1
    second = msgspec.structs.replace(grant("t2", issued_at=NOW + timedelta(seconds=1)), closed_at=closed_at)
    assert await store.grants("CP-1") == [second, served]
    assert await store.find("t3") == grant("t3", "CP-2")
    assert await store.close("CP-1", closed_at) == 0


async def test_serving_does_not_open_what_was_closed(store: ArtifactStore) -> None:
    """A delivery that ends after its address was taken back notes its bytes and nothing else."""
    await store.add(artifact())
    await store.grant(grant("t1"))
    await store.close("CP-1", NOW)
    await store.served(grant("t1", sent_bytes=7))
    found = await store.find("t1")
    assert found is not None and found.closed_at == NOW and found.sent_bytes == 7


async def test_old_grants_are_forgotten(store: ArtifactStore) -> None:
    """Those that expired before, and no others."""
    await store.add(artifact())
    await store.grant(grant("old", expires_at=NOW))
    await store.grant(grant("new"))
    assert await store.forget(NOW + timedelta(hours=1)) == 1
    assert await store.find("old") is None and await store.find("new") is not None
