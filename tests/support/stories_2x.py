"""What an OCPP 2.0.1 and a 2.1 charge point do alike: boot, charge, report, and answer the same commands."""

from __future__ import annotations

from typing import Any

from ocpp.exceptions import NotSupportedError

from tests.support.peer import MODULES, ask, frames, items, peer, request, settled
from tests.support.platform import RunningPlatform

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
URL, WHEN = "http://127.0.0.1:9/image.bin", "2026-05-04T08:00:00Z"
PLUG = {"evse_id": 1, "connector_id": 2}
TOKEN = {"id_token": "04A2B3C4", "type": "ISO14443"}

Story = tuple[dict[str, Any], str, dict[str, Any], dict[str, Any], dict[str, Any]]
HEARTBEAT = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}

COMMANDS: list[Story] = [
    ({"type": "Reset", "immediate": True}, "Reset", {"type": "Immediate"}, {"status": "Accepted"}, {"status": "Rejected"}),
    ({"type": "Reset", "evse_id": 2}, "Reset", {"type": "OnIdle", "evseId": 2}, {"status": "Scheduled"}, {"status": "Rejected"}),
    (
        {"type": "TriggerMessage", "message": "MeterValues", "connector": PLUG},
        "TriggerMessage", {"requestedMessage": "MeterValues", "evse": {"id": 1}},
        {"status": "Accepted"}, {"status": "NotImplemented"},
    ),
    (
        {"type": "ChangeAvailability", "operative": False, "connector": PLUG},
        "ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1, "connectorId": 2}},
        {"status": "Scheduled"}, {"status": "Rejected", "status_info": {"reason_code": "InUse"}},
    ),
    (
        {"type": "SetVariable", "name": "OCPPCommCtrlr.HeartbeatInterval", "value": "60"},
        "SetVariables", {"setVariableData": [{"attributeValue": "60"} | HEARTBEAT]},
        {"set_variable_result": [{"attribute_status": "RebootRequired"} | HEARTBEAT]},
        {"set_variable_result": [{"attribute_status": "UnknownVariable"} | HEARTBEAT]},
    ),
    (
        {"type": "GetVariables", "names": ["OCPPCommCtrlr.HeartbeatInterval"]},
        "GetVariables", {"getVariableData": [HEARTBEAT]},
        {"get_variable_result": [{"attribute_status": "Accepted", "attribute_value": "60"} | HEARTBEAT]},
        {"get_variable_result": [{"attribute_status": "UnknownComponent"} | HEARTBEAT]},
    ),
    (
        {"type": "GetVariables", "request_id": 9},
        "GetBaseReport", {"requestId": 9, "reportBase": "FullInventory"}, {"status": "Accepted"}, {"status": "NotSupported"},
    ),
    (
        {"type": "RemoteStart", "id_token": {"value": "04A2B3C4", "kind": "ISO14443"}, "connector": PLUG, "remote_start_id": 5},
        "RequestStartTransaction",
        {"idToken": {"idToken": "04A2B3C4", "type": "ISO14443"}, "remoteStartId": 5, "evseId": 1},
        {"status": "Accepted", "transaction_id": "T-9"}, {"status": "Rejected"},
    ),
    (
        {"type": "RemoteStop", "transaction_id": "T-9"},
        "RequestStopTransaction", {"transactionId": "T-9"}, {"status": "Accepted"}, {"status": "Rejected"},
    ),
    (
        {"type": "UnlockConnector", "connector": PLUG},
        "UnlockConnector", {"evseId": 1, "connectorId": 2}, {"status": "Unlocked"}, {"status": "OngoingAuthorizedTransaction"},
    ),
    (
        {"type": "GetDiagnostics", "location": URL, "request_id": 3, "log_type": "SecurityLog", "since": WHEN},
        "GetLog",
        {"logType": "SecurityLog", "requestId": 3, "log": {"remoteLocation": URL, "oldestTimestamp": WHEN}},
        {"status": "AcceptedCanceled", "filename": "s.log"}, {"status": "Rejected"},
    ),
    (
        {"type": "UpdateFirmware", "location": URL, "request_id": 8, "retrieve_at": WHEN, "retries": 2},
        "UpdateFirmware", {"requestId": 8, "retries": 2, "firmware": {"location": URL, "retrieveDateTime": WHEN}},
        {"status": "Accepted"}, {"status": "Rejected"},
    ),
    (
        {
            "type": "UpdateFirmware", "location": URL, "request_id": 8, "retrieve_at": WHEN, "install_at": WHEN,
            "signature": "c2ln", "signing_certificate": CERTIFICATE,
        },
        "UpdateFirmware",
        {
            "requestId": 8,
            "firmware": {
                "location": URL, "retrieveDateTime": WHEN, "installDateTime": WHEN, "signingCertificate": CERTIFICATE,
                "signature": "c2ln",
            },
        },
        {"status": "Accepted"}, {"status": "InvalidCertificate"},
    ),
]  # fmt: skip


