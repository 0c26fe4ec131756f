"""Repair: everything usable is kept, everything else is named."""

from __future__ import annotations

from typing import Any

import pytest

from chargenet.model.words import Protocol
from collector.ocpp.repair import mend, repair

GOOD = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


@pytest.mark.parametrize(
    ("change", "attribute", "value", "said"),
    [
        ({"connectorId": "2"}, "connectorId", 2, "connectorId: '2' where a whole number belongs"),
        ({"connectorId": 2.0}, "connectorId", 2, "connectorId: 2.0 where a whole number belongs"),
        ({"connectorId": 2.9}, "connectorId", 2, "connectorId: 2.9 where a whole number belongs"),
        ({"connectorId": "two"}, "connectorId", None, "connectorId: 'two' cannot be read as a whole number"),
        ({"connectorId": True}, "connectorId", None, "connectorId: True cannot be read as a whole number"),
        ({"connectorId": None}, "connectorId", None, "connectorId: null, read as absent"),
        ({"connectorId": 10**30}, "connectorId", None, "cannot be read as a whole number"),
        ({"status": "Charging!"}, "status", "Charging!", "status: 'Charging!' is not a word of the standard"),
        ({"status": " charging"}, "status", "Charging", "status: ' charging' read as 'Charging'"),
        ({"status": 5}, "status", "5", "status: 5 where text belongs"),
        ({"status": {"a": 1}}, "status", None, "cannot be read as text"),
        ({"info": "x" * 60}, "info", "x" * 60, "info: 60 characters, the schema allows 50: kept whole"),
        ({"info": 7}, "info", "7", "info: 7 where text belongs"),
        ({"info": ["a"]}, "info", None, "cannot be read as text"),
        ({"Info": "hello"}, "info", "hello", "Info: spelled 'Info' instead of 'info'"),
        ({"colour": "red"}, "info", None, "colour: not in the schema, ignored"),
    ],
)
def test_one_deviation(change: dict[str, Any], attribute: str, value: object, said: str) -> None:
    """The usable part stays in its attribute, and one sentence with its path says what was wrong."""
    call, deviations = repair(Protocol.OCPP16, "StatusNotification", {**GOOD, **change})
    assert getattr(call, attribute) == value
    assert [said in deviation.detail for deviation in deviations] in ([True], [True, False])
    assert all(deviation.action == "StatusNotification" for deviation in deviations)


def test_what_is_in_order_stays_unflagged() -> None:
    """A valid payload passes without a word."""
    mended = mend(Protocol.OCPP16, "StatusNotification", GOOD)
    assert mended.deviations == []
    assert mended.complete


def test_missing_required_properties_are_none() -> None:
    """Handlers must live with that; `complete` says so."""
    mended = mend(Protocol.OCPP16, "StatusNotification", {})
    assert (mended.call.connectorId, mended.call.status, mended.call.errorCode) == (None, None, None)
    assert not mended.complete
    assert len(mended.deviations) == 3


@pytest.mark.parametrize("payload", [None, [], "x", 5, [{}]], ids=repr)
def test_what_is_no_object_is_read_as_an_empty_one(payload: object) -> None:
    """And said to be none."""
    call, deviations = repair(Protocol.OCPP16, "Heartbeat", payload)
    assert call is not None
    assert "not an object" in deviations[0].detail


def test_lists_keep_what_they_can() -> None:
    """Unusable items are dropped, empty lists stay, one object is a list of one."""
    samples = [{"value": "1"}, 3, None, {"value": 2.5}]
    call, deviations = repair(
        Protocol.OCPP16, "MeterValues", {"connectorId": 1, "meterValue": {"timestamp": "t", "sampledValue": samples}}
    )
    assert [sample.value for sample in call.meterValue[0].sampledValue] == ["1", "2.5"]
    assert [deviation.quirk for deviation in deviations] == ["object-for-list", "schema", "schema", "value-as-number"]
    empty, _ = repair(Protocol.OCPP16, "MeterValues", {"connectorId": 1, "meterValue": []})
    assert empty.meterValue == []


