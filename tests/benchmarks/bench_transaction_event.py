"""A 2.0.1 TransactionEvent with 8 sampled values, from payload to events: what each step costs, against the PyPI ocpp package."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import process_time
from typing import Any

import pytest
from ocpp.messages import Call, MessageType, get_validator

from chargenet.model.record import NO_DECISION
from chargenet.model.words import Protocol
from collector.context import Context
from collector.handlers.v201 import transaction_event
from collector.ocpp.schemas import schema_for
from tests.support.handling import RECEIVED_AT, FixedDesk

pytestmark = pytest.mark.benchmark

AT = "2026-03-01T12:00:00Z"


def _sample(value: float, measurand: str, unit: str, **fields: str) -> dict[str, Any]:
    return {"value": value, "measurand": measurand, "unitOfMeasure": {"unit": unit}, **fields}


PAYLOAD: dict[str, Any] = {
    "eventType": "Updated",
    "timestamp": AT,
    "triggerReason": "MeterValuePeriodic",
    "seqNo": 3,
    "transactionInfo": {"transactionId": "e80fb8b1-3fa4-4146-aa10-9dfbc72dfa36", "chargingState": "Charging"},
    "evse": {"id": 1, "connectorId": 1},
    "meterValue": [
        {
            "timestamp": AT,
            "sampledValue": [
                _sample(12345.0, "Energy.Active.Import.Register", "Wh"),
                _sample(11040.0, "Power.Active.Import", "W"),
                *(_sample(16.0, "Current.Import", "A", phase=phase) for phase in ("L1", "L2", "L3")),
                *(_sample(230.0, "Voltage", "V", phase=phase) for phase in ("L1-N", "L2-N", "L3-N")),
            ],
        }
    ],
}


def test_transaction_event() -> None:
    """Decode, decide and handle, in microseconds of CPU; the peer only validates what it has decoded."""
    raw = json.dumps(PAYLOAD).encode()
    schema = schema_for(Protocol.OCPP201, "TransactionEvent")
    call, desk = schema.decode(raw), FixedDesk()
    context = Context("CP-1", Protocol.OCPP201.value, RECEIVED_AT, NO_DECISION)
    validator = get_validator(MessageType.Call, "TransactionEvent", "2.0.1")
    peer_call = Call("1", "TransactionEvent", PAYLOAD)
    steps: dict[str, Callable[[], object]] = {
        "decode_us": lambda: schema.decode(raw),
        "decide_us": lambda: transaction_event.decide(call, context, desk),
        "handle_us": lambda: transaction_event.handle(call, context),
        "peer_validate_us": lambda: validator.validate(peer_call.payload),
    }
    measured = {name: _cheapest_us(step) for name, step in steps.items()}
    ours = measured["decode_us"] + measured["decide_us"] + measured["handle_us"]
    figures = {name: round(value, 2) for name, value in measured.items()}
    print(
        "\n" + json.dumps({"benchmark": "transaction_event_8", **figures, "ratio": round(measured["peer_validate_us"] / ours, 1)})
    )


def _cheapest_us(step: Callable[[], object], repeats: int = 5, seconds: float = 0.1) -> float:
    """The least of some averages: what the machine's other work adds is not the step's."""
    averages = []
    for _ in range(repeats):
        count, began = 0, process_time()
        while (spent := process_time() - began) < seconds:
            for _ in range(50):
                step()
            count += 50
        averages.append(spent / count * 1e6)
    return min(averages)
