"""Maintenance windows: planned work that a person announced. Decided here: what one is, and what it covers."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chargenet.errors import Conflict


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """From `begins_at` until `ends_at` (or `ended_at`, where somebody ended it before). One of site and charge point is set."""

    window_id: int
    site_id: str | None = None
    charge_point_id: str | None = None
    begins_at: datetime
    ends_at: datetime
    reason: str
    created_by: str
    created_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None

    def active(self, now: datetime) -> bool:
        """Work goes on now."""
        return self.begins_at <= now < (self.ends_at if self.ended_at is None else min(self.ended_at, self.ends_at))

    def covers(self, charge_point_id: str | None, site_id: str | None) -> bool:
        """It is about this charge point, or its site."""
        if self.charge_point_id is not None:
            return self.charge_point_id == charge_point_id
        return self.site_id is not None and self.site_id == site_id


def checked(window: Window) -> Window:
    """The window. Raises Conflict where it makes no sense."""
    if (window.site_id is None) == (window.charge_point_id is None):
        raise Conflict("a maintenance window is for a site or for a charge point: name one of them")
    if window.ends_at <= window.begins_at:
        raise Conflict("a maintenance window must end after it begins")
    if window.ends_at <= window.created_at:
        raise Conflict("this maintenance window is over already")
    return window
