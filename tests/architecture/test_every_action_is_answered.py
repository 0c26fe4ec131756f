"""Every action that a charge point may initiate has a route, and the route's reply is what the response schema wants."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chargenet.model.words import Protocol
from chargenet.ports import TokenAnswer
from collector.commands.directory import CSMS_INITIATED
from collector.context import Handled
from collector.handlers.directions import BOTH_WAYS, CHARGE_POINT_INITIATED, UNCONFIRMED
from collector.ocpp.schemas import actions, schema_for
from collector.ocpp.structs import Document
from collector.routing import ROUTES
from tests.support.handling import RECEIVED_AT, FixedDesk, run
from tests.support.payloads import full, minimal

EVERY = [(protocol, action) for protocol in Protocol for action in ROUTES[protocol]]
REPORTS = [(protocol, action) for protocol, action in EVERY if ROUTES[protocol][action].report]
EVERYTHING = TokenAnswer("Blocked", "group", RECEIVED_AT)
"""A token answer with all that an answer may carry."""


def _check_reply(protocol: Protocol, action: str, handled: Handled) -> None:
    if action in UNCONFIRMED:
        assert handled.reply == {}
        return
    reply = json.loads(msgspec.json.encode(handled.reply))
    schema_for(protocol, action, response=True).check(reply)


@pytest.mark.parametrize("protocol", list(Protocol))
def test_routes_are_exactly_the_actions_of_a_charge_point(protocol: Protocol) -> None:
    """No action of a charge point is without a route, and none of ours has one."""
    assert set(ROUTES[protocol]) == CHARGE_POINT_INITIATED[protocol]
    assert all(action == route.action for action, route in ROUTES[protocol].items())


@pytest.mark.parametrize("protocol", list(Protocol))
def test_every_action_has_a_direction(protocol: Protocol) -> None:
    """The two tables of directions share DataTransfer, and together they hold every action that the schemas define."""
    theirs, ours = CHARGE_POINT_INITIATED[protocol], CSMS_INITIATED[protocol]
    assert theirs & ours == BOTH_WAYS
    assert theirs | ours == actions(protocol)


@pytest.mark.parametrize(("protocol", "action"), EVERY)
@pytest.mark.parametrize("make", [minimal, full])
def test_replies_follow_their_schema(protocol: Protocol, action: str, make: Callable[[Document], dict[str, Any]]) -> None:
    """The least and the most that a valid call can hold are both answered as the response schema wants."""
    payload = make(schema_for(protocol, action).document)
    _check_reply(protocol, action, run(action, payload, protocol=protocol, desk=FixedDesk(EVERYTHING)))


@pytest.mark.parametrize(("protocol", "action"), REPORTS)
@pytest.mark.parametrize("payload", [{}, [], None, "text"], ids=repr)
def test_reports_without_content_are_answered(protocol: Protocol, action: str, payload: object) -> None:
    """A report from which everything is missing is answered as its schema wants all the same."""
    _check_reply(protocol, action, run(action, payload, protocol=protocol, desk=FixedDesk(EVERYTHING), repaired=True))
