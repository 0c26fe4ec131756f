"""Planned work hides findings, and keeps them visible with the reason. Decided here: which work hides which kinds, for how long.

A maintenance window hides everything about its charge points, or its site. A firmware update of ours hides what an update looks
like from outside, ChangeAvailability of ours what being out of service looks like. Neither hides a fault that can hurt somebody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from alerts.finding import Finding
from alerts.maintenance import Window
from alerts.signals.connector import Order
from alerts.signals.point import FirmwareSignals, PointSignals

UPDATE_LASTS = timedelta(hours=2)
"""From its retrieval or installation time on: a slow link takes an hour to fetch an image."""
UPDATE_SETTLES = timedelta(minutes=15)
"""After its end: the reboot, and the statuses that follow it."""
BY_FIRMWARE = frozenset(
    {"offline", "reboot_loop", "connection_flapping", "faulted", "fault_flapping", "stuck_unavailable", "clock_drift",
     "unexpected_firmware", "irregular_heartbeat", "irregular_meter_values"}
)  # fmt: skip
"""Not firmware_failed: that is what somebody must hear."""
BY_AVAILABILITY = frozenset({"stuck_unavailable", "stuck_occupied", "faulted", "silent", "unusual"})


def mask(
    finding: Finding, now: datetime, *, point: PointSignals | None, site_id: str | None, windows: Iterable[Window]
) -> str | None:
    """Why nobody should be told of this finding now, as a sentence; None when nothing planned explains it."""
    return _maintenance(finding, now, site_id, windows) or (
        None if point is None else _firmware(finding, now, point.firmware) or _availability(finding, now, point)
    )


def _maintenance(finding: Finding, now: datetime, site_id: str | None, windows: Iterable[Window]) -> str | None:
    for window in windows:
        if window.active(now) and window.covers(finding.charge_point_id, site_id):
            where = f"charge point {window.charge_point_id}" if window.charge_point_id is not None else f"site {window.site_id}"
            return f"maintenance window {window.window_id} at {where} until {_instant(window.ends_at)}: {window.reason}"
    return None


def _firmware(finding: Finding, now: datetime, firmware: FirmwareSignals) -> str | None:
    if finding.kind not in BY_FIRMWARE or firmware.ordered_at is None:
        return None
    begins_at = firmware.begins_at or firmware.ordered_at
    if now < begins_at:
        return None
    until = max(begins_at, firmware.install_at or begins_at) + UPDATE_LASTS
    if firmware.ended_at is not None:
        until = min(until, firmware.ended_at + UPDATE_SETTLES)
    if now >= until:
        return None
    said = f", last reported {firmware.status}" if firmware.status and _after(firmware) else ""
    return f"firmware update ordered at {_instant(firmware.ordered_at)} (record {firmware.ordered_sequence}){said}"


def _after(firmware: FirmwareSignals) -> bool:
    """Its last status is one of this update."""
    return firmware.status_at is not None and firmware.ordered_at is not None and firmware.status_at >= firmware.ordered_at


def _availability(finding: Finding, now: datetime, point: PointSignals) -> str | None:
    """Of its connector, or of the whole charge point."""
    if finding.kind not in BY_AVAILABILITY:
        return None
    place = None if finding.connector is None else point.connectors.get(finding.connector)
    order: Order | None = (None if place is None else place.out_of_service) or point.whole.out_of_service
    if order is None or now < order.at:
        return None
    return f"we took it out of service at {_instant(order.at)} (record {order.sequence})"


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
