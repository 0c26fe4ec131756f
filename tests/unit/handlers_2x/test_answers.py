"""Requests and reports whose answer is fixed: each says the truth about what this CSMS does."""

from __future__ import annotations

from typing import Any

import pytest

from chargenet.events import ReportReceived
from chargenet.model.words import Protocol
from collector.ocpp.schemas import schema_for
from tests.support.handling import TABLES_2X, only, run
from tests.support.payloads import full, minimal

PLAIN_201 = {
    "ClearedChargingLimit",
    "NotifyChargingLimit",
    "NotifyCustomerInformation",
    "NotifyDisplayMessages",
    "NotifyMonitoringReport",
    "PublishFirmwareStatusNotification",
    "ReportChargingProfiles",
    "ReservationStatusUpdate",
}
PLAIN_21 = PLAIN_201 | {
    "BatterySwap",
    "ClosePeriodicEventStream",
    "NotifyDERAlarm",
    "NotifyDERStartStop",
    "NotifyPeriodicEventStream",
    "NotifyPriorityCharging",
    "NotifySettlement",
    "ReportDERControl",
}
PLAIN = [(Protocol.OCPP201, action) for action in sorted(PLAIN_201)] + [(Protocol.OCPP21, action) for action in sorted(PLAIN_21)]


@pytest.mark.parametrize(("protocol", "action"), PLAIN)
def test_plain_reports_are_acknowledged_and_kept(protocol: Protocol, action: str) -> None:
    """An empty reply, and the payload as it came in a ReportReceived."""
    payload = full(schema_for(protocol, action).document)
    handled = run(action, payload, protocol=protocol)
    assert handled.reply == {}
    assert only(handled, ReportReceived) == ReportReceived(action=action, payload=payload)


@pytest.mark.parametrize(
    ("protocol", "action", "status"),
    [
        (Protocol.OCPP201, "SignCertificate", "Rejected"),
        (Protocol.OCPP201, "Get15118EVCertificate", "Failed"),
        (Protocol.OCPP201, "GetCertificateStatus", "Failed"),
        (Protocol.OCPP201, "NotifyEVChargingNeeds", "Rejected"),
        (Protocol.OCPP201, "NotifyEVChargingSchedule", "Accepted"),
        (Protocol.OCPP21, "NotifyEVChargingNeeds", "NoChargingProfile"),
        (Protocol.OCPP21, "OpenPeriodicEventStream", "Accepted"),
        (Protocol.OCPP21, "PullDynamicScheduleUpdate", "Rejected"),
    ],
)
def test_fixed_answers(protocol: Protocol, action: str, status: str) -> None:
    """What is not done here is refused with a reason, and noted."""
    handled = run(action, minimal(schema_for(protocol, action).document), protocol=protocol)
    assert handled.reply["status"] == status
    assert ("statusInfo" in handled.reply) is (status in ("Rejected", "Failed"))
    assert only(handled, ReportReceived).action == action


def test_a_vat_number_is_given_back_unchecked() -> None:
    """The response must repeat the number; it is not confirmed."""
    handled = run("VatNumberValidation", {"vatNumber": "DE123", "evseId": 2}, protocol=Protocol.OCPP21)
    assert (handled.reply["vatNumber"], handled.reply["evseId"], handled.reply["status"]) == ("DE123", 2, "Rejected")


def test_each_certificate_of_a_chain_is_answered_for() -> None:
    """One status per question, all Failed, with the hash data that was asked about and an instant to ask again."""
    hashes: dict[str, Any] = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c"}
    asked = [
        {"certificateHashData": hashes, "source": "OCSP", "urls": ["https://a"]},
        {"certificateHashData": {**hashes, "serialNumber": "d"}, "source": "CRL", "urls": ["https://b"]},
    ]
    reply = run("GetCertificateChainStatus", {"certificateStatusRequests": asked}, protocol=Protocol.OCPP21).reply
    assert [(one["certificateHashData"]["serialNumber"], one["source"]) for one in reply["certificateStatus"]] == [
        ("c", "OCSP"),
        ("d", "CRL"),
    ]
    assert {(one["status"], one["nextUpdate"]) for one in reply["certificateStatus"]} == {("Failed", "2026-03-02T12:00:00Z")}


def test_only_requests_may_be_refused_for_their_form() -> None:
    """A call that reports something is used as far as it can be; these six only ask."""
    asking = {action for table in TABLES_2X.values() for action, route in table.items() if not route.report}
    assert asking == {
        "Get15118EVCertificate",
        "GetCertificateChainStatus",
        "GetCertificateStatus",
        "PullDynamicScheduleUpdate",
        "SignCertificate",
        "VatNumberValidation",
    }
