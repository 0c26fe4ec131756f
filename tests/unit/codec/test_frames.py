"""Text ↔ frames: what is read, what is refused, and that an id comes back as it came."""

from __future__ import annotations

import json

import pytest

from chargenet.model.words import Protocol
from collector.ocpp import frames
from collector.ocpp.errors import ERROR_CODES, Fault, error_code
from collector.ocpp.frames import CallFrame, ErrorFrame, ResultErrorFrame, ResultFrame, SendFrame, Unparsable, parse


def test_a_call_is_read() -> None:
    """Id as JSON text and as text, action, payload as it came."""
    frame = parse(b'[2,"19223201","Heartbeat",{"a": 1}]', Protocol.OCPP16)
    assert isinstance(frame, CallFrame)
    assert (frame.id, frame.message_id, frame.action, bytes(frame.payload)) == (b'"19223201"', "19223201", "Heartbeat", b'{"a": 1}')
    assert frame.deviations == ()


@pytest.mark.parametrize("text", ['[3, "2879576313" ,{"status":"Accepted"}]', '[3,"2879576313",{\n "status": "Accepted"\n }]'])
def test_a_call_result_is_read_whatever_its_blanks(text: str) -> None:
    """ABL puts a blank before the comma, Vestel prints prettily."""
    frame = parse(text.encode(), Protocol.OCPP16)
    assert isinstance(frame, ResultFrame)
    assert frame.message_id == "2879576313"
    assert json.loads(bytes(frame.payload)) == {"status": "Accepted"}


def test_a_call_error_may_be_cut_short() -> None:
    """Code and description are whatever was given."""
    assert parse(b'[4,"1","GenericError","no",{"x":1}]', Protocol.OCPP16) == ErrorFrame(
        b'"1"',
        "GenericError",
        "no",
        parse(b'[3,"1",{"x":1}]', Protocol.OCPP16).payload,  # type: ignore[union-attr]
    )
    short = parse(b'[4,"1"]', Protocol.OCPP16)
    assert isinstance(short, ErrorFrame)
    assert (short.code, short.description, bytes(short.details)) == ("", "", b"{}")
    odd = parse(b'[4,"1",500,null,{}]', Protocol.OCPP16)
    assert isinstance(odd, ErrorFrame)
    assert (odd.code, odd.description) == ("500", "null")


def test_types_5_and_6_belong_to_21() -> None:
    """SEND and CALLRESULTERROR are frames in 2.1 and unknown types before."""
    send, refused = b'[6,"1","NotifyPeriodicEventStream",{}]', b'[5,"1","FormatViolation","",{}]'
    assert isinstance(parse(send, Protocol.OCPP21), SendFrame)
    assert isinstance(parse(refused, Protocol.OCPP21), ResultErrorFrame)
    for protocol in (Protocol.OCPP16, Protocol.OCPP201):
        assert isinstance(parse(send, protocol), Unparsable)
        assert isinstance(parse(refused, protocol), Unparsable)


def test_a_broken_send_is_not_answered() -> None:
    """OCPP-J 2.1: nothing answers a SEND, not even an error."""
    frame = parse(b'[6,"1",5,{}]', Protocol.OCPP21)
    assert isinstance(frame, Unparsable)
    assert frames.refusal(frame) == b""


def test_a_result_without_readable_id_is_not_answered() -> None:
    """An answer to an answer would only confuse; it is noted."""
    for protocol in Protocol:
        frame = parse(b"[3,null,{}]", protocol)
        assert isinstance(frame, Unparsable)
        assert frames.refusal(frame) == b""


@pytest.mark.parametrize(
    "ident", ['"a"', '"\\u0041\\"\\\\"', "17", "-3", "28240181849166013077", "1.50", '""', '"' + "x" * 200 + '"', '"ü"']
)
def test_the_id_is_echoed_as_it_came(ident: str) -> None:
    """Result and error repeat the very characters of the id."""
    frame = parse(f'[2,{ident},"Heartbeat",{{}}]'.encode(), Protocol.OCPP16)
    assert isinstance(frame, CallFrame)
    assert frames.result(frame.id, {}).decode() == f"[3,{ident},{{}}]"
    assert frames.error(frame.id, "GenericError").decode() == f'[4,{ident},"GenericError","",{{}}]'


@pytest.mark.parametrize("ident", ["null", "true", "{}", "[]", '["a"]'])
def test_what_cannot_be_an_id_is_none(ident: str) -> None:
    """1.6 has no answer without an id; 2.x answers to "-1"."""
    text = f'[2,{ident},"Heartbeat",{{}}]'.encode()
    old, new = parse(text, Protocol.OCPP16), parse(text, Protocol.OCPP201)
    assert isinstance(old, Unparsable)
    assert isinstance(new, Unparsable)
    assert frames.refusal(old) == b""
    assert json.loads(frames.refusal(new))[:3] == [4, "-1", "RpcFrameworkError"]


def test_error_codes_are_spelled_as_each_version_spells_them() -> None:
    """One r in 1.6 and 2.0.1, two in 2.1; FormationViolation in 1.6 alone; every version answers every fault."""
    assert error_code(Protocol.OCPP16, Fault.OCCURRENCE) == "OccurenceConstraintViolation"
    assert error_code(Protocol.OCPP201, Fault.OCCURRENCE) == "OccurenceConstraintViolation"
    assert error_code(Protocol.OCPP21, Fault.OCCURRENCE) == "OccurrenceConstraintViolation"
    assert [error_code(protocol, Fault.FORMAT) for protocol in Protocol] == [
        "FormationViolation",
        "FormatViolation",
        "FormatViolation",
    ]
    for protocol in Protocol:
        assert set(ERROR_CODES[protocol]) == set(Fault)


def test_what_we_send_is_a_frame_again() -> None:
    """Encoders and parser agree, ready JSON and mappings alike."""
    call = parse(frames.call("7-1", "Reset", {"type": "Soft"}), Protocol.OCPP16)
    assert isinstance(call, CallFrame)
    assert (call.message_id, call.action, bytes(call.payload)) == ("7-1", "Reset", b'{"type":"Soft"}')
    send = parse(frames.send("1", "NotifyPeriodicEventStream", b'{"id":1}'), Protocol.OCPP21)
    assert isinstance(send, SendFrame)
    assert bytes(send.payload) == b'{"id":1}'
    refused = parse(frames.result_error(b'"9"', "FormatViolation", "why"), Protocol.OCPP21)
    assert isinstance(refused, ResultErrorFrame)
    assert (refused.code, refused.description) == ("FormatViolation", "why")


def test_a_description_has_at_most_255_characters() -> None:
    """OCPP-J 1.6 §4.2.3."""
    assert len(json.loads(frames.error(b'"1"', "GenericError", "x" * 1000))[3]) == 255


def test_half_a_surrogate_pair_as_id_is_refused_by_nobody() -> None:
    """Its text form is its JSON text; nothing raises."""
    frame = parse(b'[2,"\\ud800","Heartbeat",{}]', Protocol.OCPP16)
    assert isinstance(frame, CallFrame)
    assert frame.message_id
    assert json.loads(frames.result(frame.id, {}))[0] == 3
