"""Facts → charge points, connectors and their history. Decided here: what of a report stays as the present state, what as history.

Pure. A connection's end counts only when no newer connection was seen: the close of an old socket cannot mark anything offline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.station import ChargePointEvent, ChargePointState, ConnectorState, Upload
from chargenet.model.text import storable_text
from chargenet.stores import StationChanges

replace = msgspec.structs.replace


class Changed:
    """What one batch changed, as rows to store."""

    def __init__(self) -> None:
        self.charge_points: dict[str, ChargePointState] = {}
        self.connectors: dict[tuple[str, str], ConnectorState] = {}
        self.events: list[ChargePointEvent] = []
        self.uploads: list[Upload] = []

    def rows(self) -> StationChanges:
        """For the store."""
        return StationChanges(
            charge_points=list(self.charge_points.values()),
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
        seen = {"first_seen_at": self._first_seen_at, "last_seen_at": self._last_seen_at}
        self._station.row = row = replace(self._station.row, **seen, sequence=self._fact.sequence)
        self._changed.charge_points[row.charge_point_id] = row

    def _opened(self, index: int, event: e.ConnectionOpened) -> None:
        fact, row = self._fact, self._station.row
        detail = f"{event.remote}, security profile {event.security_profile}"
        self._note(index, "connected", fact.protocol, detail)
        if fact.generation < row.generation:
            return
        self._station.row = replace(
            row,
            connected=True,
            generation=fact.generation,
            connected_at=fact.received_at,
            remote=storable_text(event.remote),
            security_profile=event.security_profile,
            protocol=fact.protocol,
        )

    def _closed(self, index: int, event: e.ConnectionClosed) -> None:
        fact, row = self._fact, self._station.row
        how = "superseded" if event.superseded else "lost" if event.lost else "closed"
        self._note(index, "disconnected", how, f"{event.code} {event.reason}".strip())
        if fact.generation >= row.generation and not event.superseded:
            self._station.row = replace(row, connected=False, generation=fact.generation, disconnected_at=fact.received_at)

    def _booted(self, index: int, event: e.ChargePointBooted) -> None:
        fact, row = self._fact, self._station.row
        firmware = _clean(event.firmware_version)
        self._note(index, "boot", _clean(event.reason) or "unknown", firmware)
        if firmware is not None and row.firmware_version is not None and firmware != row.firmware_version:
            self._note(index, "firmware_changed", firmware, f"from {row.firmware_version}")
        self._station.row = replace(
            row,
            vendor=_clean(event.vendor) or row.vendor,
            model=_clean(event.model) or row.model,
            serial_number=_clean(event.serial_number) or row.serial_number,
            firmware_version=firmware or row.firmware_version,
            iccid=_clean(event.iccid) or row.iccid,
            imsi=_clean(event.imsi) or row.imsi,
            meter_type=_clean(event.meter_type) or row.meter_type,
            meter_serial_number=_clean(event.meter_serial_number) or row.meter_serial_number,
            booted_at=fact.received_at,
            boot_reason=_clean(event.reason),
            boots=row.boots + 1,
            protocol=fact.protocol,
        )

    def _status(self, _: int, event: e.StatusReported) -> None:
        fact, status = self._fact, str(event.status)
        if event.connector is None:
            at = fact.received_at
            self._station.row = replace(self._station.row, status=status, status_at=at, error_code=_clean(event.error_code))
            return
        label = event.connector.label
        before = self._station.connectors.get(label)
        connector = ConnectorState(
            charge_point_id=fact.charge_point_id,
            connector=label,
            evse_id=event.connector.evse_id,
            connector_id=event.connector.connector_id,
            status=status,
            raw_status=_clean(event.raw_status),
            error_code=_clean(event.error_code),
            vendor_error_code=_clean(event.vendor_error_code),
            vendor_id=_clean(event.vendor_id),
            info=_clean(event.info),
            reported_at=event.reported_at,
            received_at=fact.received_at,
            changed_at=before.changed_at if before is not None and before.status == status else fact.received_at,
            sequence=fact.sequence,
        )
        self._station.connectors[label] = connector
        self._changed.connectors[fact.charge_point_id, label] = connector

    def _firmware(self, index: int, event: e.FirmwareStatusReported) -> None:
        status, at = storable_text(event.status), self._fact.received_at
        self._note(index, "firmware_status", status, "signed" if event.signed else None, event.request_id)
        self._station.row = replace(self._station.row, firmware_status=status, firmware_status_at=at)

    def _diagnostics(self, index: int, event: e.DiagnosticsStatusReported) -> None:
        status, row = storable_text(event.status), self._station.row
        if status != row.diagnostics_status or event.request_id is not None:  # a flood of "Uploading" is one piece of news
            self._note(index, "diagnostics_status", status, None, event.request_id)
        self._station.row = replace(row, diagnostics_status=status, diagnostics_status_at=self._fact.received_at)

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
        row = self._history(index, "security", storable_text(event.type), _clean(event.info))
        self._changed.events.append(replace(row, occurred_at=event.occurred_at))

    def _note(self, index: int, kind: str, value: str, detail: str | None = None, request_id: int | None = None) -> None:
        self._changed.events.append(replace(self._history(index, kind, value, detail), request_id=request_id))

    def _history(self, index: int, kind: str, value: str, detail: str | None) -> ChargePointEvent:
        return ChargePointEvent(
            charge_point_id=self._fact.charge_point_id,
            sequence=self._fact.sequence,
            ordinal=2 * index + (kind == "firmware_changed"),
            kind=kind,
            value=value,
            detail=_clean(detail),
            received_at=self._fact.received_at,
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


def _clean(text: str | None) -> str | None:
    return None if text is None else storable_text(text)
