"""Names of things: charge points, connectors, ID tokens. Decided here: one label per connector across OCPP versions."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import msgspec

from chargenet.model.words import TokenKind


class ConnectorRef(msgspec.Struct, frozen=True, order=True):
    """One plug of one EVSE. An OCPP 1.6 connector `n` is EVSE `n`, connector 1; connectorId 0 is `None`, never a ConnectorRef.

    `label` is its name on metrics, tags, bills and the command line: `"2"` for EVSE 2 (connector 1), `"2.3"` for its third plug.
    """

    evse_id: int
    connector_id: int = 1

    @property
    def label(self) -> str:
        return str(self.evse_id) if self.connector_id == 1 else f"{self.evse_id}.{self.connector_id}"


@lru_cache(maxsize=4096)
def connector(evse_id: int | None, connector_id: int | None = None) -> ConnectorRef | None:
    """The connector a frame means, or None for the whole charge point (absent, 0 or negative ids)."""
    if evse_id is None or evse_id <= 0:
        return None
    return ConnectorRef(evse_id, connector_id if connector_id and connector_id > 0 else 1)


def parse_label(label: str) -> ConnectorRef:
    """Inverse of `ConnectorRef.label`. Raises ValueError on anything else."""
    evse_id, _, connector_id = label.partition(".")
    return ConnectorRef(int(evse_id), int(connector_id or 1))


class IdToken(msgspec.Struct, frozen=True):
    """Who asked to charge: personal data. OCPP compares 1.6 idTags without regard to case, and so do we."""

    value: str
    kind: str = TokenKind.UNKNOWN

    @property
    def key(self) -> str:
        """What the token table is keyed by: case folded (OCPP 1.6 §3.11 / 2.0.1 2.46 identifierString)."""
        return self.value.casefold()

    @property
    def hashed(self) -> str:
        """For logs: stable, short, not reversible by reading."""
        return hashlib.blake2s(self.key.encode(), digest_size=6).hexdigest()
