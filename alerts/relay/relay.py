"""What a person should hear goes in here, and comes out once. Decided here: how the relay's parts are joined."""

from __future__ import annotations

from collections.abc import Sequence

from chargenet.model.notice import Notice


class Relay:
    """Implements `chargenet.ports.Notices` and `chargenet.ports.Program`. Made by `alerts.relay.opening.open_relay`."""

    name = "alert relay"

    async def tell(self, notices: Sequence[Notice]) -> None:
        """See `ports.Notices`: returns once they are durable. Raises StoreUnavailable."""
        raise NotImplementedError

    async def intake_alertmanager(self, body: bytes) -> int:
        """One webhook call of Alertmanager; how many alerts were taken, once they are durable.

        Raises StoreUnavailable, or BadPayload when it is no webhook payload of version 4.
        """
        raise NotImplementedError

    async def run(self) -> None:
        """Group, deliver and watch until cancelled."""
        raise NotImplementedError
