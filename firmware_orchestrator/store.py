"""The port of the store of rollouts. Adapters are in storage/; one contract suite for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chargenet.stores import Page
from firmware_orchestrator.rows import Change, DeviceUpdate, Entry, Rollout, Told


class RolloutStore(Protocol):
    """Rollouts, their device updates, their history, the evidence so far, and the position in the journal that all of it rests on.

    Every method raises StoreUnavailable when the database does not answer in time.
    """

    async def create(self, rollout: Rollout, updates: Sequence[DeviceUpdate], entries: Sequence[Entry] = ()) -> None:
        """Raises Conflict when the id exists."""

    async def rollout(self, rollout_id: str) -> Rollout:
        """Raises NotFound."""

    async def rollouts(self, *, state: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[Rollout]:
        """Newest first."""

    async def active(self) -> list[Rollout]:
        """Those that have begun and have not ended, or have updates under way or closed connectors; oldest first."""

    async def updates(self, rollout_id: str) -> list[DeviceUpdate]:
        """All of a rollout, by wave and charge point."""

    async def engaged(self, charge_point_ids: Sequence[str]) -> dict[str, str]:
        """Charge points that a rollout has, and which one: one rollout at a time for each.

        One that has begun and not ended has those that it will update, and those that it learns from: updated ones and its holdout.
        One that has ended has those whose order is still under way.
        """

    async def change(self, change: Change) -> None:
        """All of it in one transaction. Raises Conflict, changing nothing, when a revision, guard or position is not as read."""

    async def position(self) -> int:
        """Facts up to here are in the rows; 0 at first."""

    async def evidence(self, rollout_id: str) -> bytes | None:
        """The state of the evidence of a rollout, None before there was any."""

    async def history(self, rollout_id: str, *, cursor: str | None = None, limit: int = 100) -> Page[Entry]:
        """Newest first. Raises NotFound."""

    async def untold(self, limit: int = 100) -> list[Told]:
        """Notices that wait for the relay, oldest first."""

    async def told(self, numbers: Sequence[int]) -> None:
        """The relay has them."""
