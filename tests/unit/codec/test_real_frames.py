"""What real 1.6 charge points sent, frame by frame: answered, its meaning kept, its deviations named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chargenet.events import (
    ChargePointBooted,
    DataTransferred,
    Event,
    FrameDeviated,
    FrameRefused,
    MeasurementsTaken,
    StatusReported,
    TokenPresented,
    TransactionStarted,
    TransactionStopped,
    TransactionUpdated,
)
from chargenet.model.words import Protocol
from collector.answer import Processed
from collector.handlers.results import result_events
from collector.interpret import interpret
from collector.ocpp.frames import CallFrame, ErrorFrame, ResultFrame, parse
from tests.conftest import DATA
from tests.support.desk import process, record_of

pytestmark = pytest.mark.data

MEANING: dict[str, tuple[type[Event], ...]] = {
    "Authorize": (TokenPresented,),
    "BootNotification": (ChargePointBooted,),
    "DataTransfer": (DataTransferred,),
    "MeterValues": (MeasurementsTaken,),
    "StartTransaction": (TransactionStarted,),
    "StatusNotification": (StatusReported,),
    "StopTransaction": (TransactionStopped,),
    "TransactionEvent": (TransactionStarted, TransactionUpdated, TransactionStopped),
}

NAMED = {
    "abc1": {"status-unknown"},
    "abc2": {"sampled-value-missing"},
    "6a73f5c6-d83b-11f0-bd33-000a14879883": {"authorize-connector"},
    "24": {"info-long"},
    "3779": {"zone-missing"},
    "28240181849166013077": {"error-code-unknown"},
    "4688": {"id-tag-long"},
    "658ae207-02ad-4051-8ecb-51d90e8bbf21": {"offset-short"},
    "<message-id>": {"json-empty-value", "property-null", "zone-missing"},
    "524351371": {"unit-missing"},
}
"""Message id → the quirks that its frame must be flagged with; all others must be none."""


def _records() -> list[dict[str, Any]]:
    lines = (DATA / "real-frames.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    return [record for record in records if record["direction"] == "cp->csms" and record["frame"]]


def _run(record: dict[str, Any]) -> Processed:
    return process(record["frame"].encode(), Protocol(f"ocpp{record['ocpp_version']}"))


def test_every_frame_is_understood_or_answered() -> None:
    """One is broken off and one asks about nobody: those get call errors. All other calls get call results."""
    refused = []
    for record in _records():
        protocol = Protocol(f"ocpp{record['ocpp_version']}")
        frame, processed = parse(record["frame"].encode(), protocol), _run(record)
        if isinstance(frame, ResultFrame | ErrorFrame):
            continue
        reply = json.loads(processed.reply)
        if reply[0] == 4:
            refused.append((reply[1], reply[2]))
            continue
        assert isinstance(frame, CallFrame)
        assert (reply[0], reply[1]) == (3, frame.message_id)
    assert sorted(refused) == [("abc3", "TypeConstraintViolation"), ("abc4", "FormationViolation")]


def test_what_they_meant_is_told() -> None:
    """Each call becomes the event of its action, and the journal tells it again; a call without readings tells none."""
    told = 0
    for record in _records():
        processed = _run(record)
        text = record["frame"].encode()
        assert interpret(record_of(text, Protocol(f"ocpp{record['ocpp_version']}"), processed)).events == processed.events
        kinds = {type(event) for event in processed.events}
        if processed.action in MEANING and FrameRefused not in kinds and "abc2" not in record["frame"]:
            assert kinds & set(MEANING[processed.action]), record["frame"]
            told += 1
    assert told >= 35


def test_deviations_are_named_by_their_quirk() -> None:
    """Frames that the source calls conformant to the schema may still deviate (clocks, units); nothing is flagged without cause."""
    for record in _records():
        frame = parse(record["frame"].encode(), Protocol(f"ocpp{record['ocpp_version']}"))
        if not isinstance(frame, CallFrame):
            continue
        flags = {event.quirk for event in _run(record).events if isinstance(event, FrameDeviated)}
        if '"disconnectReason":"EVDisconnected"' in record["frame"]:
            assert flags == {"stop-connector", "stop-disconnect-reason"}
        elif frame.message_id != "x":
            assert flags == NAMED.get(frame.message_id, set()), record["frame"]


def test_answers_to_our_calls_are_read() -> None:
    """Pretty printing, blanks before commas, decimals for integers: nothing of it is flagged, configuration is told."""
    for record in _records():
        frame = parse(record["frame"].encode(), Protocol(f"ocpp{record['ocpp_version']}"))
        if isinstance(frame, ResultFrame) and record.get("action"):
            events = result_events(Protocol(f"ocpp{record['ocpp_version']}"), record["action"], record["frame"].encode())
            assert not any(isinstance(event, FrameDeviated) for event in events), record["frame"]
            if record["action"] in ("GetConfiguration", "GetVariables"):
                assert events


def test_the_particulars_that_the_notes_point_out() -> None:
    """A wrapped counter, a connector 0, an info that says null, a tag of 21 characters, sixteen decimals."""
    events = [event for record in _records() for event in _run(record).events]
    values = {m.value for event in events if isinstance(event, MeasurementsTaken) for m in event.measurements}
    assert {4296944685.0, 1625.0000000000002, 60.0} <= values
    stops = [event for event in events if isinstance(event, TransactionStopped)]
    assert any(event.id_token is not None and len(event.id_token.value) == 21 for event in stops)
    statuses = [event for event in events if isinstance(event, StatusReported)]
    assert any(event.connector is None and event.raw_status == "Available" and event.info is None for event in statuses)
    assert any(event.error_code == "Error" and event.connector is None for event in statuses)
