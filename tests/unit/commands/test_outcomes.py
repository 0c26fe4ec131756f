"""Which call results mean that the charge point does what it was asked."""

from __future__ import annotations

from typing import Any

import pytest

from chargenet.model.words import OutcomeStatus, Protocol
from collector.commands import CSMS_INITIATED, outcome
from collector.commands.outcomes import CONSENT, Items
from collector.ocpp.schemas import schema_for
from collector.ocpp.structs import resolve
from tests.support.payloads import full, minimal

V16, V201, V21 = Protocol.OCPP16, Protocol.OCPP201, Protocol.OCPP21
ACCEPTED, REJECTED = OutcomeStatus.ACCEPTED, OutcomeStatus.REJECTED
EVERY = [(protocol, action) for protocol in Protocol for action in sorted(CSMS_INITIATED[protocol])]
IN_PROGRESS = {"reasonCode": "TxInProgress", "additionalInfo": "EVSE 2"}


@pytest.mark.parametrize(
    ("action", "protocol", "result", "expected"),
    [
        ("Reset", V16, {"status": "Accepted"}, (ACCEPTED, None)),
        ("Reset", V201, {"status": "Scheduled"}, (ACCEPTED, "Scheduled")),
        ("Reset", V201, {"status": "Rejected", "statusInfo": IN_PROGRESS}, (REJECTED, "Rejected: TxInProgress, EVSE 2")),
        ("ChangeConfiguration", V16, {"status": "RebootRequired"}, (ACCEPTED, "RebootRequired")),
        ("ChangeConfiguration", V16, {"status": "NotSupported"}, (REJECTED, "NotSupported")),
        ("ChangeAvailability", V21, {"status": "Scheduled"}, (ACCEPTED, "Scheduled")),
        ("UnlockConnector", V16, {"status": "Unlocked"}, (ACCEPTED, "Unlocked")),
        ("UnlockConnector", V201, {"status": "OngoingAuthorizedTransaction"}, (REJECTED, "OngoingAuthorizedTransaction")),
        ("TriggerMessage", V201, {"status": "NotImplemented"}, (REJECTED, "NotImplemented")),
        ("UpdateFirmware", V16, {}, (ACCEPTED, None)),
        ("UpdateFirmware", V201, {}, (REJECTED, "the call result has no status")),
        ("UpdateFirmware", V201, {"status": "AcceptedCanceled"}, (ACCEPTED, "AcceptedCanceled")),
        ("SignedUpdateFirmware", V16, {"status": "RevokedCertificate"}, (REJECTED, "RevokedCertificate")),
        ("GetLog", V16, {"status": "AcceptedCanceled", "filename": "a"}, (ACCEPTED, "AcceptedCanceled")),
        ("GetDiagnostics", V16, {"fileName": "a.zip"}, (ACCEPTED, None)),
        ("GetDiagnostics", V16, {}, (ACCEPTED, "the charge point names no file: it may have nothing to upload")),
        ("GetConfiguration", V16, {"configurationKey": []}, (ACCEPTED, None)),
        ("GetConfiguration", V16, {"unknownKey": ["A", "B"]}, (REJECTED, "unknown keys: A, B")),
        ("GetBaseReport", V201, {"status": "EmptyResultSet"}, (ACCEPTED, "EmptyResultSet")),
        ("ClearChargingProfile", V16, {"status": "Unknown"}, (REJECTED, "Unknown")),
        ("UnpublishFirmware", V21, {"status": "NoFirmware"}, (REJECTED, "NoFirmware")),
        ("CostUpdated", V201, {}, (ACCEPTED, None)),
        ("Reset", V16, {"status": "accepted-ish"}, (REJECTED, "accepted-ish")),
        ("Reset", V16, {"status": None}, (REJECTED, "the call result has no status")),
        ("Reset", V16, {"status": 1}, (REJECTED, "the call result has no status")),
        ("Dance", V16, {"status": "Accepted"}, (REJECTED, "Dance is not a call to a charge point")),
    ],
)
def test_outcomes(action: str, protocol: Protocol, result: dict[str, Any], expected: tuple[OutcomeStatus, str | None]) -> None:
    """Consent is only what the specification calls so, and the detail says what a person should know."""
    assert outcome(action, protocol, result) == expected


def item(status: str, name: str = "HeartbeatInterval", **more: Any) -> dict[str, Any]:
    return {"attributeStatus": status, "component": {"name": "OCPPCommCtrlr"}, "variable": {"name": name}, **more}


def test_one_rejected_variable_rejects_the_call() -> None:
    """The rejected one is named, with its reason; the accepted one is not mentioned."""
    refused = item("Rejected", "Interval", attributeStatusInfo={"reasonCode": "ReadOnly"})
    result = {"setVariableResult": [item("Accepted"), refused]}
    assert outcome("SetVariables", V201, result) == (REJECTED, "OCPPCommCtrlr.Interval: Rejected (ReadOnly)")


def test_a_variable_that_needs_a_reboot_is_set() -> None:
    """RebootRequired is consent, and worth saying."""
    result = {"setVariableResult": [item("RebootRequired")]}
    assert outcome("SetVariables", V21, result) == (ACCEPTED, "OCPPCommCtrlr.HeartbeatInterval: RebootRequired")


