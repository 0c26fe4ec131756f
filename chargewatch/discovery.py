"""How a command finds the running platform: `DATA/platform.json`, with its address and a key, readable by its owner only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec

from chargenet.errors import ChargewatchError

NAME = "platform.json"


class Running(msgspec.Struct, frozen=True):
    """A platform that runs on this folder. `api`: e.g. http://127.0.0.1:8080; `key`: an admin key of this machine's owner."""

    api: str
    key: str
    pid: int
    certificate: str = ""
    """Over TLS: the file with the platform's certificate, which its commands trust whatever name it is for."""

    def __repr__(self) -> str:
        return f"Running({self.api!r}, pid={self.pid})"


def announce(data_dir: Path, running: Running) -> None:
    """Say that a platform runs here. Replaces what a killed one left. Blocking, quick."""
    path = data_dir / NAME
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(running))
    partial.rename(path)


def withdraw(data_dir: Path) -> None:
    """The platform that announced itself here has ended."""
    (data_dir / NAME).unlink(missing_ok=True)


def find(data_dir: Path) -> Running | None:
    """The platform that runs here, None when none does. Raises ChargewatchError when the file is not to be trusted or not ours."""
    path = data_dir / NAME
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ChargewatchError(f"{path} cannot be read: {error.strerror}; it belongs to whoever runs the platform") from error
    if mode & 0o077:
        raise ChargewatchError(f"{path} can be read by others (mode {mode:o}) and has a key in it: run chmod 600 on it")
    try:
        running = msgspec.json.decode(text, type=Running)
    except msgspec.DecodeError as error:
        raise ChargewatchError(f"{path} is damaged: {error}; remove it when no platform runs here") from error
    return running if _alive(running.pid) else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