def test_lists_that_are_none_are_given_up() -> None:
    """Text is no list."""
    call, deviations = repair(Protocol.OCPP16, "MeterValues", {"connectorId": 1, "meterValue": "12"})
    assert call.meterValue is None
    assert "cannot be read as a list" in deviations[0].detail


def test_numbers_and_truths_of_2x() -> None:
    """Text is read as number and truth where it can be; ranges are reported, not enforced."""
    payload = {
        "eventType": "Updated",
        "timestamp": "2026-03-01T12:00:00Z",
        "triggerReason": "MeterValuePeriodic",
        "seqNo": "7",
        "offline": "true",
        "numberOfPhasesUsed": 9,
        "transactionInfo": {"transactionId": 5, "timeSpentCharging": "x"},
        "meterValue": [{"timestamp": "t", "sampledValue": [{"value": "3.5"}, {"value": "n/a"}, {"value": True}]}],
    }
    call, deviations = repair(Protocol.OCPP21, "TransactionEvent", payload)
    assert (call.seqNo, call.offline, call.numberOfPhasesUsed, call.transactionInfo.transactionId) == (7, True, 9, "5")
    assert call.transactionInfo.timeSpentCharging is None
    assert [sample.value for sample in call.meterValue[0].sampledValue] == [3.5, None, None]
    assert any("outside" in deviation.detail for deviation in deviations)


def test_truth_in_other_words() -> None:
    """1, no and their kin are read; the rest is given up."""
    for word, meaning in (("1", True), (0, False), ("No", False), ("maybe", None), ([], None)):
        base = {
            "eventType": "Updated",
            "timestamp": "t",
            "triggerReason": "Trigger",
            "seqNo": 1,
            "transactionInfo": {"transactionId": "x"},
        }
        call, deviations = repair(Protocol.OCPP201, "TransactionEvent", {**base, "offline": word})
        assert call.offline is meaning
        assert len(deviations) == 1


def test_a_list_that_is_too_long_is_kept_whole() -> None:
    """2.1 bounds many lists."""
    entry = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c", "responderURL": "u"}
    call, deviations = repair(
        Protocol.OCPP201, "Authorize", {"idToken": {"idToken": "x", "type": "eMAID"}, "iso15118CertificateHashData": [entry] * 6}
    )
    assert len(call.iso15118CertificateHashData) == 6
    assert "6 items, the schema allows 4" in deviations[0].detail


def test_ids_that_are_text_stay_text() -> None:
    """Whoever matches the transaction sees what was said."""
    for said, kept in (("abc-1", "abc-1"), ("17", 17), (10**30, str(10**30)), (True, None)):
        call, deviations = repair(Protocol.OCPP16, "StopTransaction", {"meterStop": 1, "timestamp": "t", "transactionId": said})
        assert call.transactionId == kept
        assert len(deviations) == 1


def test_an_id_token_is_never_in_a_sentence() -> None:
    """Deviations are shown and logged; ID tokens are personal data."""
    for id_tag in ("SECRET" * 10, 123456789, {"SECRET": 1}):
        _, deviations = repair(Protocol.OCPP16, "Authorize", {"idTag": id_tag})
        assert deviations
        assert all("SECRET" not in deviation.detail and "123456789" not in deviation.detail for deviation in deviations)


def test_call_results_are_repaired_too() -> None:
    """Scame answers GetConfiguration with numbers and booleans."""
    result = {
        "configurationKey": [
            {"key": "HeartbeatInterval", "readonly": False, "value": 60},
            {"key": "X", "readonly": "true", "value": True},
        ]
    }
    mended = mend(Protocol.OCPP16, "GetConfiguration", result, response=True)
    assert [(entry.key, entry.value, entry.readonly) for entry in mended.call.configurationKey] == [
        ("HeartbeatInterval", "60", False),
        ("X", "true", True),
    ]
