"""What all tests share: which are skipped, and why. A skipped test names what it lacks; with CI=true it fails instead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.servers import in_ci, require_server

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Real recordings that are not part of this repository (marker `data`)."""
AT_HAND = {"test_grafana.py": "TEST_GRAFANA", "test_influx2.py": "TEST_INFLUXD2"}
"""Servers that Debian lacks: their tests run where the environment names one."""

# How long a strategy took says something about the machine, nothing about what is tested.
settings.register_profile("any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Benchmarks run only when asked for: `-m benchmark`. Tests of servers that Debian lacks, where there is one."""
    measuring = "benchmark" in (config.option.markexpr or "")
    absent = {test for test, variable in AT_HAND.items() if variable not in os.environ}
    left_out = [
        item for item in items
        if item.path.name in absent or (item.get_closest_marker("benchmark") and not measuring)
    ]  # fmt: skip
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """`server(name)` and `data` tests run only where their server or recordings are."""
    for marker in item.iter_markers("server"):
        for name in marker.args:
            require_server(name)
    if item.get_closest_marker("data") and not DATA.is_dir():
        reason = f"recordings are not here: {DATA}"
        if in_ci():
            pytest.fail(reason)
        pytest.skip(reason)
