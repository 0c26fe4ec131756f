"""Each folder of tests/cases/alert-config is one mistake: an alerts.toml and the exact sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.config import load
from chargenet.errors import SettingsError

FOLDER = Path(__file__).parent / "alert-config"
CASES = sorted(path for path in FOLDER.iterdir() if path.is_dir())
SECRETS = ("geheim", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mistake_is_named(case: Path) -> None:
    """Loading is refused with the sentence in sentence.txt, word for word: table, key, what was expected; never with a secret."""
    with pytest.raises(SettingsError) as refused:
        load(case / "alerts.toml")
    said = str(refused.value)
    assert said == (case / "sentence.txt").read_text("utf-8").strip()
    assert not [secret for secret in SECRETS if secret in said]


def test_every_folder_is_a_case() -> None:
    """Nothing here is left out."""
    assert CASES, "no case was found"
    for path in FOLDER.iterdir():
        assert path.is_dir() and {each.name for each in path.iterdir()} == {"alerts.toml", "sentence.txt"}, path.name
