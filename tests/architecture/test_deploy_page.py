"""docs/deploy.md: every command, file, setting and service on it exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import msgspec
import pytest

from chargenet.settings import load
from dashboards.rules import parse_config
from tests.architecture.test_runbooks import check
from tests.support.compose import example, platform_environment, services
from tests.support.rules import REPOSITORY

PAGE = (REPOSITORY / "docs" / "deploy.md").read_text()
BLOCKS = re.findall(r"^ *```sh\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
SHELL = [line for block in BLOCKS for line in block.replace("\\\n", " ").splitlines() if line]
INLINE = re.findall(r"`((?:docker|chargewatch|deploy)[ /][^`]+)`", PAGE)
TOML = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    """Every command, from its blocks and its sentences, as words."""
    lines = [part for line in (*SHELL, *INLINE) for part in re.split(r" && | \| ", line.partition(" > ")[0])]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


COMMANDS = commands()


OURS = [words for words in COMMANDS if words[0] in ("docker", "chargewatch") and "chargewatch" in words]


@pytest.mark.parametrize("words", OURS, ids=" ".join)
def test_commands_of_the_product_exist(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With their arguments and options, inside a container or outside."""
    monkeypatch.chdir(tmp_path)
    inner = words[words.index("chargewatch") :] if words[0] == "docker" else words
    if inner[:2] == ["chargewatch", "chargewatch"]:
        inner = inner[1:]
    for path in (word for word in inner if word.startswith("/out/") and word.endswith(".toml")):
        (tmp_path / "rules.toml").touch()
        inner[inner.index(path)] = "rules.toml"
    if inner[0] == "chargewatch" and len(inner) > 1:
        check(inner[1:], " ".join(words))


def test_services_of_docker_commands_exist() -> None:
    """`docker compose up collector` of a service that is called so."""
    known = services().keys()
    for words in COMMANDS:
        if words[:3] == ["docker", "compose", "exec"]:
            assert next(word for word in words[3:] if word != "-T") in known, words
        if words[:2] == ["docker", "compose"] and words[2:3] in (["up"], ["restart"], ["stop"], ["logs"]):
            assert {word for word in words[3:] if not word.startswith("-")} <= known, words


def test_files_that_are_named_exist() -> None:
    """Scripts, examples and pages are where the page says."""
    for words in COMMANDS:
        if words[0] in ("deploy/backup", "deploy/restore", "deploy/make-secrets"):
            assert (REPOSITORY / words[0]).exists()
        if words[0] == "cp":
            assert (REPOSITORY / words[1]).exists(), words
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (REPOSITORY / "docs" / target).exists(), target


def test_the_secrets_of_the_table_are_those_of_the_stack() -> None:
    """Each is named once, with who carries it."""
    table = PAGE.partition("### Keys of the servers")[2].partition("\n\nTo ")[0]
    named = set(re.findall(r"`(\w+_(?:token|password|key|secret))`", table))
    assert named == {secret for service in services().values() for secret in service.get("secrets", [])}


def test_variables_that_are_named_are_in_the_example() -> None:
    """Whoever looks into .env finds them."""
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`", PAGE))
    assert {name for name in named if not name.startswith("_")} <= example().keys()


def test_settings_on_the_page_are_right(tmp_path: Path) -> None:
    """The sections of TLS and of programs apart load, the latter as the stack has it; the config of the rules is taken."""
    rules, tls, apart = TOML
    assert parse_config(rules.encode(), "rules.toml").runbook("SiteOffline") == "https://charge.example/runbooks/SiteOffline"
    file = tmp_path / "chargewatch.toml"
    file.write_text(tls)
    assert load(file, {}).collector.security_profile == 2
    (tmp_path / "programs_token").write_text("t" * 20)
    file.write_text(apart.replace("/run/secrets", str(tmp_path)) + '[sql]\nurl = "postgresql+psycopg://postgres/chargewatch"\n')
    stack = load(
        None, {key: value for key, value in platform_environment(tmp_path).items() if "_PROGRAMS_" in key or "_SQL_" in key}
    )
    assert msgspec.structs.replace(load(file, {}).programs, token=None) == msgspec.structs.replace(stack.programs, token=None)


def test_settings_that_are_named_exist() -> None:
    """Each `section.key` is on the page of settings."""
    settings = (REPOSITORY / "docs" / "settings.md").read_text()
    for key in re.findall(r"`((?:journal|collector|telemetry|alerts|http|sql|influx|programs)\.[a-z_]+)`", PAGE):
        assert f"`{key}`" in settings, key
