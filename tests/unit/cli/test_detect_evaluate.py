"""`chargewatch detect evaluate` with files that cannot be evaluated: one sentence and the code that says whose fault it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargewatch.cli import run
from chargewatch.cli.exits import Exit

HEADER = "charge_point_id,connector_id,started_at,stopped_at,energy_kwh\n"


@pytest.mark.parametrize(
    ("text", "more", "code", "sentence"),
    [
        (None, [], Exit.NOT_FOUND, "there is no such file"),
        ("a;b\n", [], Exit.USAGE, "line 1: the header has no column charge_point_id"),
        (HEADER, [], Exit.USAGE, "holds no session that can be used"),
        (HEADER + "A,1,2026-01-01,,5\n", ["--zone", "Perth"], Exit.USAGE, "--zone 'Perth' is no IANA time zone"),
        (HEADER + "A,1,2026-01-01,,5\n", [], Exit.USAGE, "no connector is healthy and busy for long enough"),
    ],
)
def test_what_cannot_be_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, more: list[str], code: Exit, sentence: str
) -> None:
    """Nothing is printed as a result."""
    file = tmp_path / "sessions.csv"
    if text is not None:
        file.write_text(text)
    assert run(["detect", "evaluate", "--sessions", str(file), *more]) == code
    out, err = capsys.readouterr()
    assert out == "" and sentence in err and len(err.strip().splitlines()) == 1
