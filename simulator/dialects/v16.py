"""OCPP 1.6 with the security whitepaper."""

from __future__ import annotations

from typing import Any

from ocpp.v16 import call

from simulator.dialects.common import Identity, Message, iso, values
from simulator.reports import (
    Asked,
    Boot,
    Clocked,
    FirmwareStatus,
    Heartbeat,
    LogStatus,
    Metered,
    Report,
    Sample,
    Security,
    Session,
    Started,
    Status,
    Stopped,
)
from simulator.wire import payload

UNKNOWN_TRANSACTION = -1
"""What charge points send when the server never told them an id."""


class Dialect16:
    """1.6: connectors by number, faults with the status, transaction ids from the server."""

    def encode(self, report: Report, identity: Identity) -> Message | None:
        """(action, payload); None for problems (the status says them) and base reports."""
        message = _message(report, identity)
        return None if message is None else (type(message).__name__, payload(message))


# One branch per report is the table that this module is; splitting it would hide it.
def _message(report: Report, identity: Identity) -> Any:  # noqa: C901
    match report:
        case Boot():
            return call.BootNotification(
                charge_point_vendor=identity.model.vendor,
                charge_point_model=identity.model.name,
                charge_point_serial_number=identity.serial_number,
                firmware_version=identity.firmware,
            )
        case Heartbeat():
            return call.Heartbeat()
        case Asked(token=token):
            return call.Authorize(id_tag=token)
        case Status():
            return _status(report, identity)
        case Started(session=session, sample=sample):
            return call.StartTransaction(
                connector_id=session.plug, id_tag=session.token, meter_start=round(sample.register_wh), timestamp=iso(sample.at)
            )
        case Metered(session=session, sample=sample):
            return call.MeterValues(
                connector_id=session.plug, meter_value=[_meter_value(sample)], transaction_id=_number(session)
            )
        case Clocked(plug=plug, sample=sample):
            return call.MeterValues(connector_id=plug, meter_value=[_meter_value(sample)])
        case Stopped():
            return call.StopTransaction(
                meter_stop=round(report.sample.register_wh),
                timestamp=iso(report.sample.at),
                transaction_id=_number(report.session),
                reason=report.reason,
                id_tag=report.session.token,
            )
        case FirmwareStatus(status=status, request_id=request_id, signed=True):
            return call.SignedFirmwareStatusNotification(status=status, request_id=request_id)
        case FirmwareStatus(status=status):
            return call.FirmwareStatusNotification(status=status)
        case LogStatus(status=status, request_id=None):
            return call.DiagnosticsStatusNotification(status=status)
        case LogStatus(status=status, request_id=request_id):
            return call.LogStatusNotification(status=status, request_id=request_id)
        case Security():
            return call.SecurityEventNotification(type=report.type, timestamp=iso(report.at), tech_info=report.info)
    return None


def _status(report: Status, identity: Identity) -> Any:
    return call.StatusNotification(
        connector_id=report.plug,
        error_code=report.error_code,
        status=report.status,
        timestamp=iso(report.at),
        info=report.info,
        vendor_id=identity.model.vendor if report.vendor_code else None,
        vendor_error_code=report.vendor_code,
    )


def _number(session: Session) -> int:
    return UNKNOWN_TRANSACTION if session.number is None else session.number


def _meter_value(sample: Sample) -> dict[str, Any]:
    sampled: list[dict[str, str | None]] = [
        {
            "value": f"{value.number:g}" if value.measurand == "SoC" else f"{value.number:.2f}",
            "context": sample.context,
            "format": "Raw",
            "measurand": value.measurand,
            "phase": value.phase,
            "location": value.location or "Outlet",
            "unit": value.unit,
        }
        for value in values(sample)
    ]
    if sample.temperature_c is not None:
        celsius = f"{sample.temperature_c:.1f}"
        sampled.append(
            {"value": celsius, "context": sample.context, "measurand": "Temperature", "location": "Body", "unit": "Celsius"}
        )
    return {"timestamp": iso(sample.at), "sampled_value": sampled}
