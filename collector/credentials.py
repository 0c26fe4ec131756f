"""Passwords of charge points: made, written down and read. Decided here: their forms.

A password that we make is 20 random bytes: no dictionary holds it, so a keyed fast hash is enough, and a reconnect storm costs
microseconds a login. One that a person chose goes through scrypt (43 ms; see collector.verifier). A stored hash says which it is:
`fast$<salt>$<hash>` or `scrypt$<n>$<r>$<p>$<salt>$<hash>`, all in hex.

Charge points send an OCPP 1.6 AuthorizationKey either as its hexadecimal text, in either case, or as the bytes that the text means
(security whitepaper, A00.FR.205); 2.x sends the text. So a hexadecimal text of 32 to 40 digits and its bytes are one password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import stat
from pathlib import Path

from chargenet.errors import SettingsError

PEPPER_BYTES = 32
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 14, 8, 1

_HEX_KEY = re.compile(rb"(?:[0-9a-fA-F]{2}){16,20}")
_STORED = re.compile(r"fast\$[0-9a-f]{32}\$[0-9a-f]{64}|scrypt\$\d{1,7}\$\d{1,2}\$\d{1,2}\$[0-9a-f]{32}\$[0-9a-f]{64}")


class Pepper:
    """The server's key for fast hashes: without it, a stolen table of them is worth nothing."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) != PEPPER_BYTES:
            raise ValueError(f"a pepper is {PEPPER_BYTES} bytes, not {len(key)}")
        self._key = key

    def __repr__(self) -> str:
        return "Pepper(...)"

    def digest(self, password: bytes, salt: bytes) -> bytes:
        """The keyed hash of one password."""
        return hashlib.blake2b(canonical(password), key=self._key, salt=salt, digest_size=32, person=b"cw.password").digest()


def load_pepper(path: Path) -> Pepper:
    """The pepper in `path`, made on first use, for its owner only. Raises SettingsError for a file that others can read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_pepper(path)
    except OSError as error:
        raise SettingsError(str(path), "", f"the key of password hashes cannot be made: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        key = secrets.token_bytes(PEPPER_BYTES)
        file.write(key)
        file.flush()
        os.fsync(descriptor)
    return Pepper(key)


def _read_pepper(path: Path) -> Pepper:
    try:
        with path.open("rb") as file:
            mode, key = stat.S_IMODE(os.fstat(file.fileno()).st_mode), file.read(PEPPER_BYTES + 1)
    except OSError as error:
        raise SettingsError(str(path), "", f"the key of password hashes cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise SettingsError(str(path), "", f"others may read the key of password hashes (mode {mode:o}): run chmod 600 on it")
    if len(key) != PEPPER_BYTES:
        raise SettingsError(str(path), "", f"is not a key of {PEPPER_BYTES} bytes for password hashes: restore it from a backup")
    return Pepper(key)


def generate_password() -> str:
    """A new random password: 40 hexadecimal digits, an OCPP 1.6 AuthorizationKey and a 2.x BasicAuthPassword alike."""
    return secrets.token_hex(20)


def canonical(password: bytes) -> bytes:
    """A hexadecimal key as the bytes that it means; any other password as it is."""
    return bytes.fromhex(password.decode()) if _HEX_KEY.fullmatch(password) else password


def hash_generated(password: str, pepper: Pepper) -> str:
    """For a password from `generate_password`, to be stored. Never for one that a person chose."""
    salt = secrets.token_bytes(16)
    return f"fast${salt.hex()}${pepper.digest(password.encode(), salt).hex()}"


def hash_chosen(password: str) -> str:
    """For a password that a person chose, to be stored. Takes some 40 ms: not on the event loop."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password.encode(), salt, SCRYPT_N, SCRYPT_R, SCRYPT_P)
    return f"scrypt${SCRYPT_N}${SCRYPT_R}${SCRYPT_P}${salt.hex()}${digest.hex()}"


def is_fast(stored: str) -> bool:
    """Can `matches` be called on the event loop?"""
    return stored.startswith("fast$")


def matches(password: bytes, stored: str, pepper: Pepper) -> bool:
    """Does the password fit the stored hash? In constant time; False for a hash that cannot be read."""
    if _STORED.fullmatch(stored) is None:
        return False
    kind, *rest = stored.split("$")
    salt, wanted = bytes.fromhex(rest[-2]), bytes.fromhex(rest[-1])
    if kind == "fast":
        found = pepper.digest(password, salt)
    else:
        n, r, p = (int(number) for number in rest[:3])
        try:
            found = _scrypt(password, salt, n, r, p)
        except ValueError:  # no such cost (n not a power of two, or more memory than we give)
            return False
    return hmac.compare_digest(found, wanted)


def _scrypt(password: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(canonical(password), salt=salt, n=n, r=r, p=p, maxmem=64 << 20, dklen=32)


def parse_basic(header: str | None) -> tuple[str, bytes] | None:
    """(user name, password) of an Authorization header; None when it is absent or not HTTP Basic (RFC 7617)."""
    scheme, _, encoded = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        pair = base64.b64decode(encoded.strip(), validate=True)
        name, colon, password = pair.partition(b":")
        return (name.decode(), password) if colon else None
    except (binascii.Error, ValueError):
        return None
