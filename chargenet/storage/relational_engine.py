"""The door to SQL: engines, worker threads and deadlines. Decided here: how SQLite and PostgreSQL are opened, and which of their
errors mean "not now" (StoreUnavailable); not what is asked of them.

SQLite: WAL, full sync, one writer thread with BEGIN IMMEDIATE (so that writers queue in order instead of failing), readers beside
it. PostgreSQL: one pool, statement and lock timeouts set by the server, and a limit of ours for a server that says nothing at all.
No SQL runs on the event loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy.exc
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select

from chargenet.errors import SettingsError, StoreUnavailable

Result = TypeVar("Result")
Work = Callable[[Connection], Result]

MAX_WAITING = 1000
"""Statements that may wait for a thread; above it the store counts as unavailable."""

CLOSE_S = 1.5
"""How long running statements may take when the program ends; a PostgreSQL that is silent then is left alone."""


def parse_url(url: str, password: str | None = None) -> URL:
    """A database URL we can serve. Raises SettingsError."""
    try:
        parsed = make_url(url)
    except sqlalchemy.exc.ArgumentError:
        raise SettingsError("settings", "sql.url", "is not a database URL such as postgresql+psycopg://user@host/name") from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise SettingsError(
            "settings", "sql.url", f"{parsed.drivername} is not supported: use sqlite:///FILE or postgresql+psycopg://…"
        )
    if parsed.drivername == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise SettingsError("settings", "sql.url", "an SQLite URL needs a file: sqlite:///FILE")
    return parsed.set(password=password) if password is not None else parsed


def make_engine(url: URL, *, pool_size: int, timeout_s: float, begin: str = "BEGIN") -> Engine:
    """An engine of `pool_size` connections. `begin` is how SQLite transactions start."""
    if url.drivername == "sqlite":
        return _sqlite(url, pool_size, timeout_s, begin)
    return _postgresql(url, pool_size, timeout_s)[0]


def _postgresql(url: URL, pool_size: int, timeout_s: float) -> tuple[Engine, Callable[[], None]]:
    """The engine, and what makes its waiting threads give up."""
    from chargenet.storage.relational_patience import Patience, connector  # psycopg takes its time to import: not for SQLite

    patience = Patience(timeout_s + 1)
    milliseconds = int(timeout_s * 1000)
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,  # errors are logged, and values are people's
        pool_timeout=timeout_s,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": max(2, min(3, int(timeout_s / 2))),  # more would hold up the end of the program
            "options": f"-c timezone=UTC -c statement_timeout={milliseconds} -c lock_timeout={milliseconds}",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": milliseconds,
            "application_name": "chargewatch",
        },
    )
    connect = connector(patience)

    @event.listens_for(engine, "do_connect")
    def patiently(_: Any, __: Any, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
        return connect(*arguments, **options)

    return engine, patience.end


def _sqlite(url: URL, pool_size: int, timeout_s: float, begin: str) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,  # errors are logged, and values are people's
        pool_timeout=timeout_s,
        connect_args={"timeout": timeout_s / 2, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins and commits, not the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def unavailable(error: sqlalchemy.exc.SQLAlchemyError) -> StoreUnavailable | None:
    """The error as StoreUnavailable; None when it is not the database's state but our statement that is wrong."""
    wrong = (sqlalchemy.exc.ProgrammingError, sqlalchemy.exc.IntegrityError, sqlalchemy.exc.DataError)
    if isinstance(error, wrong) or not isinstance(error, (sqlalchemy.exc.DBAPIError, sqlalchemy.exc.TimeoutError)):
        return None
    origin = getattr(error, "orig", None) or error
    return StoreUnavailable("sql", (str(origin).strip().splitlines() or [type(origin).__name__])[0])


class _Job:
    """One piece of work on its way: lets a deadline interrupt SQLite."""

    connection: Any = None

    def interrupt(self) -> None:
        if isinstance(self.connection, sqlite3.Connection):
            self.connection.interrupt()


