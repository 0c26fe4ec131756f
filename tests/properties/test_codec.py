"""Whatever bytes come: nothing raises, what is answered is OCPP-J, and replay tells what was told."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from chargenet.model.measurement import as_list
from chargenet.model.words import Protocol, RecordKind
from collector.interpret import interpret
from collector.ocpp import frames
from collector.ocpp.frames import CallFrame, Unparsable, parse
from collector.ocpp.repair import mend
from collector.ocpp.salvage import salvage
from collector.ocpp.schemas import SchemaViolation, actions, decode, schema_for
from collector.routing import ROUTES
from tests.support.desk import process, record_of
from tests.support.payloads import full, minimal

PROTOCOLS = st.sampled_from(list(Protocol))
ROUTED = st.sampled_from([(protocol, action) for protocol, table in ROUTES.items() for action in sorted(table)])
KNOWN = st.sampled_from([(protocol, action) for protocol in Protocol for action in sorted(actions(protocol))])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.sampled_from(["NaN", "", " 7 ", "1970-01-01T00:00:00Z", "2026-03-01T12:00:00", "Hz", "-1", "Available"])
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4), max_leaves=8
)


@st.composite
def almost_frames(draw: st.DrawFn) -> bytes:
    """A frame, with a few of its bytes changed, doubled or cut away."""
    protocol, action = draw(ROUTED)
    make = draw(st.sampled_from([minimal, full]))
    payload = json.dumps(make(schema_for(protocol, action).document), ensure_ascii=draw(st.booleans()))
    kind, ident = draw(st.sampled_from("2223456")), draw(st.sampled_from(['"m1"', "17", '""', "null", '"ü"', '"\\ud800"']))
    text = bytearray(f'[{kind},{ident},"{action}",{payload}]'.encode())
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(len(text) - 1, 0)))
        change = draw(st.sampled_from(["cut", "drop", "double", "put"]))
        if change == "cut":
            del text[at:]
        elif change == "drop":
            del text[at : at + draw(st.integers(1, 8))]
        elif change == "double":
            text[at:at] = text[at : at + draw(st.integers(1, 8))]
        else:
            text[at:at] = draw(st.sampled_from([b",", b"NaN", b"\xff", b"\x00", b'"', b"\\", b"[", b"{", b":", b"1e999", b"\n"]))
    return bytes(text)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode) | almost_frames(), PROTOCOLS)
@settings(max_examples=400)
def test_any_text_is_answered_or_noted(data: bytes, protocol: Protocol) -> None:
    """Never an exception; the answer is one JSON frame that echoes the id; the record of it tells the same events again."""
    frame = parse(data, protocol)
    processed = process(data, protocol)
    if processed.reply:
        reply = json.loads(processed.reply)
        assert reply[0] in (3, 4)
        ident = frame.id if isinstance(frame, CallFrame | Unparsable) else None
        assert ident is not None
        assert processed.reply.startswith(b"[%d,%b," % (reply[0], ident))
    else:
        assert not isinstance(frame, CallFrame)
    assert processed.events or processed.kind in (RecordKind.CALL, RecordKind.SEND)
    msgspec.json.encode(processed.events, enc_hook=as_list)
    if processed.journaled:
        assert interpret(record_of(data, protocol, processed)).events == processed.events


@given(ROUTED, ANYTHING)
@settings(max_examples=300)
def test_any_payload_of_any_action_is_answered(route: tuple[Protocol, str], payload: Any) -> None:
    """Reports that are objects get call results, requests may get call errors, and nothing is an error of ours."""
    protocol, action = route
    processed = process(b'[2,"m1","%b",%b]' % (action.encode(), msgspec.json.encode(payload)), protocol)
    reply = json.loads(processed.reply)
    if ROUTES[protocol][action].report and isinstance(payload, dict):
        assert reply[0] == 3
    assert reply[0] == 3 or reply[2] != "InternalError"


@given(KNOWN, ANYTHING, st.booleans())
@settings(max_examples=300)
def test_repair_takes_anything(known: tuple[Protocol, str], payload: Any, response: bool) -> None:
    """Never an exception, and what the schema finds valid is left alone without a word."""
    protocol, action = known
    response = response and action != "NotifyPeriodicEventStream"
    mended = mend(protocol, action, payload, response=response)
    try:
        call = schema_for(protocol, action, response=response).decode(msgspec.json.encode(payload))
    except SchemaViolation:
        assert mended.deviations
    else:
        assert mended.call == call
        assert mended.complete


@given(KNOWN, st.sampled_from([minimal, full]))
def test_repair_leaves_valid_payloads_alone(known: tuple[Protocol, str], make: Any) -> None:
    """Same Struct as the decoder's, no deviation."""
    protocol, action = known
    payload = make(schema_for(protocol, action).document)
    mended = mend(protocol, action, payload)
    assert mended.call == decode(protocol, action, json.dumps(payload).encode())
    assert mended.deviations == []


@given(ANYTHING, st.booleans(), st.sampled_from([None, 1]))
def test_salvage_leaves_json_alone(value: Any, ascii_only: bool, indent: int | None) -> None:
    """Valid JSON keeps its meaning, whatever commas and colons stand in its texts, and is not flagged."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    corrected, deviations = salvage(text.encode("utf-8", "replace"))
    assert json.loads(corrected) == json.loads(text.encode("utf-8", "replace"))
    assert deviations == ()


@given(st.binary(max_size=300))
def test_salvage_is_done_in_one_pass(data: bytes) -> None:
    """What was corrected needs no second correction of the encoding, and never raises."""
    corrected, _ = salvage(data)
    corrected.decode("utf-8")


@given(st.text(max_size=60), st.text(max_size=30), st.dictionaries(st.text(max_size=8), SCALARS, max_size=3))
def test_what_we_send_reads_as_it_was_meant(message_id: str, action: str, payload: dict[str, Any]) -> None:
    """Call, send, result and both errors: encoder and parser are inverse."""
    call = parse(frames.call(message_id, action, payload), Protocol.OCPP21)
    assert isinstance(call, CallFrame)
    assert (call.message_id, call.action) == (message_id, action)
    assert json.loads(bytes(call.payload)) == payload
    for text in (
        frames.send(message_id, action, payload),
        frames.result(call.id, payload),
        frames.error(call.id, "GenericError", action, payload),
        frames.result_error(call.id, "GenericError", action, payload),
    ):
        frame = parse(text, Protocol.OCPP21)
        assert not isinstance(frame, Unparsable)
        assert (frame.id, frame.message_id) == (call.id, message_id)
