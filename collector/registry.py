"""Who is connected now. Decided here: the newest socket wins, and only the newest one's close means that a charge point left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Registered(Protocol):
    """What the registry needs of a connection."""

    charge_point_id: str
    generation: int

    def supersede(self) -> None:
        """A newer connection of the same charge point took over: let go without marking it offline."""


C = TypeVar("C", bound=Registered)


class Registry(Generic[C]):
    """The present connection of each charge point."""

    def __init__(self) -> None:
        self._connections: dict[str, C] = {}

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[C]:
        return iter(list(self._connections.values()))

    def get(self, charge_point_id: str) -> C | None:
        """Its present connection, None when it is not connected."""
        return self._connections.get(charge_point_id)

    def enter(self, connection: C) -> None:
        """`connection` is now the one; an earlier one is superseded (charge points open a second socket and forget the first)."""
        earlier = self._connections.get(connection.charge_point_id)
        self._connections[connection.charge_point_id] = connection
        if earlier is not None:
            earlier.supersede()

    def leave(self, connection: C) -> bool:
        """True when this was the present connection, which means that the charge point is now offline."""
        if self._connections.get(connection.charge_point_id) is not connection:
            return False
        del self._connections[connection.charge_point_id]
        return True
