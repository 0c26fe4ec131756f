"""NotifyEvent, OCPP 2.0.1 use case N07.

Decided here: AvailabilityState is a status as well, because 2.1 charge points report it so and no longer by StatusNotification.
A connector's own state counts before that of its EVSE, which is about all plugs together: where one call has both, the EVSE's
gives no status. Problems, faults and alerts stay device events, with their severity and technical code.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chargenet.events import DeviceEventReported, Event, FrameDeviated, StatusReported
from chargenet.model.ids import connector
from collector.context import Context, Handled
from collector.handlers.instants import instant
from collector.handlers.v201.statuses import status_reported

_STATUS_COMPONENTS = frozenset({"connector", "evse", "chargingstation"})


def handle(call: Any, context: Context) -> Handled:
    """One event per eventData, and a status where there is one in it."""
    events: list[Event] = []
    deviations: list[FrameDeviated] = []
    said = [data for data in call.eventData or () if data.component is not None and data.variable is not None]
    by_connector = {_evse_id(data) for data in said if _is_status(data) and _folded(data.component.name) == "connector"}
    for at, data in enumerate(said):
        occurred_at = instant(data.timestamp, f"eventData[{at}].timestamp", deviations)
        events.append(_device_event(data, occurred_at))
        if _is_status(data) and not (_folded(data.component.name) == "evse" and _evse_id(data) in by_connector):
            events.append(_status(data, occurred_at))
    return Handled({}, (*events, *deviations))


def _device_event(data: Any, occurred_at: datetime | None) -> DeviceEventReported:
    component, evse = data.component, data.component.evse
    return DeviceEventReported(
        component=component.name or "",
        variable=data.variable.name or "",
        actual_value=data.actualValue or "",
        trigger=data.trigger or "",
        connector=None if evse is None else connector(evse.id, evse.connectorId),
        instance=component.instance or data.variable.instance,
        severity=getattr(data, "severity", None),  # 2.1 only
        cleared=data.cleared,
        tech_code=data.techCode,
        tech_info=data.techInfo,
        occurred_at=occurred_at,
        event_id=data.eventId,
    )


def _status(data: Any, occurred_at: datetime | None) -> StatusReported:
    evse = data.component.evse
    place = None if evse is None or _folded(data.component.name) == "chargingstation" else connector(evse.id, evse.connectorId)
    return status_reported(place, data.actualValue, occurred_at, data.techCode, data.techInfo)


def _is_status(data: Any) -> bool:
    return _folded(data.variable.name) == "availabilitystate" and _folded(data.component.name) in _STATUS_COMPONENTS


def _evse_id(data: Any) -> int | None:
    evse_id: int | None = None if data.component.evse is None else data.component.evse.id
    return evse_id


def _folded(name: str | None) -> str:
    """Component and variable names are compared without regard to case (2.0.1 part 2, identifierString)."""
    return (name or "").casefold()
