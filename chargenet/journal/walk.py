"""Walking one segment: valid records in order, whatever else the file holds.

Decided here: what counts as damage (bytes between two valid records that are none) and what is only a tail (such bytes
after the last valid record). Where it is not valid, the walk looks for the next magic with a right checksum and a higher sequence.
Not decided here: whether a tail is cut, and who is told of damage.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

import msgspec

from chargenet.journal.disk import Disk
from chargenet.journal.format import HEAD_SIZE, MAGIC, MAX_PAYLOAD, RECORD_HEAD, payload_at

CHUNK = 256 * 1024
_SECTOR = 4096


class Sequenced(Protocol):
    """Record or Outline."""

    @property
    def sequence(self) -> int: ...


Item = TypeVar("Item", bound=Sequenced)


class Gap(msgspec.Struct, frozen=True):
    """Bytes that are no record, and the sequences on either side (`after` < lost < `before`)."""

    start: int
    stop: int
    after: int
    before: int


class Window:
    """A moving view of a file. Sectors that cannot be read appear as zeros, which no checksum accepts."""

    def __init__(self, disk: Disk, fd: int, end: int, *, chunk: int = CHUNK) -> None:
        self._disk, self._fd, self.end, self._chunk = disk, fd, end, chunk
        self.base = 0
        self.view = memoryview(b"")

    def load(self, start: int, size: int) -> None:
        """Make at least `size` bytes from `start` visible, or all that there are."""
        if start >= self.base and start + size <= self.base + len(self.view):
            return
        self.base = start
        self.view = memoryview(self._read(start, min(max(size, self._chunk), self.end - start)))

    def _read(self, start: int, size: int) -> bytes:
        if size <= 0:
            return b""
        try:
            return self._disk.read(self._fd, size, start)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            if size <= _SECTOR:
                return bytes(size)
            head = min(size - 1, _SECTOR - start % _SECTOR)
            rest = range(start + head, start + size, _SECTOR)
            return self._read(start, head) + b"".join(self._read(at, min(_SECTOR, start + size - at)) for at in rest)

    def find(self, needle: bytes, start: int) -> int:
        """Offset of the next `needle` at or after `start`, -1 when there is none."""
        while start < self.end:
            self.load(start, min(CHUNK, self.end - start))
            found = bytes(self.view[start - self.base :]).find(needle)
            if found >= 0:
                return start + found
            following = self.base + len(self.view) - len(needle) + 1
            if following <= start:
                return -1
            start = following
        return -1


class Walk(Generic[Item]):
    """Iterate to get `(offset, item)` for each valid record from `start` on whose sequence is below `below`.

    `last` is the sequence before the record at `start`. Afterwards, `stop` is the offset behind the last valid record, `last` its
    sequence, and `gaps` lists the damage passed.
    """

    def __init__(
        self, window: Window, salt: int, decode: Callable[[memoryview], Item], *, start: int, last: int, below: int
    ) -> None:
        self._window, self._salt, self._decode, self._below = window, salt, decode, below
        self.stop, self.last = start, last
        self.gaps: list[Gap] = []

    def __iter__(self) -> Iterator[tuple[int, Item]]:
        while True:
            offset = self.stop
            found = self._at(offset)
            if found is None:
                offset = self._resume(offset)
                found = self._at(offset) if offset >= 0 else None
            if found is None or found[1].sequence >= self._below:
                return
            size, item = found
            if offset != self.stop:
                self.gaps.append(Gap(self.stop, offset, self.last, item.sequence))
            self.stop, self.last = offset + size, item.sequence
            yield offset, item

    def here(self) -> Item | None:
        """The record at the present position alone, None when it is not valid."""
        found = self._at(self.stop)
        return found[1] if found is not None else None

    def _at(self, offset: int) -> tuple[int, Item] | None:
        """Size on disk and value of the valid record at `offset`, if there is one that comes after the last."""
        window = self._window
        position = offset - window.base
        payload = payload_at(window.view, position, self._salt) if position >= 0 else None
        if payload is None and (payload := self._load(offset)) is None:
            return None
        try:
            item = self._decode(payload)
        except msgspec.MsgspecError:  # a right checksum over something else: not written by this program
            return None
        return (HEAD_SIZE + len(payload), item) if item.sequence > self.last else None

    def _load(self, offset: int) -> memoryview | None:
        window = self._window
        window.load(offset, HEAD_SIZE)
        if offset - window.base + HEAD_SIZE > len(window.view):
            return None
        magic, length, _ = RECORD_HEAD.unpack_from(window.view, offset - window.base)
        if magic != MAGIC or length > MAX_PAYLOAD or offset + HEAD_SIZE + length > window.end:
            return None
        window.load(offset, HEAD_SIZE + length)
        return payload_at(window.view, offset - window.base, self._salt)

    def _resume(self, offset: int) -> int:
        """Offset of the next valid record behind `offset`, -1 when there is none."""
        while (offset := self._window.find(MAGIC, offset + 1)) >= 0:
            if self._at(offset) is not None:
                return offset
        return -1
