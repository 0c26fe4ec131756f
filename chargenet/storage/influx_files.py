"""What the InfluxDB adapter keeps on the local disk: its position, and the points that the server refused. Everything blocks."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from chargenet.errors import StoreUnavailable
from chargenet.storage.isolation import Rejected

MAX_REJECTED_BYTES = 8 * 1024 * 1024
"""Of one file; there are two of them at most."""

MAX_LINE = 4000
MAX_REASON = 500


class PositionFile:
    """A number in a file, replaced as a whole: after a crash it is the old one or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> int:
        """0 when there is none yet. Raises StoreUnavailable on a file that is no position: guessing would lose or double facts."""
        try:
            return int(self._path.read_text("ascii"))
        except FileNotFoundError:
            return 0
        except (ValueError, OSError) as error:
            raise StoreUnavailable("InfluxDB", f"{self._path} does not hold a position: {error}") from error

    def write(self, position: int) -> None:
        """Durable when it returns."""
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("w", encoding="ascii") as file:
                file.write(f"{position}\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise StoreUnavailable("InfluxDB", f"{self._path}: {error}") from error


class RejectedPoints:
    """The latest refused points, one JSON object a line; the file before it is kept as `<name>.1`."""

    def __init__(self, path: Path, max_bytes: int = MAX_REJECTED_BYTES) -> None:
        self._path, self._max_bytes = path, max_bytes

    def add(self, points: Sequence[Rejected], now: datetime) -> None:
        """Append; the oldest ones make room."""
        text = "".join(_entry(point, now) for point in points)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size + len(text) > self._max_bytes:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text[-self._max_bytes :])
        except OSError as error:
            raise StoreUnavailable("InfluxDB", f"{self._path}: {error}") from error


def _entry(point: Rejected, now: datetime) -> str:
    entry = {"rejected_at": now.isoformat(), "reason": point.reason[:MAX_REASON], "line": point.line[:MAX_LINE]}
    return json.dumps(entry) + "\n"
