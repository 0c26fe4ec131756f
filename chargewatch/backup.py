"""Backup and restore of a data folder as one tar. Decided here: what is in it, and in which order, so that it is whole.

A running platform may be backed up. The SQL stores are read first and the journal last: then the journal reaches at least as far as
what the stores say they have taken in, and the rest is taken in after a restore. The end of the last segment may be torn, as after
a power cut; the journal mends that when it is opened. The embedded telemetry is left out: it is made again from the journal.
The manifest with every file's hash comes last: a backup without it was cut off.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from chargenet.errors import ChargewatchError, Conflict
from chargenet.settings import Settings
from chargewatch import discovery, layout

MANIFEST = "manifest.json"
SQLITE = "chargewatch.sqlite"
_KEPT = ("pepper.key", "links.key", "alerts.toml")
_FOLDERS = ("diagnostics", "firmware", "journal")
"""The journal comes last."""
_CHUNK = 1 << 20
_LARGEST_MANIFEST = 64 << 20


class BadBackup(ChargewatchError):
    """It is cut off or damaged; the text says where."""


class Entry(msgspec.Struct, frozen=True):
    """One file."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. `sql`: whether the SQL stores are in it; if not, they are another server's and need their own backup."""

    version: str
    taken_at: datetime
    sql: bool
    files: dict[str, Entry]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files.values())


def backup(settings: Settings, to: IO[bytes], version: str, now: datetime) -> Manifest:
    """Write the tar. Blocking, minutes for a large journal. Raises Conflict where there is no journal, OSError."""
    data = settings.data_dir
    if not layout.journal_folder(settings).is_dir():
        raise Conflict(f"there is no journal in {data} to back up: name the platform's folder with --data DIR")
    files: dict[str, Entry] = {}
    sqlite = layout.sql_file(settings)
    with tarfile.open(fileobj=to, mode="w|") as tar:
        if sqlite is not None and sqlite.exists():
            with tempfile.TemporaryDirectory(prefix=".backup-", dir=data) as folder:
                copy = Path(folder) / SQLITE
                _copy_sqlite(sqlite, copy)
                files[SQLITE] = _add(tar, SQLITE, copy)
        for name, path in _files(data):
            try:
                files[name] = _add(tar, name, path)
            except FileNotFoundError:  # retention or a person removed it a moment ago
                continue
        manifest = Manifest(version=version, taken_at=now, sql=SQLITE in files, files=files)
        _add_bytes(tar, MANIFEST, msgspec.json.encode(manifest))
    return manifest


def restore(settings: Settings, source: IO[bytes]) -> Manifest:
    """Unpack into an empty data folder. Blocking. Raises Conflict where it is not empty, BadBackup, OSError."""
    data = settings.data_dir
    if discovery.find(data) is not None:
        raise Conflict(f"a platform runs on {data}: stop it first, then restore")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if held := sorted(path.name for path in data.iterdir()):
        raise Conflict(f"{data} is not empty ({', '.join(held[:3])}): restore into an empty folder, so that nothing is mixed")
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=data) as folder:
        manifest = _checked(*_unpack(source, Path(folder)))
        for path in sorted(Path(folder).iterdir()):
            shutil.move(path, data / path.name)
    return manifest


def _files(data: Path) -> Iterator[tuple[str, Path]]:
    for name in _KEPT:
        if (data / name).is_file():
            yield name, data / name
    for folder in _FOLDERS:
        for path in sorted((data / folder).rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(data).as_posix(), path


def _copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy while others write."""
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as opened, closing(sqlite3.connect(target)) as copy:
        opened.backup(copy)


def _add(tar: tarfile.TarFile, name: str, path: Path) -> Entry:
    """As long as the file was when it was opened: a journal grows meanwhile."""
    with path.open("rb") as file:
        information = tar.gettarinfo(arcname=name, fileobj=file)
        information.uid = information.gid = 0
        information.uname = information.gname = ""
        reader = _Hashing(file, information.size)
        tar.addfile(information, reader)
        return Entry(information.size, reader.hexdigest())


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    information = tarfile.TarInfo(name)
    information.size, information.mode = len(content), 0o600
    tar.addfile(information, io.BytesIO(content))


class _Hashing:
    """Reads so many bytes of a file, and their hash."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left, self._hash = file, size, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        chunk = self._file.read(wanted)
        self._left -= len(chunk)
        self._hash.update(chunk)
        return chunk

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def _unpack(source: IO[bytes], folder: Path) -> tuple[dict[str, Entry], Manifest | None]:
    found: dict[str, Entry] = {}
    manifest: Manifest | None = None
    try:
        with tarfile.open(fileobj=source, mode="r|") as tar:
            for member in tar:
                content = tar.extractfile(member)
                if content is None or not _is_ours(member.name):
                    raise BadBackup(f"the backup has {member.name!r} in it, which is no file of ours")
                if member.name == MANIFEST:
                    manifest = msgspec.json.decode(content.read(_LARGEST_MANIFEST), type=Manifest)
                else:
                    found[member.name] = _write(content, folder / member.name, member)
    except (tarfile.TarError, EOFError, msgspec.DecodeError) as error:
        raise BadBackup(f"the backup is cut off or damaged: {error}") from error
    return found, manifest


def _is_ours(name: str) -> bool:
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/"):
        return False
    return name in (*_KEPT, SQLITE, MANIFEST) or (len(parts) > 1 and parts[0] in _FOLDERS)


def _write(content: IO[bytes], path: Path, member: tarfile.TarInfo) -> Entry:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("xb") as file:
        path.chmod(member.mode & 0o700)
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
    return Entry(path.stat().st_size, digest.hexdigest())


def _checked(found: dict[str, Entry], manifest: Manifest | None) -> Manifest:
    if manifest is None:
        raise BadBackup("the backup has no manifest: it was cut off while it was made")
    for name in manifest.files.keys() | found.keys():
        if found.get(name) != manifest.files.get(name):
            raise BadBackup(f"{name} is not as it was when the backup was made")
    return manifest
