"""The message log: one journal record, one entry that can be read."""

from __future__ import annotations

import pytest

from chargenet.model.record import Decision, Record
from chargenet.model.words import RecordKind
from chargenet.testing import MemoryJournal
from chargewatch.frames import FrameEntry, describe, read_frames
from collector.interpret import interpret


def record(kind: RecordKind, frame: bytes, reply: bytes = b"", decision: Decision | None = None, sequence: int = 1) -> Record:
    return Record(sequence, 1_767_225_600_000_000, "CP-1", 1, "ocpp1.6", kind, frame, reply, decision or Decision())


def entry(kind: RecordKind, frame: bytes, reply: bytes = b"", decision: Decision | None = None) -> FrameEntry:
    return describe(record(kind, frame, reply, decision), interpret)


def test_a_call_has_its_answer() -> None:
    """Action, payload and our reply, without their envelopes."""
    found = entry(RecordKind.CALL, b'[2,"7","Heartbeat",{}]', b'[3,"7",{"currentTime":"2026-01-01T00:00:00Z"}]')
    assert (found.action, found.message_id, found.payload, found.direction) == ("Heartbeat", "7", {}, "in")
    assert found.reply == {"currentTime": "2026-01-01T00:00:00Z"} and found.flags == ()
    assert found.received_at.isoformat() == "2026-01-01T00:00:00+00:00"


def test_an_error_is_an_error() -> None:
    """A call error keeps code, description and details; the frame is flagged as refused where it was none."""
    found = entry(RecordKind.REFUSED, b'[2,"7"]', b'[4,"7","FormationViolation","too short",{}]')
    assert found.reply == {"error": "FormationViolation", "description": "too short", "details": {}}
    assert found.payload == [2, "7"] and "refused" in found.flags


@pytest.mark.parametrize("frame", [b"{", b"\xff\xfe", b'[2,"1","A",', b"[" * 100_000])
def test_what_cannot_be_parsed_is_shown_as_it_came(frame: bytes) -> None:
    """Not JSON, not UTF-8, nested without end: the text itself, bounded, and no error."""
    found = entry(RecordKind.REFUSED, frame)
    assert found.raw is not None and len(found.raw) <= 65_536 and found.payload is None and "refused" in found.flags


def test_our_call_and_its_result() -> None:
    """A command leaves, its result comes back under the same action; silence is flagged."""
    sent = entry(RecordKind.COMMAND, b'[2,"c1","Reset",{"type":"Soft"}]')
    assert (sent.direction, sent.action, sent.payload) == ("out", "Reset", {"type": "Soft"})
    note = b'{"message_id":"c1","action":"Reset","status":"accepted","detail":null}'
    back = entry(RecordKind.RESULT, b'[3,"c1",{"status":"Accepted"}]', note)
    assert (back.direction, back.action, back.message_id, back.payload) == ("in", "Reset", "c1", {"status": "Accepted"})
    silent = entry(RecordKind.RESULT, b"", b'{"message_id":"c1","action":"Reset","status":"timed_out","detail":"30 s"}')
    assert silent.flags == ("unanswered",) and silent.reply["status"] == "timed_out"


@pytest.mark.parametrize("kind", list(RecordKind))
def test_every_kind_of_record_can_be_read(kind: RecordKind) -> None:
    """Whatever the journal may hold has a place in the message log: one record that has none would hide all others."""
    assert entry(kind, b'{"remote":"192.0.2.1","reason":"wrong credentials"}').kind


def test_a_refused_log_in_says_from_where_and_why() -> None:
    """The first thing that somebody looks for whose charge point does not connect."""
    found = entry(RecordKind.LOGIN_REFUSED, b'{"remote":"192.0.2.1","reason":"wrong credentials"}')
    assert (found.kind, found.direction, found.payload) == (
        "login-refused",
        "in",
        {"remote": "192.0.2.1", "reason": "wrong credentials"},
    )


def test_flags_name_repeats_and_quirks() -> None:
    """A repeated report says so once; a deviation has the name of its quirk."""
    status = b'[2,"7","StatusNotification",{"connectorId":1,"errorCode":"Nonsense","status":"Available"}]'
    assert entry(RecordKind.CALL, status, b'[3,"7",{}]').flags == ("error-code-unknown",)
    assert entry(RecordKind.CALL, status, b'[3,"7",{}]', Decision(duplicate_of=1)).flags == ("repeated",)


def test_secrets_are_hidden() -> None:
    """A password that we set and an upload URL that still works are not for readers of the log."""
    change = entry(RecordKind.COMMAND, b'[2,"c1","ChangeConfiguration",{"key":"AuthorizationKey","value":"abcd"}]')
    assert change.payload == {"key": "AuthorizationKey", "value": "(hidden)"}
    url = f"http://h/uploads/{'0' * 16}.{'x' * 43}/log".encode()
    get = entry(RecordKind.COMMAND, b'[2,"c1","GetDiagnostics",{"location":"' + url + b'"}]')
    assert get.payload == {"location": "http://h/uploads/(hidden)/log"}
    variable = b'{"attributeValue":"abcd","component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}'
    set_variables = entry(RecordKind.COMMAND, b'[2,"c1","SetVariables",{"setVariableData":[' + variable + b"]}]")
    assert set_variables.payload["setVariableData"][0]["attributeValue"] == "(hidden)"


def filled(count: int) -> MemoryJournal:
    journal = MemoryJournal()
    for number in range(count):
        action = b"Heartbeat" if number % 10 else b"BootNotification"
        journal.append(
            received_at_us=1_767_225_600_000_000 + number,
            charge_point_id="CP-1",
            generation=1,
            protocol="ocpp1.6",
            kind=RecordKind.SEND,
            frame=b'[6,"7","%s",{}]' % action,
        )
    return journal


def test_pages_join_without_gap_or_repeat() -> None:
    """Newest first, each page going on where the last one ended, with and without a filter."""
    journal = filled(95)
    for action, expected in ((None, list(range(95, 0, -1))), ("BootNotification", list(range(91, 0, -10)))):
        found: list[int] = []
        before: int | None = None
        while True:
            page = read_frames(journal, interpret, "CP-1", before=before, action=action, limit=7)
            found += [each.sequence for each in page.items]
            before = page.next_before
            if before is None:
                break
        assert found == expected, action


def test_a_rare_action_is_searched_in_bounded_steps() -> None:
    """After 20,000 records without a hit the page is empty, and says where to go on."""
    page = read_frames(filled(25_000), interpret, "CP-1", action="Nothing", limit=10)
    assert page.items == [] and page.next_before == 5_001


def test_only_what_came_before_an_instant() -> None:
    """`until_us` itself is not in it; with `since_us` it is a window, and pages of it join."""
    journal, first_us = filled(95), 1_767_225_600_000_000
    found: list[int] = []
    before: int | None = None
    while True:
        page = read_frames(journal, interpret, "CP-1", since_us=first_us + 40, until_us=first_us + 60, before=before, limit=7)
        found += [each.sequence for each in page.items]
        before = page.next_before
        if before is None:
            break
    assert found == list(range(60, 40, -1))
