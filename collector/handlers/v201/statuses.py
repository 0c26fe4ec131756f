"""Availability of OCPP 2.x → StatusReported. Decided here: a word that is no ConnectorStatus is Unknown, and kept as said."""

from __future__ import annotations

from datetime import datetime

from chargenet.events import StatusReported
from chargenet.model.ids import ConnectorRef
from chargenet.model.words import ConnectorStatus

_KNOWN = {status.value: status.value for status in ConnectorStatus}


def status_reported(
    connector: ConnectorRef | None,
    said: str | None,
    reported_at: datetime | None,
    tech_code: str | None = None,
    tech_info: str | None = None,
) -> StatusReported:
    """`said` as in ConnectorStatusEnumType. A technical code is the vendor's error code; 2.x has no other."""
    return StatusReported(
        connector=connector,
        status=_KNOWN.get(said or "", ConnectorStatus.UNKNOWN.value),
        raw_status=said or "",
        vendor_error_code=tech_code,
        info=tech_info,
        reported_at=reported_at,
    )
