"""A charging session as reports see it, and the connectors it happened at. Values only.

Sessions come from transactions and from imported history; reports do not care which. What is not known is None, never zero.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec


class ReportSession(msgspec.Struct, frozen=True, kw_only=True):
    """One finished session: vehicle plugged from `began_at` to `ended_at` (UTC)."""

    session_id: str
    charge_point_id: str
    connector: str
    began_at: datetime
    ended_at: datetime
    energy_wh: int
    charging_s: int | None = None
    """Seconds in which energy flowed; None where nothing tells it from plugged time."""
    peak_w: int | None = None
    revenue: Decimal | None = None
    """Before taxes."""
    currency: str = ""
    user: str = ""
    """A hash, never a token; "" where nobody was named."""
    payment: str = ""
    successful: bool | None = None
    """Ended as it should, with energy; None where nothing says so."""
    error_code: str = ""

    @property
    def plugged_s(self) -> float:
        """Seconds."""
        return (self.ended_at - self.began_at).total_seconds()


class ReportConnector(msgspec.Struct, frozen=True, kw_only=True):
    """A connector in the period of a report. `open_from`/`open_until`: when it stood there for drivers, within the period."""

    charge_point_id: str
    connector: str
    site: str = ""
    model: str = ""
    rated_w: int | None = None
    open_from: datetime
    open_until: datetime

    @property
    def key(self) -> tuple[str, str]:
        """What sessions are matched by."""
        return self.charge_point_id, self.connector

    @property
    def name(self) -> str:
        """For people: `CP-7/2`."""
        return f"{self.charge_point_id}/{self.connector}"
