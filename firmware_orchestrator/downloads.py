"""Bytes of firmware on their way to a charge point. Decided here: who may fetch what, and for how long.

A token is good for one whole file, in as many pieces as the radio needs: it is used up once every byte was sent. For GRACE after
that the rest may still be fetched, because what was handed to the network may not have arrived. A new request of the same token
takes over from the one before, which a broken connection may have left behind. The file is hashed when its serving begins, and
again when it was touched since; a file that is not the pinned one is never served.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections import OrderedDict
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

import msgspec

from chargenet.errors import ChargewatchError
from chargenet.ports import Clock
from firmware_orchestrator.artifacts import Artifact, Grant
from firmware_orchestrator.byte_ranges import Slice, complete, etag, http_date, merged, wanted
from firmware_orchestrator.pacing import Pace
from firmware_orchestrator.shelf import FirmwareShelf, token_hash

CHUNK = 128 << 10
GRACE = timedelta(minutes=10)
TIMES_OVER = 4
"""A token sends its file at most so often, repeats included."""
HASHED_FOR_S = 600.0
HASHES_AT_ONCE = 2
_REMEMBERED = 10_000
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")

_Touched = tuple[int, int, int, int, int]


class Refused(ChargewatchError):
    """A download that is not given; `status` as HTTP has it."""

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.headers = status, headers or {}


class DownloadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Rates in bytes per second; 0: no cap."""

    bytes_per_s: float = 0.0
    bytes_per_s_each: float = 0.0
    at_once: int = 200


class Delivery:
    """One answer: `headers`, then `pieces()`, and `finish()` in every ending."""

    # What is sent, to whom, from which open file, under which caps.
    def __init__(
        self, downloads: Downloads, grant: Grant, artifact: Artifact, part: Slice, descriptor: int, touched: _Touched
    ) -> None:
        self._downloads, self._artifact, self._descriptor, self._touched = downloads, artifact, descriptor, touched
        self.grant, self.part = grant, part
        self.sent = 0
        self.superseded = False
        self._pace = Pace(downloads.limits.bytes_per_s_each)

    @property
    def status(self) -> int:
        return 206 if self.part.partial else 200

    @property
    def headers(self) -> dict[str, str]:
        """Of the answer, the validators included."""
        headers = validators(self._artifact) | {"Content-Length": str(self.part.length), "Cache-Control": "private, no-transform"}
        if self.part.partial:
            headers["Content-Range"] = f"bytes {self.part.start}-{self.part.end - 1}/{self._artifact.size_bytes}"
        return headers

    @property
    def whole(self) -> bool:
        """Everything that was wanted was sent."""
        return self.sent == self.part.length

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """What is wanted, paced. Ends early when another request took over, or when the file was touched."""
        while not self.whole and not self.superseded:
            count = min(CHUNK, self.part.length - self.sent)
            piece = await asyncio.to_thread(self._read, self.part.start + self.sent, count)
            if len(piece) < count:
                return
            await asyncio.sleep(self._downloads.wait_s(count, self._pace))
            yield piece
            self.sent += count  # only now: the network has taken it

    def _read(self, at: int, count: int) -> bytes:
        """Nothing, once the file is not as it was hashed."""
        piece = os.pread(self._descriptor, count, at)
        return piece if _touched(self._descriptor) == self._touched else b""

    async def finish(self) -> None:
        """Note what was sent; let go of the file."""
        await asyncio.to_thread(os.close, self._descriptor)
        await self._downloads.ended(self, self._artifact)


