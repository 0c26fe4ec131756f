"""Faults and statuses that last: what fires, what does not just below, and what clears."""

from __future__ import annotations

import pytest

from chargenet import events as e
from chargenet.model.ids import ConnectorRef
from tests.support.tale import HOUR, MINUTE, OPENED, Tale, answered, began, boot, ended, said, sent


def connected() -> Tale:
    tale = Tale()
    tale.tell(0, OPENED)
    return tale


@pytest.mark.parametrize(
    ("code", "vendor_code"),
    [
        ("GroundFailure", None),
        ("OverCurrentFailure", None),
        ("OverVoltage", None),
        ("HighTemperature", None),
        ("PowerSwitchFailure", None),
        ("OtherError", "CX017"),
        ("OtherError", "CX014;CX002"),
    ],
)
def test_a_fault_that_can_hurt_speaks_at_once(code: str, vendor_code: str | None) -> None:
    """In the second in which it is reported, as a page; and it is over when the connector is well."""
    tale = connected()
    sequence = tale.tell(10, said("Faulted", code=code, vendor_code=vendor_code))
    finding = tale.only(10, "safety_fault")
    assert (finding.severity, finding.score, finding.connector) == ("critical", 1.0, "1")
    assert finding.evidence[0].sequences == (sequence,)
    tale.tell(20, said("Available"))
    assert tale.kinds(20) == []


def test_a_dangerous_code_beside_a_charge_is_a_ticket() -> None:
    """High temperature that only lowers the power does not wake anybody."""
    tale = connected()
    tale.tell(10, said("Charging", code="HighTemperature"))
    assert tale.only(10, "safety_fault").severity == "warning"


def test_other_faults_get_five_minutes() -> None:
    """Not a second less, and not any more once it is well."""
    tale = connected()
    tale.tell(10, said("Faulted", code="InternalError"))
    assert tale.kinds(10 + 299) == []
    finding = tale.only(10 + 300, "faulted")
    assert (finding.severity, finding.connector) == ("warning", "1")
    assert "InternalError" in finding.summary and "its diagnostics log" in finding.action
    tale.tell(320, said("Available"))
    assert tale.kinds(320) == []


def test_a_fault_repeated_keeps_its_beginning() -> None:
    """The same status again neither restarts the wait nor loses the first record."""
    tale = connected()
    first = tale.tell(0, said("Faulted", code="ReaderFailure"))
    last = tale.tell(200, said("Faulted", code="ReaderFailure"))
    assert tale.only(300, "faulted").evidence[0].sequences == (first, last)


def test_a_problem_of_notify_event_is_a_fault() -> None:
    """OCPP 2.x: a problem of a safety component speaks until it is cleared."""
    tale = connected()
    place = ConnectorRef(1)
    told = {"component": "RCD", "variable": "Tripped", "trigger": "Alerting", "connector": place}
    tale.tell(10, e.DeviceEventReported(actual_value="true", tech_code="CX002", **told), protocol="ocpp2.0.1")  # type: ignore[arg-type]
    assert tale.kinds(10) == ["safety_fault"]
    tale.tell(20, e.DeviceEventReported(actual_value="false", cleared=True, **told), protocol="ocpp2.0.1")  # type: ignore[arg-type]
    assert tale.kinds(20) == []


def test_faulted_without_a_code_counts_when_it_lasts() -> None:
    """OCPP 2.x has no error codes in its statuses."""
    tale = connected()
    tale.tell(0, said("Faulted", code=None), protocol="ocpp2.0.1")
    assert "without an error code" in tale.only(300, "faulted").summary


