"""Where the open transactions of OCPP 2.x are, in memory. Decided here: which connector an event means that does not say so itself.

A charge point need name the EVSE only once in a transaction (2.0.1 part 2, TransactionEventRequest: `evse` is optional, and often
sent with the event of the cable alone); the meter values of all later events belong there too. What is answered here goes into the
record's Decision, so that a replay needs no memory of its own.
"""

from __future__ import annotations

from chargenet.model.ids import ConnectorRef, connector

OPEN = 64
"""Transactions remembered per charge point; an ended one is forgotten."""


class Places:
    """Transaction → connector, per charge point."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, ConnectorRef]] = {}

    def place(
        self, charge_point_id: str, transaction_id: str, evse_id: int | None, connector_id: int | None
    ) -> ConnectorRef | None:
        """The connector that an event means: what it says, completed by what was said before; remembered from now on."""
        places = self._of.get(charge_point_id)
        known = None if places is None else places.get(transaction_id)
        said = connector(evse_id, connector_id)
        if said is None or (known is not None and not connector_id and known.evse_id == said.evse_id):
            return known
        if said != known:
            if places is None:
                places = self._of[charge_point_id] = {}
            places[transaction_id] = said
            if len(places) > OPEN:
                del places[next(iter(places))]
        return said

    def ended(self, charge_point_id: str, transaction_id: str) -> None:
        """The transaction is over; nothing more of it is expected."""
        places = self._of.get(charge_point_id)
        if places is not None and places.pop(transaction_id, None) is not None and not places:
            del self._of[charge_point_id]
