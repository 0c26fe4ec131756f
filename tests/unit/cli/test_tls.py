"""Commands over TLS: the platform on this machine is trusted by its own certificate, and by nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trustme

from chargewatch.cli import run
from chargewatch.discovery import Running, announce
from tests.support.api_server import served


def write(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for another name, and its key."""
    issued = trustme.CA().issue_cert("charge.example")
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    return certificate, key


def test_the_announced_certificate_is_the_one_that_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Announced with its certificate a platform is found, whatever name that is for; with another one, or by --api, it is not."""
    certificate, key = write(tmp_path, "own")
    other, _ = write(tmp_path, "other")
    data = tmp_path / "data"
    with served(data, http__tls_cert=certificate, http__tls_key=key) as running:
        announce(data, Running(running.url, running.key, os.getpid(), str(certificate)))
        assert run(["tokens", "add", "CARD-2", "--data", str(data)]) == 0
        assert run(["doctor", "--json", "--data", str(data)]) == 0
        announce(data, Running(running.url, running.key, os.getpid(), str(other)))
        assert run(["tokens", "add", "CARD-3", "--data", str(data)]) == 4
        assert run(["tokens", "list", "--api", running.url, "--key", running.key]) == 4
    assert "Traceback" not in capsys.readouterr().err
