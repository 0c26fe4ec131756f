"""NotifyEvent and NotifyReport: what a charge point says in terms of the device model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chargenet.events import DeviceEventReported, StatusReported, VariablesReported
from chargenet.model.ids import ConnectorRef
from chargenet.model.words import Protocol
from tests.support.handling import only, run

AT = datetime(2026, 3, 1, 11, 59, 58, tzinfo=UTC)
SAID = "2026-03-01T11:59:58Z"


def data(component: str, variable: str, value: str, evse: dict[str, int] | None = None, **fields: Any) -> dict[str, Any]:
    place = {} if evse is None else {"evse": evse}
    return {
        "eventId": 1,
        "timestamp": SAID,
        "trigger": "Delta",
        "actualValue": value,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": component, **place},
        "variable": {"name": variable},
        **fields,
    }


def notify(*events: dict[str, Any], protocol: Protocol = Protocol.OCPP21) -> Any:
    return run("NotifyEvent", {"generatedAt": SAID, "seqNo": 0, "eventData": list(events)}, protocol=protocol)


def statuses(handled: Any) -> list[tuple[ConnectorRef | None, str]]:
    return [(event.connector, event.status) for event in handled.events if isinstance(event, StatusReported)]


@pytest.mark.parametrize("protocol", [Protocol.OCPP201, Protocol.OCPP21])
@pytest.mark.parametrize(
    ("component", "evse", "place"),
    [
        ("Connector", {"id": 1, "connectorId": 2}, ConnectorRef(1, 2)),
        ("EVSE", {"id": 3}, ConnectorRef(3)),
        ("ChargingStation", None, None),
        ("connector", {"id": 1, "connectorId": 1}, ConnectorRef(1)),
    ],
)
def test_availability_is_a_status(
    protocol: Protocol, component: str, evse: dict[str, int] | None, place: ConnectorRef | None
) -> None:
    """AvailabilityState of a connector, an EVSE or the charge point is a StatusReported beside the device event."""
    handled = notify(data(component, "AvailabilityState", "Faulted", evse, techCode="CX005", techInfo="relay"), protocol=protocol)
    assert only(handled, StatusReported) == StatusReported(
        connector=place, status="Faulted", raw_status="Faulted", vendor_error_code="CX005", info="relay", reported_at=AT
    )
    assert only(handled, DeviceEventReported).actual_value == "Faulted"


def test_a_connectors_state_counts_before_that_of_its_evse() -> None:
    """An EVSE is Occupied when either plug is: that must not overwrite what its first plug says itself."""
    handled = notify(
        data("EVSE", "AvailabilityState", "Occupied", {"id": 1}),
        data("Connector", "AvailabilityState", "Available", {"id": 1, "connectorId": 1}),
        data("Connector", "AvailabilityState", "Occupied", {"id": 1, "connectorId": 2}),
        data("EVSE", "AvailabilityState", "Unavailable", {"id": 2}),
    )
    assert statuses(handled) == [
        (ConnectorRef(1, 1), "Available"),
        (ConnectorRef(1, 2), "Occupied"),
        (ConnectorRef(2), "Unavailable"),
    ]


@pytest.mark.parametrize(
    ("component", "variable"), [("Connector", "Problem"), ("TokenReader", "AvailabilityState"), ("EVSE", "Power")]
)
def test_other_variables_are_no_status(component: str, variable: str) -> None:
    """Only AvailabilityState of the three tiers is one."""
    assert statuses(notify(data(component, variable, "true", {"id": 1, "connectorId": 1}))) == []


def test_a_problem_keeps_its_severity_and_code() -> None:
    """Everything that an alert can be judged by is on the event."""
    said = data(
        "Connector",
        "Problem",
        "true",
        {"id": 1, "connectorId": 1},
        severity=2,
        techCode="CX004",
        techInfo="63 A",
        cleared=False,
        eventId=17,
        trigger="Alerting",
    )
    assert only(notify(said), DeviceEventReported) == DeviceEventReported(
        component="Connector",
        variable="Problem",
        actual_value="true",
        trigger="Alerting",
        connector=ConnectorRef(1),
        severity=2,
        cleared=False,
        tech_code="CX004",
        tech_info="63 A",
        occurred_at=AT,
        event_id=17,
    )


def test_events_that_name_nothing_are_left_out() -> None:
    """A report with one unusable entry is used for the others."""
    broken = data("Connector", "Problem", "true")
    del broken["variable"]
    handled = run("NotifyEvent", {"eventData": [broken, data("EVSE", "Power", "3")]}, repaired=True)
    assert only(handled, DeviceEventReported).component == "EVSE"


def test_a_report_names_every_variable() -> None:
    """Component, place, instances and attribute are in the name; a variable that can only be written has no value."""
    said = {
        "requestId": 8,
        "generatedAt": SAID,
        "seqNo": 0,
        "tbc": True,
        "reportData": [
            {
                "component": {"name": "OCPPCommCtrlr"},
                "variable": {"name": "HeartbeatInterval"},
                "variableAttribute": [{"value": "60"}],
            },
            {
                "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 2}},
                "variable": {"name": "AvailabilityState"},
                "variableAttribute": [{"type": "Actual", "value": "Available"}],
            },
            {
                "component": {"name": "EVSE", "evse": {"id": 1}},
                "variable": {"name": "Power"},
                "variableAttribute": [{"type": "Actual", "value": "0"}, {"type": "MaxSet", "value": "22000"}],
            },
            {
                "component": {"name": "TokenReader", "instance": "left"},
                "variable": {"name": "Entries", "instance": "a.b"},
                "variableAttribute": [{"type": "Target", "mutability": "WriteOnly"}],
            },
        ],
    }
    reported = only(run("NotifyReport", said), VariablesReported)
    assert (reported.request_id, reported.to_be_continued) == (8, True)
    assert reported.values == {
        "OCPPCommCtrlr.HeartbeatInterval": "60",
        "Connector[1.2].AvailabilityState": "Available",
        "EVSE[1].Power": "0",
        "EVSE[1].Power#MaxSet": "22000",
        "TokenReader(left).Entries[a%2Eb]#Target": None,
    }


def test_the_last_part_of_a_report_says_so() -> None:
    """Without tbc nothing more will come."""
    said = {"requestId": 8, "generatedAt": SAID, "seqNo": 1}
    assert only(run("NotifyReport", said), VariablesReported) == VariablesReported(values={}, request_id=8)