def named(stories: list[Story]) -> list[str]:
    """Test ids."""
    return [f"{command['type']}-{action}" for command, action, *_ in stories]


async def boot(point: Any, protocol: str) -> Any:
    """BootNotification with everything that the schema has."""
    station = {
        "model": "DC 150", "vendor_name": "ACME", "serial_number": "S-1", "firmware_version": "2.4.0",
        "modem": {"iccid": "8949", "imsi": "262"},
    }  # fmt: skip
    return await point.call(MODULES[protocol].call.BootNotification(charging_station=station, reason="PowerUp"))


async def is_carried_out(platform: RunningPlatform, protocol: str, story: Story) -> None:
    """The call as the version wants it; consent, refusal and a call error are three different outcomes."""
    command, action, wire, yes, no = story
    async with peer(platform.url, "ASKED", protocol) as point:
        make = getattr(MODULES[protocol].call_result, action)
        point.results[action] = make(**yes)
        status, outcome = await ask(platform, "ASKED", command)
        assert (status, outcome["status"], outcome["action"]) == (200, "accepted", action), outcome
        assert point.asked == [(action, wire)]
        point.results[action] = make(**no)
        status, outcome = await ask(platform, "ASKED", command)
        assert (status, outcome["status"]) == (200, "rejected"), outcome
        assert outcome["detail"], "a refusal says why"
        point.results[action] = NotSupportedError("not on this model")
        status, outcome = await ask(platform, "ASKED", command)
        assert (status, outcome["status"], outcome["error_code"]) == (200, "error", "NotSupported")


def event(protocol: str, kind: str, seq_no: int, minute: int, trigger: str, register_wh: int | None = None, **more: Any) -> Any:
    """A TransactionEvent of transaction TX-1."""
    contexts = {"Started": "Transaction.Begin", "Updated": "Sample.Periodic", "Ended": "Transaction.End"}
    timestamp = f"2026-05-04T08:{minute:02d}:00Z"
    info = {"transaction_id": "TX-1"} | more.pop("info", {})
    if register_wh is not None:
        sampled = [
            {"value": register_wh, "measurand": "Energy.Active.Import.Register", "context": contexts[kind]},
            {"value": 11.0, "measurand": "Power.Active.Import", "unit_of_measure": {"unit": "kW"}, "context": contexts[kind]},
        ]
        more["meter_value"] = [{"timestamp": timestamp, "sampled_value": sampled}]
    return MODULES[protocol].call.TransactionEvent(
        event_type=kind, timestamp=timestamp, trigger_reason=trigger, seq_no=seq_no, transaction_info=info, **more
    )


