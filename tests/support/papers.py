"""Certificates for tests: an authority of our own, the server's certificate, and those of charge points."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

from collector.tls import server_context


class Papers:
    """A certificate authority with a server's and a charge point's certificate, as files and contexts."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        server = self.authority.issue_cert("localhost", "127.0.0.1")
        self.authority.cert_pem.write_to_path(folder / "ca.pem")
        server.private_key_pem.write_to_path(folder / "server.key")
        for number, blob in enumerate(server.cert_chain_pems):
            blob.write_to_path(folder / "server.pem", append=number > 0)
        self.folder = folder

    def server(self, *, mutual: bool = False) -> ssl.SSLContext:
        ca = self.folder / "ca.pem" if mutual else None
        return server_context(self.folder / "server.pem", self.folder / "server.key", ca)

    def client(self, common_name: str | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        if common_name is not None:
            leaf = self.authority.issue_cert(f"{common_name.lower()}.example", common_name=common_name)
            leaf.configure_cert(context)
        return context
