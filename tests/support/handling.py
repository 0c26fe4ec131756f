"""Run one call through a route as the connection does: decode or repair, decide, handle."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, TypeVar

from chargenet.events import Event
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.record import NO_DECISION, Decision
from chargenet.model.words import Protocol
from chargenet.ports import TokenAnswer
from collector.context import Context, Handled, Matched
from collector.ocpp.repair import repair
from collector.ocpp.schemas import decode
from collector.places import Places
from collector.routing import ROUTES

RECEIVED_AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
TABLES_2X = {protocol: ROUTES[protocol] for protocol in (Protocol.OCPP201, Protocol.OCPP21)}

AnyEvent = TypeVar("AnyEvent", bound=Event)


class FixedDesk:
    """Answers as it was told, and remembers what it was asked."""

    def __init__(self, answer: TokenAnswer | None = None, duplicate_of: int | None = None, registration: str = "Accepted") -> None:
        self.answer = answer or TokenAnswer("Accepted")
        self.duplicate_of = duplicate_of
        self.registered_as = registration
        self.tokens: list[IdToken] = []
        self.places = Places()
        self.asked_events: list[tuple[str, str, int, str]] = []

    def registration(self, charge_point_id: str) -> tuple[str, int]:
        return self.registered_as, 321

    def authorize(self, token: IdToken, now: datetime) -> TokenAnswer:
        assert now == RECEIVED_AT
        self.tokens.append(token)
        return self.answer

    def start(
        self, charge_point_id: str, connector: ConnectorRef | None, token: IdToken | None, started_at: str, register_wh: int | None
    ) -> Matched:
        return Matched(transaction_id=7, duplicate_of=self.duplicate_of)

    def stop(
        self, charge_point_id: str, transaction_id: int | None, token: IdToken | None, stopped_at: str, register_wh: int | None
    ) -> Matched:
        return Matched(transaction_id=transaction_id, duplicate_of=self.duplicate_of)

    def event(self, charge_point_id: str, transaction_id: str, seq_no: int, event_type: str) -> Matched:
        self.asked_events.append((charge_point_id, transaction_id, seq_no, event_type))
        return Matched(duplicate_of=self.duplicate_of)

    def place(
        self, charge_point_id: str, transaction_id: str, evse_id: int | None, connector_id: int | None
    ) -> ConnectorRef | None:
        return self.places.place(charge_point_id, transaction_id, evse_id, connector_id)

    def ended(self, charge_point_id: str, transaction_id: str) -> None:
        self.places.ended(charge_point_id, transaction_id)


def run(
    action: str, payload: Any, *, protocol: Protocol = Protocol.OCPP201, desk: FixedDesk | None = None, repaired: bool = False
) -> Handled:
    """What the route of `action` makes of `payload`, which must be valid unless `repaired`."""
    route = ROUTES[protocol][action]
    call = repair(protocol, action, payload)[0] if repaired else decode(protocol, action, json.dumps(payload).encode())
    asked = Context("CP-1", protocol.value, RECEIVED_AT)
    decision: Decision = NO_DECISION if route.decide is None else route.decide(call, asked, desk or FixedDesk())
    return route.handle(call, Context("CP-1", protocol.value, RECEIVED_AT, decision))


def only(handled: Handled, kind: type[AnyEvent]) -> AnyEvent:
    """The one event of this kind."""
    found = [event for event in handled.events if isinstance(event, kind)]
    assert len(found) == 1, handled.events
    return found[0]
