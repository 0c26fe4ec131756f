"""The rollups read model: fetches the states that facts touch, folds, stores the outcome with its position. Judges nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from billing_reports.rollup_fold import Fold
from billing_reports.rollup_rows import Emitted
from billing_reports.rollup_state import NetworkState, PointState
from billing_reports.rollup_store import Batch, RollupStore
from chargenet.events import Fact
from chargenet.turns import FEW, Turns

MAX_POINTS = 50_000
"""Charge points kept in memory between batches; others are loaded again."""
_encode = msgspec.msgpack.Encoder().encode
_point = msgspec.msgpack.Decoder(PointState)
_network = msgspec.msgpack.Decoder(NetworkState)


class RollupProjection:
    """A `chargenet.ports.Projection` over a `RollupStore`. One apply at a time."""

    name = "rollups"

    def __init__(self, store: RollupStore, *, max_points: int = MAX_POINTS) -> None:
        self._store, self._max_points = store, max_points
        self._points: OrderedDict[str, PointState] = OrderedDict()
        self._network = NetworkState()
        self._position: int | None = None

    async def position(self) -> int:
        """The last sequence that is already in the store."""
        self._forget()
        position = await self._store.position()
        network = (await self._store.states([""])).get("")
        self._network = NetworkState() if network is None else _network.decode(network)
        self._position = position
        return position

    async def apply(self, facts: Sequence[Fact], upto: int) -> None:
        """Fold facts of sequence > position and store what changed, with the position, in one SQL transaction."""
        after = await self.position() if self._position is None else self._position
        if upto <= after:
            return
        new = [fact for fact in facts if fact.sequence > after and fact.charge_point_id]
        emitted, saved = Emitted(), False
        try:
            await self._fetch(new)
            names = dict.fromkeys(fact.charge_point_id for fact in new)
            folds = {name: Fold(self._points[name], self._network, emitted) for name in names}
            turns = Turns()
            for start in range(0, len(new), FEW):
                for fact in new[start : start + FEW]:
                    folds[fact.charge_point_id].apply(fact)
                await turns.rest()
            await self._store.save(await self._batch(new, emitted, turns), after, upto)
            saved = True
        finally:
            if not saved:  # memory is ahead of the store, or it is not known whether it has it
                self._forget()
        self._position = upto
        while len(self._points) > self._max_points:
            self._points.popitem(last=False)

    async def reset(self) -> None:
        """Drop everything derived, position 0."""
        self._forget()
        await self._store.reset()

    async def _batch(self, facts: Sequence[Fact], emitted: Emitted, turns: Turns) -> Batch:
        states: dict[str, bytes] = {}
        names = list(dict.fromkeys(fact.charge_point_id for fact in facts))
        for start in range(0, len(names), FEW):
            states |= {name: _encode(self._points[name]) for name in names[start : start + FEW]}
            await turns.rest()
        if facts:
            states[""] = _encode(self._network)
        return Batch(states=states, dirty=emitted.dirty, spans=list(emitted.spans.values()), amounts=emitted.amounts())

    def _forget(self) -> None:
        self._points.clear()
        self._network = NetworkState()
        self._position = None

    async def _fetch(self, facts: Sequence[Fact]) -> None:
        first = {fact.charge_point_id: fact.received_at for fact in reversed(facts)}
        missing = [name for name in first if name not in self._points]
        found = await self._store.states(missing) if missing else {}
        for name in missing:
            state = found.get(name)
            self._points[name] = PointState(first_at=first[name]) if state is None else _point.decode(state)
        for name in first:
            self._points.move_to_end(name)
