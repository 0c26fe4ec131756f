"""How a connector is addressed in OCPP 2.x: as EVSEType (part 2 §2.25)."""

from __future__ import annotations

from chargenet.model.ids import ConnectorRef


def evse(connector: ConnectorRef | None, *, with_connector: bool = True) -> dict[str, dict[str, int]]:
    """The `evse` field of a call, or nothing for the whole charge point."""
    if connector is None:
        return {}
    if not with_connector:
        return {"evse": {"id": connector.evse_id}}
    return {"evse": {"id": connector.evse_id, "connectorId": connector.connector_id}}
