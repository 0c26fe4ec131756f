"""docs/pricing.md shows what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from chargewatch.cli import app

PAGE = Path(__file__).parents[2] / "docs" / "pricing.md"


def lines(text: str) -> list[str]:
    """Without spaces at the end of lines, and without empty lines."""
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def test_the_example_is_what_is_printed(tmp_path: Path) -> None:
    """The page's tariff and session give the page's table."""
    tariff, session = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "tariff.json").write_text(tariff)
    (tmp_path / "session.json").write_text(session)
    files = ["--tariff", str(tmp_path / "tariff.json"), "--session", str(tmp_path / "session.json")]
    found = CliRunner().invoke(app, ["price", *files], env={"COLUMNS": "200"})
    assert found.exit_code == 0, found.output
    assert lines(found.stdout) == lines(shown)