def test_four_faults_in_six_hours_flap() -> None:
    """Three do not; and it ends once the window has passed."""
    tale = connected()
    for hour in range(3):
        tale.tell(hour * HOUR, said("Faulted", code="EVCommunicationError"))
        tale.tell(hour * HOUR + 60, said("Available"))
    assert tale.kinds(3 * HOUR) == []
    tale.tell(4 * HOUR, said("Faulted", code="EVCommunicationError"))
    tale.tell(4 * HOUR + 60, said("Available"))
    finding = tale.only(5 * HOUR, "fault_flapping")
    assert finding.evidence[0].value == 4 and len(finding.evidence[0].sequences) == 4
    assert tale.kinds(11 * HOUR) == []


def test_the_self_test_at_a_boot_is_no_fault() -> None:
    """Faulted without a code right after boots does not flap."""
    tale = connected()
    for hour in range(5):
        tale.tell(hour * HOUR, boot())
        tale.tell(hour * HOUR + 10, said("Faulted"))
        tale.tell(hour * HOUR + 20, said("Available"))
    assert tale.kinds(5 * HOUR) == []


@pytest.mark.parametrize(
    ("status", "kind", "after"),
    [
        ("Preparing", "stuck_preparing", 2 * HOUR),
        ("Finishing", "stuck_finishing", 24 * HOUR),
        ("Unavailable", "stuck_unavailable", HOUR),
        ("Reserved", "stuck_reserved", 2 * HOUR),
        ("SuspendedEVSE", "stuck_suspended_evse", 4 * HOUR),
        ("Occupied", "stuck_occupied", 24 * HOUR),
    ],
)
def test_a_status_that_lasts_too_long_is_stuck(status: str, kind: str, after: int) -> None:
    """At its limit, not a second before; and over with the next status."""
    tale = connected()
    sequence = tale.tell(0, said(status))
    assert tale.kinds(after - 1) == []
    finding = tale.only(after, kind)
    assert finding.evidence[0].sequences == (sequence,) and finding.evidence[0].expected == after
    tale.tell(after + 1, said("Available"))
    assert tale.kinds(after + 1) == []


def test_a_transaction_excuses_finishing() -> None:
    """What runs is judged as a transaction."""
    tale = connected()
    tale.tell(0, said("Finishing"), began(register_wh=None, token_status="Invalid"))
    assert tale.kinds(25 * HOUR) == []
    tale.tell(25 * HOUR, ended())
    assert tale.kinds(25 * HOUR) == ["stuck_finishing"]


def test_a_reservation_is_stuck_after_its_own_expiry() -> None:
    """Where we made it, its end counts instead of the general limit."""
    tale = connected()
    tale.tell(0, sent("ReserveNow", connectorId=1, expiryDate="2026-03-01T05:00:00Z"))
    tale.tell(1, answered("ReserveNow"))
    tale.tell(2, said("Reserved"))
    assert tale.kinds(5 * HOUR + 599) == []
    assert tale.kinds(5 * HOUR + 600) == ["stuck_reserved"]


def test_the_whole_charge_point_unavailable_is_said_once() -> None:
    """Not again for each connector."""
    tale = connected()
    tale.tell(0, said("Unavailable", None), said("Unavailable", 1), said("Unavailable", 2))
    (finding,) = tale.judge(HOUR)
    assert (finding.kind, finding.connector) == ("stuck_unavailable", None)


def test_suspended_by_the_charge_point_in_a_transaction_of_2x() -> None:
    """OCPP 2.x says it in the transaction."""
    tale = connected()
    tale.tell(0, began(register_wh=None, charging_state="SuspendedEVSE"), protocol="ocpp2.0.1")
    assert tale.kinds(4 * HOUR - 1) == []
    assert tale.kinds(4 * HOUR) == ["stuck_suspended_evse"]


def test_what_nobody_hears_of_does_not_go_on() -> None:
    """A status said just before the charge point fell silent does not become stuck."""
    tale = connected()
    tale.tell(0, said("Preparing"))
    tale.tell(5 * MINUTE, e.ConnectionClosed(code=1006, reason="", lost=True))
    assert tale.kinds(10 * HOUR) == ["offline"]
