"""The path of a call: repaired or refused, decided once, answered, told."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from chargenet.events import FrameDeviated, FrameRefused, FrameRepeated, StatusReported, TransactionStarted
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.record import Decision
from chargenet.model.words import Protocol, RecordKind
from collector import answer
from collector.answer import process_call
from collector.context import Context, Handled, Route
from collector.interpret import interpret
from collector.ocpp.frames import CallFrame, parse
from collector.ocpp.schemas import schema_for
from collector.routing import ROUTES
from tests.support.desk import RECEIVED_AT, CaseDesk, process, record_of

START = {"connectorId": 1, "idTag": "T1", "meterStart": 5, "timestamp": "2026-03-01T11:59:58Z"}


def _text(action: str, payload: Any) -> bytes:
    return f'[2,"m1","{action}",{json.dumps(payload)}]'.encode()


def test_the_desk_decides_before_the_handler_and_its_decision_is_kept() -> None:
    """Start is asked with content, the token with our clock; the decision holds all of it."""
    desk = CaseDesk(start=1001, token="Blocked", parent="P")
    processed = process(_text("StartTransaction", START), Protocol.OCPP16, desk)
    assert desk.asked == [
        ("start", "CP-1", ConnectorRef(1), IdToken("T1"), START["timestamp"], 5),
        ("authorize", "T1", RECEIVED_AT),
    ]
    assert processed.decision == Decision(transaction_id=1001, token_status="Blocked", token_parent="P")


def test_replay_needs_no_desk() -> None:
    """With the kept decision the same events come out, whatever the desk would say today."""
    text = _text("StartTransaction", START)
    processed = process(text, Protocol.OCPP16, CaseDesk(start=7))
    fact = interpret(record_of(text, Protocol.OCPP16, processed))
    assert fact.events == processed.events
    assert (fact.sequence, fact.charge_point_id, fact.generation, fact.action) == (7, "CP-1", 3, "StartTransaction")
    assert isinstance(fact.events[0], TransactionStarted)
    assert fact.events[0].transaction_id == "7"


def test_a_repeat_is_answered_and_happens_once() -> None:
    """The reply has the first id; the only event says that it was repeated."""
    processed = process(_text("StartTransaction", {**START, "x": 1}), Protocol.OCPP16, CaseDesk(start=7, duplicate_of=3))
    assert json.loads(processed.reply)[2]["transactionId"] == 7
    assert processed.events == (FrameRepeated(duplicate_of=3, action="StartTransaction"),)


def test_every_deviation_knows_its_action() -> None:
    """Those of the frame, of the schema and of the handler alike."""
    text = b'[2,17,"StatusNotification",{"connectorId":1,"status":"X","errorCode":"NoError","timestamp":"2026-03-01T12:00:00"}]'
    processed = process(text, Protocol.OCPP16)
    flags = [event for event in processed.events if isinstance(event, FrameDeviated)]
    assert [flag.quirk for flag in flags] == ["zone-missing", "message-id-number", "status-unknown"]
    assert {flag.action for flag in flags} == {"StatusNotification"}


def test_a_heartbeat_in_order_leaves_no_record() -> None:
    """One with a deviation does: it has something to tell."""
    assert not process(b'[2,"1","Heartbeat",{}]', Protocol.OCPP16).journaled
    assert process(b'[2,"1","Heartbeat",{"x":1}]', Protocol.OCPP16).journaled
    assert process(b'[2,"1","StatusNotification",{}]', Protocol.OCPP16).journaled


def test_a_fault_of_ours_costs_neither_connection_nor_evidence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """InternalError is answered, the event says what failed, the log has the trace."""

    def broken(call: Any, context: Context) -> Handled:
        raise ZeroDivisionError("secret details")

    entries = {"Heartbeat": (Route("Heartbeat", broken), schema_for(Protocol.OCPP16, "Heartbeat"))}
    monkeypatch.setattr(answer, "_entries", lambda protocol: entries)
    frame = parse(b'[2,"1","Heartbeat",{}]', Protocol.OCPP16)
    assert isinstance(frame, CallFrame)
    with caplog.at_level(logging.ERROR):
        processed = process_call(frame, Context("CP-1", "ocpp1.6", RECEIVED_AT), CaseDesk())
    assert json.loads(processed.reply)[:3] == [4, "1", "InternalError"]
    assert processed.events == (
        FrameRefused(problem="internal error: ZeroDivisionError", error_code="InternalError", action="Heartbeat"),
    )
    assert processed.kind is RecordKind.CALL
    assert "Heartbeat of charge point CP-1" in caplog.text


def test_a_send_is_told_and_not_answered() -> None:
    """Also one that nobody knows."""
    known = process(
        b'[6,"1","NotifyPeriodicEventStream",{"id":1,"pending":0,"basetime":"2026-03-01T12:00:00Z","data":[]}]', Protocol.OCPP21
    )
    assert (known.kind, known.reply) == (RecordKind.SEND, b"")
    assert known.events
    unknown = process(b'[6,"1","FooBar",{}]', Protocol.OCPP21)
    assert (unknown.kind, unknown.reply) == (RecordKind.SEND, b"")
    assert isinstance(unknown.events[0], FrameRefused)


def test_repeated_keys_are_seen_in_any_layout() -> None:
    """Compact, spaced, and with a blank before the colon; a payload without any passes in all of them."""
    for separators in ((",", ":"), (", ", ": "), (" , ", " : ")):
        plain = json.dumps({"connectorId": 1, "errorCode": "NoError", "status": "Available", "info": 'a":b'}, separators=separators)
        twice = plain[:-1] + separators[0] + '"status"' + separators[1] + '"Charging"}'
        for payload, expected in ((plain, []), (twice, ["json-repeated-key"])):
            processed = process(f'[2,"1","StatusNotification",{payload}]'.encode(), Protocol.OCPP16)
            status = processed.events[0]
            assert isinstance(status, StatusReported)
            assert status.status == ("Charging" if expected else "Available")
            assert [event.quirk for event in processed.events if isinstance(event, FrameDeviated)] == expected


def test_a_report_is_not_a_permission() -> None:
    """Whatever a report holds, its answer is a call result."""
    for action in ("BootNotification", "StartTransaction", "StopTransaction", "MeterValues", "StatusNotification"):
        payloads: list[Any] = [{}, [], None, {"timestamp": 5, "connectorId": {}, "meterValue": 7, "transactionId": []}]
        for payload in payloads:
            assert json.loads(process(_text(action, payload), Protocol.OCPP16).reply)[0] == 3


def test_a_request_needs_its_subject() -> None:
    """Authorize without an ID tag, a certificate request without a request: refused with the schema's word."""
    refused: list[tuple[str, dict[str, Any], str]] = [
        ("Authorize", {}, "ProtocolError"),
        ("Authorize", {"idTag": {"a": 1}}, "TypeConstraintViolation"),
        ("SignCertificate", {"csr": None}, "TypeConstraintViolation"),
    ]
    for action, payload, code in refused:
        assert json.loads(process(_text(action, payload), Protocol.OCPP16).reply)[:3] == [4, "m1", code]


def test_prepare_builds_every_decoder() -> None:
    """Every route of every version has a schema."""
    answer.prepare()
    for protocol in Protocol:
        assert set(answer._entries(protocol)) == set(ROUTES[protocol])
