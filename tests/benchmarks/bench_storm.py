"""A whole network comes back at once, each charge point with a backlog: how fast it is let in, how long answers take, memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.servers import LOAD_CORE, chargewatch
from tests.support.backlog_storm import CALLS

CHARGE_POINTS = 5_000


@pytest.mark.benchmark
@pytest.mark.timeout(600)
def test_backlog_storm(tmp_path: Path) -> None:
    """5,000 charge points with 20 calls each: every call answered once, memory before, right after and 10 s after."""
    with chargewatch(tmp_path / "data") as platform:
        before, cpu_before = platform.memory_bytes(), platform.cpu_s()
        command = ["taskset", "-c", LOAD_CORE, sys.executable, "-m", "tests.support.backlog_storm"]
        done = subprocess.run([*command, str(platform.port), str(CHARGE_POINTS)], check=True, capture_output=True, text=True)
        result: dict[str, Any] = json.loads(done.stdout)
        cpu_s, after = platform.cpu_s() - cpu_before, platform.memory_bytes()
        time.sleep(10)
        settled = platform.memory_bytes()
    memory = {"rss_mib_before": before >> 20, "rss_mib_after": after >> 20, "rss_mib_settled": settled >> 20}
    print("\n" + json.dumps({"benchmark": "backlog_storm", **result, **memory, "server_cpu_s": round(cpu_s, 2)}))
    assert (result["wrong"], result["calls"]) == (0, CALLS * CHARGE_POINTS)
