"""Facts → charge points, connectors and their history. Decided here: what of a report stays as the present state, what as history.

Pure. A connection's end counts only when no newer connection was seen: the close of an old socket cannot mark anything offline.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.station import ChargePointEvent, ChargePointState, ConnectorState, Upload
from chargenet.model.text import storable_text
from chargenet.stores import StationChanges

replace = msgspec.structs.replace
_IDENTITY = ("vendor", "model", "serial_number", "firmware_version", "iccid", "imsi", "meter_type", "meter_serial_number")
"""What a boot says of the charge point; what it leaves out stays as it was."""


class Changed:
    """What one batch changed, as rows to store."""

    def __init__(self) -> None:
        self.charge_points: dict[str, ChargePointState] = {}
        self.fields: dict[str, tuple[str, ...]] = {}
        """Of the rows that were there before: which fields changed."""
        self.connectors: dict[tuple[str, str], ConnectorState] = {}
        self.events: list[ChargePointEvent] = []
        self.uploads: list[Upload] = []

    def rows(self) -> StationChanges:
        """For the store."""
        return StationChanges(
            charge_points=list(self.charge_points.values()),
            changed=self.fields,
            connectors=list(self.connectors.values()),
            events=self.events,
            uploads=self.uploads,
        )


class Station:
    """One charge point as known: its row, and those of its connectors by label."""

    __slots__ = ("connectors", "row")

    def __init__(self, charge_point_id: str) -> None:
        self.row = ChargePointState(charge_point_id=charge_point_id)
        self.connectors: dict[str, ConnectorState] = {}


class Fold:
    """Applies facts of one charge point to it, noting what changed."""

    def __init__(self, station: Station, changed: Changed) -> None:
        self._station, self._changed = station, changed
        self._fact: Fact
        self._new: dict[str, Any] = {}
        self._plugs: dict[str, tuple[Fact, e.StatusReported, datetime | None]] = {}
        """By connector: its last status in this batch, where it was told, and since when it holds."""
        self._first_seen_at, self._last_seen_at = station.row.first_seen_at, station.row.last_seen_at

    def apply(self, fact: Fact) -> None:
        """One fact. The row is whole after `finish`: most facts only say that the charge point is there."""
        self._fact = fact
        if self._first_seen_at is None:
            self._first_seen_at = fact.received_at
        if self._last_seen_at is None or fact.received_at > self._last_seen_at:
            self._last_seen_at = fact.received_at
        for index, event in enumerate(fact.events):
            handler = _HANDLERS.get(type(event))
            if handler is not None:
                handler(self, index, event)

    def finish(self) -> None:
        """After the last fact of a batch; there was at least one."""
        station, new = self._station, self._new
        before = station.row
        new["last_seen_at"], new["sequence"] = self._last_seen_at, self._fact.sequence
        if before.first_seen_at is None:
            new["first_seen_at"] = self._first_seen_at
        else:
            self._changed.fields[before.charge_point_id] = tuple(sorted(new))
        for label, (fact, event, changed_at) in self._plugs.items():
            connector = _connector(fact, event, label, changed_at)
            station.connectors[label] = self._changed.connectors[fact.charge_point_id, label] = connector
        station.row = self._changed.charge_points[before.charge_point_id] = replace(before, **new)

    def _now(self, field: str) -> Any:
        """What the row says by now."""
        return self._new[field] if field in self._new else getattr(self._station.row, field)

    def _opened(self, index: int, event: e.ConnectionOpened) -> None:
        fact = self._fact
        self._note(index, "connected", fact.protocol, f"{event.remote}, security profile {event.security_profile}")
        if fact.generation < self._now("generation"):
            return
        self._new |= {
            "connected": True,
            "generation": fact.generation,
            "connected_at": fact.received_at,
            "remote": storable_text(event.remote),
            "security_profile": event.security_profile,
            "protocol": fact.protocol,
        }

    def _closed(self, index: int, event: e.ConnectionClosed) -> None:
        fact = self._fact
        how = "superseded" if event.superseded else "lost" if event.lost else "closed"
        self._note(index, "disconnected", how, f"{event.code} {event.reason}".strip())
        if fact.generation >= self._now("generation") and not event.superseded:
            self._new |= {"connected": False, "generation": fact.generation, "disconnected_at": fact.received_at}

    def _booted(self, index: int, event: e.ChargePointBooted) -> None:
        fact, known = self._fact, self._now("firmware_version")
        firmware, reason = _clean(event.firmware_version), _clean(event.reason)
        self._note(index, "boot", reason or "unknown", firmware)
        if firmware is not None and known is not None and firmware != known:
            self._note(index, "firmware_changed", firmware, f"from {known}")
        told = {name: _clean(getattr(event, name)) for name in _IDENTITY}
        self._new |= {name: text for name, text in told.items() if text}
        self._new |= {
            "booted_at": fact.received_at,
            "boot_reason": reason,
            "boots": self._now("boots") + 1,
            "protocol": fact.protocol,
        }

    def _status(self, _: int, event: e.StatusReported) -> None:
        fact, status = self._fact, str(event.status)
        if event.connector is None:
            self._new |= {"status": status, "status_at": fact.received_at, "error_code": _clean(event.error_code)}
            return
        label = event.connector.label
        changed_at: datetime | None = fact.received_at
        plug = self._plugs.get(label)
        if plug is not None:
            if plug[1].status == status:
                changed_at = plug[2]
        elif (before := self._station.connectors.get(label)) is not None and before.status == status:
            changed_at = before.changed_at
        self._plugs[label] = (fact, event, changed_at)

    def _firmware(self, index: int, event: e.FirmwareStatusReported) -> None:
        status, at = storable_text(event.status), self._fact.received_at
        self._note(index, "firmware_status", status, "signed" if event.signed else None, event.request_id)
        self._new |= {"firmware_status": status, "firmware_status_at": at}

    def _diagnostics(self, index: int, event: e.DiagnosticsStatusReported) -> None:
        status = storable_text(event.status)
        if status != self._now("diagnostics_status") or event.request_id is not None:  # a flood of "Uploading" is one piece of news
            self._note(index, "diagnostics_status", status, None, event.request_id)
        self._new |= {"diagnostics_status": status, "diagnostics_status_at": self._fact.received_at}

    def _uploaded(self, _: int, event: e.DiagnosticsUploaded) -> None:
        upload = Upload(
            file_id=storable_text(event.file_id),
            charge_point_id=self._fact.charge_point_id,
            name=storable_text(event.name),
            size_bytes=event.size_bytes,
            sha256=event.sha256,
            request_id=event.request_id,
            received_at=self._fact.received_at,
            sequence=self._fact.sequence,
        )
        self._changed.uploads.append(upload)

    def _security(self, index: int, event: e.SecurityEventReported) -> None:
        self._note(index, "security", storable_text(event.type), event.info, occurred_at=event.occurred_at)

    def _note(
        self,
        index: int,
        kind: str,
        value: str,
        detail: str | None = None,
        request_id: int | None = None,
        occurred_at: datetime | None = None,
    ) -> None:
        self._changed.events.append(
            ChargePointEvent(
                charge_point_id=self._fact.charge_point_id,
                sequence=self._fact.sequence,
                ordinal=2 * index + (kind == "firmware_changed"),
                kind=kind,
                value=value,
                detail=_clean(detail),
                request_id=request_id,
                occurred_at=occurred_at,
                received_at=self._fact.received_at,
            )
        )


_HANDLERS: dict[type[e.Event], Callable[[Fold, int, Any], None]] = {
    e.ConnectionOpened: Fold._opened,
    e.ConnectionClosed: Fold._closed,
    e.ChargePointBooted: Fold._booted,
    e.StatusReported: Fold._status,
    e.FirmwareStatusReported: Fold._firmware,
    e.DiagnosticsStatusReported: Fold._diagnostics,
    e.DiagnosticsUploaded: Fold._uploaded,
    e.SecurityEventReported: Fold._security,
}


def _connector(fact: Fact, event: e.StatusReported, label: str, changed_at: datetime | None) -> ConnectorState:
    assert event.connector is not None
    return ConnectorState(
        charge_point_id=fact.charge_point_id,
        connector=label,
        evse_id=event.connector.evse_id,
        connector_id=event.connector.connector_id,
        status=str(event.status),
        raw_status=_clean(event.raw_status),
        error_code=_clean(event.error_code),
        vendor_error_code=_clean(event.vendor_error_code),
        vendor_id=_clean(event.vendor_id),
        info=_clean(event.info),
        reported_at=event.reported_at,
        received_at=fact.received_at,
        changed_at=changed_at,
        sequence=fact.sequence,
    )


def _clean(text: str | None) -> str | None:
    return None if text is None else storable_text(text)
