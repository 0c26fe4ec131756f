"""OCPP 1.6 calls from bytes to reply and events, in microseconds of CPU, beside what the PyPI ocpp package spends on them.

The peer's path is what its ChargePoint does before and after the application's own handler: JSON, validation against the schema,
keys to snake case, and back again for the reply. Ours validates, repairs nothing, judges the measurements and makes the events.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from time import process_time
from typing import Any

import pytest
from ocpp.charge_point import camel_to_snake_case, snake_to_camel_case
from ocpp.messages import _validate_payload as validate_payload
from ocpp.messages import unpack

from chargenet.model.words import Protocol
from collector.answer import process_call
from collector.context import Context
from collector.handlers.measurements import sampled_v16
from collector.ocpp.duplicates import repeated_key
from collector.ocpp.frames import CallFrame, parse
from collector.ocpp.schemas import schema_for
from tests.support.desk import RECEIVED_AT, CaseDesk

pytestmark = pytest.mark.benchmark

AT = "2026-03-01T12:00:00Z"
ID = "5f094d9f-f070-4928-a856-c7d101b84f56"


def _sample(value: str, measurand: str, unit: str, **fields: str) -> dict[str, str]:
    common = {"value": value, "context": "Sample.Periodic", "format": "Raw", "measurand": measurand}
    return {**common, **fields, "location": "Outlet", "unit": unit}


PAYLOADS: dict[str, dict[str, Any]] = {
    "Heartbeat": {},
    "StatusNotification": {"connectorId": 1, "errorCode": "NoError", "status": "Charging", "timestamp": AT, "info": "C;330"},
    "MeterValues": {
        "connectorId": 1,
        "transactionId": 1758468254,
        "meterValue": [
            {
                "timestamp": AT,
                "sampledValue": [
                    *(_sample("16.02", "Current.Import", "A", phase=phase) for phase in ("L1", "L2", "L3")),
                    *(_sample("230.1", "Voltage", "V", phase=phase) for phase in ("L1", "L2", "L3")),
                    _sample("11040.5", "Power.Active.Import", "W"),
                    _sample("108009", "Energy.Active.Import.Register", "Wh"),
                ],
            }
        ],
    },
    "StartTransaction": {"connectorId": 1, "idTag": "04AAAA0A000001", "meterStart": 2145278, "timestamp": AT},
    "StopTransaction": {"idTag": "04AAAA0A000001", "meterStop": 2155278, "timestamp": AT, "transactionId": 1001, "reason": "Local"},
}


def _us(step: Callable[[], object], rounds: int) -> float:
    """Microseconds of CPU per call, the best of five."""
    best = float("inf")
    for _ in range(5):
        began = process_time()
        for _ in range(rounds):
            step()
        best = min(best, process_time() - began)
    return round(best / rounds * 1e6, 2)


def _peer(text: str, reply: dict[str, Any]) -> None:
    """The ocpp package, without its thread pool and its routing."""
    call = unpack(text)
    validate_payload(call, "1.6")
    camel_to_snake_case(call.payload)
    result = call.create_call_result(snake_to_camel_case(reply))
    validate_payload(result, "1.6")
    result.to_json()


REPLIES: dict[str, dict[str, Any]] = {
    "Heartbeat": {"current_time": AT},
    "StartTransaction": {"transaction_id": 1, "id_tag_info": {"status": "Accepted"}},
    "StopTransaction": {"id_tag_info": {"status": "Accepted"}},
}


@pytest.mark.parametrize("action", list(PAYLOADS))
def test_call(action: str) -> None:
    """Each step, the whole, the peer, and the ratio. The peer is spared its thread pool: its figure is its judgement."""
    text = json.dumps([2, ID, action, PAYLOADS[action]], separators=(",", ":"))
    data = text.encode()
    context, desk = Context("CP-1", Protocol.OCPP16.value, RECEIVED_AT), CaseDesk()
    desk.asked = _Forgetful()
    frame = parse(data, Protocol.OCPP16)
    assert isinstance(frame, CallFrame)
    schema, raw = schema_for(Protocol.OCPP16, action), bytes(frame.payload)
    call = schema.decode(raw)

    def whole() -> None:
        parsed = parse(data, Protocol.OCPP16)
        assert isinstance(parsed, CallFrame)
        process_call(parsed, context, desk)

    figures: dict[str, Any] = {"benchmark": "handlers_16", "action": action, "bytes": len(data)}
    figures["parse_us"] = _us(lambda: parse(data, Protocol.OCPP16), 5000)
    figures["decode_us"] = _us(lambda: schema.decode(raw), 5000)
    figures["repeated_key_us"] = _us(lambda: repeated_key(raw, call), 5000)
    if action == "MeterValues":
        samples = call.meterValue[0].sampledValue
        figures["eight_samples_us"] = _us(lambda: sampled_v16(samples, "meterValue[0]", []), 5000)
    figures["whole_us"] = _us(whole, 5000)
    figures["ocpp_package_us"] = _us(lambda: _peer(text, REPLIES.get(action, {})), 200)
    figures["ratio"] = round(figures["ocpp_package_us"] / figures["whole_us"], 1)
    print(json.dumps(figures))
    assert figures["ratio"] >= 5


class _Forgetful(list[tuple[Any, ...]]):
    """A desk asked a million times need not remember."""

    def append(self, _: object) -> None:
        return
