"""Boot, heartbeat, status, meter values, firmware, logs, security: what a charge point says of itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chargenet.events import (
    ChargePointBooted,
    DataTransferred,
    DiagnosticsStatusReported,
    FirmwareStatusReported,
    FrameDeviated,
    MeasurementsTaken,
    SecurityEventReported,
    StatusReported,
)
from chargenet.model.ids import ConnectorRef
from chargenet.model.words import Protocol
from collector.handlers.v201.routes import ROUTES
from tests.support.handling import FixedDesk, only, run

AT = datetime(2026, 3, 1, 11, 59, 58, tzinfo=UTC)
SAID = "2026-03-01T11:59:58Z"


def test_a_boot_says_who_it_is_and_is_told_what_was_decided() -> None:
    """Time without fraction, interval and registration in the reply; the station's description in the event."""
    station = {
        "model": "A1",
        "vendorName": "Acme",
        "serialNumber": "S-1",
        "firmwareVersion": "1.2",
        "modem": {"iccid": "89", "imsi": "26"},
    }
    handled = run(
        "BootNotification", {"chargingStation": station, "reason": "FirmwareUpdate"}, desk=FixedDesk(registration="Pending")
    )
    assert handled.reply == {"currentTime": "2026-03-01T12:00:00Z", "interval": 321, "status": "Pending"}
    assert only(handled, ChargePointBooted) == ChargePointBooted(
        vendor="Acme",
        model="A1",
        serial_number="S-1",
        firmware_version="1.2",
        registration="Pending",
        reason="FirmwareUpdate",
        iccid="89",
        imsi="26",
    )


def test_a_boot_without_description_is_a_boot() -> None:
    """Nothing is required of what a charge point says when it starts."""
    booted = only(run("BootNotification", {}, repaired=True), ChargePointBooted)
    assert (booted.vendor, booted.model, booted.firmware_version, booted.reason) == (None, None, None, None)


def test_a_heartbeat_is_answered_with_the_time_and_leaves_no_trace() -> None:
    """No event, no journal record, no fraction of a second."""
    handled = run("Heartbeat", {})
    assert (handled.reply, handled.events) == ({"currentTime": "2026-03-01T12:00:00Z"}, ())
    assert [action for action, route in ROUTES.items() if not route.journaled] == ["Heartbeat"]


@pytest.mark.parametrize(
    ("evse_id", "connector_id", "place"),
    [(1, 1, ConnectorRef(1)), (2, 3, ConnectorRef(2, 3)), (0, 0, None), (3, 0, ConnectorRef(3))],
)
def test_where_a_status_belongs(evse_id: int, connector_id: int, place: ConnectorRef | None) -> None:
    """EVSE 0 is the charge point; connector 0 of an EVSE is its first."""
    said = {"timestamp": SAID, "connectorStatus": "Occupied", "evseId": evse_id, "connectorId": connector_id}
    status = only(run("StatusNotification", said), StatusReported)
    assert (status.connector, status.status, status.raw_status, status.reported_at) == (place, "Occupied", "Occupied", AT)


def test_a_status_that_the_standard_does_not_know_is_unknown() -> None:
    """Never taken for healthy; the word itself is kept."""
    said = {"timestamp": SAID, "connectorStatus": "Sleeping", "evseId": 1, "connectorId": 1}
    status = only(run("StatusNotification", said, repaired=True), StatusReported)
    assert (status.status, status.raw_status) == ("Unknown", "Sleeping")


def test_a_status_notification_without_status_says_nothing() -> None:
    """No status is made up for it."""
    assert run("StatusNotification", {"evseId": 1}, repaired=True).events == ()


def test_a_bad_clock_is_flagged_and_the_status_kept() -> None:
    """1970 is kept as the charge point's clock and named as a deviation."""
    said = {"timestamp": "1970-01-01T00:00:00Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
    handled = run("StatusNotification", said)
    assert only(handled, StatusReported).reported_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert "timestamp" in only(handled, FrameDeviated).detail


@pytest.mark.parametrize(("evse_id", "place"), [(0, None), (2, ConnectorRef(2))])
def test_meter_values_outside_of_transactions(evse_id: int, place: ConnectorRef | None) -> None:
    """EVSE 0 is the charge point's own meter; there is no transaction in them."""
    said = {"evseId": evse_id, "meterValue": [{"timestamp": SAID, "sampledValue": [{"value": 3}]}]}
    taken = only(run("MeterValues", said), MeasurementsTaken)
    assert (taken.connector, taken.transaction_id, taken.measured_at) == (place, None, AT)
    assert [(m.measurand, m.value, m.unit) for m in taken.measurements] == [("Energy.Active.Import.Register", 3.0, "Wh")]


@pytest.mark.parametrize(
    ("protocol", "more", "info"),
    [
        (Protocol.OCPP201, {}, None),
        (Protocol.OCPP21, {"statusInfo": {"reasonCode": "InvalidURL", "additionalInfo": "404"}}, "InvalidURL: 404"),
    ],
)
def test_firmware_and_log_status(protocol: Protocol, more: dict[str, Any], info: str | None) -> None:
    """Status and request id; 2.1 can say why."""
    firmware = run("FirmwareStatusNotification", {"status": "DownloadFailed", "requestId": 4, **more}, protocol=protocol)
    assert only(firmware, FirmwareStatusReported) == FirmwareStatusReported(status="DownloadFailed", request_id=4, info=info)
    log = run("LogStatusNotification", {"status": "UploadFailure", "requestId": 5, **more}, protocol=protocol)
    assert only(log, DiagnosticsStatusReported) == DiagnosticsStatusReported(status="UploadFailure", request_id=5, info=info)


def test_an_idle_firmware_status_needs_no_request_id() -> None:
    """requestId is left out of Idle."""
    assert only(run("FirmwareStatusNotification", {"status": "Idle"}), FirmwareStatusReported).request_id is None


@pytest.mark.parametrize("action", ["FirmwareStatusNotification", "LogStatusNotification"])
def test_a_progress_without_status_says_nothing(action: str) -> None:
    """It is acknowledged and becomes no event."""
    handled = run(action, {"requestId": 3}, repaired=True)
    assert (handled.reply, handled.events) == ({}, ())


def test_security_events_are_kept() -> None:
    """Type, instant and technical information."""
    said = {"type": "TamperDetectionActivated", "timestamp": SAID, "techInfo": "lid"}
    event = only(run("SecurityEventNotification", said), SecurityEventReported)
    assert event == SecurityEventReported(type="TamperDetectionActivated", occurred_at=AT, info="lid")


@pytest.mark.parametrize(("data", "kept"), [("  raw", "  raw"), ({"a": [1]}, '{"a":[1]}'), (5, "5")])
def test_vendor_data_is_kept_as_text(data: object, kept: str) -> None:
    """We know no vendor's messages and say so; the data is kept."""
    handled = run("DataTransfer", {"vendorId": "acme", "messageId": "m", "data": data})
    assert handled.reply == {"status": "UnknownVendorId"}
    assert only(handled, DataTransferred) == DataTransferred(vendor_id="acme", message_id="m", data=kept)
