"""Every command, in every version, is the call that its schema wants, or refused with a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from chargenet import commands
from chargenet.commands import (
    Call,
    ChangeAvailability,
    Command,
    GetDiagnostics,
    GetVariables,
    RemoteStart,
    RemoteStop,
    Reset,
    SetVariable,
    TriggerMessage,
    UnlockConnector,
    UpdateFirmware,
)
from chargenet.errors import InvalidCall
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.words import Protocol
from collector.commands import actions, translate
from collector.commands.translation import CALLS
from collector.ocpp.schemas import validate_call

V16, V201, V21 = Protocol.OCPP16, Protocol.OCPP201, Protocol.OCPP21
AT = datetime(2026, 3, 1, 13, 0, 0, 900_000, tzinfo=timezone(timedelta(hours=1)))
NOON = "2026-03-01T12:00:00Z"
TOKEN = IdToken("04ABCDEF", "ISO14443")
LOG = GetDiagnostics(location="https://a/b", request_id=3)
LOG_CALL: dict[str, Any] = {"requestId": 3, "logType": "DiagnosticsLog", "log": {"remoteLocation": "https://a/b"}}
IMAGE = UpdateFirmware(location="https://a/b.bin", request_id=4, retrieve_at=AT)
SIGNED = msgspec.structs.replace(IMAGE, signing_certificate="PEM", signature="c2ln", install_at=AT, retries=2, retry_interval_s=60)
SIGNED_CALL = {
    "requestId": 4,
    "firmware": {
        "location": "https://a/b.bin",
        "retrieveDateTime": NOON,
        "installDateTime": NOON,
        "signingCertificate": "PEM",
        "signature": "c2ln",
    },
    "retries": 2,
    "retryInterval": 60,
}
WITH = msgspec.structs.replace

EXPECTED: list[tuple[Command, Protocol, str, dict[str, Any]]] = [
    (Reset(immediate=True), V16, "Reset", {"type": "Hard"}),
    (Reset(), V16, "Reset", {"type": "Soft"}),
    (Reset(immediate=True, evse_id=2), V201, "Reset", {"type": "Immediate", "evseId": 2}),
    (Reset(), V21, "Reset", {"type": "OnIdle"}),
    (TriggerMessage(message="Heartbeat"), V16, "TriggerMessage", {"requestedMessage": "Heartbeat"}),
    (
        TriggerMessage(message="StatusNotification", connector=ConnectorRef(2)),
        V16,
        "TriggerMessage",
        {"requestedMessage": "StatusNotification", "connectorId": 2},
    ),
    (
        TriggerMessage(message="LogStatusNotification"),
        V16,
        "ExtendedTriggerMessage",
        {"requestedMessage": "LogStatusNotification"},
    ),
    (
        TriggerMessage(message="SignedFirmwareStatusNotification"),
        V16,
        "ExtendedTriggerMessage",
        {"requestedMessage": "FirmwareStatusNotification"},
    ),
    (
        TriggerMessage(message="SignCertificate"),
        V16,
        "ExtendedTriggerMessage",
        {"requestedMessage": "SignChargePointCertificate"},
    ),
    (
        TriggerMessage(message="StatusNotification", connector=ConnectorRef(1, 2)),
        V201,
        "TriggerMessage",
        {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 2}},
    ),
    (
        TriggerMessage(message="DiagnosticsStatusNotification"),
        V201,
        "TriggerMessage",
        {"requestedMessage": "LogStatusNotification"},
    ),
    (
        TriggerMessage(message="MeterValues", connector=ConnectorRef(1, 2)),
        V21,
        "TriggerMessage",
        {"requestedMessage": "MeterValues", "evse": {"id": 1}},
    ),
    (
        TriggerMessage(message="CustomTrigger:Selftest"),
        V21,
        "TriggerMessage",
        {"requestedMessage": "CustomTrigger", "customTrigger": "Selftest"},
    ),
    (ChangeAvailability(operative=False), V16, "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
    (
        ChangeAvailability(operative=True, connector=ConnectorRef(3)),
        V16,
        "ChangeAvailability",
        {"connectorId": 3, "type": "Operative"},
    ),
    (ChangeAvailability(operative=False), V201, "ChangeAvailability", {"operationalStatus": "Inoperative"}),
    (
        ChangeAvailability(operative=True, connector=ConnectorRef(3, 2)),
        V21,
        "ChangeAvailability",
        {"operationalStatus": "Operative", "evse": {"id": 3, "connectorId": 2}},
    ),
    (SetVariable(name="Interval", value="60"), V16, "ChangeConfiguration", {"key": "Interval", "value": "60"}),
    (
        SetVariable(name="OCPPCommCtrlr.HeartbeatInterval", value="60"),
        V201,
        "SetVariables",
        {
            "setVariableData": [
                {"attributeValue": "60", "component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
            ]
        },
    ),
    (
        SetVariable(name="Connector[1.2](left).Limit[day]#MaxSet", value=""),
        V21,
        "SetVariables",
        {
            "setVariableData": [
                {
                    "attributeValue": "",
                    "attributeType": "MaxSet",
                    "component": {"name": "Connector", "instance": "left", "evse": {"id": 1, "connectorId": 2}},
                    "variable": {"name": "Limit", "instance": "day"},
                }
            ]
        },
    ),
    (GetVariables(), V16, "GetConfiguration", {}),
    (GetVariables(names=("A", "B")), V16, "GetConfiguration", {"key": ["A", "B"]}),
    (GetVariables(request_id=9), V201, "GetBaseReport", {"requestId": 9, "reportBase": "FullInventory"}),
    (
        GetVariables(names=("EVSE[1].Power#Target",)),
        V21,
        "GetVariables",
        {
            "getVariableData": [
                {"attributeType": "Target", "component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
            ]
        },
    ),
    (RemoteStart(id_token=TOKEN), V16, "RemoteStartTransaction", {"idTag": "04ABCDEF"}),
    (
        RemoteStart(id_token=TOKEN, connector=ConnectorRef(2)),
        V16,
        "RemoteStartTransaction",
        {"idTag": "04ABCDEF", "connectorId": 2},
    ),
    (
        RemoteStart(id_token=TOKEN, connector=ConnectorRef(2, 2), remote_start_id=77),
        V201,
        "RequestStartTransaction",
        {"idToken": {"idToken": "04ABCDEF", "type": "ISO14443"}, "remoteStartId": 77, "evseId": 2},
    ),
    (
        RemoteStart(id_token=IdToken("x" * 255), remote_start_id=1),
        V21,
        "RequestStartTransaction",
        {"idToken": {"idToken": "x" * 255, "type": "Central"}, "remoteStartId": 1},
    ),
    (RemoteStop(transaction_id="42"), V16, "RemoteStopTransaction", {"transactionId": 42}),
    (RemoteStop(transaction_id="tx-a"), V201, "RequestStopTransaction", {"transactionId": "tx-a"}),
    (RemoteStop(transaction_id="tx-a"), V21, "RequestStopTransaction", {"transactionId": "tx-a"}),
    (UnlockConnector(connector=ConnectorRef(2)), V16, "UnlockConnector", {"connectorId": 2}),
    (UnlockConnector(connector=ConnectorRef(2, 3)), V201, "UnlockConnector", {"evseId": 2, "connectorId": 3}),
    (UnlockConnector(connector=ConnectorRef(2)), V21, "UnlockConnector", {"evseId": 2, "connectorId": 1}),
    (
        WITH(LOG, since=AT, retries=1),
        V16,
        "GetDiagnostics",
        {"location": "https://a/b", "startTime": NOON, "retries": 1},
    ),
    (WITH(LOG, signed_form=True), V16, "GetLog", LOG_CALL),
    (WITH(LOG, log_type="SecurityLog"), V16, "GetLog", {**LOG_CALL, "logType": "SecurityLog"}),
    (
        WITH(LOG, until=AT, retry_interval_s=5),
        V201,
        "GetLog",
        {**LOG_CALL, "log": {"remoteLocation": "https://a/b", "latestTimestamp": NOON}, "retryInterval": 5},
    ),
    (LOG, V21, "GetLog", LOG_CALL),
    (IMAGE, V16, "UpdateFirmware", {"location": "https://a/b.bin", "retrieveDate": NOON}),
    (SIGNED, V16, "SignedUpdateFirmware", SIGNED_CALL),
    (IMAGE, V201, "UpdateFirmware", {"requestId": 4, "firmware": {"location": "https://a/b.bin", "retrieveDateTime": NOON}}),
    (SIGNED, V21, "UpdateFirmware", SIGNED_CALL),
]


@pytest.mark.parametrize(("command", "protocol", "action", "payload"), EXPECTED, ids=lambda value: type(value).__name__)
def test_commands_as_calls(command: Command, protocol: Protocol, action: str, payload: dict[str, Any]) -> None:
    """The call is what the version's specification wants, and its request schema takes it."""
    assert translate(command, protocol) == (action, payload)
    validate_call(protocol, action, payload)
    assert action in actions(protocol)


