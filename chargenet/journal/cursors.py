"""The small file beside the segments: consumer cursors, and what must outlive every segment.

Decided here: it is written as a whole and atomically, at most once per tick of the journal. A crash may set a cursor back by that
much, never forward, so a consumer sees some records again and misses none.
"""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import msgspec

from chargenet.journal.disk import Disk, opened

FILE_NAME = "state.json"


class State(msgspec.Struct, frozen=True):
    """`salt` seeds all checksums; `sequence` was durable and `transaction_id` the highest when this was written."""

    salt: int
    sequence: int = 0
    transaction_id: int = 0
    cursors: dict[str, int] = {}


_decode = msgspec.json.Decoder(State).decode


def encode_state(state: State) -> bytes:
    """One line of JSON and its checksum, readable in an editor."""
    body = msgspec.json.encode(state)
    return body + b"\n%08x\n" % crc32(body)


def decode_state(data: bytes) -> State | None:
    """None when the file is damaged."""
    body, _, checksum = data.partition(b"\n")
    if checksum.strip() != b"%08x" % crc32(body):
        return None
    try:
        return _decode(body)
    except msgspec.MsgspecError:
        return None


def load_state(disk: Disk, directory: Path) -> State | None:
    """None when it is missing or damaged."""
    try:
        with opened(disk, disk.open(directory / FILE_NAME)) as fd:
            return decode_state(disk.read(fd, disk.size(fd), 0))
    except OSError:
        return None


def save_state(disk: Disk, directory: Path, state: State) -> None:
    """Durable when it returns; raises OSError."""
    disk.replace(directory / FILE_NAME, encode_state(state))


class Cursors:
    """Cursors in memory. Setting one costs a dictionary entry; `changed` says whether there is anything to save."""

    def __init__(self, saved: dict[str, int]) -> None:
        self._cursors = dict(saved)
        self.changed = False

    def get(self, name: str) -> int:
        """0 when unknown."""
        return self._cursors.get(name, 0)

    def set(self, name: str, sequence: int) -> None:
        self._cursors[name] = sequence
        self.changed = True

    def drop(self, name: str) -> None:
        self._cursors.pop(name, None)
        self.changed = True

    def snapshot(self) -> dict[str, int]:
        """A copy to save. What is set from here on counts as changed again."""
        self.changed = False
        return dict(self._cursors)
