"""docs/cli.md is the command line: every command, every exit code; and every command keeps the promises that all of them make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from chargewatch.cli import app
from chargewatch.cli.exits import Exit

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text("utf-8")
PLATFORM_OF_ITS_OWN = {
    "demo",
    "price",
    "tariff lint",
    "alerts secret",
    "detect evaluate",
    "dashboards build",
    "dashboards check",
    "dashboards preview",
    "dashboards push",
}
"""Commands that do not mean a platform's folder."""
NO_JSON = {"up", "run", "demo", "rebuild"}
"""Commands whose output is lines for whoever watches."""


def commands() -> list[tuple[str, Any]]:
    """(words, command) of every command."""

    def walk(group: Any, words: str) -> Iterator[tuple[str, Any]]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from walk(command, f"{words}{name} ")
            else:
                yield words + name, command

    return list(walk(typer.main.get_command(app), ""))


COMMANDS = commands()
IDS = [words for words, _ in COMMANDS]


def test_every_command_is_on_the_page() -> None:
    """The table has each command once, and none that is gone."""
    listed = re.findall(r"^\| `chargewatch (.+?)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(IDS)


def test_every_exit_code_is_on_the_page() -> None:
    """The table has the codes that the code has, and that of Ctrl-C."""
    codes = [int(code) for code in re.findall(r"^\| (\d+) \| ", PAGE, re.MULTILINE)]
    assert codes == [*(int(code) for code in Exit), 130]


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=IDS)
def test_every_command_helps_with_an_example(words: str, command: Any) -> None:
    """Help begins with a sentence, and shows the command in use under its own name; every option says what it is for."""
    text = command.help or ""
    assert text.splitlines()[0].endswith(".") and f"chargewatch {words}" in text
    undescribed = [
        each.name for each in command.params if getattr(each, "help", None) in (None, "") and each.param_type_name == "option"
    ]
    assert undescribed == []


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=IDS)
def test_every_command_means_a_platform_by_data(words: str, command: Any) -> None:
    """--data is everywhere that a platform is meant; --json wherever there is an answer."""
    options = {option for each in command.params for option in each.opts}
    assert ("--data" in options) or words in PLATFORM_OF_ITS_OWN
    assert ("--json" in options) or words in NO_JSON


@pytest.mark.parametrize("line", re.findall(r"^chargewatch (.+?)(?: +#.*)?$", PAGE, re.MULTILINE))
def test_the_examples_are_real(line: str) -> None:
    """Every option in an example of the page exists in its command."""
    words, command = next((words, command) for words, command in COMMANDS if line.startswith(words))
    options = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    assert set(re.findall(r"--[a-z-]+", line.partition("|")[0])) <= options, words