@pytest.mark.parametrize("protocol", list(Protocol))
def test_every_command_is_known_to_every_version(protocol: Protocol) -> None:
    """No typed command is left out of a table, and none is left out of the table of expectations above."""
    kinds = (kind for kind in vars(commands).values() if isinstance(kind, type) and issubclass(kind, Command))
    typed = {kind for kind in kinds if kind not in (Command, Call)}
    assert set(CALLS[protocol]) == typed
    assert {type(command) for command, version, _, _ in EXPECTED if version is protocol} == typed


TOO_LONG = "the charge point's OCPP version allows"
REFUSED: list[tuple[Command, Protocol, str]] = [
    (Reset(evse_id=1), V16, "Reset: OCPP 1.6 resets the whole charge point, not one EVSE"),
    (
        UnlockConnector(connector=ConnectorRef(2, 3)),
        V16,
        "UnlockConnector: connector 2.3 does not exist in OCPP 1.6, which numbers connectors 1, 2, 3, ...",
    ),
    (
        TriggerMessage(message="TransactionEvent"),
        V16,
        "TriggerMessage: OCPP 1.6 cannot ask for 'TransactionEvent', only for BootNotification, DiagnosticsStatusNotification, "
        "FirmwareStatusNotification, Heartbeat, MeterValues, StatusNotification, LogStatusNotification, "
        "SignChargePointCertificate, SignCertificate, SignedFirmwareStatusNotification",
    ),
    (
        TriggerMessage(message="SignV2G20Certificate"),
        V201,
        "TriggerMessage: the charge point's OCPP version cannot ask for 'SignV2G20Certificate', only for BootNotification, "
        "FirmwareStatusNotification, Heartbeat, LogStatusNotification, MeterValues, PublishFirmwareStatusNotification, "
        "SignChargingStationCertificate, SignCombinedCertificate, SignV2GCertificate, StatusNotification, TransactionEvent",
    ),
    (SetVariable(name="k" * 51, value=""), V16, f"ChangeConfiguration: key has 51 characters, {TOO_LONG} 50"),
    (SetVariable(name="k", value="v" * 501), V16, f"ChangeConfiguration: value has 501 characters, {TOO_LONG} 500"),
    (
        SetVariable(name="Interval", value="60"),
        V201,
        "SetVariables: 'Interval' does not name a variable: write Component[evse.connector](instance).Variable[instance]#Attribute",
    ),
    (SetVariable(name="A.B", value="v" * 1001), V201, f"SetVariables: value has 1001 characters, {TOO_LONG} 1000"),
    (
        GetVariables(names=("A." + "b" * 51,)),
        V21,
        f"GetVariables: the name of the variable has 51 characters, {TOO_LONG} 50",
    ),
    (RemoteStart(id_token=IdToken("x" * 21)), V16, f"RemoteStartTransaction: idTag has 21 characters, {TOO_LONG} 20"),
    (RemoteStart(id_token=IdToken("x" * 37)), V201, f"RequestStartTransaction: idToken has 37 characters, {TOO_LONG} 36"),
    (
        RemoteStop(transaction_id="tx-a"),
        V16,
        "RemoteStopTransaction: 'tx-a' is not an OCPP 1.6 transaction id: those are whole numbers",
    ),
    (
        WITH(LOG, location="h" * 513),
        V201,
        f"GetLog: remoteLocation has 513 characters, {TOO_LONG} 512: use a shorter address",
    ),
    (
        WITH(LOG, location="h" * 2001),
        V21,
        f"GetLog: remoteLocation has 2001 characters, {TOO_LONG} 2000: use a shorter address",
    ),
    (WITH(LOG, location=""), V16, "GetDiagnostics: location is empty"),
    (WITH(LOG, log_type="Syslog"), V21, "GetLog: 'Syslog' is no log: ask for DiagnosticsLog or SecurityLog"),
    (WITH(LOG, retries=-1), V201, "GetLog: retries is -1, it cannot be negative"),
    (
        WITH(SIGNED, location="h" * 513),
        V16,
        f"SignedUpdateFirmware: location has 513 characters, {TOO_LONG} 512: use a shorter address",
    ),
    (
        WITH(IMAGE, location="h" * 513),
        V201,
        f"UpdateFirmware: location has 513 characters, {TOO_LONG} 512: use a shorter address",
    ),
    (WITH(SIGNED, signature="s" * 801), V21, f"UpdateFirmware: signature has 801 characters, {TOO_LONG} 800"),
    (
        WITH(IMAGE, signature="c2ln"),
        V21,
        "UpdateFirmware: the signing certificate is missing: a signed image needs both signing certificate and signature",
    ),
    (
        WITH(IMAGE, signing_certificate="PEM"),
        V16,
        "SignedUpdateFirmware: the signature is missing: a signed image needs both signing certificate and signature",
    ),
    (
        WITH(IMAGE, install_at=AT),
        V16,
        "UpdateFirmware: OCPP 1.6 has no installation time in its unsigned form: the image is installed once fetched",
    ),
    (
        Call(action="ChangeConfiguration", payload={}),
        V201,
        "ChangeConfiguration: OCPP 2.0.1 has no such call to a charge point",
    ),
    (Call(action="GetLogs", payload={}), V21, "GetLogs: OCPP 2.1 has no such call to a charge point; did you mean GetLog?"),
    (
        Call(action="BootNotification", payload={}),
        V16,
        "BootNotification: only a charge point sends it in OCPP 1.6; a TriggerMessage asks for it",
    ),
]


