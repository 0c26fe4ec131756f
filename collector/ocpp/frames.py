"""Text ↔ OCPP-J frames, without I/O. Decided here: what kind of frame a text is, and whether and how a broken one can be answered.

`parse` never raises, whatever the bytes. A message id is carried as the JSON text in which it came and is echoed exactly so: some
charge points send numbers, 20-digit ones, or more than 36 characters (OCPP-J 1.6 §4.1.4, 2.0.1 part 4 §4.1.4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from chargenet.events import FrameDeviated
from chargenet.model.words import Protocol
from collector.ocpp.errors import Fault, error_code
from collector.ocpp.salvage import salvage
from collector.quirks import flag

_MAX_ID = 36
_MAX_DESCRIPTION = 255
_EMPTY = msgspec.Raw(b"{}")
_UNKNOWN_ID = b'"-1"'
"""OCPP 2.x part 4 §4.2.3: the id of an error about a call whose id cannot be read."""


class _Frame(msgspec.Struct, frozen=True, gc=False):
    id: bytes
    """The message id as JSON text, e.g. b'"19223201"'."""

    @property
    def message_id(self) -> str:
        """The message id as text, for people and keys."""
        return self.id.decode() if self.id[:1] != b'"' else _text(self.id)


class CallFrame(_Frame, frozen=True, gc=False):
    """[2, id, action, payload]: `payload` is not validated yet."""

    action: str
    payload: msgspec.Raw
    deviations: tuple[FrameDeviated, ...] = ()


class ResultFrame(_Frame, frozen=True, gc=False):
    """[3, id, payload]."""

    payload: msgspec.Raw
    deviations: tuple[FrameDeviated, ...] = ()


class ErrorFrame(_Frame, frozen=True, gc=False):
    """[4, id, code, description, details]."""

    code: str
    description: str
    details: msgspec.Raw = _EMPTY
    deviations: tuple[FrameDeviated, ...] = ()


class ResultErrorFrame(_Frame, frozen=True, gc=False):
    """[5, id, code, description, details] (OCPP 2.1): our call result was not understood."""

    code: str
    description: str
    details: msgspec.Raw = _EMPTY
    deviations: tuple[FrameDeviated, ...] = ()


class SendFrame(_Frame, frozen=True, gc=False):
    """[6, id, action, payload] (OCPP 2.1): never answered."""

    action: str
    payload: msgspec.Raw
    deviations: tuple[FrameDeviated, ...] = ()


class Unparsable(msgspec.Struct, frozen=True):
    """No frame at all. `error_code` None: nothing can be answered. `id` as JSON text where one could be read."""

    problem: str
    error_code: str | None = None
    id: bytes | None = None
    action: str | None = None


Frame: TypeAlias = CallFrame | ResultFrame | ErrorFrame | ResultErrorFrame | SendFrame | Unparsable

_call = msgspec.json.Decoder(tuple[int, msgspec.Raw, str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])
_string = msgspec.json.Decoder(str)
_NUMBER = re.compile(rb"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
_OPENING = re.compile(
    rb'[\s\x00\xef\xbb\xbf]*+\[\s*+2\s*+,\s*+(?P<id>"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt])*+"|-?\d{1,64})\s*+'
    rb'(?:,\s*+"(?P<action>\w{1,64})")?'
)


def parse(data: bytes, protocol: Protocol) -> Frame:
    """One text message → one frame. Never raises."""
    try:
        kind, raw_id, action, payload = _call.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _parse(data, protocol)
    ident = bytes(raw_id)
    if kind == 2 and ident[0] == 34 and 2 < len(ident) <= _MAX_ID + 2 and data.isascii():
        return CallFrame(ident, action, payload)
    return _parse(data, protocol)


def _parse(data: bytes, protocol: Protocol) -> Frame:
    """The careful way: corrects slips of the pen, then looks at each element."""
    deviations: tuple[FrameDeviated, ...] = ()
    try:
        data.decode("utf-8")
        parts = _list.decode(data)
    except RecursionError:
        return _broken(data, protocol, "nested too deeply")
    except (msgspec.DecodeError, UnicodeDecodeError):
        data, deviations = salvage(data)
        try:
            parts = _list.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
            return _broken(data, protocol, str(problem))
    return _frame(parts, protocol, deviations)


def _broken(data: bytes, protocol: Protocol, problem: str) -> Unparsable:
    """Not a JSON array. A call that breaks off late has shown its id, and can be answered."""
    opening = _OPENING.match(data)
    if opening is None:
        return _unreadable(protocol, problem)
    action = opening["action"]
    return Unparsable(
        problem, error_code(protocol, Fault.RPC), opening["id"], action.decode("utf-8", "replace") if action else None
    )


def _unreadable(protocol: Protocol, problem: str, fault: Fault = Fault.RPC) -> Unparsable:
    """No id: OCPP 1.6 has no answer without one, 2.x answers to "-1"."""
    if protocol == Protocol.OCPP16:
        return Unparsable(problem)
    return Unparsable(problem, error_code(protocol, fault), _UNKNOWN_ID)


def _frame(parts: list[msgspec.Raw], protocol: Protocol, deviations: tuple[FrameDeviated, ...]) -> Frame:
    kind = bytes(parts[0]) if parts else b""
    if kind not in _KINDS or (kind in _ONLY_21 and protocol != Protocol.OCPP21):
        return _unknown_type(parts, protocol, kind)
    ident = _id(parts[1]) if len(parts) > 1 else None
    if ident is None:
        problem = "no readable message id"
        return _unreadable(protocol, problem) if kind == b"2" else Unparsable(problem)
    deviations += _id_deviations(ident)
    if kind in (b"2", b"6"):
        return _call_or_send(kind, ident, parts, protocol, deviations)
    if kind == b"3":
        payload, more = _payload(parts, 2)
        return ResultFrame(ident, payload, deviations + more)
    details, more = _payload(parts, 4)
    form = ErrorFrame if kind == b"4" else ResultErrorFrame
    return form(ident, _loose_text(parts, 2), _loose_text(parts, 3), details, deviations + more)


_KINDS = frozenset({b"2", b"3", b"4", b"5", b"6"})
_ONLY_21 = frozenset({b"5", b"6"})


def _unknown_type(parts: list[msgspec.Raw], protocol: Protocol, kind: bytes) -> Unparsable:
    """OCPP-J 1.6 §4.1.3: ignored. 2.x part 4 §4.1.3: MessageTypeNotSupported."""
    said = kind[:32].decode("utf-8", "replace")
    problem = f"{said} is not a message type of {protocol.value}" if parts else "an empty list"
    ident = _id(parts[1]) if len(parts) > 1 else None
    # Without a number there is no message type that could be unsupported: the whole thing is no OCPP-J frame.
    fault = Fault.MESSAGE_TYPE if _NUMBER.match(kind) else Fault.RPC
    if ident is None or protocol == Protocol.OCPP16:
        return _unreadable(protocol, problem, fault)
    return Unparsable(problem, error_code(protocol, fault), ident)


def _call_or_send(
    kind: bytes, ident: bytes, parts: list[msgspec.Raw], protocol: Protocol, deviations: tuple[FrameDeviated, ...]
) -> Frame:
    action = _name(parts[2]) if len(parts) > 2 else None
    if action is None:
        problem = "no action" if len(parts) < 3 else "the action is not text"
        return Unparsable(problem, error_code(protocol, Fault.RPC) if kind == b"2" else None, ident)
    payload, more = _payload(parts, 3)
    form = CallFrame if kind == b"2" else SendFrame
    return form(ident, action, payload, deviations + more)


def _payload(parts: list[msgspec.Raw], at: int) -> tuple[msgspec.Raw, tuple[FrameDeviated, ...]]:
    if len(parts) <= at:
        return _EMPTY, (flag("frame-short", "", "the payload is missing, read as {}"),)
    if len(parts) > at + 1:
        return parts[at], (flag("frame-long", "", f"{len(parts) - at - 1} elements after the payload, ignored"),)
    return parts[at], ()


def _id(raw: msgspec.Raw) -> bytes | None:
    """A text or a number; anything else cannot identify a call."""
    ident = bytes(raw)
    return ident if ident[:1] == b'"' or _NUMBER.match(ident) else None


def _id_deviations(ident: bytes) -> tuple[FrameDeviated, ...]:
    if ident[:1] != b'"':
        return (flag("id-number", "", f"message id {ident[:64].decode()} is a number"),)
    if ident == b'""':
        return (flag("id-empty", "", "the message id is empty"),)
    if len(_text(ident)) > _MAX_ID:
        return (flag("id-long", "", f"message id of {len(_text(ident))} characters, {_MAX_ID} are allowed"),)
    return ()


def _name(raw: msgspec.Raw) -> str | None:
    try:
        return _string.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _loose_text(parts: list[msgspec.Raw], at: int) -> str:
    """An error's code or description: text, or whatever was put there."""
    if len(parts) <= at:
        return ""
    name = _name(parts[at])
    return name if name is not None else bytes(parts[at]).decode("utf-8", "replace")


