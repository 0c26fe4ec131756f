"""`chargewatch demo` without a terminal: one command, a living network, a clean end."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import free_port


@pytest.mark.timeout(240)
def test_the_demo_lives_and_ends_by_itself() -> None:
    """Charge points of three protocols connect and are counted on plain lines; nothing is logged as an error; exit code 0."""
    command = [sys.executable, "-W", "error", "-m", "chargewatch", "demo", "--charge-points", "30", "--minutes", "0.3"]
    done = subprocess.run([*command, "--port-base", str(free_port())], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "OCPP listening on ws://" in done.stdout and "admin key: cw_" in done.stdout
    assert re.search(r"^a firmware rollout: .*firmware demo-images demo-firmware --speed 10 --data /", done.stdout, re.MULTILINE)
    lines = [line for line in done.stdout.splitlines() if line.startswith("t=")]
    assert len(lines) >= 3, done.stdout
    assert "charge points 30/30" in lines[-1]
    records = re.search(r"records (\d+)", lines[-1])
    assert records is not None and int(records[1]) > 60
    assert "ERROR" not in done.stderr, done.stderr
    files = [Path(line.strip()) for line in done.stdout.splitlines() if line.strip().endswith(".pdf")]
    assert {"utilization-en.pdf", "utilization-de.pdf", "uptime.pdf", "session-quality.pdf"} <= {file.name for file in files}
    assert all(file.read_bytes().startswith(b"%PDF") for file in files)
    shutil.rmtree(files[0].parent)