class Database:
    """Runs work in threads, each piece inside one transaction and before a deadline."""

    def __init__(self, url: str, *, password: str | None = None, pool_size: int = 4, timeout_s: float = 10.0) -> None:
        self.url = parse_url(url, password)
        self.is_sqlite = self.url.drivername == "sqlite"
        self._timeout_s = timeout_s
        self._waiting = 0
        if self.is_sqlite:
            _keep_private(Path(str(self.url.database)))
            self._reader = make_engine(self.url, pool_size=pool_size, timeout_s=timeout_s)
            self._writer = make_engine(self.url, pool_size=1, timeout_s=timeout_s, begin="BEGIN IMMEDIATE")
            self._write_threads = ThreadPoolExecutor(1, "sql-write")
            self._give_up: Callable[[], None] | None = None
        else:
            self._reader, self._give_up = _postgresql(self.url, 2 * pool_size, timeout_s)
            self._writer = self._reader
            self._write_threads = ThreadPoolExecutor(pool_size, "sql-write")
        self._read_threads = ThreadPoolExecutor(pool_size, "sql-read")

    async def read(self, work: Work[Result]) -> Result:
        """Run `work` in a reader thread."""
        return await self._submit(self._read_threads, self._reader, work)

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a writer thread; committed when this returns."""
        return await self._submit(self._write_threads, self._writer, work)

    def connect(self) -> Connection:
        """A connection of one's own, outside of the limits of `read` and `write`. Blocking; raises SQLAlchemyError."""
        return self._reader.connect()

    async def check(self) -> None:
        """Raises StoreUnavailable when the database does not answer."""
        await self.read(lambda connection: connection.execute(select(1)).scalar_one())

    async def close(self) -> None:
        """Let running work end, for CLOSE_S where a silent server keeps it; then let go of threads and connections."""
        closing = asyncio.ensure_future(asyncio.to_thread(self._close))  # noqa: TID251 - awaited below, in two steps
        done, _ = await asyncio.wait({closing}, timeout=CLOSE_S)
        if not done and self._give_up is not None:
            self._give_up()
        await closing

    def _close(self) -> None:
        for threads in (self._read_threads, self._write_threads):
            threads.shutdown(wait=False, cancel_futures=True)
        for threads in (self._read_threads, self._write_threads):
            threads.shutdown(wait=True)
        self._reader.dispose()
        self._writer.dispose()

    async def _submit(self, threads: ThreadPoolExecutor, engine: Engine, work: Work[Result]) -> Result:
        if self._waiting >= MAX_WAITING:
            raise StoreUnavailable("sql", f"{MAX_WAITING} statements are waiting already")
        job = _Job()
        self._waiting += 1
        try:
            future = asyncio.get_running_loop().run_in_executor(threads, self._run, engine, work, job)
            # Not `wait_for`: before Python 3.12 it swallows a cancellation that comes together with the result, and who was
            # told to end goes on for ever.
            async with asyncio.timeout(2 * self._timeout_s):
                return await future
        except RuntimeError as error:  # the executor's word for "shut down"
            raise StoreUnavailable("sql", "closed") from error
        except TimeoutError:
            job.interrupt()
            raise StoreUnavailable("sql", f"no answer within {2 * self._timeout_s:g} s") from None
        finally:
            self._waiting -= 1

    @staticmethod
    def _run(engine: Engine, work: Work[Result], job: _Job) -> Result:
        try:
            with engine.begin() as connection:
                job.connection = connection.connection.driver_connection
                try:
                    return work(connection)
                finally:
                    job.connection = None
        except sqlalchemy.exc.SQLAlchemyError as error:
            problem = unavailable(error)
            if problem is None:
                raise
            raise problem from error


def _keep_private(file: Path) -> None:
    """Password hashes and ID tokens are in it: only its owner reads it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
