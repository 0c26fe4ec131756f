"""Which scheme verifies a firmware's signature is found out, with real keys."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

from firmware_orchestrator.signature import check_signature
from tests.support.firmware_files import manifest

IMAGE = b"firmware" * 1000
SHA256 = hashlib.sha256(IMAGE).hexdigest()
RSA = rsa.generate_private_key(65537, 2048)
ECDSA = ec.generate_private_key(ec.SECP256R1())
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)


def certificate(key: Any) -> str:
    """Self-signed, and expired long ago: its dates are not judged."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Acme firmware")])
    began = datetime(2020, 1, 1, tzinfo=UTC)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(began).not_valid_after(began + timedelta(days=1))
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.PEM).decode()


def check(key: Any, signature: bytes) -> tuple[str | None, str]:
    made = manifest(signature=base64.b64encode(signature).decode(), signing_certificate=certificate(key))
    found = check_signature(made, SHA256)
    return found.scheme, found.sentence


@pytest.mark.parametrize(
    ("key", "signature", "scheme"),
    [
        (RSA, RSA.sign(IMAGE, PSS, hashes.SHA256()), "RSA-PSS SHA-256"),
        (RSA, RSA.sign(IMAGE, padding.PKCS1v15(), hashes.SHA256()), "RSA PKCS #1 v1.5 SHA-256"),
        (ECDSA, ECDSA.sign(IMAGE, ec.ECDSA(hashes.SHA256())), "ECDSA SHA-256"),
    ],
    ids=["pss", "pkcs1", "ecdsa"],
)
def test_the_scheme_that_verifies_is_named(key: Any, signature: bytes, scheme: str) -> None:
    """The three that are found in the field."""
    assert check(key, signature)[0] == scheme


@pytest.mark.parametrize("key", [RSA, ECDSA], ids=["rsa", "ecdsa"])
def test_a_signature_of_another_file_is_said_not_to_verify(key: Any) -> None:
    """It is no error: the charge point is the judge."""
    scheme, sentence = check(key, b"\x01" * 64)
    assert scheme is None and "verif" in sentence


def test_unknown_kinds_of_keys_and_broken_certificates_are_said() -> None:
    """Neither makes adding fail."""
    assert check(ed25519.Ed25519PrivateKey.generate(), b"x")[0] is None
    broken = check_signature(manifest(signature="AAAA", signing_certificate="not a certificate"), SHA256)
    assert broken.scheme is None and "cannot be read" in broken.sentence
    assert check_signature(manifest(), SHA256).sentence.startswith("the manifest has no signature")
