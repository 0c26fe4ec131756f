"""Diagnostics files on disk: `DATA/diagnostics/<file_id>`, readable by the owner only. Decided here: names, sizes, durability."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 20
_FILE_ID = re.compile(r"[0-9a-f]{32}")
_UNSAFE = re.compile(r"[^\w.+@-]+")


class FileTooLarge(Exception):
    """More bytes came than an upload may have."""


class DiskSink:
    """One upload on its way to disk, a megabyte at a time, in worker threads. Implements `chargenet.ports.FileSink`."""

    def __init__(self, path: Path, max_bytes: int, floor_bytes: int) -> None:
        """`floor_bytes`: free disk space that an upload leaves alone, so that no file can stop the journal."""
        self._path, self._max, self._floor = path, max_bytes, floor_bytes
        self._partial = path.with_name(path.name + ".partial")
        self._file: BinaryIO | None = None
        self._buffer = bytearray()
        self._hash = hashlib.sha256()
        self._size = 0
        self._disk = threading.Lock()
        """A request that is cancelled discards while a worker thread may still be writing."""

    async def write(self, chunk: bytes) -> None:
        """Raises FileTooLarge, and OSError when the disk refuses."""
        self._size += len(chunk)
        if self._size > self._max:
            raise FileTooLarge
        self._buffer += chunk
        if len(self._buffer) >= _CHUNK:
            await asyncio.to_thread(self._flush)

    async def finish(self) -> tuple[int, str]:
        """(size in bytes, sha256 hex) once the file and its name are durable."""
        await asyncio.to_thread(self._close)
        return self._size, self._hash.hexdigest()

    async def discard(self) -> None:
        """Leave nothing behind."""
        await asyncio.to_thread(self._remove)

    def _flush(self) -> None:
        with self._disk:
            self._write_out()

    def _write_out(self) -> None:
        if self._file is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.fdopen(os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        if shutil.disk_usage(self._path.parent).free - len(self._buffer) < self._floor:
            raise OSError(errno.ENOSPC, "too little disk space is left for diagnostics")
        self._file.write(self._buffer)
        self._hash.update(self._buffer)
        self._buffer.clear()

    def _close(self) -> None:
        with self._disk:
            self._write_out()
            assert self._file is not None
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._partial.rename(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _remove(self) -> None:
        with self._disk:
            if self._file is not None:
                self._file.close()
            self._partial.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)


def folder_of(data_dir: Path) -> Path:
    """Where diagnostics files are."""
    return data_dir / "diagnostics"


def path_of(data_dir: Path, file_id: str) -> Path | None:
    """The file's path; None when `file_id` is not one of ours (it never names anything outside the folder)."""
    return folder_of(data_dir) / file_id if _FILE_ID.fullmatch(file_id) else None


def safe_name(name: str | None, fallback: str) -> str:
    """The last part of a file name, without anything that a shell, a header or a file system could misunderstand."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    return _UNSAFE.sub("_", last).strip("._")[:200] or fallback


async def read_chunks(path: Path) -> AsyncIterator[bytes]:
    """The file, piece by piece, read in worker threads."""
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk
    finally:
        file.close()
