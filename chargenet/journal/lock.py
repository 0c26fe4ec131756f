"""One writer per journal: an advisory lock that the kernel drops with the process, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from chargenet.errors import JournalUnavailable

FILE_NAME = "lock"


def acquire(directory: Path) -> int:
    """The open, locked file: close it to let go. Raises JournalUnavailable while another process holds it."""
    fd = os.open(directory / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(fd, 20, 0).decode("ascii", "replace").strip()
        os.close(fd)
        raise JournalUnavailable(f"{directory} is in use by process {holder or 'unknown'}") from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, b"%d\n" % os.getpid(), 0)
    return fd
