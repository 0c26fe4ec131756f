"""The server's TLS: certificate, key and, for security profile 3, the authorities of client certificates.

Decided here: TLS 1.2 at least (OCPP A00.FR.318), no renegotiation, and a sentence for each way in which the files can be wrong.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from chargenet.errors import SettingsError

_MISMATCH = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH")


def server_context(
    certificate: Path, key: Path, client_ca: Path | None = None, *, source: str = "settings", section: str = "collector"
) -> ssl.SSLContext:
    """A server's SSLContext; with `client_ca` a client certificate is demanded (mutual TLS).

    `certificate`: PEM, the server's own first, then its chain. Raises SettingsError that names the setting and what to do.
    """
    _readable(certificate, source, f"{section}.tls_cert", "the certificate")
    _readable(key, source, f"{section}.tls_key", "the private key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    _load(context, certificate, key, source, section)
    if client_ca is not None:
        _demand_client(context, client_ca, source, f"{section}.client_ca")
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path, source: str, section: str) -> None:
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except _Encrypted:
        problem = f"the private key in {key} is encrypted: give one without a passphrase, readable by its owner only"
        raise SettingsError(source, f"{section}.tls_key", problem) from None
    except ssl.SSLError as error:
        if error.reason in _MISMATCH:
            problem = f"the private key in {key} does not belong to the certificate in {certificate}"
            raise SettingsError(source, f"{section}.tls_key", problem) from error
        wrong, name = (key, "tls_key") if _is_pem(certificate, b"CERTIFICATE") else (certificate, "tls_cert")
        what = "private key" if wrong is key else "certificate"
        raise SettingsError(source, f"{section}.{name}", f"{wrong} holds no {what} in PEM form that OpenSSL accepts") from error


def _demand_client(context: ssl.SSLContext, client_ca: Path, source: str, key: str) -> None:
    _readable(client_ca, source, key, "the file of client authorities")
    try:
        context.load_verify_locations(cafile=client_ca)
    except ssl.SSLError as error:
        raise SettingsError(source, key, f"{client_ca} holds no certificate in PEM form that OpenSSL accepts") from error
    context.verify_mode = ssl.CERT_REQUIRED


def _readable(path: Path, source: str, key: str, what: str) -> None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError:
        raise SettingsError(source, key, f"{what} {path} does not exist") from None
    except OSError as error:
        raise SettingsError(source, key, f"{what} {path} cannot be read: {error.strerror}") from error


def _is_pem(path: Path, label: bytes) -> bool:
    return b"-----BEGIN " + label in path.read_bytes()


class _Encrypted(Exception):
    """The key asks for a passphrase."""


def _no_password() -> str:
    raise _Encrypted
