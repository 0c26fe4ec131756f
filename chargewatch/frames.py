"""The message log for reading: one journal record → one entry. Decided here: what a reader sees, and which flags a frame gets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from chargenet.events import Fact, FrameDeviated, FrameRefused, FrameRepeated
from chargenet.model.record import Record
from chargenet.model.words import RecordKind
from chargenet.ports import Journal
from chargewatch.hidden import without_secrets

Interpret = Callable[[Record], Fact]
_KINDS = {
    RecordKind.CALL: ("call", "in"),
    RecordKind.SEND: ("send", "in"),
    RecordKind.REFUSED: ("refused", "in"),
    RecordKind.COMMAND: ("command", "out"),
    RecordKind.RESULT: ("result", "in"),
    RecordKind.CONNECTED: ("connected", "in"),
    RecordKind.DISCONNECTED: ("disconnected", "in"),
    RecordKind.LOGIN_REFUSED: ("login-refused", "in"),
    RecordKind.UPLOAD: ("upload", "in"),
}
_CALLS = (2, 6)
"""Message types that have an action; in the others the third element is an error code or a payload."""
_OURS = (RecordKind.CONNECTED, RecordKind.DISCONNECTED, RecordKind.LOGIN_REFUSED, RecordKind.UPLOAD)
_RAW_LIMIT = 65_536
_SCANNED_PER_READ = 500
_SCAN_LIMIT = 20_000


class FrameEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the message log. `sequence` names the journal record it comes from."""

    sequence: int
    received_at: datetime
    charge_point_id: str
    direction: str
    """`in`: from the charge point, `out`: from us."""
    kind: str
    """call, send, refused, command, result, connected, disconnected, login-refused or upload."""
    protocol: str
    generation: int
    action: str | None = None
    message_id: str | None = None
    payload: Any = None
    """What was said: of a call its payload, of a result the answer."""
    reply: Any = None
    """What was answered to it: the payload, or {"error": code, "description": …, "details": …}."""
    flags: tuple[str, ...] = ()
    """What was odd: `repeated`, `refused`, `unanswered`, the names of quirks, `schema`."""
    raw: str | None = None
    """The frame as text where it could not be taken apart (the first 64 KiB of it)."""


class FramePage(msgspec.Struct, frozen=True):
    """Entries, newest first, and where the next page begins (`before` of the next read; None at the end)."""

    items: list[FrameEntry]
    next_before: int | None


def read_frames(
    journal: Journal,
    interpret: Interpret,
    charge_point_id: str,
    *,
    since_us: int = 0,
    until_us: int | None = None,
    before: int | None = None,
    action: str | None = None,
    limit: int = 100,
) -> FramePage:
    """Up to `limit` entries, newest first. Blocking: call it in a worker thread.

    `until_us`: only those received before it. With that or `action` at most 20,000 records are looked at; a page may then be short,
    or empty, and still have a next one.
    """
    found: list[FrameEntry] = []
    looked_at = 0
    while looked_at < _SCAN_LIMIT:
        wanted = limit - len(found) if action is None and until_us is None else _SCANNED_PER_READ
        records = journal.read_charge_point(charge_point_id, since_us=since_us, before=before, limit=wanted)
        for record in records:
            before = record.sequence
            looked_at += 1
            if until_us is not None and record.received_at_us >= until_us:
                continue
            entry = describe(record, interpret)
            if action is None or entry.action == action:
                found.append(entry)
            if len(found) == limit:
                return FramePage(found, before if before > 1 else None)
        if len(records) < wanted:
            return FramePage(found, None)
    return FramePage(found, before)


def describe(record: Record, interpret: Interpret) -> FrameEntry:
    """One record as an entry."""
    kind, direction = _KINDS[record.kind]
    frame, raw = _parsed(record.frame)
    note, _ = _parsed(record.reply)
    entry = FrameEntry(
        sequence=record.sequence,
        received_at=record.received_at,
        charge_point_id=record.charge_point_id,
        direction=direction,
        kind=kind,
        protocol=record.protocol,
        generation=record.generation,
        raw=raw,
        flags=_flags(record, interpret),
    )
    if record.kind in _OURS:
        return msgspec.structs.replace(entry, payload=frame)
    if record.kind is RecordKind.RESULT:
        return _result(entry, frame, note if isinstance(note, dict) else {})
    return _call(entry, frame, note)


def _call(entry: FrameEntry, frame: Any, reply: Any) -> FrameEntry:
    """[2, id, action, payload] (6 for SEND) and, for calls of charge points, our answer; a refused frame whole."""
    if not (isinstance(frame, list) and len(frame) >= 4 and frame[0] in _CALLS and isinstance(frame[2], str)):
        return msgspec.structs.replace(entry, payload=frame, reply=_answer(reply))
    message_id = frame[1] if isinstance(frame[1], str) else None
    return msgspec.structs.replace(entry, action=frame[2], message_id=message_id, payload=frame[3], reply=_answer(reply))


def _result(entry: FrameEntry, frame: Any, note: dict[str, Any]) -> FrameEntry:
    """The answer to a call of ours, with our note about which call it was and how it was read."""
    flags = entry.flags if frame is not None or entry.raw else (*entry.flags, "unanswered")
    return msgspec.structs.replace(
        entry, action=note.get("action"), message_id=note.get("message_id"), payload=_answer(frame), reply=note or None, flags=flags
    )


def _answer(frame: Any) -> Any:
    """[3, id, payload] → payload; [4, id, code, description, details] → an error; anything else as it is."""
    if isinstance(frame, list) and len(frame) >= 3 and frame[0] == 3:
        return frame[2]
    if isinstance(frame, list) and len(frame) >= 3 and frame[0] == 4:
        code, description, details = [*frame[2:5], None, None][:3]
        return {"error": code, "description": description, "details": details}
    return frame


def _parsed(data: bytes) -> tuple[Any, str | None]:
    """(JSON value, None), or (None, the text) where it is not JSON."""
    if not data:
        return None, None
    try:
        return without_secrets(msgspec.json.decode(data)), None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, data[:_RAW_LIMIT].decode("utf-8", "replace")


def _flags(record: Record, interpret: Interpret) -> tuple[str, ...]:
    """Names of what was odd, each once, in order."""
    names: list[str] = ["repeated"] if record.decision.duplicate_of is not None else []
    for event in interpret(record).events:
        if isinstance(event, FrameDeviated):
            names.append(event.quirk)
        elif isinstance(event, FrameRefused):
            names.append("refused")
        elif isinstance(event, FrameRepeated):
            names.append("repeated")
    return tuple(dict.fromkeys(names))
