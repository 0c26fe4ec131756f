"""Idle charge points at the whole platform: memory of the process for each connection, and how fast a storm of them is let in.

The transport alone is measured by bench_connections.py; here each connection is also registered, recorded in the journal, projected
into every read model and shown in the metrics, and has delivered one MeterValues.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.bench_connections import storm
from tests.benchmarks.servers import chargewatch
from tests.benchmarks.tls import papers

CONNECTIONS, TLS_CONNECTIONS = 10_000, 5_000


@pytest.mark.benchmark
@pytest.mark.timeout(300)
def test_idle_charge_points(tmp_path: Path) -> None:
    """10,000 with deflate agreed: all are let in, all are answered."""
    with chargewatch(tmp_path / "data") as platform:
        result = storm(platform, CONNECTIONS)
    print("\n" + json.dumps({"benchmark": "idle", **result}))
    assert (result["failed"], result["answered"], result["answered_large"]) == (0, CONNECTIONS, CONNECTIONS)


@pytest.mark.benchmark
@pytest.mark.timeout(300)
def test_idle_charge_points_over_tls(tmp_path: Path) -> None:
    """5,000 over TLS 1.3 with an ECDSA key, which connect one after the other: a handshake costs both sides milliseconds.

    What the platform as a whole grows by meanwhile counts twice as much as with 10,000, against it.
    """
    certificate, authority = papers(tmp_path)
    config = tmp_path / "config.toml"
    config.write_text(f'[collector]\ntls_cert = "{certificate}"\ntls_key = "{certificate}"\n')
    with chargewatch(tmp_path / "data", "--config", str(config)) as platform:
        result = storm(platform, TLS_CONNECTIONS, str(authority))
    print("\n" + json.dumps({"benchmark": "idle_tls", **result}))
    assert (result["failed"], result["answered"], result["answered_large"]) == (0, TLS_CONNECTIONS, TLS_CONNECTIONS)
