"""The scripts of the compose stack: secrets, backup and restore, with a real PostgreSQL and the real platform's files."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.support import fake_docker
from tests.support.postgres import Postgres, postgres
from tests.support.rules import REPOSITORY
from tests.support.servers import require_server

__all__ = ["postgres"]

SECRETS = {
    "postgres_password", "influx_admin_password", "influx_operator_token", "influx_token", "influx_reader_password",
    "grafana_admin_password", "probe_token", "alertmanager_token", "programs_token", "stripe_key", "stripe_webhook_secret",
}  # fmt: skip


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A checkout's deploy folder, with settings and secrets."""
    folder = tmp_path / "stack"
    shutil.copytree(REPOSITORY / "deploy", folder / "deploy")
    shutil.copy(REPOSITORY / ".env.example", folder / ".env")
    run(folder / "deploy" / "make-secrets")
    return folder


def run(*line: str | Path, environment: dict[str, str] | None = None, fails: bool = False) -> str:
    """What a script says; fails where it does, unless it should."""
    done = subprocess.run(line, capture_output=True, text=True, timeout=110, env=environment, check=False)
    assert (done.returncode != 0) is fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_secrets_are_made_once_and_differ(stack: Path) -> None:
    """Files of 64 characters; the folder is closed to others; a second run leaves what is there.

    The platform begins with the token of InfluxDB's operator, since InfluxDB itself makes those that may do less.
    """
    made = {path.name: path.read_text() for path in (stack / "secrets").iterdir()}
    assert made.keys() == SECRETS
    assert made["influx_token"] == made["influx_operator_token"]
    assert len(set(made.values())) == len(made) - 1
    assert all(len(text) == 64 for text in made.values())
    assert stat.S_IMODE((stack / "secrets").stat().st_mode) == 0o700
    assert run(stack / "deploy" / "make-secrets") == ""
    assert {path.name: path.read_text() for path in (stack / "secrets").iterdir()} == made


