"""Finding a journal again after any kind of end. Decided here: what is cut, what is reported, and where the next sequence begins.

Only the newest segment is walked as a whole. Bytes behind its last valid record are a torn tail: they were never acknowledged,
since an acknowledgement follows the write of everything before it. They are cut by the writer and ignored by a reader.
"""

from __future__ import annotations

import logging
from itertools import pairwise
from pathlib import Path

import msgspec

from chargenet.errors import JournalUnavailable
from chargenet.journal.cursors import State, load_state
from chargenet.journal.disk import Disk, opened
from chargenet.journal.segment import Segment, read_header, read_summary, scan_segment, segment_paths
from chargenet.journal.walk import Gap

log = logging.getLogger(__name__)


class Found(msgspec.Struct):
    """What lies in the folder. `segments` is empty for a new journal; `state` is None when its file was missing or damaged."""

    salt: int | None
    state: State | None
    segments: list[Segment]
    gaps: list[tuple[Segment, Gap]]
    transaction_id: int
    tail: int = 0
    """Bytes behind the last valid record of the newest segment."""
    unreadable: list[Path] = []
    """Newest files without a header and without one valid record: a crash while a segment was made leaves such a file."""

    @property
    def last(self) -> int:
        """The last sequence that can be read, 0 when there is none."""
        newest = self.segments[-1].facts if self.segments else None
        return newest.last if newest is not None else 0


def find(disk: Disk, directory: Path) -> Found:
    """Look, and change nothing. Raises OSError, and JournalUnavailable when no salt is left to read the segments by."""
    state = load_state(disk, directory)
    paths = segment_paths(directory)
    headers = [read_header(disk, path) for path in paths[-1:]]
    salt = state.salt if state is not None else next((header.salt for header in headers if header is not None), None)
    if salt is None:
        salt = next((header.salt for path in reversed(paths[:-1]) if (header := read_header(disk, path)) is not None), None)
    if salt is None:
        if any(path.stat().st_size > 64 for path in paths):
            raise JournalUnavailable(f"{directory} holds segments, but neither its state file nor any segment header is whole")
        return Found(None, state, [], [], 0)
    return _survey(disk, paths, salt, state)


def _survey(disk: Disk, paths: list[Path], salt: int, state: State | None) -> Found:
    found = Found(salt, state, [], [], state.transaction_id if state is not None else 0)
    while paths:
        scan = scan_segment(disk, paths[-1], salt)
        header = read_header(disk, paths[-1])
        if header is not None or not scan.index.empty:
            break
        found.unreadable.append(paths[-1])
        paths = paths[:-1]
    else:
        return found
    for path, following in pairwise(paths):
        found.segments.append(sealed_segment(disk, path, int(following.stem)))
    newest = Segment(paths[-1], scan.index.size, index=scan.index)
    found.segments.append(newest)
    found.gaps = [(newest, gap) for gap in scan.gaps]
    found.tail = scan.size - scan.index.size
    floors = [segment.facts.transaction_id for segment in found.segments if segment.facts is not None]
    found.transaction_id = max(found.transaction_id, header.transaction_floor if header is not None else 0, *floors)
    return found


def sealed_segment(disk: Disk, path: Path, below: int) -> Segment:
    """A segment that has a successor beginning at `below`. Its index is read, or built, only when it is needed."""
    with opened(disk, disk.open(path)) as fd:
        size = disk.size(fd)
    return Segment(path, size, summary=read_summary(disk, path, size, below))


def cut(disk: Disk, found: Found) -> None:
    """Remove what a crash left half-written, durably. A file that may once have held records is put aside, not removed."""
    for path in found.unreadable:
        aside = path.with_suffix(".unreadable")
        log.warning("%s holds neither a header nor a record; set aside as %s", path.name, aside.name)
        disk.move(path, aside)
    if found.tail:
        newest = found.segments[-1]
        log.warning(
            "%s: %d bytes behind record %d were not completely written when the journal last ended; cut at byte %d",
            newest.name, found.tail, found.last, newest.end,
        )  # fmt: skip
        with opened(disk, disk.open(newest.path, writable=True)) as fd:
            disk.truncate(fd, newest.end)
