"""An OCPP 1.6 charge point written with the PyPI `ocpp` client: everything it can say, and everything that can be asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from ocpp.exceptions import InternalError, NotSupportedError
from ocpp.v16 import call, call_result

from tests.support.peer import ask, frames, items, metrics_of, peer, request, settled
from tests.support.platform import RunningPlatform

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
URL, WHEN = "http://127.0.0.1:9/image.bin", "2026-05-04T08:00:00Z"
PLUG = {"evse_id": 1}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with RunningPlatform(tmp_path_factory.mktemp("v16") / "data") as running:
        yield running


def boot() -> Any:
    return call.BootNotification(
        charge_point_vendor="ACME", charge_point_model="Wallbox 22", firmware_version="1.0.0", charge_point_serial_number="A-1"
    )


def reading(transaction_id: int, register_wh: int, minute: int) -> Any:
    sampled = [
        {"value": str(register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh", "context": "Sample.Periodic"},
        {"value": "7.2", "measurand": "Power.Active.Import", "unit": "kW", "context": "Sample.Periodic"},
        {"value": "16", "measurand": "Current.Import", "phase": "L1", "unit": "A"},
        {"value": "41.5", "measurand": "Temperature", "location": "Outlet", "unit": "Celsius"},
    ]
    value = [{"timestamp": f"2026-05-04T08:{minute:02d}:00Z", "sampledValue": sampled}]
    return call.MeterValues(connector_id=1, transaction_id=transaction_id, meter_value=value)


async def test_it_boots_and_shows_its_status(platform: RunningPlatform) -> None:
    """The answer to the boot is Accepted, and station and connectors are shown as they were reported."""
    async with peer(platform.url, "BOOT") as point:
        booted = await point.call(boot())
        assert booted.status == "Accepted" and booted.interval > 0
        assert (await point.call(call.Heartbeat())).current_time.endswith("Z")
        for connector, status in ((0, "Available"), (1, "Available"), (2, "Unavailable"), (1, "Preparing")):
            await point.call(call.StatusNotification(connector_id=connector, error_code="NoError", status=status, timestamp=WHEN))
        await point.call(
            call.StatusNotification(
                connector_id=2, error_code="GroundFailure", status="Faulted", vendor_error_code="E-77", info="x"
            )
        )
        await settled(platform)
        _, shown = await request(platform, "GET", "/api/v1/charge-points/BOOT")
        state = shown["state"]
        assert (state["vendor"], state["model"], state["firmware_version"]) == ("ACME", "Wallbox 22", "1.0.0")
        assert (state["connected"], state["protocol"], state["boots"], state["status"]) == (True, "ocpp1.6", 1, "Available")
        first, second = await items(platform, "connectors", charge_point="BOOT")
        assert (first["connector"], first["status"]) == ("1", "Preparing")
        assert (second["status"], second["error_code"], second["vendor_error_code"]) == ("Faulted", "GroundFailure", "E-77")
        metrics = await metrics_of(platform, "BOOT")
        assert 'chargewatch_connector_error{site="",charge_point="BOOT",connector="2",error_code="GroundFailure"' in metrics
        assert 'chargewatch_charge_point_connected{site="",charge_point="BOOT"} 1' in metrics
    for _ in range(100):  # the close itself is not acknowledged to anybody: it is on its way
        await settled(platform)
        _, shown = await request(platform, "GET", "/api/v1/charge-points/BOOT")
        if not shown["state"]["connected"]:
            break
        await asyncio.sleep(0.05)
    assert shown["state"]["connected"] is False, "its close means that it is offline"


async def test_it_charges(platform: RunningPlatform) -> None:
    """A whole transaction, said as bad lines make charge points say it: what is repeated counts once."""
    async with peer(platform.url, "CHARGE") as point:
        await point.call(boot())
        assert (await point.call(call.Authorize(id_tag="TAG-1"))).id_tag_info["status"] == "Accepted"
        start = call.StartTransaction(connector_id=1, id_tag="TAG-1", meter_start=1000, timestamp="2026-05-04T08:00:00Z")
        begun = await point.call(start)
        again = await point.call(start)
        assert begun.id_tag_info["status"] == "Accepted" and begun.transaction_id > 0
        assert again.transaction_id == begun.transaction_id, "a repeated start is answered as the first"
        for minute, register_wh in ((10, 2200), (20, 3400)):
            await point.call(reading(begun.transaction_id, register_wh, minute))
        stop = call.StopTransaction(
            transaction_id=begun.transaction_id, meter_stop=4600, timestamp="2026-05-04T08:30:00Z", reason="EVDisconnected"
        )
        await point.call(stop)
        await point.call(stop)
        await settled(platform)
    (row,) = await items(platform, "transactions", charge_point="CHARGE")
    transaction = row["transaction"]
    assert (row["energy_wh"], row["duration_s"]) == (3600, 1800.0)
    assert (transaction["transaction_id"], transaction["state"]) == (str(begun.transaction_id), "stopped")
    assert (transaction["readings"], transaction["stop_reason"], transaction["flags"]) == (2, "EVDisconnected", [])
    repeated = [frame["action"] for frame in await frames(platform, "CHARGE") if "repeated" in frame["flags"]]
    assert repeated == ["StartTransaction", "StopTransaction"], "and the message log says which ones they were"
    query = {"charge_point": "CHARGE", "start": "2026-05-04T00:00:00Z", "end": "2026-05-05T00:00:00Z"}
    power = await items(platform, "telemetry/measurements", measurand="Power.Active.Import", **query)
    assert [[sample["value"] for sample in series["samples"]] for series in power] == [[7200.0, 7200.0]]
    (current,) = await items(platform, "telemetry/measurements", measurand="Current.Import", **query)
    assert current["samples"][0]["value"] == 16.0 and current["labels"]["phase"] == "L1"


async def test_it_reports_firmware_logs_security_and_vendor_data(platform: RunningPlatform) -> None:
    """Each is acknowledged and found again in the charge point's history."""
    async with peer(platform.url, "REPORTS") as point:
        await point.call(boot())
        for status in ("Downloading", "Downloaded", "Installing", "Installed"):
            await point.call(call.FirmwareStatusNotification(status=status))
        await point.call(call.SignedFirmwareStatusNotification(status="InvalidSignature", request_id=4))
        await point.call(call.DiagnosticsStatusNotification(status="UploadFailed"))
        await point.call(call.LogStatusNotification(status="Uploading", request_id=5))
        await point.call(call.SecurityEventNotification(type="TamperDetectionActivated", timestamp=WHEN, tech_info="lid"))
        transferred = await point.call(call.DataTransfer(vendor_id="com.acme", message_id="hello", data="42"))
        assert transferred.status == "UnknownVendorId", "no vendor extension is configured"
        signed = await point.call(call.SignCertificate(csr="-----BEGIN CERTIFICATE REQUEST-----"))
        assert signed.status == "Rejected"
        await settled(platform)
    history = await items(platform, "charge-points/REPORTS/history", limit=1000)
    said = {(entry["kind"], entry["value"]) for entry in history}
    assert {("firmware_status", "Installed"), ("firmware_status", "InvalidSignature")} <= said
    assert {("diagnostics_status", "UploadFailed"), ("diagnostics_status", "Uploading")} <= said
    assert ("security", "TamperDetectionActivated") in said
    kept = [frame for frame in await frames(platform, "REPORTS") if frame["action"] == "DataTransfer"]
    assert kept[0]["payload"]["data"] == "42"


