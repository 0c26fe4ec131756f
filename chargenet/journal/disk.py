"""The journal's only door to the file system: few calls, each of which may raise OSError and nothing else.

Tests replace it to play full and failing disks. Decided here: a write is durable when `write` returns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

_IOV_MAX = 1024


class Disk(Protocol):
    """What the journal asks of a file system."""

    def create(self, path: Path) -> int:
        """A new, empty file, open for reading and writing; what was there under this name is gone."""

    def open(self, path: Path, *, writable: bool = False) -> int:
        """An existing file."""

    def close(self, fd: int) -> None:
        """Let go of a file."""

    def size(self, fd: int) -> int:
        """Its bytes."""

    def read(self, fd: int, size: int, offset: int) -> bytes:
        """Up to `size` bytes at `offset`; fewer only at the end of the file."""

    def write(self, fd: int, buffers: Sequence[bytes], offset: int) -> int:
        """Write all buffers at `offset` and force them to the medium; the bytes written. After an OSError any part may be there."""

    def truncate(self, fd: int, size: int) -> None:
        """Cut the file, durably."""

    def replace(self, path: Path, data: bytes, *, durably: bool = True) -> None:
        """The file is either its old or this new content, never a mixture."""

    def move(self, path: Path, to: Path) -> None:
        """Rename within one folder."""

    def remove(self, path: Path) -> None:
        """Unlink; no error when it is gone already."""

    def sync_directory(self, path: Path) -> None:
        """Make names created, replaced and removed in this folder durable."""

    def free_bytes(self, path: Path) -> int:
        """What an ordinary user may still write."""


class LocalDisk:
    """A local POSIX file system."""

    def create(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)

    def open(self, path: Path, *, writable: bool = False) -> int:
        return os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)

    def close(self, fd: int) -> None:
        os.close(fd)

    def size(self, fd: int) -> int:
        return os.fstat(fd).st_size

    def read(self, fd: int, size: int, offset: int) -> bytes:
        return os.pread(fd, size, offset)

    def write(self, fd: int, buffers: Sequence[bytes], offset: int) -> int:
        written = 0
        for start in range(0, len(buffers), _IOV_MAX):
            group = buffers[start : start + _IOV_MAX]
            size = sum(map(len, group))
            done = os.pwritev(fd, group, offset + written)
            while done < size:  # a short write: rare, so its cost does not matter
                done += os.pwrite(fd, b"".join(group)[done:], offset + written + done)
            written += size
        os.fdatasync(fd)
        return written

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)
        os.fsync(fd)

    def replace(self, path: Path, data: bytes, *, durably: bool = True) -> None:
        temporary = path.with_name(path.name + ".new")
        with opened(self, self.create(temporary)) as fd:
            if durably:
                self.write(fd, [data], 0)
            else:
                os.pwrite(fd, data, 0)
        temporary.replace(path)
        if durably:
            self.sync_directory(path.parent)

    def move(self, path: Path, to: Path) -> None:
        path.replace(to)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def sync_directory(self, path: Path) -> None:
        with opened(self, os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as fd:
            os.fsync(fd)

    def free_bytes(self, path: Path) -> int:
        status = os.statvfs(path)
        return status.f_bavail * status.f_frsize


def problem(error: Exception) -> str:
    """What went wrong and where, without Python's error number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    return str(error)


@contextmanager
def opened(disk: Disk, fd: int) -> Iterator[int]:
    """The file, closed afterwards."""
    try:
        yield fd
    finally:
        disk.close(fd)
