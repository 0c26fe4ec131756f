"""The worked examples of the OCPI specification, priced by the command that a stranger would use."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chargewatch.cli import app
from tests.conftest import DATA

FILE = DATA / "ocpi-worked-examples.json"
EXAMPLES: list[dict[str, Any]] = json.loads(FILE.read_text())["cases"] if FILE.is_file() else []
SESSION = ("tz", "start", "periods", "reservation_expired")


def tariff_file(example: dict[str, Any], folder: Path) -> Path:
    """The tariff is beside the examples, or inside the example."""
    if isinstance(example["tariff"], str):
        return DATA / example["tariff"]
    (folder / "tariff.json").write_text(json.dumps(example["tariff"]))
    return folder / "tariff.json"


@pytest.mark.data
def test_there_are_examples() -> None:
    """A file that has moved is not a passed test."""
    assert len(EXAMPLES) >= 18


@pytest.mark.data
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["id"]))
def test_a_worked_example_agrees_to_the_last_digit(example: dict[str, Any], tmp_path: Path) -> None:
    """Before taxes, and after them where the example says it."""
    session = tmp_path / "session.json"
    session.write_text(json.dumps({name: example[name] for name in SESSION if name in example}))
    files = ["--tariff", str(tariff_file(example, tmp_path)), "--session", str(session)]
    found = CliRunner().invoke(app, ["price", *files, "--json"])
    assert found.exit_code == 0, found.output
    cost = json.loads(found.stdout)["total_cost"]
    assert Decimal(cost["before_taxes"]) == Decimal(example["expect"]["excl"])
    if "incl" in example["expect"]:
        assert Decimal(cost["after_taxes"]) == Decimal(example["expect"]["incl"])
