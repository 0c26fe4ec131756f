"""What real 2.0.1 charge points sent: each call answered, each answer understood, nothing of it lost."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from chargenet.events import FrameDeviated, FrameRefused, StatusReported, TransactionStarted, TransactionStopped, TransactionUpdated
from chargenet.model.ids import ConnectorRef
from chargenet.model.words import OutcomeStatus, Protocol
from collector.answer import Processed
from collector.commands import outcome
from collector.handlers.results import result_events
from collector.ocpp.schemas import schema_for
from tests.conftest import DATA
from tests.support.desk import process
from tests.support.handling import FixedDesk, run

pytestmark = pytest.mark.data


def frames(message_type: int) -> list[tuple[str, list[Any]]]:
    """Frames of this type that 2.0.1 charge points sent, as text and decoded."""
    lines = (json.loads(line) for line in (DATA / "real-frames.jsonl").read_text().splitlines())
    said = [
        line["frame"] for line in lines if line["ocpp_version"] == "2.0.1" and line["direction"] == "cp->csms" and line["frame"]
    ]
    decoded = [(text, json.loads(text)) for text in said]
    return [(text, frame) for text, frame in decoded if frame[0] == message_type]


def answered(text: str) -> Processed:
    return process(text.encode(), Protocol.OCPP201)


def test_every_call_is_answered_as_its_schema_wants() -> None:
    """Same message id, a valid call result, and not one deviation: these frames are in order."""
    assert len(frames(2)) >= 7
    for text, (_, message_id, action, _) in frames(2):
        processed = answered(text)
        kind, echoed, reply = json.loads(processed.reply)
        assert (kind, echoed) == (3, message_id)
        schema_for(Protocol.OCPP201, action, response=True).check(reply)
        assert processed.events
        assert not any(isinstance(event, FrameRefused | FrameDeviated) for event in processed.events)


def test_a_session_that_ended_offline_reads_as_one_transaction() -> None:
    """One id from start to stop, growing sequence numbers from 266, the connector from when it was said, and the offline flag."""
    desk = FixedDesk()
    told = [event for _, (_, _, action, payload) in frames(2) for event in run(action, payload, desk=desk).events]
    transaction = [event for event in told if isinstance(event, TransactionStarted | TransactionUpdated | TransactionStopped)]
    assert [type(event) for event in transaction] == [
        TransactionStarted,
        TransactionUpdated,
        TransactionUpdated,
        TransactionStopped,
    ]
    assert len({event.transaction_id for event in transaction}) == 1
    assert [event.seq_no for event in transaction] == [266, 267, 268, 269]
    assert [event.connector for event in transaction] == [None, ConnectorRef(1), ConnectorRef(1), ConnectorRef(1)]
    assert [event.offline for event in transaction] == [False, False, False, True]
    assert [event.charging_state for event in transaction] == [None, "EVConnected", "Charging", "EVConnected"]


def test_the_status_of_evse_0_is_the_charge_points() -> None:
    """A status for the charge point itself, and one for its connector."""
    told = [event for text, _ in frames(2) for event in answered(text).events if isinstance(event, StatusReported)]
    assert {(event.connector, event.status) for event in told} == {(None, "Available"), (ConnectorRef(1), "Occupied")}


def test_every_answer_to_get_variables_is_understood() -> None:
    """Accepted, and the value it tells is news under the variable's name."""
    assert len(frames(3)) >= 9
    values: dict[str, str | None] = {}
    for text, (_, _, result) in frames(3):
        assert outcome("GetVariables", Protocol.OCPP201, result) == (OutcomeStatus.ACCEPTED, None)
        for event in result_events(Protocol.OCPP201, "GetVariables", text.encode()):
            values |= msgspec.to_builtins(event)["values"]
    assert values["TxCtrlr.TxStartPoint"] == "Authorized"
    assert values["OCPPCommCtrlr.OfflineThreshold"] == "120.0"
