"""The telemetry projection: facts go to one telemetry store, which keeps the position with them. Decided here: nothing else.

Several telemetry stores may run at once; each has its own projection, and so its own name and cursor.
"""

from __future__ import annotations

from collections.abc import Sequence

from chargenet.events import Fact
from chargenet.ports import Telemetry


class TelemetryProjection:
    """Implements `chargenet.ports.Projection` over a `Telemetry` store; raises StoreUnavailable as the store does."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.name = telemetry.name
        self._telemetry = telemetry

    async def position(self) -> int:
        return await self._telemetry.position()

    async def apply(self, facts: Sequence[Fact], upto: int) -> None:
        await self._telemetry.write(facts, upto)

    async def reset(self) -> None:
        await self._telemetry.reset()
