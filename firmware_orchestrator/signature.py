"""Which scheme verifies the signature of a firmware file. Decided here: what is tried, and that the answer changes nothing of what
charge points are sent: the signature is the maker's, and its device is the judge of it.

The 1.6 security whitepaper (L01.FR.12) wants RSA-PSS or ECSchnorr over SHA-256 of the file; in the field, `openssl dgst -sha256`
means PKCS #1 v1.5 or ECDSA. The certificate's chain and dates are not judged: whose root it has is the maker's matter.
"""

from __future__ import annotations

import base64

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from firmware_orchestrator.artifacts import SignatureCheck
from firmware_orchestrator.manifest import Manifest

NONE = "the manifest has no signature: only charge points that take unsigned firmware can be updated"


def check_signature(manifest: Manifest, sha256: str) -> SignatureCheck:
    """`sha256`: of the file, hexadecimal. Never raises for what a manifest says."""
    if manifest.signature is None or manifest.signing_certificate is None:
        return SignatureCheck(None, NONE)
    try:
        certificate = x509.load_pem_x509_certificate(manifest.signing_certificate.encode())
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return SignatureCheck(None, "the signing certificate cannot be read as PEM: it is sent as it is")
    signature, digest = base64.b64decode(manifest.signature), bytes.fromhex(sha256)
    if isinstance(key, rsa.RSAPublicKey):
        return _rsa(key, signature, digest)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _ecdsa(key, signature, digest)
    kind = "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else type(key).__name__
    return SignatureCheck(None, f"keys of the kind {kind} are not verified here: the signature is sent as it is")


def _rsa(key: rsa.RSAPublicKey, signature: bytes, digest: bytes) -> SignatureCheck:
    hashed = Prehashed(SHA256())
    schemes = (
        ("RSA-PSS SHA-256", padding.PSS(padding.MGF1(SHA256()), padding.PSS.AUTO)),
        ("RSA PKCS #1 v1.5 SHA-256", padding.PKCS1v15()),
    )
    for name, scheme in schemes:
        try:
            key.verify(signature, digest, scheme, hashed)
        except InvalidSignature:
            continue
        return SignatureCheck(name, f"verified with {name}, {key.key_size} bits")
    return SignatureCheck(None, "neither RSA-PSS nor RSA PKCS #1 v1.5 over SHA-256 verifies it: is it of another file?")


def _ecdsa(key: ec.EllipticCurvePublicKey, signature: bytes, digest: bytes) -> SignatureCheck:
    try:
        key.verify(signature, digest, ec.ECDSA(Prehashed(SHA256())))
    except InvalidSignature:
        return SignatureCheck(None, "ECDSA over SHA-256 does not verify it (ECSchnorr cannot be tried here): it is sent as it is")
    return SignatureCheck("ECDSA SHA-256", f"verified with ECDSA SHA-256, curve {key.curve.name}")
