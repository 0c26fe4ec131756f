"""`chargewatch dashboards build` and `check`, on a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargewatch.cli import run


def test_what_is_built_is_as_it_should_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Boards and rules arrive, and `check` has nothing to say."""
    assert run(["dashboards", "build", "--out", str(tmp_path)]) == 0
    assert len(list((tmp_path / "boards").glob("*.json"))) == 14
    assert (tmp_path / "rules" / "network.rules.yaml").is_file()
    assert run(["dashboards", "check", "--out", str(tmp_path)]) == 0
    assert "14 boards" in capsys.readouterr().err


def test_check_names_what_is_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A board and a rule file that somebody changed, each by name, with exit code 1."""
    run(["dashboards", "build", "--out", str(tmp_path)])
    (tmp_path / "boards" / "chargewatch-site.json").write_text("{}")
    (tmp_path / "rules" / "network.rules.yaml").write_text("groups: []")
    capsys.readouterr()
    assert run(["dashboards", "check", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "chargewatch-site.json is not what the boards' code builds" in said
    assert "network.rules.yaml is not what the rules' code builds" in said
    assert "2 things to mend" in said


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--board", "chargewatch-wall"], 3, "there is no board chargewatch-wall: the uids are chargewatch-network"),
        (["--var", "site"], 2, "--var site: write NAME=VALUE"),
        (["--prometheus", "http://127.0.0.1:9", "--board", "chargewatch-network"], 4, "http://127.0.0.1:9"),
        (["--influx", "http://127.0.0.1:9", "--token-file", "/nowhere/token"], 2, "cannot be read"),
    ],
)
def test_preview_says_what_is_wrong(
    arguments: list[str], code: int, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence and the exit code of its kind."""
    assert run(["dashboards", "preview", "--out", str(tmp_path), *arguments]) == code
    assert sentence in capsys.readouterr().err
