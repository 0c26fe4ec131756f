"""Reading the segments: in order for consumers, newest first for one charge point. For any thread, several at once.

Decided here: a reader continues where the last one stopped without looking again; damage is skipped and reported, never served.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from chargenet.errors import StoreUnavailable
from chargenet.journal.damage import DamageReport
from chargenet.journal.disk import Disk, opened, problem
from chargenet.journal.format import SEGMENT_HEAD_SIZE, decode_record
from chargenet.journal.index import SegmentIndex
from chargenet.journal.segment import NO_LIMIT, Segment, read_index, scan_segment
from chargenet.journal.walk import Gap, Walk, Window
from chargenet.model.record import Record

log = logging.getLogger(__name__)

_POSITIONS = 64
_INDEXES = 8
_RANDOM_CHUNK = 4096


class SegmentReader:
    """Reads what `segments()` lists. `writable`: an index that had to be built is kept in its file. Raises StoreUnavailable."""

    def __init__(
        self, disk: Disk, salt: int, segments: Callable[[], Sequence[Segment]], damage: DamageReport, *, writable: bool
    ) -> None:
        self._disk, self._salt, self._segments, self.damage, self._writable = disk, salt, segments, damage, writable
        self._lock = threading.Lock()
        self._positions: OrderedDict[int, tuple[int, int]] = OrderedDict()
        self._indexes: OrderedDict[int, SegmentIndex] = OrderedDict()

    def read(self, after: int, limit: int, upto: int) -> list[Record]:
        """Up to `limit` records with `after` < sequence ≤ `upto`, in order."""
        if after >= upto:
            return []
        try:
            return self._read(after, limit, upto)
        except OSError as error:
            raise StoreUnavailable("journal", problem(error)) from error

    def _read(self, after: int, limit: int, upto: int) -> list[Record]:
        records: list[Record] = []
        segments = self._segments()
        at = max(0, bisect_right(segments, after + 1, key=_first) - 1)
        for number in range(at, len(segments)):
            below = segments[number + 1].first if number + 1 < len(segments) else upto + 1
            if len(records) < limit and segments[number].first <= upto:
                self._read_segment(segments[number], min(below, upto + 1), after, limit, records)
        return records

    def _read_segment(self, segment: Segment, below: int, after: int, limit: int, records: list[Record]) -> None:
        end = segment.end
        last, start = self._start(segment, after)
        try:
            fd = self._disk.open(segment.path)
        except FileNotFoundError:  # retention was faster
            return
        with opened(self._disk, fd):
            walk: Walk[Record] = Walk(Window(self._disk, fd, end), self._salt, decode_record, start=start, last=last, below=below)
            for _, record in walk:
                if record.sequence > after:
                    records.append(record)
                    if len(records) >= limit:
                        self._remember(record.sequence, segment.first, walk.stop)
                        break
            else:
                self._remember(walk.last, segment.first, walk.stop)
                if walk.last < below - 1 and below > segment.first:
                    walk.gaps.append(Gap(walk.stop, end, walk.last, below))
        for gap in walk.gaps:
            self.damage.add(segment.name, gap)

    def _start(self, segment: Segment, after: int) -> tuple[int, int]:
        """Where to begin in a segment: the sequence before it and its offset."""
        if after < segment.first:
            return segment.first - 1, SEGMENT_HEAD_SIZE
        with self._lock:
            known = self._positions.get(after)
        if known is not None and known[0] == segment.first:
            return after, known[1]
        mark = self.index(segment).before(after)
        return (mark[0] - 1, mark[1]) if mark is not None else (segment.first - 1, SEGMENT_HEAD_SIZE)

    def _remember(self, sequence: int, first: int, offset: int) -> None:
        with self._lock:
            self._positions[sequence] = (first, offset)
            self._positions.move_to_end(sequence)
            if len(self._positions) > _POSITIONS:
                self._positions.popitem(last=False)

    def index(self, segment: Segment) -> SegmentIndex:
        """Where the records of one segment lie: in memory for the newest, else from its file, else built from the segment."""
        live = segment.index
        if live is not None:
            return live
        with self._lock:
            if segment.first in self._indexes:
                self._indexes.move_to_end(segment.first)
                return self._indexes[segment.first]
        index = read_index(self._disk, segment) or self._rebuild(segment)
        with self._lock:
            self._indexes[segment.first] = index
            if len(self._indexes) > _INDEXES:
                self._indexes.popitem(last=False)
        return index

    def _rebuild(self, segment: Segment) -> SegmentIndex:
        following = [other.first for other in self._segments() if other.first > segment.first]
        scan = scan_segment(self._disk, segment.path, self._salt, *following[:1])
        for gap in scan.gaps:
            self.damage.add(segment.name, gap)
        segment.summary = scan.index.summary
        if self._writable and scan.index.size == scan.size:
            try:
                self._disk.replace(segment.index_path, scan.index.encode(), durably=False)
            except OSError as error:
                log.warning("%s: its index could not be written: %s", segment.name, error)
        return scan.index

    def read_charge_point(self, charge_point_id: str, since_us: int, below: int, limit: int) -> list[Record]:
        """Newest first, up to `limit` records of one charge point, received at or after `since_us`, with sequence < `below`."""
        records: list[Record] = []
        for segment in reversed(self._segments()):
            if segment.first >= below or len(records) >= limit:
                continue
            try:
                for record in self._backwards(segment, charge_point_id, since_us):
                    if record.received_at_us >= since_us and record.sequence < below:
                        records.append(record)
                        if len(records) >= limit:
                            break
            except FileNotFoundError:  # retention was faster
                continue
            except OSError as error:
                raise StoreUnavailable("journal", problem(error)) from error
        return records

    def _backwards(self, segment: Segment, charge_point_id: str, since_us: int) -> Iterator[Record]:
        facts = segment.facts
        if facts is not None and facts.newest_us < since_us:
            return
        offsets = self.index(segment).of(charge_point_id)
        if not offsets:
            return
        with opened(self._disk, self._disk.open(segment.path)) as fd:
            window = Window(self._disk, fd, segment.end, chunk=_RANDOM_CHUNK)
            for offset in reversed(offsets):
                record = Walk(window, self._salt, decode_record, start=offset, last=-1, below=NO_LIMIT).here()
                if record is None:
                    self.damage.note(segment.name, offset, f"{segment.name}: the record at byte {offset} is damaged and lost")
                elif record.charge_point_id == charge_point_id:
                    yield record


def _first(segment: Segment) -> int:
    return segment.first
