"""The server's TLS context, and a sentence for every way in which its files can be wrong."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from chargenet.errors import SettingsError
from collector.tls import server_context

MISMATCH = "the private key in {folder}/other.pem does not belong to the certificate in {folder}/cert.pem"
LOCKED = "the private key in {folder}/locked.pem is encrypted: give one without a passphrase, readable by its owner only"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """cert.pem and key.pem belong together; other.pem is another key; locked.pem is key.pem under a passphrase."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    leaf, other = authority.issue_cert("localhost"), authority.issue_cert("localhost")
    leaf.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    other.private_key_pem.write_to_path(folder / "other.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    (folder / "locked.pem").write_bytes(locked)
    (folder / "text.pem").write_text("not a certificate")
    return folder


def test_a_server_context(files: Path) -> None:
    """TLS 1.2 at least; client certificates are demanded only with their authorities."""
    plain = server_context(files / "cert.pem", files / "key.pem")
    assert plain.minimum_version == ssl.TLSVersion.TLSv1_2
    assert plain.verify_mode == ssl.CERT_NONE
    assert server_context(files / "cert.pem", files / "key.pem", files / "ca.pem").verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("certificate", "key", "client_ca", "setting", "sentence"),
    [
        ("none.pem", "key.pem", None, "tls_cert", "the certificate {folder}/none.pem does not exist"),
        ("cert.pem", "none.pem", None, "tls_key", "the private key {folder}/none.pem does not exist"),
        ("cert.pem", "key.pem", "none.pem", "client_ca", "the file of client authorities {folder}/none.pem does not exist"),
        (".", "key.pem", None, "tls_cert", "the certificate {folder} cannot be read: Is a directory"),
        ("cert.pem", "other.pem", None, "tls_key", MISMATCH),
        ("text.pem", "key.pem", None, "tls_cert", "{folder}/text.pem holds no certificate in PEM form that OpenSSL accepts"),
        ("cert.pem", "text.pem", None, "tls_key", "{folder}/text.pem holds no private key in PEM form that OpenSSL accepts"),
        ("cert.pem", "key.pem", "text.pem", "client_ca", "{folder}/text.pem holds no certificate in PEM form that OpenSSL accepts"),
        ("cert.pem", "locked.pem", None, "tls_key", LOCKED),
    ],
)
def test_a_wrong_file_is_named(files: Path, certificate: str, key: str, client_ca: str | None, setting: str, sentence: str) -> None:
    """The error names the setting, the file and what is wrong with it."""
    with pytest.raises(SettingsError) as refused:
        server_context(files / certificate, files / key, files / client_ca if client_ca else None, source="chargewatch.toml")
    assert str(refused.value) == f"chargewatch.toml: collector.{setting}: {sentence.format(folder=files)}"
