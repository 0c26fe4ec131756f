"""What takes a charge point a while: a restart when it is idle, an upload of its log. Updates are in `updates.py`.

Decided here: which statuses are reported on the way, and that a file which cannot be delivered fails as in life.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from simulator import reports as r

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

_TIMEOUT = httpx.Timeout(20.0)


async def restart(point: ChargePoint, *, when_idle: bool) -> None:
    """Restart, at once or when the last session has ended."""
    while when_idle and any(plug.session is not None for plug in point.plugs.values()):
        await point.pace.sleep(5.0)
    await point.reboot("ScheduledReset" if when_idle else "RemoteReset", "HardReset")


async def upload(point: ChargePoint, location: str, name: str, request_id: int | None) -> None:
    """Send the log to `location` by HTTP PUT (`request_id` None: the plain diagnostics of 1.6)."""
    await point.pace.sleep(1.0)
    point.say(r.LogStatus(status="Uploading", request_id=request_id))
    delivered = await _put(location, name, _log(point))
    point.tally.uploads += delivered
    failed = "UploadFailed" if request_id is None else "UploadFailure"
    point.say(r.LogStatus(status="Uploaded" if delivered else failed, request_id=request_id))


async def _put(location: str, name: str, text: bytes) -> bool:
    url = f"{location}{name}" if location.endswith("/") else location
    if urlsplit(url).scheme not in ("http", "https"):
        return False
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
            answer = await client.put(url, content=text, headers={"Content-Type": "text/plain"})
    except httpx.HTTPError:
        return False
    return answer.is_success


def _log(point: ChargePoint) -> bytes:
    """A log as a charge point keeps it: what it is, its settings, and its last minutes."""
    lines = [f"{point.model.vendor} {point.model.name} {point.plan.serial_number} firmware {point.firmware}"]
    plugs = point.plugs.values()
    lines += [f"connector {plug.number}: {plug.status}, register {plug.register_wh:.0f} Wh, fault {plug.fault}" for plug in plugs]
    lines += [f"setting {name}" for name in sorted(point.settings)]
    now = point.now()
    for second in range(600, 0, -1):
        at = (now - timedelta(seconds=second)).isoformat(timespec="milliseconds")
        lines.append(f"{at} [info] supply L1 230.{second % 10} V, heap {48_000 - second * 7} B, {point.waiting} reports waiting")
    return "\n".join(lines).encode() + b"\n"
