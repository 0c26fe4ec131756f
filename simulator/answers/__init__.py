"""What a charge point does with a call of the server: one table per protocol, action → handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simulator import reports as r
from simulator.link import Refused
from simulator.plug import Plug

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

Reply = tuple[dict[str, Any], Callable[[], None] | None]
"""(payload of the call result, what to do once it was sent)."""
Call = dict[str, Any]
"""The payload of the server's call."""
Handler = Callable[["ChargePoint", dict[str, Any]], Reply]


def answers_for(protocol: str) -> Mapping[str, Handler]:
    """The table of a protocol."""
    from simulator.answers import v2x, v16

    return v16.ANSWERS if protocol == "ocpp1.6" else v2x.answers(protocol)


def checked(handler: Handler) -> Handler:
    """A call without what its action needs gets a call error."""

    def handle(point: ChargePoint, call: Call) -> Reply:
        try:
            return handler(point, call)
        except (KeyError, TypeError) as error:
            raise Refused("FormationViolation", f"missing or wrong: {error}") from error

    return handle


def stopper(plug: Plug, reason: str) -> Callable[[], None]:
    """Ends the plug's session."""

    def stop() -> None:
        plug.stop(reason)

    return stop


def triggers(point: ChargePoint, number: int | None) -> dict[str, Callable[[], None]]:
    """What a server can ask to be said now; `number` None: by all connectors."""
    plugs = [point.plugs[number]] if number else list(point.plugs.values())

    def statuses() -> None:
        for plug in plugs:
            plug.show(again=True)

    def readings() -> None:
        for plug in plugs:
            plug.meter_now()

    def update_status() -> None:
        status, request_id = point.updates.status
        point.say(r.FirmwareStatus(status=status, request_id=request_id))

    return {
        "BootNotification": lambda: point.say(r.Boot(reason="Triggered")),
        "Heartbeat": lambda: point.say(r.Heartbeat()),
        "StatusNotification": statuses,
        "MeterValues": readings,
        "TransactionEvent": readings,
        "FirmwareStatusNotification": update_status,
        "DiagnosticsStatusNotification": lambda: point.say(r.LogStatus(status="Idle", request_id=None)),
        "LogStatusNotification": lambda: point.say(r.LogStatus(status="Idle", request_id=0)),
    }
