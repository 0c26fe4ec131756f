"""What all tests share: which are skipped, and why. A skipped test names what it lacks; with CI=true it fails instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.servers import in_ci, require_server

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Real recordings that are not part of this repository (marker `data`)."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Benchmarks run only when asked for: `-m benchmark`."""
    if "benchmark" in (config.option.markexpr or ""):
        return
    measured = [item for item in items if item.get_closest_marker("benchmark")]
    if measured:
        config.hook.pytest_deselected(items=measured)
        items[:] = [item for item in items if item not in measured]


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
