"""Ports of a program apart that are behind another process: the gateway, the relay, the states of charge points.

Decided here: that a process which does not answer is a store that is unavailable. Every program waits then, says so, and tries
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chargenet.commands import Call, Command, CommandOutcome
from chargenet.errors import InvalidCall
from chargenet.model.notice import Notice
from chargenet.ports import StateChange
from chargewatch.apart.line import Line
from chargewatch.apart.wire import Asked, Ended, States
from chargewatch.api.calls import Typed


class FarGateway:
    """Implements `chargenet.ports.CommandGateway` through the collector's."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def send(self, charge_point_id: str, command: Command, *, timeout_s: float = 30.0) -> CommandOutcome:
        """Raises InvalidCall as the collector's does, and StoreUnavailable while the collector does not answer.

        A command may have left before its answer was lost on the way: whoever sends it again must bear that, as after a kill.
        """
        assert isinstance(command, Typed | Call)
        asked = Asked(charge_point_id, command, timeout_s)
        ended = await self._line.ask("/commands", Ended, body=asked, wait_s=timeout_s)
        if ended.refused is not None:
            raise InvalidCall(*ended.refused)
        assert ended.outcome is not None
        return ended.outcome


class FarNotices:
    """Implements `chargenet.ports.Notices` through the relay of another process."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def tell(self, notices: Sequence[Notice]) -> None:
        """Returns once they are durable there. Raises StoreUnavailable."""
        await self._line.ask("/notices", type(None), body=list(notices))


class FarStates:
    """Implements `chargenet.ports.States` through the collector's telemetry."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def states(
        self, charge_point: str, start: datetime, end: datetime, *, kind: str | None = None, limit: int = 1000
    ) -> list[StateChange]:
        """In time order. Raises StoreUnavailable."""
        query: dict[str, str | int] = {
            "charge_point": charge_point, "start": start.isoformat(), "end": end.isoformat(), "limit": limit,
        }  # fmt: skip
        return await self._line.ask("/states", States, query=query if kind is None else {**query, "kind": kind})
