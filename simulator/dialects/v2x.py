"""OCPP 2.0.1 and 2.1. Decided here: a 2.1 charge point says its status by NotifyEvent, and temperatures are device events."""

from __future__ import annotations

from itertools import count
from typing import Any, Literal

from ocpp.v21 import call as call21
from ocpp.v201 import call as call201

from simulator.dialects.common import Identity, Message, iso, values
from simulator.reports import (
    Asked,
    Boot,
    Clocked,
    FirmwareStatus,
    Heartbeat,
    Inventory,
    LogStatus,
    Metered,
    Problem,
    Report,
    Sample,
    Security,
    Session,
    Started,
    Status,
    Stopped,
)
from simulator.wire import payload

_CONNECTOR_STATUS = {
    "Available": "Available",
    "Reserved": "Reserved",
    "Unavailable": "Unavailable",
    "Faulted": "Faulted",
}
"""1.6 status → 2.x; all others are Occupied."""
_STOP = {
    "HardReset": ("ImmediateReset", "ResetCommand"),
    "SoftReset": ("ImmediateReset", "ResetCommand"),
    "Remote": ("Remote", "RemoteStop"),
    "EVDisconnected": ("EVDisconnected", "EVCommunicationLost"),
    "PowerLoss": ("PowerLoss", "AbnormalCondition"),
    "EmergencyStop": ("EmergencyStop", "AbnormalCondition"),
    "DeAuthorized": ("DeAuthorized", "Deauthorized"),
    "UnlockCommand": ("Remote", "UnlockCommand"),
    "Other": ("Other", "AbnormalCondition"),
}
"""1.6 stop reason → (2.x reason, trigger); all others are (Local, StopAuthorized)."""


class Dialect2x:
    """2.0.1 or 2.1: EVSEs, transaction ids of our own, sequence numbers."""

    def __init__(self, version: Literal["ocpp2.0.1", "ocpp2.1"]) -> None:
        self._events_for_status = version == "ocpp2.1"
        self._call: Any = call21 if version == "ocpp2.1" else call201
        self._event_ids = count(1)

    def encode(self, report: Report, identity: Identity) -> Message | None:
        """(action, payload); None for what 2.x has no words for."""
        message = self._message(report, identity)
        return None if message is None else (type(message).__name__, payload(message))

    # One branch per report is the table that this class is; splitting it would hide it.
    def _message(self, report: Report, identity: Identity) -> Any:  # noqa: C901
        call = self._call
        match report:
            case Boot(reason=reason):
                return call.BootNotification(charging_station=_station(identity), reason=reason)
            case Heartbeat():
                return call.Heartbeat()
            case Asked(token=token):
                return call.Authorize(id_token=_token(token))
            case Status(plug=0):
                return self._event(report.at, "ChargingStation", 0, "AvailabilityState", _status(report))
            case Status() if self._events_for_status:
                return self._event(report.at, "Connector", report.plug, "AvailabilityState", _status(report))
            case Status():
                return call.StatusNotification(
                    timestamp=iso(report.at), connector_status=_status(report), evse_id=report.plug, connector_id=1
                )
            case Problem():
                return self._event(
                    report.at, "Connector", report.plug, "Problem", "true" if report.active else "false",
                    trigger="Alerting", tech_code=report.code, tech_info=report.text, cleared=not report.active,
                )  # fmt: skip
            case Started():
                return self._started(report)
            case Metered():
                info = _info(report.session) | {"charging_state": report.charging_state}
                return self._transaction("Updated", report, report.trigger, info)
            case Stopped():
                reason, trigger = _STOP.get(report.reason, ("Local", "StopAuthorized"))
                info = _info(report.session) | {"stopped_reason": reason, "charging_state": "EVConnected"}
                return self._transaction("Ended", report, trigger, info, id_token=_token(report.session.token))
            case Clocked(plug=plug, sample=sample):
                return call.MeterValues(evse_id=plug, meter_value=[_meter_value(sample)])
            case FirmwareStatus():
                return call.FirmwareStatusNotification(status=report.status, request_id=report.request_id)
            case LogStatus():
                return call.LogStatusNotification(status=report.status, request_id=report.request_id)
            case Security():
                return call.SecurityEventNotification(type=report.type, timestamp=iso(report.at), tech_info=report.info)
            case Inventory():
                return self._inventory(report)
        return None

    def _started(self, report: Started) -> Any:
        session = report.session
        trigger = "RemoteStart" if session.remote_start_id is not None else "Authorized"
        info = _info(session) | {"charging_state": "EVConnected", "remote_start_id": session.remote_start_id}
        evse = {"id": session.plug, "connector_id": 1}
        return self._transaction("Started", report, trigger, info, evse=evse, id_token=_token(session.token))

    def _transaction(
        self, event_type: str, report: Started | Metered | Stopped, trigger: str, info: dict[str, Any], **more: Any
    ) -> Any:
        return self._call.TransactionEvent(
            event_type=event_type,
            timestamp=iso(report.sample.at),
            trigger_reason=trigger,
            seq_no=report.seq_no,
            transaction_info=info,
            meter_value=[_meter_value(report.sample)],
            offline=True if report.offline else None,
            **{"evse": {"id": report.session.plug, "connector_id": 1}, **more},
        )

    def _event(self, at: Any, component: str, plug: int, variable: str, value: str, **more: Any) -> Any:
        data = {
            "event_id": next(self._event_ids),
            "timestamp": iso(at),
            "trigger": "Delta",
            "actual_value": value,
            "event_notification_type": "HardWiredNotification",
            "component": {"name": component, "evse": {"id": plug, "connector_id": 1} if plug else None},
            "variable": {"name": variable},
        }
        return self._call.NotifyEvent(generated_at=iso(at), seq_no=0, event_data=[data | more])

    def _inventory(self, report: Inventory) -> Any:
        rows = [
            {
                "component": {"name": component},
                "variable": {"name": variable},
                "variable_attribute": [{"type": "Actual", "value": value, "mutability": "ReadWrite"}],
                "variable_characteristics": {"data_type": "string", "supports_monitoring": False},
            }
            for component, variable, value in report.variables
        ]
        return self._call.NotifyReport(
            request_id=report.request_id, generated_at=iso(report.at), seq_no=report.seq_no, tbc=not report.last, report_data=rows
        )


def _station(identity: Identity) -> dict[str, Any]:
    return {
        "vendor_name": identity.model.vendor,
        "model": identity.model.name,
        "serial_number": identity.serial_number,
        "firmware_version": identity.firmware,
    }


def _token(token: str) -> dict[str, str]:
    return {"id_token": token, "type": "ISO14443"}


def _info(session: Session) -> dict[str, Any]:
    return {"transaction_id": session.transaction_id}


def _status(report: Status) -> str:
    return _CONNECTOR_STATUS.get(report.status, "Occupied")


def _meter_value(sample: Sample) -> dict[str, Any]:
    return {
        "timestamp": iso(sample.at),
        "sampled_value": [
            {
                "value": value.number,
                "context": sample.context,
                "measurand": value.measurand,
                "phase": value.phase,
                "location": value.location,
                "unit_of_measure": {"unit": value.unit},
            }
            for value in values(sample)
        ],
    }
