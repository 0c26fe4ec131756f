"""A journal record → the fact it tells. Decided here: the events of each kind of record. Pure: the same record, the same fact.

What is cheap to build twice (connections, commands, uploads) the live side also gets from here, by interpreting the record it is
about to append; calls go through answer.py on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from chargenet.events import (
    CommandAnswered,
    CommandSent,
    ConnectionClosed,
    ConnectionOpened,
    DiagnosticsUploaded,
    Event,
    Fact,
    FrameRefused,
    FrameRepeated,
    SecurityEventReported,
)
from chargenet.model.record import Record
from chargenet.model.words import Protocol, RecordKind
from collector.answer import Processed, process_refused, process_stray, told
from collector.context import Context
from collector.handlers.results import result_events
from collector.ocpp.frames import CallFrame, ErrorFrame, ResultErrorFrame, ResultFrame, SendFrame, Unparsable, parse

_SECRETS = frozenset({"authorizationkey", "basicauthpassword", "password"})


def interpret(record: Record) -> Fact:
    """The fact of one record. Never raises for what a charge point said, nor for a record that cannot be read."""
    kind, received_at = record.kind, record.received_at
    action, events = _call(record, received_at) if kind in _CALLS else _READERS[kind](record)
    generation = record.sequence if kind is RecordKind.CONNECTED else record.generation
    return Fact(record.sequence, received_at, record.charge_point_id, generation, record.protocol, action, events)


_Told = tuple[str, tuple[Event, ...]]


def _call(record: Record, received_at: datetime) -> _Told:
    frame = parse(record.frame, _PROTOCOLS[record.protocol])
    if not isinstance(frame, _CALL_FRAMES):
        return _refused(record)
    duplicate_of = record.decision.duplicate_of
    if duplicate_of is not None:
        return frame.action, (FrameRepeated(duplicate_of=duplicate_of, action=frame.action),)
    return frame.action, told(frame, Context(record.charge_point_id, record.protocol, received_at, record.decision))


def _told(processed: Processed) -> _Told:
    return processed.action, processed.events


def _refused(record: Record) -> _Told:
    frame = parse(record.frame, Protocol(record.protocol))
    if isinstance(frame, Unparsable):
        return _told(process_refused(frame))
    if isinstance(frame, ResultFrame | ErrorFrame | ResultErrorFrame):
        return _told(process_stray(frame))
    # Refused for a reason that is not in its text: a binary message, an oversized one, a call before the connection was ready.
    return "", (FrameRefused(problem="refused when it came"),)


def _command(record: Record) -> _Told:
    frame = parse(record.frame, Protocol(record.protocol))
    if not isinstance(frame, CallFrame | SendFrame):
        return "", ()
    payload = _json(frame.payload)
    return frame.action, (CommandSent(message_id=frame.message_id, action=frame.action, payload=_masked(payload)),)


def _masked(value: Any) -> Any:
    """Passwords that we set stay out of events: in 1.6 {key, value}, in 2.x {variable: {name}, attributeValue}, or plain."""
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if not isinstance(value, dict):
        return value
    variable = value.get("variable")
    named = variable.get("name") if isinstance(variable, dict) else value.get("key")
    secret = isinstance(named, str) and named.casefold() in _SECRETS
    return {
        key: "***" if key.casefold() in _SECRETS or (secret and key in ("value", "attributeValue")) else _masked(item)
        for key, item in value.items()
    }


def _result(record: Record) -> _Told:
    note = _json(record.reply)
    action = str(note.get("action") or "")
    detail = note.get("detail")
    answered = CommandAnswered(
        message_id=str(note.get("message_id") or ""),
        action=action,
        status=str(note.get("status") or ""),
        detail=None if detail is None else str(detail),
        error_code=_error_code(record),
    )
    return action, (answered, *result_events(Protocol(record.protocol), action, record.frame))


def _error_code(record: Record) -> str | None:
    frame = parse(record.frame, Protocol(record.protocol)) if record.frame else None
    return frame.code if isinstance(frame, ErrorFrame) else None


def _connected(record: Record) -> _Told:
    note = _json(record.frame)
    opened = ConnectionOpened(
        remote=str(note.get("remote") or ""),
        security_profile=_int(note.get("security_profile")),
        subprotocol_missing=bool(note.get("subprotocol_missing")),
    )
    return "", (opened,)


def _disconnected(record: Record) -> _Told:
    note = _json(record.frame)
    closed = ConnectionClosed(
        code=_int(note.get("code")),
        reason=str(note.get("reason") or ""),
        lost=bool(note.get("lost")),
        superseded=bool(note.get("superseded")),
    )
    return "", (closed,)


def _upload(record: Record) -> _Told:
    note = _json(record.frame)
    request_id = note.get("request_id")
    uploaded = DiagnosticsUploaded(
        file_id=str(note.get("file_id") or ""),
        name=str(note.get("name") or ""),
        size_bytes=_int(note.get("size")),
        sha256=str(note.get("sha256") or ""),
        request_id=request_id if isinstance(request_id, int) else None,
    )
    return "", (uploaded,)


def _login_refused(record: Record) -> _Told:
    note = _json(record.frame)
    info = f"{note.get('reason') or 'wrong credentials'} from {note.get('remote') or 'an unknown address'}"
    return "", (SecurityEventReported(type="LoginRefused", occurred_at=record.received_at, info=info),)


_CALLS = frozenset({RecordKind.CALL, RecordKind.SEND})
_CALL_FRAMES = (CallFrame, SendFrame)
_PROTOCOLS: Mapping[str, Protocol] = {version.value: version for version in Protocol}
_READERS: dict[RecordKind, Callable[[Record], _Told]] = {
    RecordKind.REFUSED: _refused,
    RecordKind.COMMAND: _command,
    RecordKind.RESULT: _result,
    RecordKind.CONNECTED: _connected,
    RecordKind.DISCONNECTED: _disconnected,
    RecordKind.UPLOAD: _upload,
    RecordKind.LOGIN_REFUSED: _login_refused,
}


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _json(raw: bytes | msgspec.Raw) -> dict[str, Any]:
    """A note of ours; what is not a JSON object reads as an empty one."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
