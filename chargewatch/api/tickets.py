"""One-time permissions to upload a diagnostics file. Decided here: how they are kept, so that a restart forgets none of them.

A ticket is a small file that its token's hash names; the token itself is kept nowhere. Claiming renames the file, which only one
request can do. An upload that breaks off gives the ticket back, because charge points try again.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from chargenet.errors import Unavailable

_TOKEN = re.compile(r"([0-9a-f]{16})\.([A-Za-z0-9_-]{32,64})")
_MAX_OPEN = 10_000


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """Who may upload, for which request, until when."""

    ticket_id: str
    secret_sha256: str
    charge_point_id: str
    request_id: int
    expires_at: datetime


class Tickets:
    """All methods are blocking and quick; call them in a worker thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self) -> None:
        """Make the folder, and give back what a killed process had claimed."""
        for folder in (self._folder.parent, self._folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for claimed in self._folder.glob("*.claimed"):
            claimed.rename(claimed.with_suffix(".json"))

    def issue(self, charge_point_id: str, request_id: int, now: datetime, ttl_s: float) -> str:
        """A new token. Raises Unavailable when too many are open."""
        self._sweep(now)
        ticket_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        ticket = Ticket(
            ticket_id=ticket_id,
            secret_sha256=_digest(secret),
            charge_point_id=charge_point_id,
            request_id=request_id,
            expires_at=now + timedelta(seconds=ttl_s),
        )
        descriptor = os.open(self._folder / f"{ticket_id}.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(ticket))
        return f"{ticket_id}.{secret}"

    def claim(self, token: str, now: datetime) -> Ticket | None:
        """The ticket of a token that is right, unused and not expired; None otherwise. It is this caller's alone from now on."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        path = self._folder / f"{match[1]}.json"
        try:
            ticket = msgspec.json.decode(path.read_bytes(), type=Ticket)
            if not hmac.compare_digest(ticket.secret_sha256, _digest(match[2])) or ticket.expires_at <= now:
                return None
            path.rename(path.with_suffix(".claimed"))
        except FileNotFoundError:
            return None
        return ticket

    def give_back(self, ticket: Ticket) -> None:
        """The upload broke off: the charge point may try again."""
        self._claimed(ticket).rename(self._folder / f"{ticket.ticket_id}.json")

    def use_up(self, ticket: Ticket) -> None:
        """The file is stored: the token is worth nothing from now on."""
        self._claimed(ticket).unlink()

    def cancel(self, token: str) -> None:
        """Nobody will use this token: the request for it was refused."""
        (self._folder / f"{token.partition('.')[0]}.json").unlink(missing_ok=True)

    def _claimed(self, ticket: Ticket) -> Path:
        return self._folder / f"{ticket.ticket_id}.claimed"

    def _sweep(self, now: datetime) -> None:
        """Remove expired tickets; refuse when too many are left."""
        kept = 0
        for path in self._folder.glob("*.json"):
            if msgspec.json.decode(path.read_bytes(), type=Ticket).expires_at <= now:
                path.unlink(missing_ok=True)
            else:
                kept += 1
        if kept >= _MAX_OPEN:
            raise Unavailable(f"{kept} diagnostics uploads are awaited already")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
