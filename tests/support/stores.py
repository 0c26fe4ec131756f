"""The SQL stores of a contract test: in memory, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chargenet.storage.migrations import migrate
from chargenet.storage.relational import SqlStores
from chargenet.stores import Stores
from chargenet.testing import MemoryStores
from tests.support.postgres import Postgres

KINDS = ["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.server("postgresql"))]


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """Empty stores of each kind."""
    opened = open_stores(request, request.param, tmp_path)
    yield opened
    await opened.close()


def open_stores(request: pytest.FixtureRequest, kind: str, folder: Path) -> Stores:
    """Empty stores of one kind, their schema made."""
    if kind == "memory":
        return MemoryStores()
    if kind == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.database()
    else:
        url = f"sqlite:///{folder / 'chargewatch.sqlite'}"
    migrate(url)
    return SqlStores(url, timeout_s=5)
