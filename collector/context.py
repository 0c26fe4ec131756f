"""What a handler is given and gives back, and the few decisions it may ask for. The seam between handlers and the connection.

A handler is `handle(call, context) -> Handled`: pure, so that the journal can be replayed through it. What only the server can
decide (a transaction id, a token's status, a registration) is decided *before* it by the route's `decide`, and kept in the
record as `Decision`; replay skips `decide` and passes the kept one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec

from chargenet.events import Event
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.record import NO_DECISION, Decision
from chargenet.ports import TokenAnswer


class Context(msgspec.Struct, frozen=True, gc=False):
    """Everything a handler may know besides the call. Instants are UTC."""

    charge_point_id: str
    protocol: str
    received_at: datetime
    decision: Decision = NO_DECISION


class Handled(msgspec.Struct, frozen=True, gc=False):
    """A handler's result: the reply payload (already shaped as its response schema) and what happened."""

    reply: Mapping[str, Any]
    events: tuple[Event, ...] = ()


class Matched(msgspec.Struct, frozen=True):
    """Answer of the ledger for a start or stop: our transaction id, the record it repeats, if it does, and where it runs."""

    transaction_id: int | None = None
    duplicate_of: int | None = None
    connector: ConnectorRef | None = None


class Desk(Protocol):
    """Where `decide` gets its answers; all of it from memory."""

    def registration(self, charge_point_id: str) -> tuple[str, int]:
        """(Registration, interval in seconds with jitter) for a BootNotification."""

    def authorize(self, token: IdToken, now: datetime) -> TokenAnswer:
        """What the token table says."""

    def start(
        self, charge_point_id: str, connector: ConnectorRef | None, token: IdToken | None, started_at: str, register_wh: int | None
    ) -> Matched:
        """OCPP 1.6 StartTransaction: a repeated content gives the first id, a new one a new id."""

    def stop(
        self, charge_point_id: str, transaction_id: int | None, token: IdToken | None, stopped_at: str, register_wh: int | None
    ) -> Matched:
        """OCPP 1.6 StopTransaction: recognises a repeated stop; matches −1, 0 and unknown ids to an open one where it can."""

    def event(self, charge_point_id: str, transaction_id: str, seq_no: int, event_type: str) -> Matched:
        """OCPP 2.x TransactionEvent: `duplicate_of` when this transactionId + seqNo was already answered."""

    def place(
        self, charge_point_id: str, transaction_id: str, evse_id: int | None, connector_id: int | None
    ) -> ConnectorRef | None:
        """OCPP 2.x TransactionEvent: the connector it means, from its own `evse` and those of earlier events."""

    def ended(self, charge_point_id: str, transaction_id: str) -> None:
        """OCPP 2.x: the transaction is over; its place can be forgotten."""


Handler = Callable[[Any, Context], Handled]
Decider = Callable[[Any, Context, Desk], Decision]


class Route(msgspec.Struct, frozen=True):
    """One action from a charge point: how it is decided and handled.

    `call` objects are msgspec Structs generated from the action's schema (attributes spelled as in the schema, absent optional
    ones are None). `report`: content is never refused; a call that breaks its schema is repaired and handled with what is usable.
    """

    action: str
    handle: Handler
    decide: Decider | None = None
    report: bool = True
    journaled: bool = True
    """False only for Heartbeat, which touches liveness and nothing else."""


Routes = Mapping[str, Route]
