"""BootNotification, OCPP 1.6 §4.2: who it is, which firmware runs, and whether it may work."""

from __future__ import annotations

from typing import Any

from chargenet.events import ChargePointBooted
from chargenet.model.record import Decision
from chargenet.model.words import Registration
from collector.context import Context, Desk, Handled
from collector.handlers.instants import wire
from collector.handlers.v16.blanks import said

_RETRY_S = 300


def decide(call: Any, context: Context, desk: Desk) -> Decision:
    """Ask whether this charge point may work, and how often it shall beat."""
    registration, interval_s = desk.registration(context.charge_point_id)
    return Decision(registration=registration, interval_s=interval_s)


def handle(call: Any, context: Context) -> Handled:
    """Answer what was decided; a registration that nobody decided is Rejected."""
    registration = str(context.decision.registration or Registration.REJECTED)
    interval_s = context.decision.interval_s
    reply = {
        "status": registration,
        "currentTime": wire(context.received_at),
        "interval": _RETRY_S if interval_s is None else interval_s,
    }
    booted = ChargePointBooted(
        vendor=said(call.chargePointVendor),
        model=said(call.chargePointModel),
        serial_number=said(call.chargePointSerialNumber) or said(call.chargeBoxSerialNumber),
        firmware_version=said(call.firmwareVersion),
        registration=registration,
        iccid=said(call.iccid),
        imsi=said(call.imsi),
        meter_type=said(call.meterType),
        meter_serial_number=said(call.meterSerialNumber),
    )
    return Handled(reply, (booted,))
