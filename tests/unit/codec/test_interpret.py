"""Records → facts: one record of each kind tells its events, and a record that cannot be read tells none rather than raising."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chargenet.events import (
    CommandAnswered,
    CommandSent,
    ConnectionClosed,
    ConnectionOpened,
    DiagnosticsUploaded,
    Event,
    FrameDeviated,
    FrameRefused,
    FrameRepeated,
    VariablesReported,
)
from chargenet.model.record import Decision, Record, microseconds
from chargenet.model.words import RecordKind
from collector.interpret import interpret
from tests.support.desk import RECEIVED_AT


def _record(kind: RecordKind, frame: Any, reply: Any = b"", protocol: str = "ocpp1.6", decision: Decision | None = None) -> Record:
    data, answer = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in (frame, reply))
    return Record(9, microseconds(RECEIVED_AT), "CP-1", 4, protocol, kind, data, answer, decision or Decision())


def _events(*args: Any, **more: Any) -> tuple[Event, ...]:
    return interpret(_record(*args, **more)).events


def test_a_connection_is_its_own_generation() -> None:
    """CONNECTED opens the generation of its sequence; the rest carry theirs."""
    fact = interpret(_record(RecordKind.CONNECTED, {"remote": "10.0.0.1", "security_profile": 2, "subprotocol_missing": True}))
    assert fact.events == (ConnectionOpened(remote="10.0.0.1", security_profile=2, subprotocol_missing=True),)
    assert fact.generation == fact.sequence == 9
    assert fact.received_at == RECEIVED_AT
    closed = interpret(_record(RecordKind.DISCONNECTED, {"code": 1006, "reason": "x", "lost": True, "superseded": True}))
    assert closed.events == (ConnectionClosed(code=1006, reason="x", lost=True, superseded=True),)
    assert closed.generation == 4


def test_an_upload() -> None:
    """A diagnostics file that arrived."""
    note = {"file_id": "f", "name": "log.zip", "size": 12, "sha256": "ab", "request_id": 3}
    assert _events(RecordKind.UPLOAD, note) == (
        DiagnosticsUploaded(file_id="f", name="log.zip", size_bytes=12, sha256="ab", request_id=3),
    )


def test_a_call_of_ours_and_its_answer() -> None:
    """What was sent, how it ended, and what the answer told besides."""
    assert _events(RecordKind.COMMAND, [2, "4-1", "Reset", {"type": "Soft"}]) == (
        CommandSent(message_id="4-1", action="Reset", payload={"type": "Soft"}),
    )
    note = {"message_id": "4-1", "action": "Reset", "status": "rejected", "detail": "Rejected"}
    assert _events(RecordKind.RESULT, [3, "4-1", {"status": "Rejected"}], note) == (
        CommandAnswered(message_id="4-1", action="Reset", status="rejected", detail="Rejected"),
    )
    refused = {"message_id": "4-1", "action": "Reset", "status": "error", "detail": "no"}
    assert _events(RecordKind.RESULT, [4, "4-1", "NotSupported", "no", {}], refused) == (
        CommandAnswered(message_id="4-1", action="Reset", status="error", detail="no", error_code="NotSupported"),
    )
    timed_out = {"message_id": "4-1", "action": "Reset", "status": "timed_out", "detail": None}
    assert _events(RecordKind.RESULT, b"", timed_out) == (CommandAnswered(message_id="4-1", action="Reset", status="timed_out"),)


@pytest.mark.parametrize(
    "payload",
    [
        {"key": "AuthorizationKey", "value": "hunter2"},
        {
            "setVariableData": [
                {"attributeValue": "hunter2", "component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
            ]
        },
        {"connectionData": {"basicAuthPassword": "hunter2"}},
    ],
)
def test_passwords_that_we_set_stay_out_of_events(payload: dict[str, Any]) -> None:
    """Events are shown and streamed; the password is in the journal alone."""
    (event,) = _events(RecordKind.COMMAND, [2, "1", "ChangeConfiguration", payload])
    assert "hunter2" not in repr(event)
    assert "***" in repr(event)


def test_other_settings_stay_readable() -> None:
    """Only passwords are masked."""
    (event,) = _events(RecordKind.COMMAND, [2, "1", "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"}])
    assert event == CommandSent(message_id="1", action="ChangeConfiguration", payload={"key": "HeartbeatInterval", "value": "60"})


def test_configuration_that_is_reported_in_an_answer() -> None:
    """GetConfiguration of 1.6: values as text, also where the charge point wrote numbers (Scame); extra blanks are its own."""
    note = {"message_id": "1", "action": "GetConfiguration", "status": "accepted", "detail": None}
    result = {
        "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": 60}, {"key": "Secret", "readonly": True}]
    }
    _, told, flagged = _events(RecordKind.RESULT, [3, "1", result], note)
    assert told == VariablesReported(values={"HeartbeatInterval": "60", "Secret": None})
    assert isinstance(flagged, FrameDeviated)
    assert (flagged.quirk, flagged.action) == ("value-as-number", "GetConfiguration")


def test_variables_that_are_reported_in_an_answer() -> None:
    """GetVariables of 2.x: only what was Accepted."""
    note = {"message_id": "1", "action": "GetVariables", "status": "accepted", "detail": None}
    result = {
        "getVariableResult": [
            {
                "attributeStatus": "Accepted",
                "attributeValue": "120.0",
                "component": {"name": "OCPPCommCtrlr"},
                "variable": {"name": "OfflineThreshold"},
            },
            {"attributeStatus": "UnknownVariable", "component": {"name": "X"}, "variable": {"name": "Y"}},
        ]
    }
    _, told = _events(RecordKind.RESULT, [3, "1", result], note, protocol="ocpp2.0.1")
    assert told == VariablesReported(values={"OCPPCommCtrlr.OfflineThreshold": "120.0"})


@pytest.mark.parametrize(
    "frame", [b"[3", b'[3,"1","x"]', b'[4,"1","GenericError","",{}]', b'[3,"1",{"configurationKey":null}]', b'[2,"1","X",{}]']
)
def test_an_answer_that_says_nothing_more(frame: bytes) -> None:
    """Its ending is told, whatever the answer looks like."""
    note = {"message_id": "1", "action": "GetConfiguration", "status": "error", "detail": "x"}
    events = _events(RecordKind.RESULT, frame, note)
    assert isinstance(events[0], CommandAnswered)
    assert not any(isinstance(event, VariablesReported) for event in events)


def test_a_repeated_call_tells_only_that() -> None:
    """Its content was told by the record that it repeats."""
    frame = [2, "1", "MeterValues", {"connectorId": 1, "meterValue": []}]
    assert _events(RecordKind.CALL, frame, decision=Decision(duplicate_of=3)) == (
        FrameRepeated(duplicate_of=3, action="MeterValues"),
    )


def test_a_refused_text() -> None:
    """Told as it was; what was refused for another reason than its text says so."""
    assert _events(RecordKind.REFUSED, b"hello", protocol="ocpp2.0.1")[0] == FrameRefused(
        problem="JSON is malformed: invalid character (byte 0)", error_code="RpcFrameworkError"
    )
    assert _events(RecordKind.REFUSED, b'[2,"1","Heartbeat",{}]') == (FrameRefused(problem="refused when it came"),)


@pytest.mark.parametrize("kind", list(RecordKind))
@pytest.mark.parametrize(
    "frame", [b"", b"null", b"[]", b"\xff\xfe", b"[" * 3000, b'{"code":"x","size":[],"security_profile":"high"}']
)
def test_no_record_stops_a_rebuild(kind: RecordKind, frame: bytes) -> None:
    """Whatever a record holds, its kind has a fact."""
    for protocol in ("ocpp1.6", "ocpp2.1"):
        fact = interpret(_record(kind, frame, frame, protocol))
        assert fact.sequence == 9