COMMANDS: list[tuple[dict[str, Any], str, dict[str, Any], Any, Any]] = [
    ({"type": "Reset", "immediate": True}, "Reset", {"type": "Hard"}, {"status": "Accepted"}, {"status": "Rejected"}),
    (
        {"type": "TriggerMessage", "message": "StatusNotification", "connector": PLUG},
        "TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1},
        {"status": "Accepted"}, {"status": "NotImplemented"},
    ),
    (
        {"type": "TriggerMessage", "message": "LogStatusNotification"},
        "ExtendedTriggerMessage", {"requestedMessage": "LogStatusNotification"}, {"status": "Accepted"}, {"status": "Rejected"},
    ),
    (
        {"type": "ChangeAvailability", "operative": False, "connector": PLUG},
        "ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}, {"status": "Scheduled"}, {"status": "Rejected"},
    ),
    (
        {"type": "ChangeAvailability", "operative": True},
        "ChangeAvailability", {"connectorId": 0, "type": "Operative"}, {"status": "Accepted"}, {"status": "Rejected"},
    ),
    (
        {"type": "SetVariable", "name": "MeterValueSampleInterval", "value": "30"},
        "ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "30"},
        {"status": "RebootRequired"}, {"status": "NotSupported"},
    ),
    (
        {"type": "GetVariables", "names": ["NumberOfConnectors"]},
        "GetConfiguration", {"key": ["NumberOfConnectors"]},
        {"configuration_key": [{"key": "NumberOfConnectors", "readonly": True, "value": "2"}]},
        {"unknown_key": ["NumberOfConnectors"]},
    ),
    (
        {"type": "RemoteStart", "id_token": {"value": "TAG-1"}, "connector": PLUG},
        "RemoteStartTransaction", {"idTag": "TAG-1", "connectorId": 1}, {"status": "Accepted"}, {"status": "Rejected"},
    ),
    (
        {"type": "RemoteStop", "transaction_id": "17"},
        "RemoteStopTransaction", {"transactionId": 17}, {"status": "Accepted"}, {"status": "Rejected"},
    ),
    (
        {"type": "UnlockConnector", "connector": PLUG},
        "UnlockConnector", {"connectorId": 1}, {"status": "Unlocked"}, {"status": "UnlockFailed"},
    ),
    (
        {"type": "GetDiagnostics", "location": URL, "request_id": 3, "retries": 2},
        "GetDiagnostics", {"location": URL, "retries": 2}, {"file_name": "a.log"}, None,
    ),
    (
        {"type": "GetDiagnostics", "location": URL, "request_id": 3, "log_type": "SecurityLog"},
        "GetLog", {"logType": "SecurityLog", "requestId": 3, "log": {"remoteLocation": URL}},
        {"status": "Accepted", "filename": "s.log"}, {"status": "Rejected"},
    ),
    (
        {"type": "UpdateFirmware", "location": URL, "request_id": 8, "retrieve_at": WHEN, "retry_interval_s": 60},
        "UpdateFirmware", {"location": URL, "retrieveDate": WHEN, "retryInterval": 60}, {}, None,
    ),
    (
        {
            "type": "UpdateFirmware", "location": URL, "request_id": 8, "retrieve_at": WHEN,
            "signature": "c2ln", "signing_certificate": CERTIFICATE,
        },
        "SignedUpdateFirmware",
        {
            "requestId": 8,
            "firmware": {"location": URL, "retrieveDateTime": WHEN, "signingCertificate": CERTIFICATE, "signature": "c2ln"},
        },
        {"status": "Accepted"}, {"status": "InvalidCertificate"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "action", "wire", "yes", "no"), COMMANDS, ids=[f"{command['type']}-{action}" for command, action, *_ in COMMANDS]
)
async def test_a_typed_command_is_sent_and_its_answer_read(
    platform: RunningPlatform, command: dict[str, Any], action: str, wire: dict[str, Any], yes: Any, no: Any
) -> None:
    """The call as 1.6 wants it; consent, refusal and a call error are three different outcomes."""
    async with peer(platform.url, "ASKED") as point:
        await point.call(boot())
        make = getattr(call_result, action)
        point.results[action] = make(**yes)
        status, outcome = await ask(platform, "ASKED", command)
        assert (status, outcome["status"], outcome["action"]) == (200, "accepted", action), outcome
        assert point.asked == [(action, wire)]
        if no is not None:
            point.results[action] = make(**no)
            status, outcome = await ask(platform, "ASKED", command)
            assert (status, outcome["status"]) == (200, "rejected"), outcome
            assert outcome["detail"], "a refusal says why"
        point.results[action] = NotSupportedError("not on this model")
        status, outcome = await ask(platform, "ASKED", command)
        assert (status, outcome["status"], outcome["error_code"]) == (200, "error", "NotSupported")
        assert outcome["detail"] == "not on this model"


RAW: list[tuple[str, dict[str, Any], Any]] = [
    ("ClearCache", {}, call_result.ClearCache(status="Accepted")),
    ("GetLocalListVersion", {}, call_result.GetLocalListVersion(list_version=7)),
    ("DataTransfer", {"vendorId": "com.acme", "data": "x"}, call_result.DataTransfer(status="Accepted", data="y")),
    (
        "ReserveNow",
        {"connectorId": 1, "expiryDate": WHEN, "idTag": "T", "reservationId": 3},
        call_result.ReserveNow(status="Accepted"),
    ),
    ("CancelReservation", {"reservationId": 3}, call_result.CancelReservation(status="Accepted")),
    ("SendLocalList", {"listVersion": 1, "updateType": "Full"}, call_result.SendLocalList(status="Accepted")),
    ("ClearChargingProfile", {}, call_result.ClearChargingProfile(status="Accepted")),
    ("GetCompositeSchedule", {"connectorId": 1, "duration": 60}, call_result.GetCompositeSchedule(status="Accepted")),
    ("Reset", {"type": "Soft"}, call_result.Reset(status="Accepted")),
    ("CertificateSigned", {"certificateChain": CERTIFICATE}, call_result.CertificateSigned(status="Accepted")),
    (
        "GetInstalledCertificateIds",
        {"certificateType": "CentralSystemRootCertificate"},
        call_result.GetInstalledCertificateIds(status="NotFound"),
    ),
]


@pytest.mark.parametrize(("action", "payload", "result"), RAW, ids=[action for action, *_ in RAW])
async def test_any_action_can_be_called_by_its_name(
    platform: RunningPlatform, action: str, payload: dict[str, Any], result: Any
) -> None:
    """The payload goes out as given, and the charge point's whole answer comes back."""
    async with peer(platform.url, "RAW") as point:
        point.results[action] = result
        status, outcome = await ask(platform, "RAW", (action, payload))
        assert (status, outcome["status"]) == (200, "accepted"), outcome
        assert point.asked == [(action, payload)]


@pytest.mark.parametrize(
    ("action", "payload", "word"),
    [
        ("Reset", {"type": "Warm"}, "Warm"),
        ("Reset", {}, "type"),
        ("Heartbeat", {}, "charge point"),
        ("RequestStartTransaction", {}, "OCPP 1.6"),
        ("Rest", {}, "Reset"),
    ],
)
async def test_what_1_6_cannot_say_never_leaves(platform: RunningPlatform, action: str, payload: dict[str, Any], word: str) -> None:
    """422 with the reason; the charge point hears nothing."""
    async with peer(platform.url, "WRONG") as point:
        status, outcome = await ask(platform, "WRONG", (action, payload))
        assert (status, outcome["status"]) == (422, "error")
        assert word in outcome["detail"]
        assert point.asked == []


async def test_an_error_that_its_handler_made_is_an_outcome(platform: RunningPlatform) -> None:
    """InternalError of the charge point: told with its code, and kept in the message log."""
    async with peer(platform.url, "CLUMSY") as point:
        point.results["Reset"] = InternalError("relay stuck")
        _, outcome = await ask(platform, "CLUMSY", ("Reset", {"type": "Hard"}))
        assert (outcome["status"], outcome["error_code"]) == ("error", "InternalError")
    (result,) = [frame for frame in await frames(platform, "CLUMSY") if frame["kind"] == "result"]
    assert result["payload"]["error"] == "InternalError" and result["reply"]["status"] == "error"
