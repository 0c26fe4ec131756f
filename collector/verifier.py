"""Checking passwords at the speed of a reconnect storm. Decided here: what runs on the event loop, what in a thread, what is kept.

Fast hashes are checked at once. scrypt runs in a few threads with a bounded queue; a password that was right is remembered for a
while, by a keyed hash and never by itself, so that a storm of known charge points costs no scrypt at all.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from chargenet.errors import Unavailable
from collector import credentials
from collector.credentials import Pepper


class Busy(Unavailable):
    """Too many passwords wait for their check already: try again later (HTTP 503)."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} passwords are waiting to be checked already")
        self.waiting = waiting


class Verifier:
    """One per collector. All calls on the event loop; `close` ends its threads."""

    def __init__(
        self, pepper: Pepper, *, threads: int = 2, max_waiting: int = 256, remember_s: float = 3600.0, max_remembered: int = 50_000
    ) -> None:
        self._pepper = pepper
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="password")
        self._max_waiting, self._remember_s, self._max_remembered = max_waiting, remember_s, max_remembered
        self._right: OrderedDict[bytes, float] = OrderedDict()
        """Fingerprint of a right (charge point, password, stored hash) → when it is forgotten; oldest first."""
        self._waiting: dict[bytes, asyncio.Future[bool]] = {}
        self._key = secrets.token_bytes(32)
        self._nobody = credentials.hash_generated(credentials.generate_password(), pepper)

    @property
    def waiting(self) -> int:
        """Checks in a thread or queued for one."""
        return len(self._waiting)

    def verify(self, charge_point_id: str, password: bytes, stored: str | None, now: float) -> bool | asyncio.Future[bool]:
        """Is it the password? At once where no slow hash is needed, else a future. Raises Busy.

        `stored` None: no password is known; False, after the same work as for a wrong one. `now` is a monotonic instant.
        """
        if stored is None:
            credentials.matches(password, self._nobody, self._pepper)
            return False
        if credentials.is_fast(stored):
            return credentials.matches(password, stored, self._pepper)
        fingerprint = self._fingerprint(charge_point_id, password, stored)
        if self._right.get(fingerprint, now) > now:
            return True
        check = self._waiting.get(fingerprint) or self._check(fingerprint, password, stored, now)
        return asyncio.shield(check)  # a caller that gives up must not take the answer from the others

    def forget(self) -> None:
        """Forget every password that was right (a password was changed: its old hash would not match anyway)."""
        self._right.clear()

    def close(self) -> None:
        """No more checks; those that wait are cancelled."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _check(self, fingerprint: bytes, password: bytes, stored: str, now: float) -> asyncio.Future[bool]:
        if len(self._waiting) >= self._max_waiting:
            raise Busy(len(self._waiting))
        loop = asyncio.get_running_loop()
        check = loop.run_in_executor(self._pool, credentials.matches, password, stored, self._pepper)
        self._waiting[fingerprint] = check
        check.add_done_callback(lambda done: self._checked(fingerprint, done, now))
        return check

    def _checked(self, fingerprint: bytes, check: asyncio.Future[bool], now: float) -> None:
        del self._waiting[fingerprint]
        if check.cancelled() or check.exception() is not None or not check.result():
            return
        self._right[fingerprint] = now + self._remember_s
        self._right.move_to_end(fingerprint)
        if len(self._right) > self._max_remembered:
            self._right.popitem(last=False)

    def _fingerprint(self, charge_point_id: str, password: bytes, stored: str) -> bytes:
        keyed = hashlib.blake2b(key=self._key, digest_size=16)
        for part in (charge_point_id.encode(), password, stored.encode()):
            keyed.update(len(part).to_bytes(4, "big") + part)
        return keyed.digest()