def _text(ident: bytes) -> str:
    """The id as text; its JSON text where it is no text at all (half of a surrogate pair)."""
    try:
        return _string.decode(ident)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ident.decode("utf-8", "replace")


# Encoders. Payloads are a mapping, or JSON that is ready.

_encode = msgspec.json.Encoder().encode
Payload: TypeAlias = Mapping[str, Any] | bytes


def _json(payload: Payload) -> bytes:
    return payload if isinstance(payload, bytes) else _encode(payload)


def result(ident: bytes, payload: Payload) -> bytes:
    """[3, id, payload]."""
    return b"[3," + ident + b"," + (payload if isinstance(payload, bytes) else _encode(payload)) + b"]"


def error(ident: bytes, code: str, description: str = "", details: Payload = b"{}") -> bytes:
    """[4, id, code, description, details]."""
    return b"[4,%b,%b,%b,%b]" % (ident, _encode(code), _encode(description[:_MAX_DESCRIPTION]), _json(details))


def result_error(ident: bytes, code: str, description: str = "", details: Payload = b"{}") -> bytes:
    """[5, id, code, description, details] (OCPP 2.1): a call result of the charge point was not understood."""
    return b"[5,%b,%b,%b,%b]" % (ident, _encode(code), _encode(description[:_MAX_DESCRIPTION]), _json(details))


def call(message_id: str, action: str, payload: Payload) -> bytes:
    """[2, id, action, payload]."""
    return b"[2,%b,%b,%b]" % (_encode(message_id), _encode(action), _json(payload))


def send(message_id: str, action: str, payload: Payload) -> bytes:
    """[6, id, action, payload] (OCPP 2.1)."""
    return b"[6,%b,%b,%b]" % (_encode(message_id), _encode(action), _json(payload))


def refusal(frame: Unparsable) -> bytes:
    """The answer to a text that is no frame; empty where none is possible."""
    if frame.error_code is None or frame.id is None:
        return b""
    return error(frame.id, frame.error_code, frame.problem)
