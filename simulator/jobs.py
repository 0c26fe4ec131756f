"""What takes a charge point a while: a restart when it is idle, an upload of its log, an update of its firmware.

Decided here: which statuses are reported on the way, and that a file which cannot be fetched or delivered fails as in life.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from simulator import reports as r

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

MAX_IMAGE_BYTES = 100_000_000
_TIMEOUT = httpx.Timeout(20.0)
_INSIDE = re.compile(rb"firmware ([0-9A-Za-z.]{1,40})\n")
_VERSION = re.compile(r"\d+(?:\.\d+)+")


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


async def update(point: ChargePoint, location: str, request_id: int | None, *, signed: bool) -> None:
    """Fetch the image, install it, restart with the version that its name says, and tell how it went."""

    def say(status: str) -> None:
        point.say(r.FirmwareStatus(status=status, request_id=request_id, signed=signed))

    await point.pace.sleep(1.0)
    say("Downloading")
    image = await _fetch(location)
    if image is None:
        say("DownloadFailed")
        return
    say("Downloaded")
    if signed:
        await point.pace.sleep(2.0)
        say("SignatureVerified")
    while any(plug.session is not None for plug in point.plugs.values()):
        await point.pace.sleep(5.0)
    await point.pace.sleep(2.0)
    say("Installing")
    await point.pace.sleep(10.0)
    point.firmware = _version(location, image, point.firmware)
    await point.reboot("FirmwareUpdate", "Reboot")
    while not point.online:
        await point.pace.sleep(1.0)
    point.tally.updates += 1
    say("Installed")


async def _fetch(location: str) -> bytes | None:
    """The beginning of the image, all of which was fetched; None when that failed."""
    if urlsplit(location).scheme not in ("http", "https"):
        return None
    size, head = 0, b""
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=True) as client, client.stream("GET", location) as answer:
            if not answer.is_success:
                return None
            async for chunk in _chunks(answer):
                size += len(chunk)
                head = head or chunk[:200]
                if size > MAX_IMAGE_BYTES:
                    return None
    except httpx.HTTPError:
        return None
    return head or None


def _chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    return answer.aiter_bytes(65_536)


def _version(location: str, image: bytes, before: str) -> str:
    """The version that the image begins with (`firmware 2.0.0`), or that its name has; else the next patch of what ran before."""
    said = _INSIDE.match(image)
    if said is not None:
        return said[1].decode()
    named = _VERSION.findall(urlsplit(location).path.rsplit("/", 1)[-1])
    if named:
        return str(named[-1])
    head, _, last = before.rpartition(".")
    return f"{head}.{int(last) + 1}" if head and last.isdecimal() else f"{before}.1"
