"""When each charge point was last heard, for whoever judges silence: heartbeats leave no record, only this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from chargenet.observe.fleet import FleetMetrics


class LastFrames(Mapping[str, datetime]):
    """Charge point → its last frame by our clock; those not heard since the start are missing."""

    def __init__(self, fleet: FleetMetrics) -> None:
        self._fleet = fleet

    def __getitem__(self, charge_point_id: str) -> datetime:
        at = self._fleet.last_frame_at(charge_point_id)
        if at is None:
            raise KeyError(charge_point_id)
        return datetime.fromtimestamp(at, UTC)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._fleet.known() if self._fleet.last_frame_at(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)
