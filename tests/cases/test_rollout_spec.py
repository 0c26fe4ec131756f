"""Each folder of tests/cases/rollout-spec is one mistake: a rollout.yaml and the exact sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargenet.errors import InvalidFile
from firmware_orchestrator.spec import parse_spec

FOLDER = Path(__file__).parent / "rollout-spec"
CASES = sorted(path for path in FOLDER.iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mistake_is_named(case: Path) -> None:
    """The file is refused with the sentence in sentence.txt, word for word: line, key, what was expected."""
    with pytest.raises(InvalidFile) as refused:
        parse_spec((case / "rollout.yaml").read_text("utf-8"))
    assert str(refused.value) == (case / "sentence.txt").read_text("utf-8").strip()


def test_every_folder_is_a_case() -> None:
    """Nothing here is left out."""
    assert CASES, "no case was found"
    for path in FOLDER.iterdir():
        assert path.is_dir() and {each.name for each in path.iterdir()} == {"rollout.yaml", "sentence.txt"}, path.name
