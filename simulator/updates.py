"""The updates of one charge point's firmware: an order comes, an image is fetched and installed, and it boots with it, or not.

Decided here: which statuses are reported on the way, how each conduct of a scenario differs from a good one, and that a new order
takes the place of one whose image is not being installed yet (OCPP 2.0.1 L01.FR.24).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from simulator import reports as r
from simulator.effects import suffer
from simulator.image import HEAD_BYTES, Image, read_image

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

MAX_IMAGE_BYTES = 100_000_000
REVERTS_AFTER_S = 30.0
_TIMEOUT = httpx.Timeout(20.0)
_ENDS = ("Installed", "Idle", "DownloadFailed", "InvalidSignature", "InstallationFailed")


class Order:
    """One order to update. `installing`: it cannot be taken back any more."""

    def __init__(self, location: str, request_id: int | None, *, signed: bool) -> None:
        self.location, self.request_id, self.signed = location, request_id, signed
        self.installing = False
        self.last = "Idle"


class Replaced(Exception):
    """Another order took the place of this one."""


class Updates:
    """Takes orders, one at a time."""

    def __init__(self, point: ChargePoint) -> None:
        self._point = point
        self._order: Order | None = None
        self._orders = 0

    @property
    def status(self) -> tuple[str, int | None]:
        """What it says when it is asked, and of which order: Idle when none is under way (L01.FR.25, FR.26)."""
        order = self._order
        return ("Idle", None) if order is None or order.last in _ENDS else (order.last, order.request_id)

    def take(self, location: str, request_id: int | None, *, signed: bool) -> str:
        """An order; the status of the answer in the words of 2.x."""
        before = self._order
        if self._point.plan.conduct == "rejecting" or (before is not None and before.installing):
            return "Rejected"
        self._order = order = Order(location, request_id, signed=signed)
        self._orders += 1
        self._point.start_job(f"update {self._orders}", self._carry_out(order))
        return "Accepted" if before is None else "AcceptedCanceled"

    async def _carry_out(self, order: Order) -> None:
        try:
            await self._update(order)
        except Replaced:
            pass
        finally:
            if self._order is order:
                self._order = None

    def _say(self, order: Order, status: str) -> None:
        order.last = status
        if self._point.plan.conduct != "mute":
            self._point.say(r.FirmwareStatus(status=status, request_id=order.request_id, signed=order.signed))

    async def _wait(self, order: Order, seconds: float) -> None:
        await self._point.pace.sleep(seconds)
        if self._order is not order:
            raise Replaced

    async def _update(self, order: Order) -> None:
        await self._wait(order, 1.0)
        self._say(order, "Downloading")
        head = await self._fetched(order)
        if head is None:
            self._say(order, "DownloadFailed")
            return
        self._say(order, "Downloaded")
        if order.signed:
            await self._wait(order, 2.0)
            if self._point.plan.conduct == "distrusting":
                self._say(order, "InvalidSignature")
                return
            self._say(order, "SignatureVerified")
        while any(plug.session is not None for plug in self._point.plugs.values()):
            await self._wait(order, 5.0)
        await self._wait(order, 2.0)
        order.installing = True
        self._say(order, "Installing")
        await self._point.pace.sleep(10.0)
        await self._install(order, read_image(order.location, head, self._point.firmware))

    async def _fetched(self, order: Order) -> bytes | None:
        if self._point.plan.conduct == "failing":
            await self._wait(order, 60.0)
            return None
        head = await fetch(order.location)
        if self._order is not order:
            raise Replaced
        return head

    async def _install(self, order: Order, image: Image) -> None:
        point, conduct, before = self._point, self._point.plan.conduct, self._point.image
        if conduct == "lost":
            point.go_offline()
            return
        if conduct == "lying":
            order.last = "Installed"
            await point.ask(r.FirmwareStatus(status="Installed", request_id=order.request_id, signed=order.signed))
            await point.reboot("FirmwareUpdate", "Reboot")
            return
        if order.signed:
            self._say(order, "InstallRebooting")
        point.image = image
        await point.reboot("FirmwareUpdate", "Reboot")
        await self._back()
        point.tally.updates += 1
        self._say(order, "Installed")
        if conduct == "reverting":
            await point.pace.sleep(REVERTS_AFTER_S)
            point.image = before
            await point.reboot("Watchdog", "PowerLoss")
            await self._back()
        elif point.image is image and image.troubles.any_rate:
            point.start_job(f"effects {self._orders}", suffer(point, image))

    async def _back(self) -> None:
        while not self._point.online:
            await self._point.pace.sleep(1.0)


async def fetch(location: str) -> bytes | None:
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
                head = (head + chunk)[:HEAD_BYTES] if len(head) < HEAD_BYTES else head
                if size > MAX_IMAGE_BYTES:
                    return None
    except httpx.HTTPError:
        return None
    return head or None


def _chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    return answer.aiter_bytes(65_536)
