"""Which connectorId a connector has in OCPP 1.6. Decided here: 1.6 numbers plugs, it knows no plug of an EVSE (ADR 0003)."""

from __future__ import annotations

from chargenet.errors import InvalidCall
from chargenet.model.ids import ConnectorRef


def connector_id(action: str, connector: ConnectorRef) -> int:
    """The connectorId; raises InvalidCall for a plug such as "2.3", which only 2.x has."""
    if connector.connector_id != 1:
        raise InvalidCall(action, f"connector {connector.label} does not exist in OCPP 1.6, which numbers connectors 1, 2, 3, ...")
    return connector.evse_id
