"""All charge points' signals. Decided here: that each record counts once, and what is stored of a charge point."""

from __future__ import annotations

from alerts.signals.fold import apply
from alerts.signals.point import PointSignals, decode, encode
from chargenet.events import Fact


class SignalsOutdated(ValueError):
    """A stored state is of another version of this program: forget it, and fold the journal again."""


class NetworkSignals:
    """Facts of all charge points in, their signals out. Give each charge point's facts in journal order."""

    __slots__ = ("_changed", "points")

    def __init__(self) -> None:
        self.points: dict[str, PointSignals] = {}
        self._changed: set[str] = set()

    def apply(self, fact: Fact) -> bool:
        """Takes one fact in. False: its record is at or before the charge point's last one and changes nothing."""
        point = self.points.get(fact.charge_point_id)
        if point is None:
            point = self.points[fact.charge_point_id] = PointSignals(charge_point_id=fact.charge_point_id)
        if fact.sequence <= point.sequence:
            return False
        apply(point, fact)
        self._changed.add(fact.charge_point_id)
        return True

    def take_changed(self) -> set[str]:
        """Charge points that changed since the last call: those to store again."""
        changed, self._changed = self._changed, set()
        return changed

    def snapshot(self, charge_point_id: str) -> bytes:
        """One charge point as bytes. Raises KeyError when it is not known."""
        return encode(self.points[charge_point_id])

    def restore(self, data: bytes) -> PointSignals:
        """Takes a snapshot up again. Raises SignalsOutdated when it cannot be read by this version."""
        try:
            point = decode(data)
        except ValueError as error:
            raise SignalsOutdated(f"a stored state of alerts cannot be read: {error}") from error
        self.points[point.charge_point_id] = point
        return point

    def forget(self, charge_point_id: str) -> None:
        """A charge point that is no more."""
        self.points.pop(charge_point_id, None)
        self._changed.discard(charge_point_id)
