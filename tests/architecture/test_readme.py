"""What the pages for newcomers say is so: their commands, files and make targets exist, and they speak of the product alone."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main

from chargenet.settings.keys import KEYS
from chargewatch.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_PROGRAM = re.compile(r"(?:\.venv/bin/)?chargewatch (?=[a-z-])")
_FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_ROOTED = "|".join(("work", "root", "home", "workspace", "Users"))
_HOSTS = "|".join(re.escape(host) for host in ("pypi" + ".org", "python" + "hosted", "arti" + "factory", "registry" + ".npm"))
_WORKERS = "|".join(("coding " + "agent", "language " + "model", "chat" + "bot", "working " + "session"))
_FOREIGN = re.compile(rf"(?<![\w.}}/-])/(?:{_ROOTED})/\w|{_HOSTS}|{_WORKERS}")


PROGRAM: Any = typer.main.get_command(app)
"""Made once: there are hundreds of lines to try."""


def command_lines(page: str) -> list[str]:
    """Every `chargewatch …` of a page: whole lines of code blocks, and code between backticks."""
    blocks = [text for language, text in _FENCED.findall(page) if language in ("", "sh")]
    prose = _FENCED.sub("", page)
    indented = re.findall(r"^(?: {4}.*\n)+", prose, re.MULTILINE)
    lines = [line.strip() for block in (*blocks, *indented) for line in block.splitlines()]
    inline = _CODE.findall(prose)
    return [line for line in (*lines, *inline) if _PROGRAM.match(line)]


def resolve(line: str) -> tuple[Any, list[str]]:
    """The command that a line names and its arguments. Raises AssertionError when there is none."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>")
    lexer.whitespace_split, lexer.commenters = True, "#"
    words: list[str] = []
    for word in lexer:
        if set(word) <= set("|>"):
            break
        words.append(word)
    command, rest = PROGRAM, words[1:]
    while (named := getattr(command, "commands", None)) and rest and not rest[0].startswith("-"):
        assert rest[0] in named, f"{line}: there is no command {rest[0]!r}"
        command, rest = named[rest[0]], rest[1:]
    return command, rest


CASES = [(page, line) for page in PAGES for line in command_lines(page.read_text("utf-8"))]


@pytest.mark.parametrize(("page", "line"), CASES, ids=[f"{page.name}: {line}" for page, line in CASES])
def test_every_command_line_can_be_typed(page: Path, line: str) -> None:
    """It names a command, options that the command has, and not more arguments than it takes."""
    if "COMMAND" in line:
        pytest.skip("speaks of every command")
    command, rest = resolve(line)
    options = {name: each for each in command.params for name in (*each.opts, *each.secondary_opts) if name.startswith("-")}
    options |= {"--help": None}
    arguments, values = 0, iter(rest)
    for word in values:
        if not word.startswith("-") or word == "-":
            arguments += 1
            continue
        name, _, given = word.partition("=")
        assert name in options, f"{page.name}: {line}: {name} is no option of it"
        if options[name] is not None and not options[name].is_flag and not given:
            next(values, None)
    taken = [each.nargs for each in command.params if each.param_type_name == "argument"]
    assert -1 in taken or arguments <= len(taken), line


def test_the_pages_have_command_lines() -> None:
    """The search for them finds them: README, command line page and recipes are full of them."""
    found = {page.name: len(command_lines(page.read_text("utf-8"))) for page in PAGES}
    assert found["README.md"] >= 8 and found["cli.md"] >= 30 and found["recipes.md"] >= 15


@pytest.mark.parametrize("line", ["chargewatch charge-point list", "chargewatch frames CP-1 --sinse 2h", "chargewatch doctor now"])
def test_a_wrong_line_is_found(line: str) -> None:
    """A command, an option or an argument that does not exist fails the test above."""
    with pytest.raises(AssertionError):
        test_every_command_line_can_be_typed(ROOT / "README.md", line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    """Every link that is no URL names a file or folder of the repository."""
    text = _CODE.sub("", _FENCED.sub("", page.read_text("utf-8")))
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    files = [link.partition("#")[0] for link in links if "://" not in link]
    assert [link for link in files if not (page.parent / link).exists()] == []


def test_every_make_target_exists() -> None:
    """Every `make TARGET` of README and CONTRIBUTING is in the Makefile."""
    text = "".join((ROOT / name).read_text("utf-8") for name in ("README.md", "CONTRIBUTING.md"))
    named = set(re.findall(r"(?:^ {4}|`)make ([a-z-]+)", text, re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_in_an_example_exists(page: Path) -> None:
    """TOML blocks with a settings table parse, and have keys that are settings."""
    for block in (text for language, text in _FENCED.findall(page.read_text("utf-8")) if language == "toml"):
        tables = tomllib.loads(block)
        if not {key.partition(".")[0] for key in KEYS} & set(tables):
            continue  # a simulator's scenario
        assert [key for key in dotted(tables) if key not in KEYS] == []


def dotted(tables: dict[str, Any]) -> list[str]:
    """The keys of tables within tables, with dots between."""
    return [
        f"{name}.{key}" if key else name
        for name, inside in tables.items()
        for key in (dotted(inside) if isinstance(inside, dict) else [""])
    ]


def test_the_repository_speaks_of_the_product_alone() -> None:
    """No path of somebody's machine, no package registry, nothing about how a page came to be."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git clone: the files of the repository are not known")
    wrong = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
            if _FOREIGN.search(line):
                wrong.append(f"{name}:{number}: {line.strip()[:120]}")
    assert wrong == []
