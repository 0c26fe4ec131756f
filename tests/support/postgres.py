"""A real PostgreSQL in a temporary folder: initialised once per session, one fresh database per test."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.servers import ChildServer, free_port, require_server


class Postgres:
    """A running server, and databases on it. It trusts loopback and does not fsync: it is thrown away."""

    def __init__(self, folder: Path) -> None:
        binary = require_server("postgresql")
        self._user = "postgres" if os.geteuid() == 0 else None  # the server refuses root
        self._data = folder / "data"
        folder.chmod(0o755)
        if self._user:
            shutil.chown(folder, self._user)
        self.port = free_port()
        self._count = 0
        subprocess.run(
            [binary.parent / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
            check=True, capture_output=True, cwd=folder, user=self._user, env=_environment(self._user),
        )  # fmt: skip
        options = ("-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}")
        self.server = ChildServer(
            [binary, "-D", self._data, "-p", str(self.port), *options],
            folder=folder,
            ready=self._answers,
            user=self._user,
            stop_signal=signal.SIGINT,  # fast shutdown: connections are cut
        )

    def database(self) -> str:
        """The URL of a new, empty database."""
        self._count += 1
        name = f"test{self._count}"
        with self._connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres connect_timeout=2", autocommit=True)

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True


def _environment(user: str | None) -> dict[str, str]:
    home = pwd.getpwnam(user).pw_dir if user else os.environ.get("HOME", "/")
    return {"PATH": os.environ.get("PATH", ""), "HOME": home, "LC_ALL": "C.UTF-8"}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the session; skipped (in CI: failed) where it is not installed."""
    yield from running()


def running() -> Iterator[Postgres]:
    """A server of one's own, stopped and removed at the end."""
    require_server("postgresql")
    folder = Path(tempfile.mkdtemp(prefix="chargewatch-postgres-"))  # pytest's own folders are closed to other users
    try:
        server = Postgres(folder)
        with server.server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)
