"""Where the records of each charge point lie in one segment, and a few facts about the whole segment.

A sealed segment has its index in a file beside it: a checksummed summary of fixed size, then the checksummed offsets. It is only an
aid: when it is missing, damaged or does not fit its segment, it is built again from the segment.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate
from zlib import crc32

import msgspec

from chargenet.journal.format import Outline

_MAGIC = b"cwjidx\x00\x01"
_SUMMARY = struct.Struct("<8sQQQqqQI")
SUMMARY_SIZE = _SUMMARY.size
_STEP = 64


def _offsets() -> array[int]:
    return array("I")


class Summary(msgspec.Struct, frozen=True):
    """Facts about a segment: its size in bytes, first and last sequence, span of receipt, highest transaction id (0: none)."""

    size: int
    first: int
    last: int
    oldest_us: int
    newest_us: int
    transaction_id: int


class SegmentIndex:
    """The index of one segment: grows with it, or comes from its file."""

    def __init__(self, first: int, size: int) -> None:
        self.first, self.size, self.last = first, size, first - 1
        self.oldest_us, self.newest_us, self.transaction_id = 0, 0, 0
        self._charge_points: defaultdict[str, array[int]] = defaultdict(_offsets)
        self._marks: list[tuple[int, int]] = []

    def extend(self, sequence: int, charge_points: Sequence[str], sizes: Iterable[int], received_us: Sequence[int]) -> None:
        """Records of consecutive sequences from `sequence` on, which follow what is there without a gap."""
        offsets = list(accumulate(sizes, initial=self.size))
        by_charge_point = self._charge_points
        for charge_point_id, offset in zip(charge_points, offsets, strict=False):
            by_charge_point[charge_point_id].append(offset)
        self._mark(sequence, self.size)
        self._span(min(received_us), max(received_us))
        self.last, self.size = sequence + len(charge_points) - 1, offsets[-1]

    def add(self, offset: int, size: int, outline: Outline) -> None:
        """One record found by walking."""
        self._charge_points[outline.charge_point_id].append(offset)
        self._mark(outline.sequence, offset)
        self._span(outline.received_at_us, outline.received_at_us)
        self.last, self.size = outline.sequence, offset + size
        self.transaction_id = max(self.transaction_id, outline.decision.transaction_id or 0)

    def _mark(self, sequence: int, offset: int) -> None:
        if not self._marks or sequence - self._marks[-1][0] >= _STEP:
            self._marks.append((sequence, offset))

    def _span(self, oldest_us: int, newest_us: int) -> None:
        if self.empty:
            self.oldest_us, self.newest_us = oldest_us, newest_us
        else:
            self.oldest_us, self.newest_us = min(self.oldest_us, oldest_us), max(self.newest_us, newest_us)

    @property
    def empty(self) -> bool:
        """No record yet."""
        return self.last < self.first

    def before(self, sequence: int) -> tuple[int, int] | None:
        """`(sequence, offset)` of a record at or a little before `sequence`; None when none is known."""
        at = bisect_right(self._marks, sequence, key=_sequence_of_mark)
        return self._marks[at - 1] if at else None

    def of(self, charge_point_id: str) -> array[int]:
        """Offsets of its records, in order: a copy, since the index may grow meanwhile."""
        offsets = self._charge_points.get(charge_point_id)
        return offsets[:] if offsets is not None else _offsets()

    @property
    def summary(self) -> Summary:
        return Summary(self.size, self.first, self.last, self.oldest_us, self.newest_us, self.transaction_id)

    def encode(self) -> bytes:
        """The file beside a sealed segment."""
        body = msgspec.msgpack.encode(({name: offsets.tobytes() for name, offsets in self._charge_points.items()}, self._marks))
        return encode_summary(self.summary) + struct.pack("<I", crc32(body)) + body

    @classmethod
    def decode(cls, data: bytes) -> SegmentIndex | None:
        """None when the file is damaged."""
        summary = decode_summary(data)
        body = memoryview(data)[SUMMARY_SIZE + 4 :]
        if summary is None or data[SUMMARY_SIZE : SUMMARY_SIZE + 4] != struct.pack("<I", crc32(body)):
            return None
        charge_points, marks = _decode_body(body)
        index = cls(summary.first, summary.size)
        index.last, index.transaction_id = summary.last, summary.transaction_id
        index.oldest_us, index.newest_us = summary.oldest_us, summary.newest_us
        index._marks = marks
        for name, offsets in charge_points.items():
            index._charge_points[name].frombytes(offsets)
        return index


def _sequence_of_mark(mark: tuple[int, int]) -> int:
    return mark[0]


_decode_body = msgspec.msgpack.Decoder(tuple[dict[str, bytes], list[tuple[int, int]]]).decode


def encode_summary(summary: Summary) -> bytes:
    """Fixed size, checksummed."""
    body = _SUMMARY.pack(
        _MAGIC, summary.size, summary.first, summary.last, summary.oldest_us, summary.newest_us, summary.transaction_id, 0
    )[:-4]
    return body + struct.pack("<I", crc32(body))


def decode_summary(data: bytes) -> Summary | None:
    """None when these bytes do not begin with an undamaged summary."""
    if len(data) < SUMMARY_SIZE:
        return None
    magic, *facts, checksum = _SUMMARY.unpack_from(data)
    if magic != _MAGIC or checksum != crc32(data[: SUMMARY_SIZE - 4]):
        return None
    return Summary(*facts)