class Downloads:
    """Gives deliveries. One per platform: it counts them."""

    def __init__(self, shelf: FirmwareShelf, clock: Clock, limits: DownloadLimits) -> None:
        self._shelf, self._clock, self.limits = shelf, clock, limits
        self._pace = Pace(limits.bytes_per_s)
        self._active: dict[str, Delivery] = {}
        self._leaving = 0
        self._hashed: OrderedDict[str, tuple[_Touched, float]] = OrderedDict()
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._noting = asyncio.Lock()
        self.bytes_sent = 0

    @property
    def under_way(self) -> int:
        """Deliveries that have begun and not ended."""
        return self._leaving

    async def begin(self, token: str, range_: str | None, if_range: str | None) -> Delivery:
        """The answer to a GET. Raises Refused; NotFound and StoreUnavailable as stores do."""
        grant, artifact = await self._allowed(token)
        part = wanted(range_, if_range, etag(artifact.sha256), artifact.added_at, artifact.size_bytes)
        if part is None:
            raise Refused(416, "the file has no such bytes", {"Content-Range": f"bytes */{artifact.size_bytes}"})
        self._check_use(grant, part, artifact)
        if self._leaving >= self.limits.at_once:
            raise Refused(503, "too many downloads are under way: try again", {"Retry-After": "60"})
        self._leaving += 1
        try:
            descriptor, touched = await self._opened(artifact, grant)
        except BaseException:
            self._leaving -= 1
            raise
        delivery = Delivery(self, grant, artifact, part, descriptor, touched)
        before = self._active.get(grant.token_sha256)
        if before is not None:
            before.superseded = True
        self._active[grant.token_sha256] = delivery
        return delivery

    async def head(self, token: str) -> dict[str, str]:
        """The headers that a GET would have; nothing is used up by asking. Raises as `begin` does."""
        grant, artifact = await self._allowed(token)
        self._check_use(grant, Slice(0, artifact.size_bytes, False), artifact)
        descriptor, _ = await self._opened(artifact, grant)
        await asyncio.to_thread(os.close, descriptor)
        return validators(artifact) | {"Content-Length": str(artifact.size_bytes), "Cache-Control": "private, no-transform"}

    def wait_s(self, count: int, own: Pace) -> float:
        """How long a piece must wait, under both caps."""
        now = self._clock.monotonic()
        return max(self._pace.wait_s(count, now), own.wait_s(count, now))

    async def ended(self, delivery: Delivery, artifact: Artifact) -> None:
        """Called once by each delivery."""
        self._leaving -= 1
        token_sha256 = delivery.grant.token_sha256
        if self._active.get(token_sha256) is delivery:
            del self._active[token_sha256]
        if delivery.sent:
            self.bytes_sent += delivery.sent
            await self._note(token_sha256, delivery, artifact)

    async def _note(self, token_sha256: str, delivery: Delivery, artifact: Artifact) -> None:
        async with self._noting:  # two deliveries of one token may end together
            grant = await self._shelf.store.find(token_sha256)
            if grant is None:
                return
            now = self._clock.now()
            covered = merged(grant.covered, delivery.part.start, delivery.part.start + delivery.sent)
            done = complete(covered, artifact.size_bytes)
            completed_at = grant.completed_at or (now if done else None)
            sent = grant.sent_bytes + delivery.sent
            await self._shelf.store.served(
                msgspec.structs.replace(grant, covered=covered, sent_bytes=sent, completed_at=completed_at, last_at=now)
            )

    # -- what must hold

    async def _allowed(self, token: str) -> tuple[Grant, Artifact]:
        grant = await self._shelf.store.find(token_hash(token)) if _TOKEN.fullmatch(token) else None
        if grant is None:
            raise Refused(404, "this download address is not valid")
        if grant.closed_at is not None or grant.expires_at <= self._clock.now():
            raise Refused(410, "this download address has ended")
        return grant, await self._shelf.artifact(grant.artifact_id)

    def _check_use(self, grant: Grant, part: Slice, artifact: Artifact) -> None:
        if grant.completed_at is not None and not _rest(grant.completed_at, part, self._clock.now()):
            raise Refused(410, "this download address was used")
        if grant.sent_bytes + part.length > TIMES_OVER * artifact.size_bytes:
            raise Refused(410, f"this download address has sent the file {TIMES_OVER} times over")

    async def _opened(self, artifact: Artifact, grant: Grant) -> tuple[int, _Touched]:
        """The file, open, and hashed as it is now. Raises Refused when it is not the artifact's."""
        path = self._shelf.path_of(artifact)
        try:
            descriptor = await asyncio.to_thread(os.open, path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            raise await self._damaged(artifact, f"the file cannot be read ({error.strerror})") from error
        try:
            touched = await asyncio.to_thread(_touched, descriptor)
            if not self._is_fresh(grant.token_sha256, touched):
                async with self._hashing:
                    found = await asyncio.to_thread(_sha256, descriptor)
                if found != artifact.sha256 or await asyncio.to_thread(_touched, descriptor) != touched:
                    raise await self._damaged(artifact, f"the file on disk has sha256 {found}, it was added with {artifact.sha256}")
                self._remember(grant.token_sha256, touched)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor, touched

    def _is_fresh(self, token_sha256: str, touched: _Touched) -> bool:
        """Hashed for this very download a moment ago, and not touched since: charge points fetch in small ranges."""
        known, at = self._hashed.get(token_sha256, (None, 0.0))
        return known == touched and self._clock.monotonic() - at < HASHED_FOR_S

    def _remember(self, token_sha256: str, touched: _Touched) -> None:
        self._hashed[token_sha256] = touched, self._clock.monotonic()
        self._hashed.move_to_end(token_sha256)
        if len(self._hashed) > _REMEMBERED:
            self._hashed.popitem(last=False)

    async def _damaged(self, artifact: Artifact, problem: str) -> Refused:
        await self._shelf.found_damaged(artifact, problem)
        return Refused(503, "the firmware file is not as it was added and is not served", {"Retry-After": "3600"})


def validators(artifact: Artifact) -> dict[str, str]:
    """What says that a later piece is of the same bytes."""
    return {
        "Accept-Ranges": "bytes",
        "ETag": etag(artifact.sha256),
        "Last-Modified": http_date(artifact.added_at),
        "Content-Type": "application/octet-stream",
    }


def _rest(completed_at: datetime, part: Slice, now: datetime) -> bool:
    """After every byte was sent: the end of the file, once more, for a moment."""
    return part.partial and part.start > 0 and now - completed_at <= GRACE


def _touched(descriptor: int) -> _Touched:
    """Changes with every write; ctime cannot be set back by one."""
    stat = os.fstat(descriptor)
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _sha256(descriptor: int) -> str:
    digest, at = hashlib.sha256(), 0
    while piece := os.pread(descriptor, 1 << 20, at):
        digest.update(piece)
        at += len(piece)
    return digest.hexdigest()
