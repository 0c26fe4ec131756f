"""Every action that a charge point may initiate in 2.x has a route, and the route's reply is what the response schema wants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from chargenet.model.ids import IdToken
from chargenet.model.record import NO_DECISION
from chargenet.model.words import Protocol
from chargenet.ports import TokenAnswer
from collector.commands.directory import CSMS_INITIATED
from collector.context import Context, Handled, Matched, Route, Routes
from collector.handlers.directions import BOTH_WAYS, CHARGE_POINT_INITIATED, UNCONFIRMED
from collector.handlers.v21.routes import ROUTES as V21
from collector.handlers.v201.routes import ROUTES as V201
from collector.ocpp.repair import repair
from collector.ocpp.schemas import actions, decode, schema_for
from tests.support.payloads import full, minimal

TABLES: dict[Protocol, Routes] = {Protocol.OCPP201: V201, Protocol.OCPP21: V21}
RECEIVED_AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


class OpenDesk:
    """A desk that knows one token answer, with everything an answer may carry."""

    def registration(self, charge_point_id: str) -> tuple[str, int]:
        return "Accepted", 300

    def authorize(self, token: IdToken, now: datetime) -> TokenAnswer:
        return TokenAnswer("Blocked", "group", RECEIVED_AT)

    def start(self, *args: object) -> Matched:
        raise AssertionError("2.x knows no StartTransaction")

    def stop(self, *args: object) -> Matched:
        raise AssertionError("2.x knows no StopTransaction")

    def event(self, charge_point_id: str, transaction_id: str, seq_no: int, event_type: str) -> Matched:
        return Matched()


def _routes() -> Iterator[tuple[Protocol, Route]]:
    for protocol, table in TABLES.items():
        for route in table.values():
            yield protocol, route


def _answer(protocol: Protocol, route: Route, call: object) -> Handled:
    asked = Context("CP-1", protocol.value, RECEIVED_AT, NO_DECISION)
    decision = NO_DECISION if route.decide is None else route.decide(call, asked, OpenDesk())
    return route.handle(call, Context("CP-1", protocol.value, RECEIVED_AT, decision))


def _check_reply(protocol: Protocol, route: Route, handled: Handled) -> None:
    if route.action in UNCONFIRMED:
        assert handled.reply == {}
        return
    reply = json.loads(msgspec.json.encode(handled.reply))
    schema_for(protocol, route.action, response=True).check(reply)


@pytest.mark.parametrize("protocol", list(TABLES))
def test_routes_are_exactly_the_actions_of_a_charge_point(protocol: Protocol) -> None:
    """No action of a charge point is without a route, and none of ours has one."""
    assert set(TABLES[protocol]) == CHARGE_POINT_INITIATED[protocol]
    assert all(action == route.action for action, route in TABLES[protocol].items())


@pytest.mark.parametrize("protocol", list(Protocol))
def test_every_action_has_a_direction(protocol: Protocol) -> None:
    """The two tables of directions share DataTransfer, and together they hold every action that the schemas define."""
    theirs, ours = CHARGE_POINT_INITIATED[protocol], CSMS_INITIATED[protocol]
    assert theirs & ours == BOTH_WAYS
    assert theirs | ours == actions(protocol)


@pytest.mark.parametrize(("protocol", "route"), list(_routes()), ids=lambda value: getattr(value, "action", str(value)))
@pytest.mark.parametrize("make", [minimal, full])
def test_replies_follow_their_schema(protocol: Protocol, route: Route, make: object) -> None:
    """The least and the most that a valid call can hold are both answered as the response schema wants."""
    assert callable(make)
    payload = make(schema_for(protocol, route.action).document)
    call = decode(protocol, route.action, json.dumps(payload).encode())
    _check_reply(protocol, route, _answer(protocol, route, call))


@pytest.mark.parametrize(
    ("protocol", "route"), [entry for entry in _routes() if entry[1].report], ids=lambda value: getattr(value, "action", str(value))
)
@pytest.mark.parametrize("payload", [{}, [], None, "text"], ids=repr)
def test_reports_without_content_are_answered(protocol: Protocol, route: Route, payload: object) -> None:
    """A report from which everything is missing is answered as its schema wants all the same."""
    call, deviations = repair(protocol, route.action, payload)
    assert deviations or payload == {}
    _check_reply(protocol, route, _answer(protocol, route, call))
