"""Passwords: their forms, their hashes, the header that carries them."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from chargenet.errors import SettingsError
from collector import credentials
from collector.credentials import Pepper

PEPPER = Pepper(b"p" * 32)


def test_a_generated_password_suits_every_ocpp_version() -> None:
    """40 hexadecimal digits: 20 bytes of a 1.6 AuthorizationKey, a 2.x passwordString of 16 to 40; never twice the same."""
    passwords = {credentials.generate_password() for _ in range(100)}
    assert len(passwords) == 100
    assert all(len(password) == 40 and len(bytes.fromhex(password)) == 20 for password in passwords)


def test_a_generated_password_in_all_the_forms_charge_points_send() -> None:
    """As its text, in capitals, or as the bytes that the text means: one password."""
    password = credentials.generate_password()
    stored = credentials.hash_generated(password, PEPPER)
    for sent in (password.encode(), password.upper().encode(), bytes.fromhex(password)):
        assert credentials.matches(sent, stored, PEPPER)
    for wrong in (b"", b"x" * 40, password.encode()[:-2], password.encode() + b"00", bytes.fromhex(password)[::-1]):
        assert not credentials.matches(wrong, stored, PEPPER)


@pytest.mark.parametrize("password", ["correct horse battery", "ü" * 20, "DEADBEEFDEADBEEFDEADBEEFDEADBEEF", "x", "deadbeef"])
def test_a_chosen_password(password: str) -> None:
    """scrypt, verified from its own parameters; a different password does not fit; the salt differs each time."""
    stored = credentials.hash_chosen(password)
    assert stored.startswith("scrypt$16384$8$1$")
    assert credentials.matches(password.encode(), stored, PEPPER)
    assert not credentials.matches(password.encode() + b"!", stored, PEPPER)
    assert stored != credentials.hash_chosen(password)


def test_a_chosen_hexadecimal_key_may_be_sent_as_its_bytes() -> None:
    """An operator who chose an AuthorizationKey in capitals: the charge point may send the bytes."""
    stored = credentials.hash_chosen("DEADBEEF" * 5)
    assert credentials.matches(bytes.fromhex("deadbeef" * 5), stored, PEPPER)
    assert credentials.matches(b"deadbeef" * 5, stored, PEPPER)


def test_a_fast_hash_needs_its_pepper() -> None:
    """A stolen table of fast hashes cannot be checked without the server's key."""
    stored = credentials.hash_generated("ab" * 20, PEPPER)
    assert not credentials.matches(b"ab" * 20, stored, Pepper(b"q" * 32))


def test_which_hash_is_fast() -> None:
    """The event loop may check fast ones only."""
    assert credentials.is_fast(credentials.hash_generated("ab" * 20, PEPPER))
    assert not credentials.is_fast(credentials.hash_chosen("ab" * 20))


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "fast$",
        "fast$00$00",
        "md5$00$00",
        "fast$" + "0" * 32 + "$" + "0" * 63,
        f"scrypt$3$8$1${'0' * 32}${'0' * 64}",
        f"scrypt$4194304$8$1${'0' * 32}${'0' * 64}",
        f"scrypt$0$0$0${'0' * 32}${'0' * 64}",
    ],
)
def test_a_hash_that_cannot_be_read_fits_nothing(stored: str) -> None:
    """Unknown, cut, or asking for impossible or absurd work: False, never an exception."""
    assert not credentials.matches(b"anything", stored, PEPPER)


def basic(pair: bytes) -> str:
    return "Basic " + base64.b64encode(pair).decode()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (basic(b"CP1:secret"), ("CP1", b"secret")),
        (basic(b"CP1:se:cr:et"), ("CP1", b"se:cr:et")),
        (basic(b"CP1:"), ("CP1", b"")),
        (basic(b":x"), ("", b"x")),
        (basic(b"CP1:\xff\x00\x80"), ("CP1", b"\xff\x00\x80")),
        (basic("Säule:ü".encode()), ("Säule", "ü".encode())),
        ("  basic   Q1AxOnNlY3JldA==  ", ("CP1", b"secret")),
        (None, None),
        ("", None),
        ("Basic", None),
        ("Basic !!!", None),
        ("Basic Q1AxOnNlY3JldA", None),
        (basic(b"no colon"), None),
        (basic(b"\xff:x"), None),
        ("Bearer Q1AxOnNlY3JldA==", None),
        ("Basic ü", None),
    ],
)
def test_parse_basic(header: str | None, expected: tuple[str, bytes] | None) -> None:
    """User name and raw password bytes, split at the first colon; anything else is None."""
    assert credentials.parse_basic(header) == expected


def test_a_pepper_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    """The file is created with mode 600 and read again the next time; its repr hides it."""
    path = tmp_path / "password.key"
    first, second = credentials.load_pepper(path), credentials.load_pepper(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first.digest(b"x", b"s" * 16) == second.digest(b"x", b"s" * 16)
    assert path.read_bytes().hex() not in repr(first) + str(first)


def test_a_pepper_that_must_not_be_used(tmp_path: Path) -> None:
    """Readable by others, cut short, or in no folder: an error that says what to do."""
    path = tmp_path / "password.key"
    credentials.load_pepper(path)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match=r"others may read .* \(mode 640\): run chmod 600"):
        credentials.load_pepper(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(SettingsError, match="is not a key of 32 bytes for password hashes: restore it from a backup"):
        credentials.load_pepper(path)
    with pytest.raises(SettingsError, match="cannot be made: No such file or directory"):
        credentials.load_pepper(tmp_path / "nowhere" / "password.key")
    with pytest.raises(ValueError, match="32 bytes, not 5"):
        Pepper(b"short")
