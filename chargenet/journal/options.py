"""What can be chosen about a journal, with the values that fit most. Names as in the `journal` section of the settings."""

from __future__ import annotations

import msgspec

_MOST_SEGMENT_BYTES = 1 << 30
_DAY_US = 86_400 * 1_000_000


class JournalOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds unless named otherwise; None keeps without limit."""

    segment_bytes: int = 64 << 20
    max_bytes: int | None = None
    retention_days: float | None = None
    free_space_floor_bytes: int = 64 << 20
    queue_limit_bytes: int = 64 << 20
    """Above this, `append` raises: the disk has not kept up although callers should long have stopped reading."""
    gather_s: float = 0.002
    """A commit of fewer than `few_records` that queued while the disk was busy waits until this long after the one before: at a few
    thousand records a second that makes one commit of five, whose price is waking a thread and the event loop."""
    few_records: int = 64
    busy_gather_s: float = 0.004
    """The same where the batch before held `busy_records`: a commit costs 0.3 ms of CPU whatever is in it, and one every 2 ms would
    be a seventh of a collector that needs all of its core."""
    busy_records: int = 8
    tick_s: float = 1.0
    """Cursors are saved, space is checked and a failed disk is tried again this often."""
    retention_interval_s: float = 60.0

    def __post_init__(self) -> None:
        if not 4096 <= self.segment_bytes <= _MOST_SEGMENT_BYTES:
            raise ValueError(f"segment_bytes is {self.segment_bytes}, expected 4096 to {_MOST_SEGMENT_BYTES}")

    @property
    def max_age_us(self) -> int | None:
        return None if self.retention_days is None else round(self.retention_days * _DAY_US)
