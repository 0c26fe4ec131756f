"""Payloads against their schemas: what is valid, and what is said of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chargenet.errors import InvalidCall
from chargenet.model.words import Protocol
from collector.ocpp.schemas import SchemaViolation, actions, decode, payload_of, schema_for, validate_call
from collector.ocpp.structs import struct_of
from tests.support.payloads import full, minimal

EVERY = [(protocol, action) for protocol in Protocol for action in sorted(actions(protocol))]


@pytest.mark.parametrize(("protocol", "action"), EVERY)
def test_every_payload_is_decoded_whole(protocol: Protocol, action: str) -> None:
    """The least and the most that a schema allows come back as they were, request and response alike."""
    for response in (False, True):
        if response and action == "NotifyPeriodicEventStream":
            continue
        schema = schema_for(protocol, action, response=response)
        for payload in (minimal(schema.document), full(schema.document)):
            assert payload_of(schema.decode(json.dumps(payload).encode())) == payload


def test_attributes_are_spelled_as_in_the_schema() -> None:
    """Absent optional ones are None."""
    call = decode(Protocol.OCPP16, "StatusNotification", b'{"connectorId":1,"errorCode":"NoError","status":"Available"}')
    assert (call.connectorId, call.errorCode, call.vendorErrorCode, call.timestamp) == (1, "NoError", None, None)


@pytest.mark.parametrize(
    ("payload", "code", "problem"),
    [
        ({"connectorId": "1", "errorCode": "NoError", "status": "Available"}, "TypeConstraintViolation", "connectorId"),
        ({"connectorId": None, "errorCode": "NoError", "status": "Available"}, "TypeConstraintViolation", "connectorId"),
        ({"connectorId": 1, "errorCode": "NoError", "status": "Available", "info": "x" * 51}, "TypeConstraintViolation", "info"),
        ({"connectorId": 1, "errorCode": "NoError", "status": "Faultd"}, "PropertyConstraintViolation", "status"),
        ({"connectorId": 1, "errorCode": "NoError"}, "ProtocolError", "status"),
        ({"connectorId": 1, "errorCode": "NoError", "status": "Available", "x": 1}, "FormationViolation", "'x'"),
        ([], "TypeConstraintViolation", "object"),
    ],
)
def test_a_violation_is_named_in_ocpps_words(payload: Any, code: str, problem: str) -> None:
    """The error code of OCPP-J 1.6 §4.2.3 and the property at fault."""
    with pytest.raises(SchemaViolation) as caught:
        decode(Protocol.OCPP16, "StatusNotification", json.dumps(payload).encode())
    assert caught.value.error_code == code
    assert problem in caught.value.problem


def test_too_few_is_an_occurrence_spelled_by_version() -> None:
    """One r in 1.6 and 2.0.1, two in 2.1."""
    words = []
    for protocol, payload in (
        (Protocol.OCPP16, {"connectorId": 1, "meterValue": []}),
        (Protocol.OCPP201, {"evseId": 1, "meterValue": []}),
        (Protocol.OCPP21, {"evseId": 1, "meterValue": []}),
    ):
        with pytest.raises(SchemaViolation) as caught:
            decode(protocol, "MeterValues", json.dumps(payload).encode())
        words.append(caught.value.error_code)
    assert words == ["OccurenceConstraintViolation", "OccurenceConstraintViolation", "OccurrenceConstraintViolation"]


def test_text_that_is_no_json_is_a_violation_too() -> None:
    """Whatever the bytes, nothing else is raised."""
    for raw in (b"", b"{", b'{"idTag":"\xff"}', b"[" * 5000, b'{"idTag":1e999}'):
        with pytest.raises(SchemaViolation):
            decode(Protocol.OCPP16, "Authorize", raw)


def test_a_sentence_never_repeats_an_id_token() -> None:
    """Nor does any violation of it."""
    with pytest.raises(SchemaViolation) as caught:
        decode(Protocol.OCPP16, "Authorize", b'{"idTag":"SECRET-SECRET-SECRET-SECRET"}')
    assert "SECRET" not in str(caught.value)
    assert "SECRET" not in repr(caught.value.violations)


def test_a_whole_float_is_an_integer_in_2x_only() -> None:
    """Draft 6 says so, draft 4 does not."""
    payload = b'{"connectorId":1,"evseId":2.0,"connectorStatus":"Available","timestamp":"2026-03-01T12:00:00Z"}'
    call = decode(Protocol.OCPP201, "StatusNotification", payload)
    assert (call.evseId, type(call.evseId)) == (2, int)
    with pytest.raises(SchemaViolation):
        decode(Protocol.OCPP16, "StatusNotification", b'{"connectorId":1.0,"errorCode":"NoError","status":"Available"}')


def test_integers_beyond_64_bits_are_refused() -> None:
    """JSON and the schema have no bound, databases have."""
    with pytest.raises(SchemaViolation):
        decode(
            Protocol.OCPP16,
            "StatusNotification",
            b'{"connectorId":99999999999999999999,"errorCode":"NoError","status":"Available"}',
        )


def test_multiples_of_a_tenth_are_exact() -> None:
    """21.4 is one, 21.45 is not."""
    period = {"startPeriod": 0, "limit": 21.4}
    result: dict[str, Any] = {
        "status": "Accepted",
        "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]},
    }
    schema = schema_for(Protocol.OCPP16, "GetCompositeSchedule", response=True)
    assert schema.decode(json.dumps(result).encode()).chargingSchedule.chargingSchedulePeriod[0].limit == 21.4
    period["limit"] = 21.45
    with pytest.raises(SchemaViolation):
        schema.decode(json.dumps(result).encode())


def test_our_calls_are_checked_before_they_leave() -> None:
    """The sentence names action and field."""
    validate_call(Protocol.OCPP16, "Reset", {"type": "Soft"})
    with pytest.raises(InvalidCall, match=r"Reset: type: .*Medium"):
        validate_call(Protocol.OCPP16, "Reset", {"type": "Medium"})
    with pytest.raises(InvalidCall, match=r"GetVariables: is not an action of ocpp1\.6"):
        validate_call(Protocol.OCPP16, "GetVariables", {})


def test_what_no_version_defines_has_no_schema() -> None:
    """Nor has a file that is not an action."""
    for action in ("FooBar", "Resetx", "ResetResponse", "../Reset", ""):
        with pytest.raises(KeyError):
            schema_for(Protocol.OCPP16, action)
    with pytest.raises(KeyError):
        schema_for(Protocol.OCPP21, "NotifyPeriodicEventStream", response=True)


def test_a_keyword_that_is_not_translated_stops_the_start() -> None:
    """An ignored keyword would be a silent hole in validation."""
    with pytest.raises(NotImplementedError, match="pattern"):
        struct_of("X", {"type": "object", "properties": {"a": {"type": "string", "pattern": "^x"}}})