@pytest.mark.parametrize(("command", "protocol", "sentence"), REFUSED, ids=lambda value: type(value).__name__)
def test_what_a_version_cannot_say_is_refused(command: Command, protocol: Protocol, sentence: str) -> None:
    """The sentence names the action, the value and the bound, so that a caller knows what to change."""
    with pytest.raises(InvalidCall) as refused:
        translate(command, protocol)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(("length", "protocols"), [(512, (V201, V21)), (2000, (V21,))])
def test_an_address_of_exactly_the_allowed_length_is_sent(length: int, protocols: tuple[Protocol, ...]) -> None:
    """The bound itself is allowed; plain 1.6 calls have none."""
    url = "https://" + "h" * (length - 8)
    for protocol in protocols:
        validate_call(protocol, *translate(WITH(IMAGE, location=url), protocol))
        validate_call(protocol, *translate(WITH(LOG, location=url), protocol))
    validate_call(V16, *translate(WITH(IMAGE, location=url), V16))


def test_a_raw_call_goes_as_it_is() -> None:
    """Any CSMS-initiated action can be sent by name; its payload is not touched here."""
    payload = {"anything": 1}
    for protocol in Protocol:
        for action in actions(protocol):
            assert translate(Call(action=action, payload=payload), protocol) == (action, payload)


def test_instants_leave_as_utc_without_fraction() -> None:
    """Charge points that refuse fractions or offsets never see one."""
    _, payload = translate(UpdateFirmware(location="x", request_id=1, retrieve_at=datetime(2026, 1, 1, tzinfo=UTC)), V201)
    assert payload["firmware"]["retrieveDateTime"] == "2026-01-01T00:00:00Z"
