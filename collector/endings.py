"""Ends of connections that the journal has not kept yet. Decided here: when an end must be recorded again.

A connection may end while the disk is full. Its record is made again once the journal takes records, else the charge point would be
shown as connected until it comes back. One entry for each charge point; nothing is kept of an end that is durable.
"""

from __future__ import annotations

import msgspec


class End(msgspec.Struct):
    """`sequence` of its record; 0 while it has none. `note` is the record's frame."""

    charge_point_id: str
    generation: int
    protocol: str
    note: bytes
    sequence: int


class Endings:
    """Those not known to be durable, by charge point: of several, the newest connection's."""

    def __init__(self) -> None:
        self._ends: dict[str, End] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def keep(self, end: End) -> None:
        """A connection ended; its record was appended, or (sequence 0) refused."""
        earlier = self._ends.get(end.charge_point_id)
        if earlier is None or earlier.generation <= end.generation:
            self._ends[end.charge_point_id] = end

    def lost_after(self, durable: int) -> None:
        """Records above `durable` were lost before they were durable. So were connections that had begun there."""
        for end in list(self._ends.values()):
            if end.generation > durable:
                del self._ends[end.charge_point_id]
            elif end.sequence > durable:
                end.sequence = 0

    def due(self, durable: int) -> list[End]:
        """Those to record now; what is durable is forgotten."""
        for end in list(self._ends.values()):
            if 0 < end.sequence <= durable:
                del self._ends[end.charge_point_id]
        return [end for end in self._ends.values() if end.sequence == 0]
