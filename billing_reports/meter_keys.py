"""Public keys of meters as the operator knows them. Decided here: which key holds for a signed value, and how keys are written.

A key that travels with the data proves only that nobody changed it on the way; one that was registered says whose meter it was. The
nearest place decides: connector, charge point, then the serial number of the meter. A place wins over a serial number because the
signed value names that itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

MOST_CHARACTERS = 4_000
"""Of a key as it is entered: a certificate-sized PEM."""


class KeyScope(StrEnum):
    """What a key belongs to, nearest first."""

    CONNECTOR = "connector"
    CHARGE_POINT = "charge_point"
    SERIAL = "serial"


class MeterKey(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One registered key. `place`: `CP/CONNECTOR`, `CP`, or the serial number of a meter; `public_key`: hex of the DER."""

    scope: KeyScope
    place: str
    public_key: str
    valid_from: datetime | None = None
    """For transactions that begin then or later; None: from ever. The latest that has begun holds: a meter was exchanged."""
    note: str = ""
    added_at: datetime
    added_by: str = ""

    @property
    def key_id(self) -> str:
        """Of this place from this instant on; registering it again replaces it."""
        since = "" if self.valid_from is None else self.valid_from.isoformat()
        return hashlib.sha256(f"{self.scope}\0{self.place}\0{since}".encode()).hexdigest()[:16]


class MeterKeys:
    """All registered keys."""

    def __init__(self, keys: Iterable[MeterKey] = ()) -> None:
        self._keys: dict[tuple[KeyScope, str], list[MeterKey]] = {}
        for each in keys:
            self._keys.setdefault((each.scope, each.place), []).append(each)

    def at(
        self, charge_point_id: str, connector: str | None, began_at: datetime | None, meter_id: str | None = None
    ) -> Callable[[Iterable[str]], str | None]:
        """For one transaction: serial numbers that a signed value names → the registered key, hex; None where there is none.

        `meter_id`: the serial number that the charge point tells of its meter.
        """
        places = [(KeyScope.CHARGE_POINT, charge_point_id)]
        if connector is not None:
            places.insert(0, (KeyScope.CONNECTOR, f"{charge_point_id}/{connector}"))

        def known(serials: Iterable[str]) -> str | None:
            named = [each for each in (*serials, meter_id) if each]
            for scope, place in (*places, *((KeyScope.SERIAL, each) for each in named)):
                if (found := self._valid(scope, place, began_at)) is not None:
                    return found.public_key
            return None

        return known

    def _valid(self, scope: KeyScope, place: str, at: datetime | None) -> MeterKey | None:
        held = self._keys.get((scope, place), ())
        valid = [each for each in held if each.valid_from is None or (at is not None and each.valid_from <= at)]
        return max(valid, key=lambda each: (each.valid_from is not None, each.valid_from or each.added_at), default=None)


def normalised(text: str) -> str:
    """A public key as entered (PEM, or DER as hex or base64) → hex of its DER. Raises ValueError for what is no such key."""
    from pyocmf.exceptions import PyOCMFError  # slow to import, and most networks sign nothing
    from pyocmf.models.public_key import PublicKey

    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"a public key has at most {MOST_CHARACTERS} characters")
    body = "".join(line for line in text.split() if line)
    if "-----BEGIN" in text:
        lines = [line.strip() for line in text.strip().splitlines()]
        if lines[0] != "-----BEGIN PUBLIC KEY-----" or lines[-1] != "-----END PUBLIC KEY-----":
            raise ValueError("expected a PEM file with one PUBLIC KEY")
        body = "".join(lines[1:-1])
    try:
        return PublicKey.from_string(body).key.lower()
    except (PyOCMFError, ValueError, TypeError):
        raise ValueError("expected the public key of a meter: PEM, or DER as hex or base64, of an elliptic curve") from None


def same(one: str, other: str) -> bool:
    """Whether two keys are the same, hex or base64."""
    return _bytes(one) == _bytes(other)


def _bytes(text: str) -> bytes:
    body = "".join(text.split())
    try:
        return bytes.fromhex(body)
    except ValueError:
        try:
            return base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            return body.encode()
