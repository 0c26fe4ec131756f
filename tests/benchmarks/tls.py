"""Certificates for benchmarks over TLS."""

from __future__ import annotations

from pathlib import Path

import trustme


def papers(folder: Path) -> tuple[Path, Path]:
    """(the server's key and chain in one file, the authority that signed it), ECDSA P-256."""
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    leaf = authority.issue_cert("localhost", key_type=trustme.KeyType.ECDSA)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    leaf.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    return folder / "server.pem", folder / "ca.pem"
