"""Work in the SQL store that is cancelled ends as cancelled, whenever the cancellation comes."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from chargenet.storage.relational_engine import Database


@pytest.mark.parametrize("turns", range(5))
async def test_a_cancellation_that_comes_with_the_result_counts(turns: int, tmp_path: Path) -> None:
    """However many turns of the loop lie between the result and the cancellation, who was told to end ends."""
    database = Database(f"sqlite:///{tmp_path / 'db.sqlite'}")
    finish, waiting = threading.Event(), asyncio.Event()

    async def for_ever() -> None:
        while True:
            waiting.set()
            await database.read(lambda _: finish.wait(10))

    task = asyncio.create_task(for_ever())
    await waiting.wait()
    await asyncio.sleep(0.05)
    finish.set()
    time.sleep(0.2)  # noqa: ASYNC251 - the loop must see the result in its next turn, not before
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=5)
    assert done
    assert task.cancelled()
    await database.close()