def test_reading_an_unknown_variable_is_rejected() -> None:
    """GetVariables says which name the charge point does not know, as the name is written in commands."""
    unknown = {
        "attributeStatus": "UnknownVariable",
        "component": {"name": "EVSE", "evse": {"id": 1}},
        "variable": {"name": "Powr"},
        "attributeType": "MaxSet",
    }
    assert outcome("GetVariables", V201, {"getVariableResult": [unknown]}) == (REJECTED, "EVSE[1].Powr#MaxSet: UnknownVariable")


@pytest.mark.parametrize("items", [None, [], "Accepted", {}, [None], [{}], [{"attributeStatus": 5}], [{"attributeStatus": []}]])
def test_results_without_items_are_no_consent(items: object) -> None:
    """What cannot be read is never taken for a yes."""
    assert outcome("SetVariables", V201, {"setVariableResult": items})[0] is REJECTED


def test_monitors_and_tariffs_are_named_by_their_id() -> None:
    """Items that are not variables are named by what identifies them."""
    cleared = {"clearMonitoringResult": [{"id": 3, "status": "Accepted"}, {"id": 4, "status": "NotFound"}]}
    assert outcome("ClearVariableMonitoring", V201, cleared) == (REJECTED, "4: NotFound")
    tariffs = {"clearTariffsResult": [{"tariffId": "T1", "status": "NoTariff"}]}
    assert outcome("ClearTariffs", V21, tariffs) == (REJECTED, "T1: NoTariff")


def test_the_table_holds_every_action() -> None:
    """No action that can be sent is without a rule, and no rule without an action."""
    assert set(CONSENT) == set().union(*CSMS_INITIATED.values())


@pytest.mark.parametrize(("protocol", "action"), EVERY)
def test_rules_use_the_words_of_the_response_schema(protocol: Protocol, action: str) -> None:
    """What a rule takes for consent is in the field that the rule reads, in the words of the schema."""
    document = schema_for(protocol, action, response=True).document
    rule = CONSENT[action]
    fields = document.get("properties", {})
    if isinstance(rule, Items):
        items = resolve(resolve(fields[rule.field], document)["items"], document)
        assert rule.accepted <= set(resolve(items["properties"][rule.status], document)["enum"])
    elif "status" in fields:
        words = set(resolve(fields["status"], document)["enum"])
        assert words & rule, f"no status of {action} would be consent"
    else:
        assert not rule or (protocol, action) == (V16, "UpdateFirmware")


@pytest.mark.parametrize("action", sorted(CONSENT))
def test_no_rule_has_a_word_that_no_version_knows(action: str) -> None:
    """A misspelled status would never be consent."""
    rule = CONSENT[action]
    if isinstance(rule, Items) or not rule:
        return
    words: set[str] = set()
    for protocol in Protocol:
        if action in CSMS_INITIATED[protocol]:
            document = schema_for(protocol, action, response=True).document
            words |= set(resolve(document.get("properties", {}).get("status", {"enum": ()}), document)["enum"])
    assert rule <= words


@pytest.mark.parametrize(("protocol", "action"), EVERY)
def test_every_valid_result_has_an_outcome(protocol: Protocol, action: str) -> None:
    """The first status of a response's enumeration and the last: accepted, or rejected with a reason."""
    document = schema_for(protocol, action, response=True).document
    for make in (minimal, full):
        status, detail = outcome(action, protocol, make(document))
        assert status is ACCEPTED or (status is REJECTED and detail)


@pytest.mark.parametrize(("protocol", "action"), EVERY)
def test_every_action_can_be_sent(protocol: Protocol, action: str) -> None:
    """Each has a request schema that takes its minimal and its full payload."""
    schema = schema_for(protocol, action)
    for make in (minimal, full):
        schema.check(make(schema.document))


def test_statuses_that_are_consent_besides_accepted() -> None:
    """An order put off or needing a reboot is taken; a question answered with "none" is answered; nothing else counts."""
    more = {action: rule - {"Accepted"} for action, rule in CONSENT.items() if not isinstance(rule, Items)}
    assert {action: set(words) for action, words in more.items() if words} == {
        "ChangeAvailability": {"Scheduled"},
        "ChangeConfiguration": {"RebootRequired"},
        "GetBaseReport": {"EmptyResultSet"},
        "GetChargingProfiles": {"NoProfiles"},
        "GetDERControl": {"NotFound"},
        "GetDisplayMessages": {"Unknown"},
        "GetInstalledCertificateIds": {"NotFound"},
        "GetLog": {"AcceptedCanceled"},
        "GetMonitoringReport": {"EmptyResultSet"},
        "GetReport": {"EmptyResultSet"},
        "GetTariffs": {"NoTariff"},
        "Reset": {"Scheduled"},
        "SignedUpdateFirmware": {"AcceptedCanceled"},
        "UnlockConnector": {"Unlocked"},
        "UnpublishFirmware": {"Unpublished"},
        "UpdateFirmware": {"AcceptedCanceled"},
    }
