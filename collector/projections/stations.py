"""The stations read model: fetches the rows that facts touch, folds, stores the outcome with its position. Judges nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from chargenet.events import Fact
from chargenet.stores import StationModel
from chargenet.turns import FEW, Turns
from collector.projections.station_fold import Changed, Fold, Station

MAX_STATIONS = 50_000
"""Charge points kept in memory between batches; others are loaded again."""


class StationsProjection:
    """A `chargenet.ports.Projection` over a `StationModel`. One apply at a time."""

    name = "stations"

    def __init__(self, store: StationModel, *, max_stations: int = MAX_STATIONS) -> None:
        self._store, self._max_stations = store, max_stations
        self._stations: OrderedDict[str, Station] = OrderedDict()
        self._position: int | None = None

    async def position(self) -> int:
        """The last sequence that is already in the store."""
        self._forget()
        self._position = await self._store.position()
        return self._position

    async def apply(self, facts: Sequence[Fact], upto: int) -> None:
        """Fold facts of sequence > position and store what changed, with the position, in one SQL transaction."""
        after = await self.position() if self._position is None else self._position
        if upto <= after:
            return
        new = [fact for fact in facts if fact.sequence > after and fact.charge_point_id]
        touched = dict.fromkeys(fact.charge_point_id for fact in new)
        changed = Changed()
        saved = False
        try:
            await self._fetch(set(touched))
            folds = {charge_point_id: Fold(self._stations[charge_point_id], changed) for charge_point_id in touched}
            turns = Turns()
            for start in range(0, len(new), FEW):
                for fact in new[start : start + FEW]:
                    folds[fact.charge_point_id].apply(fact)
                await turns.rest()
            for at, fold in enumerate(folds.values(), 1):
                fold.finish()
                if not at % FEW:
                    await turns.rest()
            await self._store.save(changed.rows(), after, upto)
            saved = True
        finally:
            if not saved:  # memory is ahead of the store, or it is not known whether it has it
                self._forget()
        self._position = upto
        for charge_point_id in touched:
            self._stations.move_to_end(charge_point_id)
        while len(self._stations) > self._max_stations:
            self._stations.popitem(last=False)

    async def reset(self) -> None:
        """Drop everything derived, position 0."""
        self._forget()
        await self._store.reset()

    def _forget(self) -> None:
        self._stations.clear()
        self._position = None

    async def _fetch(self, charge_point_ids: set[str]) -> None:
        missing = charge_point_ids - self._stations.keys()
        if not missing:
            return
        charge_points, connectors = await self._store.load(sorted(missing))
        self._stations |= {charge_point_id: Station(charge_point_id) for charge_point_id in sorted(missing)}
        for row in charge_points:
            self._stations[row.charge_point_id].row = row
        for connector in connectors:
            self._stations[connector.charge_point_id].connectors[connector.connector] = connector
