"""One segment file: its name, its header, its index, and how both are found again.

Decided here: a segment is named after the first sequence it may hold, and serves only sequences below the first one of the next
segment, so that whatever a failed write left at its end is never served.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from chargenet.journal.disk import Disk, opened
from chargenet.journal.format import (
    SEGMENT_HEAD_SIZE,
    Outline,
    SegmentHeader,
    decode_header,
    decode_outline,
    encode_header,
)
from chargenet.journal.index import SUMMARY_SIZE, SegmentIndex, Summary, decode_summary
from chargenet.journal.walk import Gap, Walk, Window

SUFFIX = ".segment"
NO_LIMIT = 2**63 - 1


class Segment:
    """A segment as the running program knows it. `end` is its durable size, `index` is set while it is the newest one."""

    __slots__ = ("end", "first", "index", "path", "summary")

    def __init__(self, path: Path, end: int, *, index: SegmentIndex | None = None, summary: Summary | None = None) -> None:
        self.path, self.end, self.index, self.summary = path, end, index, summary
        self.first = int(path.stem)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def index_path(self) -> Path:
        return self.path.with_suffix(".index")

    @property
    def facts(self) -> Summary | None:
        """Span and last sequence; None for a sealed segment whose index must be built first."""
        return self.index.summary if self.index is not None else self.summary


class Scan(msgspec.Struct):
    """What a full walk of one segment found."""

    index: SegmentIndex
    gaps: list[Gap]
    size: int
    """Bytes of the file, tail included; the valid part ends at `index.size`."""


def segment_path(directory: Path, first: int) -> Path:
    """Names sort as sequences do."""
    return directory / f"{first:020d}{SUFFIX}"


def segment_paths(directory: Path) -> list[Path]:
    """All segments there, oldest first."""
    return sorted(path for path in directory.glob(f"*{SUFFIX}") if path.stem.isdigit())


def read_header(disk: Disk, path: Path) -> SegmentHeader | None:
    """None when it is damaged; the segment can still be read, given the journal's salt."""
    with opened(disk, disk.open(path)) as fd:
        return decode_header(disk.read(fd, SEGMENT_HEAD_SIZE, 0))


def create_segment(disk: Disk, path: Path, header: SegmentHeader) -> int:
    """A new empty segment, durable with its name; the open file. Raises OSError and then leaves no file open."""
    fd = disk.create(path)
    try:
        disk.write(fd, [encode_header(header)], 0)
        disk.sync_directory(path.parent)
    except OSError:
        disk.close(fd)
        raise
    return fd


def scan_segment(disk: Disk, path: Path, salt: int, below: int = NO_LIMIT) -> Scan:
    """Walk the whole file and index it."""
    index = SegmentIndex(int(path.stem), SEGMENT_HEAD_SIZE)
    with opened(disk, disk.open(path)) as fd:
        size = disk.size(fd)
        walk: Walk[Outline] = Walk(
            Window(disk, fd, size), salt, decode_outline, start=SEGMENT_HEAD_SIZE, last=index.first - 1, below=below
        )
        for offset, outline in walk:
            index.add(offset, walk.stop - offset, outline)
    return Scan(index, walk.gaps, size)


def read_summary(disk: Disk, path: Path, size: int, below: int) -> Summary | None:
    """The summary beside a sealed segment of `size` bytes; None when it is missing, damaged or about something else."""
    try:
        with opened(disk, disk.open(path.with_suffix(".index"))) as fd:
            summary = decode_summary(disk.read(fd, SUMMARY_SIZE, 0))
    except OSError:
        return None
    if summary is None or (summary.first, summary.size) != (int(path.stem), size) or summary.last >= below:
        return None
    return summary


def read_index(disk: Disk, segment: Segment) -> SegmentIndex | None:
    """The index file of a sealed segment, when it is whole and fits."""
    try:
        with opened(disk, disk.open(segment.index_path)) as fd:
            index = SegmentIndex.decode(disk.read(fd, disk.size(fd), 0))
    except OSError:
        return None
    return index if index is not None and (index.first, index.size) == (segment.first, segment.end) else None
