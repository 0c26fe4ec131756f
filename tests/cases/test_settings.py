"""Each folder of tests/cases/settings is one mistake: a config.toml, perhaps variables, and the exact sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargenet.errors import SettingsError
from chargenet.settings import load

FOLDER = Path(__file__).parent / "settings"
CASES = sorted(path for path in FOLDER.iterdir() if path.is_dir())
KNOWN_FILES = {"config.toml", "sentence.txt", "variables.txt", "secret.txt"}


def variables(case: Path) -> dict[str, str]:
    file = case / "variables.txt"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mistake_is_named(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading is refused with the sentence in sentence.txt, word for word; the file is called config.toml in it."""
    monkeypatch.chdir(case)
    with pytest.raises(SettingsError) as refused:
        load(Path("config.toml"), variables(case))
    assert str(refused.value) == (case / "sentence.txt").read_text("utf-8").strip()


def test_every_folder_is_a_case() -> None:
    """No file here is left out: each folder has a config and a sentence, and nothing that this runner does not read."""
    assert CASES, "no case was found"
    for path in FOLDER.iterdir():
        assert path.is_dir(), f"{path.name} is not a case folder"
        names = {each.name for each in path.iterdir()}
        assert {"config.toml", "sentence.txt"} <= names <= KNOWN_FILES, f"{path.name}: {sorted(names)}"
