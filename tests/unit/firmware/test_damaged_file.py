"""A firmware file that is not what was added is told to people, and again when it has been added anew."""

from __future__ import annotations

import hashlib
from pathlib import Path

from chargenet.storage.migrations import migrate
from chargenet.storage.relational_engine import Database
from chargenet.testing import FrozenClock, MemoryJournal, MemoryStores, MemoryTelemetry
from firmware_orchestrator.app import FirmwareProgram
from firmware_orchestrator.shelf import FirmwareShelf, ShelfLimits
from firmware_orchestrator.storage.artifact_memory import MemoryArtifacts
from firmware_orchestrator.storage.rollout_memory import MemoryRollouts
from tests.support.api import ListFeed
from tests.support.firmware_files import manifest
from tests.support.rollout_world import World

IMAGE = b"image" * 100
SHA256 = hashlib.sha256(IMAGE).hexdigest()


async def test_damage_is_told_once_and_its_end_too(tmp_path: Path) -> None:
    """The notice is durable before the next tick tells it; adding the file again resolves it."""
    url = f"sqlite:///{tmp_path / 'x.sqlite'}"
    migrate(url)
    database, clock, stores = Database(url, timeout_s=5), FrozenClock(), MemoryStores()
    shelf = FirmwareShelf(MemoryArtifacts(), stores.keys, tmp_path, clock, lambda: "http://192.0.2.1", ShelfLimits())
    world = World(MemoryRollouts(), (), "")
    program = FirmwareProgram(
        database, stores, MemoryTelemetry(), MemoryJournal(), ListFeed(), world, shelf, world, clock, nowhere=lambda: ""
    )

    async def added() -> None:
        arrived = tmp_path / "arrived"
        arrived.write_bytes(IMAGE)
        await shelf.add(manifest(), "manifest.yaml", "acme.bin", arrived, SHA256, len(IMAGE), "tester")

    try:
        await added()
        found = await shelf.artifact("acme-2.4.1")
        await shelf.found_damaged(found, "its sha256 is another one")
        await shelf.found_damaged(found, "its sha256 is another one")
        assert shelf.damaged == 1
        await program._round()
        [told] = world.told
        assert (told.kind, told.severity, told.resolved_at) == ("FirmwareFileDamaged", "critical", None)
        assert "its sha256 is another one" in told.text and "add the file again" in told.text
        clock.advance(60)
        await added()
        await program._round()
        assert shelf.damaged == 0 and world.told[1].key == told.key and world.told[1].resolved_at == clock.now()
    finally:
        await database.close()
