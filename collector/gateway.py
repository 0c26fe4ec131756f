"""Commands to charge points. Decided here: nothing but the way: translate, check against the schema, find the connection, send."""

from __future__ import annotations

from chargenet.commands import Command, CommandOutcome
from chargenet.model.words import OutcomeStatus, Protocol
from collector.commands import translate
from collector.connection import Connection
from collector.ocpp.schemas import validate_call
from collector.registry import Registry


class Gateway:
    """Implements `chargenet.ports.CommandGateway`."""

    def __init__(self, registry: Registry[Connection]) -> None:
        self._registry = registry

    async def send(self, charge_point_id: str, command: Command, *, timeout_s: float = 30.0) -> CommandOutcome:
        """Raises InvalidCall when the charge point's version cannot say it or the payload breaks its schema."""
        connection = self._registry.get(charge_point_id)
        if connection is None:
            name = getattr(command, "action", type(command).__name__)
            return CommandOutcome(status=OutcomeStatus.NOT_CONNECTED, action=name, detail="the charge point is not connected")
        protocol = Protocol(connection.protocol)
        action, payload = translate(command, protocol)
        validate_call(protocol, action, payload)
        return await connection.outbound.call(action, payload, timeout_s)
