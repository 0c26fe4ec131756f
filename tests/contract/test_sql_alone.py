"""There is one of each program to a database: against a real PostgreSQL, whose locks this rests on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from chargenet.errors import Conflict, StoreUnavailable
from chargenet.storage import relational_alone
from chargenet.storage.relational_alone import Alone
from chargenet.storage.relational_engine import Database
from tests.support.postgres import Postgres
from tests.support.postgres import postgres as postgres

pytestmark = pytest.mark.server("postgresql")


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    """An empty one."""
    opened = Database(postgres.database(), timeout_s=5)
    yield opened
    await opened.close()


async def test_a_second_one_waits_and_takes_over(database: Database) -> None:
    """While the first has it the second has not, whatever others have; when the first lets go, the second gets it and keeps it."""
    first, second, other = (Alone(database, name) for name in ("alerts", "alerts", "billing"))
    assert await first.taken() and await other.taken()
    assert not await second.taken() and await first.taken()
    await first.close()
    assert await second.taken() and not await first.taken()
    for each in (first, second, other):
        await each.close()


async def test_a_killed_one_is_gone_at_once(database: Database) -> None:
    """The lock ends with its connection; who had it finds out, and ends when somebody else has it by then."""
    first, second = Alone(database, "alerts"), Alone(database, "alerts")
    assert await first.taken()
    await database.write(
        lambda connection: connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        ).all()
    )
    assert await second.taken()
    with pytest.raises(StoreUnavailable):
        await first.taken()
    assert not await first.taken()
    await second.close()
    await first.close()


async def test_who_lost_it_ends(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """`keep` raises once another one has it, with a sentence that names the program."""
    monkeypatch.setattr(relational_alone, "LOOK_S", 0.01)
    loser, winner = Alone(database, "alerts"), Alone(database, "alerts")
    assert await winner.taken()
    with pytest.raises(Conflict, match="another process became the alerts program"):
        await loser.keep()
    await winner.close()


async def test_an_sqlite_file_has_one_process_anyway(tmp_path: Path) -> None:
    """Nobody is asked there."""
    database = Database(f"sqlite:///{tmp_path / 'one.sqlite'}")
    assert await Alone(database, "alerts").taken()
    await database.close()
