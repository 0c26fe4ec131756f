"""BootNotification, OCPP 2.0.1 use cases B01 to B03."""

from __future__ import annotations

from typing import Any

from chargenet.events import ChargePointBooted
from chargenet.model.record import Decision
from chargenet.model.words import Registration
from collector.context import Context, Desk, Handled
from collector.handlers.instants import wire

_RETRY_S = 300


def decide(call: Any, context: Context, desk: Desk) -> Decision:
    """Ask whether this charge point may work, and how often it shall report."""
    registration, interval_s = desk.registration(context.charge_point_id)
    return Decision(registration=registration, interval_s=interval_s)


def handle(call: Any, context: Context) -> Handled:
    """Answer what was decided; a registration that nobody decided is Rejected."""
    registration = str(context.decision.registration or Registration.REJECTED)
    interval_s = context.decision.interval_s
    reply = {
        "currentTime": wire(context.received_at),
        "interval": _RETRY_S if interval_s is None else interval_s,
        "status": registration,
    }
    station = call.chargingStation
    modem = None if station is None else station.modem
    booted = ChargePointBooted(
        vendor=None if station is None else station.vendorName,
        model=None if station is None else station.model,
        serial_number=None if station is None else station.serialNumber,
        firmware_version=None if station is None else station.firmwareVersion,
        registration=registration,
        reason=call.reason,
        iccid=None if modem is None else modem.iccid,
        imsi=None if modem is None else modem.imsi,
    )
    return Handled(reply, (booted,))
