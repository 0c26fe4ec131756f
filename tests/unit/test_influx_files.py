"""What the InfluxDB adapter keeps on the local disk, and how long it waits."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargenet.errors import StoreUnavailable
from chargenet.storage.influx import delay_s
from chargenet.storage.influx_files import PositionFile, RejectedPoints
from chargenet.storage.influx_http import InfluxTarget
from chargenet.storage.isolation import Rejected

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_position_is_0_until_written_and_then_what_was_written(tmp_path: Path) -> None:
    """The folder is made when needed; a new object reads what the old one wrote."""
    path = tmp_path / "deep" / "influx.position"
    assert PositionFile(path).read() == 0
    PositionFile(path).write(41)
    PositionFile(path).write(42)
    assert PositionFile(path).read() == 42


@pytest.mark.parametrize("text", ["", "x", "12 13"])
def test_a_damaged_position_is_not_guessed(tmp_path: Path, text: str) -> None:
    """It is an error that names the file."""
    path = tmp_path / "influx.position"
    path.write_text(text)
    with pytest.raises(StoreUnavailable, match=r"influx\.position"):
        PositionFile(path).read()


def test_a_position_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """Where a file is in the folder's place, for example."""
    (tmp_path / "folder").write_text("")
    with pytest.raises(StoreUnavailable):
        PositionFile(tmp_path / "folder" / "influx.position").write(1)


def test_refused_points_are_kept_with_their_reason_within_a_bound(tmp_path: Path) -> None:
    """One JSON object a line; the oldest make room, and two files of the bound are never exceeded."""
    path = tmp_path / "rejected.jsonl"
    file = RejectedPoints(path, max_bytes=2000)
    for n in range(100):
        file.add([Rejected(f"m v={n} {n}", "field type conflict")], NOW)
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert entries[-1] == {"rejected_at": NOW.isoformat(), "reason": "field type conflict", "line": "m v=99 99"}
    sizes = [file.stat().st_size for file in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) <= 2000


def test_delays_double_to_a_bound_and_jitter_spreads_them() -> None:
    """0.2 s, 0.4 s, … 30 s, times a half to one; what the server asked for is waited at least, up to the bound."""
    assert [delay_s(attempt, 0.999999) for attempt in (1, 2, 3)] == pytest.approx([0.2, 0.4, 0.8], rel=1e-3)
    assert delay_s(1, 0.0) == pytest.approx(0.1)
    assert delay_s(60, 0.5) == pytest.approx(22.5)
    assert delay_s(1, 0.0, retry_after_s=7) == 7
    assert delay_s(1, 0.5, retry_after_s=3600) == 30


def test_a_token_is_not_in_the_targets_text() -> None:
    """Whatever prints the settings does not print the secret."""
    assert "hush" not in repr(InfluxTarget(url="http://x", bucket="b", token="hush"))
