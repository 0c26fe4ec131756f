"""What a backup takes, and what a restore refuses."""

from __future__ import annotations

import io
import sqlite3
import tarfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargenet.errors import Conflict
from chargenet.settings import Settings, load
from chargewatch.backup import MANIFEST, BadBackup, Manifest, backup, restore

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def settings_of(folder: Path) -> Settings:
    return load(None, {}, {"data_dir": folder})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with something of everything."""
    folder = tmp_path / "data"
    for name, content in {
        "journal/000001.seg": b"first" * 1000,
        "journal/000002.seg": b"second",
        "diagnostics/CP-1/log.txt": b"log",
        "firmware/ab/image": b"image",
        "pepper.key": b"p" * 32,
        "links.key": b"l" * 32,
        "telemetry.duckdb": b"large",
        "platform.json": b"{}",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "pepper.key").chmod(0o600)
    with closing(sqlite3.connect(folder / "chargewatch.sqlite")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (42)")
        database.commit()
    return folder


def taken(folder: Path) -> tuple[bytes, Manifest]:
    to = io.BytesIO()
    manifest = backup(settings_of(folder), to, "1.0", NOW)
    return to.getvalue(), manifest


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_cannot_be_made_again_is_kept(data: Path, tmp_path: Path) -> None:
    """Journal, SQL, keys, diagnostics and firmware come back with their content and their mode; telemetry and addresses do not."""
    content, manifest = taken(data)
    (data / "platform.json").unlink()
    restore(settings_of(tmp_path / "new"), io.BytesIO(content))
    found = files(tmp_path / "new")
    assert "telemetry.duckdb" not in found and "platform.json" not in found
    assert {name: found[name] for name in found if name != "chargewatch.sqlite"} == {
        name: body for name, body in files(data).items() if not name.startswith(("telemetry", "chargewatch.sqlite"))
    }
    with closing(sqlite3.connect(tmp_path / "new" / "chargewatch.sqlite")) as database:
        assert database.execute("SELECT x FROM t").fetchall() == [(42,)]
    assert (tmp_path / "new" / "pepper.key").stat().st_mode & 0o777 == 0o600
    assert manifest.sql and manifest.taken_at == NOW


def test_sql_is_read_before_the_journal(data: Path) -> None:
    """The stores must never say that they have taken in what the restored journal does not have."""
    content, _ = taken(data)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        names = tar.getnames()
    assert names.index("chargewatch.sqlite") < names.index("journal/000001.seg") < names.index("journal/000002.seg")
    assert names[-1] == MANIFEST


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
def test_a_backup_that_was_cut_off_is_refused_and_leaves_nothing(data: Path, tmp_path: Path, cut: float) -> None:
    """Half a backup is none."""
    content, _ = taken(data)
    with pytest.raises(BadBackup, match="cut off"):
        restore(settings_of(tmp_path / "new"), io.BytesIO(content[: int(len(content) * cut)]))
    assert files(tmp_path / "new") == {}


def test_a_backup_that_was_changed_is_refused(data: Path, tmp_path: Path) -> None:
    """One byte of the journal is enough."""
    content, _ = taken(data)
    with pytest.raises(BadBackup, match=r"journal/000001\.seg is not as it was"):
        restore(settings_of(tmp_path / "new"), io.BytesIO(content.replace(b"firstfirst", b"firstFirst", 1)))
    assert files(tmp_path / "new") == {}


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "journal/../../outside", "other.txt", "journal"])
def test_a_tar_of_somebody_else_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written outside the data folder, and nothing that is not ours inside it."""
    to = io.BytesIO()
    with tarfile.open(fileobj=to, mode="w") as tar:
        information = tarfile.TarInfo(name)
        information.size = 3
        tar.addfile(information, io.BytesIO(b"bad"))
    with pytest.raises(BadBackup, match="no file of ours"):
        restore(settings_of(tmp_path / "new"), io.BytesIO(to.getvalue()))
    assert not (tmp_path / "outside").exists()


def test_links_are_refused(tmp_path: Path) -> None:
    """A link in a tar would lead out of the folder."""
    to = io.BytesIO()
    with tarfile.open(fileobj=to, mode="w") as tar:
        information = tarfile.TarInfo("journal/link")
        information.type, information.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(information)
    with pytest.raises(BadBackup):
        restore(settings_of(tmp_path / "new"), io.BytesIO(to.getvalue()))


def test_a_folder_that_holds_something_is_left_alone(data: Path) -> None:
    """Two networks are never mixed."""
    content, _ = taken(data)
    (data / "platform.json").unlink()
    before = files(data)
    with pytest.raises(Conflict, match="is not empty"):
        restore(settings_of(data), io.BytesIO(content))
    assert files(data) == before


def test_a_folder_without_a_journal_is_no_platform(tmp_path: Path) -> None:
    """A misspelt --data is no empty backup."""
    with pytest.raises(Conflict, match="no journal"):
        backup(settings_of(tmp_path / "nowhere"), io.BytesIO(), "1.0", NOW)
