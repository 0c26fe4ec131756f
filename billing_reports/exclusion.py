"""Time that does not count against uptime. Decided here: the reasons that 23 CFR 680.116(b) knows; each needs evidence.

An exclusion takes out only what was an outage anyway: it is intersected with the outage, never subtracted from a total. Lost
Internet or cellular connection is no reason of the rule, so it is none here.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from chargenet.errors import Conflict


class Reason(StrEnum):
    """Why an outage does not count."""

    UTILITY = "utility_interruption"
    """The electric utility's service was interrupted."""
    VEHICLE = "vehicle"
    """Failure to charge, or to meet the expected power, because of the vehicle."""
    MAINTENANCE = "scheduled_maintenance"
    VANDALISM = "vandalism"
    DISASTER = "natural_disaster"
    HOURS = "outside_hours"
    """Outside the hours of operation that the station is known to have."""


CODES: dict[Reason, int] = {reason: number for number, reason in enumerate(Reason, 1)}
"""Numbers for files that want one."""


class Exclusion(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time that is excluded for a site, a charge point or one of its EVSEs: exactly one scope."""

    exclusion_id: int = 0
    site_id: str | None = None
    charge_point_id: str | None = None
    evse_id: int | None = None
    reason: Reason
    began_at: datetime
    ended_at: datetime
    evidence: str
    """What proves it, for an auditor: a ticket, a notice of the utility, a photograph's address."""
    created_at: datetime
    created_by: str
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None

    def covers(self, site_id: str, charge_point_id: str, evse_id: int) -> bool:
        """Does it speak of this port?"""
        if self.withdrawn_at is not None:
            return False
        if self.charge_point_id is not None:
            return self.charge_point_id == charge_point_id and self.evse_id in (None, evse_id)
        return self.site_id is not None and self.site_id == site_id


def checked(exclusion: Exclusion) -> Exclusion:
    """The same. Raises Conflict with what is wrong with it."""
    if exclusion.ended_at <= exclusion.began_at:
        raise Conflict("an exclusion ends after it begins")
    if not exclusion.evidence.strip():
        raise Conflict("an exclusion needs evidence: what proves it to an auditor")
    if (exclusion.site_id is None) == (exclusion.charge_point_id is None):
        raise Conflict("an exclusion names a site or a charge point, and not both")
    if exclusion.evse_id is not None and exclusion.charge_point_id is None:
        raise Conflict("an exclusion of one EVSE names its charge point")
    return exclusion
