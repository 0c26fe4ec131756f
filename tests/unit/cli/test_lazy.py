"""Commands are imported when they are used, and the table says of each what it says of itself."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import pytest
import typer.main

from chargewatch.cli import COMMANDS, INSIDE, app

PROGRAM: Any = typer.main.get_command(app)
HELP = """
import sys
from chargewatch.cli import run
code = run(["--help"])
of_ours = {"chargewatch.cli." + where.partition(":")[0] for _, where, _ in __import__("chargewatch.cli").cli.COMMANDS}
heavy = {"httpx", "sqlalchemy", "numpy", "duckdb", "fastapi", "collector", "alerts", "billing_reports"}
print(code, sorted((of_ours | heavy) & set(sys.modules)))
"""


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, _, line in COMMANDS], ids=[name for name, _, _ in COMMANDS])
def test_the_line_of_a_command_is_its_own(name: str, line: str) -> None:
    """What `chargewatch --help` shows is the first paragraph of the command's own help, and its name is the one that it has."""
    command = PROGRAM.commands[name]
    assert (command.name, inspect.cleandoc(command.help).split("\n\n")[0].replace("\n", " ")) == (name, line)


def test_a_list_of_commands_imports_none_of_them() -> None:
    """Neither the commands nor what only they need."""
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
    assert all(name in done.stdout for name, _, _ in COMMANDS)


def test_commands_of_other_modules_are_in_their_group() -> None:
    """Once each, however often the group is made."""
    again: Any = typer.main.get_command(app)
    for group, rows in INSIDE.items():
        assert {name for name, _, _ in rows} < set(again.commands[group].commands)
        names = list(PROGRAM.commands[group].commands)
        assert sorted(names) == sorted(set(names))


def test_a_name_that_is_nearly_right(capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest command is suggested, and nothing was imported for that."""
    from chargewatch.cli import run

    assert run(["charge-point", "list"]) == 2
    assert "charge-points" in capsys.readouterr().err
