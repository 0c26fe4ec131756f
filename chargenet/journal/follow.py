"""Reading a journal that another process may be writing. Decided here: nothing is ever changed, locked or cut.

What another process has written but not yet forced to disk may already be visible: good enough for looking, not for acknowledging.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from chargenet.errors import JournalUnavailable, StoreUnavailable
from chargenet.journal.damage import DamageReport
from chargenet.journal.disk import Disk, opened, problem
from chargenet.journal.format import Outline, decode_outline
from chargenet.journal.reader import SegmentReader
from chargenet.journal.recovery import Found, find
from chargenet.journal.segment import NO_LIMIT, Segment, segment_paths
from chargenet.journal.walk import Walk, Window
from chargenet.model.record import NO_DECISION, Decision, Record
from chargenet.model.words import RecordKind

_READING_ONLY = "it is open for reading only"


class FollowedSegments:
    """The segments of a folder, looked at again by `refresh`."""

    def __init__(self, disk: Disk, directory: Path, damage: DamageReport) -> None:
        self._disk, self._directory, self._damage = disk, directory, damage
        self._lock = threading.Lock()
        self._paths: list[Path] = []
        self._found = self._find()
        if self._found.salt is None:
            raise JournalUnavailable(f"there is no journal in {directory}")
        self.salt = self._found.salt

    def _find(self) -> Found:
        while True:
            self._paths = segment_paths(self._directory)
            try:
                found = find(self._disk, self._directory)
                break
            except FileNotFoundError:  # retention removed a segment meanwhile
                continue
        for segment, gap in found.gaps:
            self._damage.add(segment.name, gap)
        return found

    @property
    def found(self) -> Found:
        """As of the last refresh."""
        return self._found

    def segments(self) -> list[Segment]:
        """As of the last refresh, oldest first."""
        return self._found.segments

    def refresh(self) -> None:
        """See what was appended, begun or removed since."""
        with self._lock:
            if segment_paths(self._directory) != self._paths:
                self._found = self._find()
            elif self._found.segments:
                self._extend(self._found.segments[-1])

    def _extend(self, newest: Segment) -> None:
        index = newest.index
        assert index is not None  # the newest one is always indexed in memory
        with opened(self._disk, self._disk.open(newest.path)) as fd:
            size = self._disk.size(fd)
            if size <= newest.end:
                return
            walk: Walk[Outline] = Walk(
                Window(self._disk, fd, size), self.salt, decode_outline, start=newest.end, last=index.last, below=NO_LIMIT
            )
            for offset, outline in walk:
                index.add(offset, walk.stop - offset, outline)
        newest.end = index.size
        self._found.transaction_id = max(self._found.transaction_id, index.transaction_id)


class FollowedJournal:
    """`chargenet.ports.Journal` for looking only. Each read first looks for what was appended meanwhile."""

    def __init__(self, disk: Disk, path: Path) -> None:
        damage = DamageReport()
        try:
            self._followed = FollowedSegments(disk, path, damage)
        except OSError as error:
            raise JournalUnavailable(problem(error)) from error
        self._reader = SegmentReader(disk, self._followed.salt, self._followed.segments, damage, writable=False)

    def append(
        self,
        *,
        received_at_us: int,
        charge_point_id: str,
        generation: int,
        protocol: str,
        kind: RecordKind,
        frame: bytes,
        reply: bytes = b"",
        decision: Decision = NO_DECISION,
    ) -> int:
        raise JournalUnavailable(_READING_ONLY)

    def on_durable(self, listener: Callable[[int], None]) -> None:
        """Never called: this process writes nothing."""

    def on_failure(self, listener: Callable[[Exception], None]) -> None:
        """Never called: this process writes nothing."""

    @property
    def durable_sequence(self) -> int:
        """The last record that was readable at the latest look."""
        return self._followed.found.last

    @property
    def first_sequence(self) -> int:
        segments = self._followed.segments()
        return segments[0].first if segments else self.durable_sequence + 1

    @property
    def last_transaction_id(self) -> int:
        return self._followed.found.transaction_id

    @property
    def pending(self) -> int:
        return 0

    @property
    def healthy(self) -> bool:
        return False

    def read(self, after: int, limit: int = 1000) -> list[Record]:
        self._refresh()
        return self._reader.read(after, limit, self.durable_sequence)

    def read_charge_point(
        self, charge_point_id: str, *, since_us: int = 0, before: int | None = None, limit: int = 100
    ) -> list[Record]:
        self._refresh()
        below = self.durable_sequence + 1 if before is None else min(before, self.durable_sequence + 1)
        return self._reader.read_charge_point(charge_point_id, since_us, below, limit)

    def _refresh(self) -> None:
        try:
            self._followed.refresh()
        except OSError as error:
            raise StoreUnavailable("journal", problem(error)) from error

    def damage(self) -> list[str]:
        return self._reader.damage.sentences()

    def cursor(self, name: str) -> int:
        """As last saved by the writing process."""
        state = self._followed.found.state
        return state.cursors.get(name, 0) if state is not None else 0

    def set_cursor(self, name: str, sequence: int) -> None:
        raise JournalUnavailable(_READING_ONLY)

    def drop_cursor(self, name: str) -> None:
        raise JournalUnavailable(_READING_ONLY)

    def close(self) -> None:
        """Nothing is held open between reads."""