class World:
    """A stack whose containers are folders and servers of this test."""

    def __init__(self, tmp_path: Path, stack: Path, server: Postgres) -> None:
        self.stack, self.folder, self.data = stack, tmp_path / "world", tmp_path / "data"
        tools = require_server("postgresql").resolve().parent
        self.environment = fake_docker.install(self.folder, stack=stack, port=server.port, tools=tools) | {
            "CHARGEWATCH_DATA_DIR": str(self.data),
            "CHARGEWATCH_SQL_URL": f"postgresql+psycopg://chargewatch@127.0.0.1:{server.port}/chargewatch",
        }
        self.url = f"host=127.0.0.1 port={server.port} user=chargewatch dbname=chargewatch"
        self._admin = f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres"
        with psycopg.connect(self._admin, autocommit=True) as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = 'chargewatch'").fetchall():
                connection.execute("CREATE ROLE chargewatch LOGIN")
        self.empty()

    def empty(self) -> None:
        """As after `docker compose down --volumes`: nothing is left."""
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS chargewatch WITH (FORCE)")
            connection.execute("CREATE DATABASE chargewatch OWNER chargewatch")
        for name in ("prometheus", "alertmanager", "grafana"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir()
        shutil.rmtree(self.data, ignore_errors=True)
        (self.folder / "influx-data").write_text("")

    def fill(self) -> None:
        """Something in every store."""
        with psycopg.connect(self.url) as connection:
            connection.execute("CREATE TABLE stations (name text)")
            connection.execute("INSERT INTO stations VALUES ('CP-1')")
        for name in ("prometheus", "alertmanager", "grafana"):
            (self.folder / name / "blocks").write_text(f"of {name}")
        (self.data / "journal").mkdir(parents=True)
        (self.data / "journal" / "000001.seg").write_bytes(b"records")
        (self.data / "pepper.key").write_bytes(b"p" * 32)
        (self.folder / "influx-data").write_text("points")

    def look(self) -> dict[str, object]:
        """What is in every store."""
        with psycopg.connect(self.url) as connection:
            stations = connection.execute("SELECT name FROM stations").fetchall()
        texts = {name: (self.folder / name / "blocks").read_text() for name in ("prometheus", "alertmanager", "grafana")}
        files = {path.relative_to(self.data).as_posix(): path.read_bytes() for path in self.data.rglob("*") if path.is_file()}
        return {"stations": stations, "influx": (self.folder / "influx-data").read_text(), "files": files, **texts}

    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def world(tmp_path: Path, stack: Path, postgres: Postgres) -> World:
    return World(tmp_path, stack, postgres)


@pytest.mark.server("postgresql")
def test_every_store_comes_back(world: World, tmp_path: Path) -> None:
    """Backed up, restored on a machine that has nothing yet: every store and setting is back; and nothing is ever overwritten."""
    world.fill()
    before, kept = world.look(), tmp_path / "kept"
    script = world.stack / "deploy" / "backup"
    run(script, kept, environment=world.environment)
    assert {path.name for path in kept.iterdir()} == {
        "postgres.dump", "chargewatch.tar", "influxdb.tar", "prometheus.tar", "alertmanager.tar", "grafana.tar", "settings.tar",
        "SHA256SUMS",
    }  # fmt: skip
    calls = "\n".join(world.calls())
    assert calls.index("pg_dump") < calls.index("chargewatch backup")
    for name in ("prometheus", "alertmanager", "grafana"):
        assert calls.index(f"compose stop {name}") < calls.index(f"compose start {name}")
    run(script, kept, environment=world.environment, fails=True)

    world.empty()
    settings = {path: path.read_bytes() for path in (world.stack / ".env", *(world.stack / "secrets").iterdir())}
    (world.stack / ".env").unlink()
    shutil.rmtree(world.stack / "secrets")
    said = run(world.stack / "deploy" / "restore", kept, environment=world.environment)
    assert "PUBLIC_URL" not in said
    assert world.look() == before
    assert {path: path.read_bytes() for path in settings} == settings
    assert all(path.stat().st_mode & stat.S_IROTH for path in settings if path.parent.name == "secrets")
    said = run(world.stack / "deploy" / "restore", kept, environment=world.environment, fails=True)
    assert "is not empty" in said


@pytest.mark.server("postgresql")
def test_a_damaged_or_unfinished_backup_and_a_running_stack_are_refused(world: World, tmp_path: Path) -> None:
    """Before anything is touched."""
    world.fill()
    kept = tmp_path / "kept"
    run(world.stack / "deploy" / "backup", kept, environment=world.environment)
    world.empty()
    restore = world.stack / "deploy" / "restore"
    (world.folder / "running").write_text("0123abcd\n")
    assert "the stack runs" in run(restore, kept, environment=world.environment, fails=True)
    (world.folder / "running").write_text("")
    dump = (kept / "postgres.dump").read_bytes()
    (kept / "postgres.dump").write_bytes(dump[:-1])
    assert "is damaged" in run(restore, kept, environment=world.environment, fails=True)
    (kept / "postgres.dump").write_bytes(dump)
    sums = (kept / "SHA256SUMS").read_bytes()
    (kept / "SHA256SUMS").unlink()
    assert "cut off" in run(restore, kept, environment=world.environment, fails=True)
    assert not world.data.exists()
    (kept / "SHA256SUMS").write_bytes(sums)


@pytest.mark.parametrize("name", ["make-secrets", "backup", "restore", "influxdb/10-read-by-influxql.sh"])
def test_the_scripts_are_executable_and_parse(name: str) -> None:
    """Each begins with its shell, stops at the first error, and is taken by it."""
    path = REPOSITORY / "deploy" / name
    text = path.read_text()
    assert path.stat().st_mode & stat.S_IXUSR
    assert "\nset -eu" in text
    run(text.splitlines()[0].removeprefix("#!"), "-n", path)
