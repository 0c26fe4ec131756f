"""When the database does not answer: StoreUnavailable in bounded time, nothing half done, recovery by itself."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from chargenet.errors import SettingsError, StoreUnavailable
from chargenet.model.station import Site
from chargenet.storage.migrations import migrate
from chargenet.storage.relational import SqlStores
from chargenet.storage.relational_engine import MAX_WAITING, Database
from collector.projections.transactions import TransactionsProjection
from tests.support.facts import fact
from tests.support.postgres import Postgres, postgres, running
from tests.support.transactions import reading, started, stopped

__all__ = ["postgres"]


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server that this test may stop: not the one that others use."""
    yield from running()


@pytest.mark.server("postgresql")
async def test_postgresql_stopped_and_started_again(own_postgres: Postgres) -> None:
    """Down: every call says so. Up: the same stores go on, and the projection ends where an undisturbed one would."""
    url = own_postgres.database()
    await asyncio.to_thread(migrate, url)
    stores = SqlStores(url, timeout_s=3)
    projection = TransactionsProjection(stores.transactions)
    await projection.apply([fact(1, started("1", 0, 1000))], 1)
    await asyncio.to_thread(own_postgres.server.stop)
    for call in (stores.check, stores.transactions.position, stores.tokens.everything):
        with pytest.raises(StoreUnavailable, match="sql store is unavailable"):
            await call()
    with pytest.raises(StoreUnavailable):
        await projection.apply([fact(2, reading("1", 10, 2000))], 2)
    await asyncio.to_thread(own_postgres.server.start)
    await stores.check()
    assert await projection.position() == 1
    await projection.apply([fact(2, reading("1", 10, 2000))], 2)
    await projection.apply([fact(3, stopped("1", 20, 3000))], 3)
    row = await stores.transactions.transaction("CP1", "1")
    assert row is not None
    assert (row.readings, row.energy_wh, row.last_sequence) == (1, 2000, 3)
    await stores.close()


@pytest.mark.server("postgresql")
async def test_a_locked_table_is_not_waited_for_without_end(postgres: Postgres) -> None:
    """A lock held by somebody else ends as StoreUnavailable within the timeout, and the row is written once it is gone."""
    url = postgres.database()
    await asyncio.to_thread(migrate, url)
    stores = SqlStores(url, timeout_s=0.5)
    with psycopg.connect(url.replace("+psycopg", "")) as holder:
        holder.execute("LOCK TABLE sites IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable, match=r"timeout|no answer within"):
            await stores.sites.put(Site(site_id="s", name="S"))
    assert await stores.sites.put(Site(site_id="s", name="S")) is None
    await stores.close()


@pytest.mark.server("postgresql")
async def test_two_programs_that_start_together_migrate_once(postgres: Postgres) -> None:
    """The second waits for the first and finds nothing to do."""
    url = postgres.database()
    revisions = await asyncio.gather(*(asyncio.to_thread(migrate, url) for _ in range(4)))
    assert len(set(revisions)) == 1


async def test_a_locked_sqlite_file_is_not_waited_for_without_end(tmp_path: Path) -> None:
    """Another process holds the write lock: StoreUnavailable, reading goes on, and writing as soon as it is gone."""
    path = tmp_path / "x.sqlite"
    migrate(f"sqlite:///{path}")
    stores = SqlStores(f"sqlite:///{path}", timeout_s=0.4)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await stores.sites.put(Site(site_id="s", name="S"))
    assert (await stores.sites.page()).items == []
    holder.execute("ROLLBACK")
    holder.close()
    assert await stores.sites.put(Site(site_id="s", name="S")) is None
    await stores.close()


async def test_a_statement_without_end_is_cut(tmp_path: Path) -> None:
    """SQLite has no statement timeout of its own: the deadline interrupts it, and the thread is free again."""
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite'}", timeout_s=0.2, pool_size=1)
    endless = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
    with pytest.raises(StoreUnavailable, match="no answer within"):
        await database.read(lambda connection: connection.execute(endless).all())
    await database.check()
    await database.close()


async def test_work_that_failed_leaves_nothing(tmp_path: Path) -> None:
    """One transaction per call: an error after the first statement undoes it."""
    url = f"sqlite:///{tmp_path / 'x.sqlite'}"
    migrate(url)
    database, stores = Database(url), SqlStores(url)

    def work(connection: object) -> None:
        connection.execute(text("INSERT INTO sites (site_id, name) VALUES ('s', 'S')"))  # type: ignore[attr-defined]
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        await database.write(work)
    assert await stores.sites.get("s") is None
    await database.close()
    await stores.close()


async def test_the_queue_before_the_database_is_bounded(tmp_path: Path) -> None:
    """A thousand waiting statements are enough: the next one is told to come back later."""
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite'}", pool_size=1)
    release = threading.Event()
    waiting = [asyncio.create_task(database.read(lambda _: release.wait())) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="waiting already"):
        await database.check()
    release.set()
    assert all(await asyncio.gather(*waiting))
    await database.check()
    await database.close()


async def test_closed_stores_say_so(tmp_path: Path) -> None:
    """A late caller gets StoreUnavailable, not an executor's error."""
    url = f"sqlite:///{tmp_path / 'x.sqlite'}"
    migrate(url)
    stores = SqlStores(url)
    await stores.check()
    await stores.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await stores.check()


async def test_a_damaged_file_is_the_databases_fault(tmp_path: Path) -> None:
    """Not a crash with a driver's traceback."""
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"this is no database, but long enough to look at" * 50)
    with pytest.raises(StoreUnavailable, match="not a database"):
        migrate(f"sqlite:///{path}")


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Password hashes and ID tokens are in it."""
    path = tmp_path / "new" / "x.sqlite"
    migrate(f"sqlite:///{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://host/name", "mysql is not supported"),
        ("nonsense", "is not a database URL"),
        ("postgresql+asyncpg://host/name", "is not supported"),
    ],
)
def test_a_url_that_cannot_be_served_is_refused_by_name(url: str, problem: str) -> None:
    """The sentence names the key."""
    with pytest.raises(SettingsError, match=problem) as caught:
        SqlStores(url)
    assert caught.value.key == "sql.url"


def test_a_password_in_an_unsupported_url_is_not_repeated() -> None:
    """Errors end up in logs."""
    with pytest.raises(SettingsError) as caught:
        SqlStores("mysql://user:secret@host/name")
    assert "secret" not in str(caught.value)