async def charges(platform: RunningPlatform, protocol: str) -> None:
    """A whole transaction in events; each comes twice, as after a lost answer, and counts once."""
    name = "CHARGE"
    async with peer(platform.url, name, protocol) as point:
        await boot(point, protocol)
        authorized = await point.call(MODULES[protocol].call.Authorize(id_token=TOKEN))
        assert authorized.id_token_info["status"] == "Accepted"
        plugged: dict[str, Any] = {"evse": {"id": 1, "connector_id": 1}, "info": {"charging_state": "EVConnected"}}
        charging: dict[str, Any] = {"id_token": TOKEN, "info": {"charging_state": "Charging"}}
        ended: dict[str, Any] = {"info": {"stopped_reason": "EVDisconnected"}}
        events = [
            event(protocol, "Started", 0, 0, "CablePluggedIn", 1000, **plugged),
            event(protocol, "Updated", 1, 1, "Authorized", **charging),
            event(protocol, "Updated", 2, 10, "MeterValuePeriodic", 2500),
            event(protocol, "Ended", 3, 30, "EVCommunicationLost", 5500, **ended),
        ]
        for said in events:
            first = await point.call(said)
            again = await point.call(said)
            assert first == again, "a repeated event is answered as the first"
            if said.id_token:
                assert first.id_token_info["status"] == "Accepted"
        await settled(platform)
    (row,) = await items(platform, "transactions", charge_point=name)
    transaction = row["transaction"]
    assert (row["energy_wh"], row["duration_s"]) == (4500, 1800.0)
    assert (transaction["transaction_id"], transaction["state"], transaction["connector"]) == ("TX-1", "stopped", "1")
    assert (transaction["id_token"], transaction["id_token_kind"]) == ("04A2B3C4", "ISO14443")
    assert (transaction["seq_nos"], transaction["stop_reason"], transaction["flags"]) == ("0-3", "EVDisconnected", [])
    _, history = await request(platform, "GET", f"/api/v1/charge-points/{name}/transactions/TX-1")
    assert [change["kind"] for change in history["changes"]].count("started") == 1
    repeated = [frame for frame in await frames(platform, name) if "repeated" in frame["flags"]]
    assert len(repeated) == len(events), "the message log says which ones they were"
    query = {"charge_point": name, "start": "2026-05-04T00:00:00Z", "end": "2026-05-05T00:00:00Z"}
    power = await items(platform, "telemetry/measurements", measurand="Power.Active.Import", **query)
    values = {series["labels"]["context"]: [sample["value"] for sample in series["samples"]] for series in power}
    assert values == {"Transaction.Begin": [11000.0], "Sample.Periodic": [11000.0], "Transaction.End": [11000.0]}


async def reports(platform: RunningPlatform, protocol: str) -> None:
    """Readings, firmware, logs, security events, vendor data and variables: acknowledged, and found again."""
    call, name = MODULES[protocol].call, "REPORTS"
    async with peer(platform.url, name, protocol) as point:
        await boot(point, protocol)
        sampled = [{"value": 230.5, "measurand": "Voltage", "phase": "L1-N"}]
        await point.call(call.MeterValues(evse_id=1, meter_value=[{"timestamp": WHEN, "sampled_value": sampled}]))
        for status in ("Downloading", "SignatureVerified", "Installed"):
            await point.call(call.FirmwareStatusNotification(status=status, request_id=8))
        await point.call(call.LogStatusNotification(status="UploadFailure", request_id=3))
        await point.call(call.SecurityEventNotification(type="TamperDetectionActivated", timestamp=WHEN, tech_info="lid"))
        transferred = await point.call(call.DataTransfer(vendor_id="com.acme", message_id="hello", data="42"))
        assert transferred.status == "UnknownVendorId", "no vendor extension is configured"
        variable = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
        report = variable | {"variable_attribute": [{"type": "Actual", "value": "11000"}]}
        await point.call(call.NotifyReport(request_id=9, generated_at=WHEN, seq_no=0, report_data=[report]))
        await settled(platform)
    history = {(entry["kind"], entry["value"]) for entry in await items(platform, f"charge-points/{name}/history", limit=1000)}
    assert {("firmware_status", "SignatureVerified"), ("firmware_status", "Installed")} <= history
    assert {("diagnostics_status", "UploadFailure"), ("security", "TamperDetectionActivated")} <= history
    kept = {frame["action"]: frame["payload"] for frame in await frames(platform, name) if frame["kind"] == "call"}
    assert kept["DataTransfer"]["data"] == "42" and kept["NotifyReport"]["reportData"][0]["component"]["name"] == "EVSE"
    query = {"charge_point": name, "start": "2026-05-04T00:00:00Z", "end": "2026-05-05T00:00:00Z", "measurand": "Voltage"}
    (voltage,) = await items(platform, "telemetry/measurements", **query)
    assert voltage["samples"][0]["value"] == 230.5
    _, shown = await request(platform, "GET", f"/api/v1/charge-points/{name}")
    state = shown["state"]
    assert (state["vendor"], state["model"], state["serial_number"]) == ("ACME", "DC 150", "S-1")
    assert (state["firmware_version"], state["iccid"], state["boot_reason"]) == ("2.4.0", "8949", "PowerUp")
