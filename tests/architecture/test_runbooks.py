"""Runbooks: somebody woken at 3 a.m. follows a link and finds a page that helps, with commands that exist."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chargenet.errors import InvalidCall
from chargenet.model.words import Protocol
from collector.ocpp.schemas import actions, validate_call
from tests.architecture.test_cli_page import COMMANDS
from tests.support.rules import REPOSITORY, RUNBOOKS, alert_names

HEADINGS = ["## Meaning", "## Impact", "## Diagnosis", "## Action"]
TOLD_DIRECTLY = {
    "RolloutHalted": "firmware_orchestrator/tidings.py",
    "RolloutHeld": "firmware_orchestrator/tidings.py",
    "ChargePointLost": "firmware_orchestrator/tidings.py",
    "AvailabilityNotRestored": "firmware_orchestrator/tidings.py",
    "PaymentStuck": "billing_reports/payments/tidings.py",
    "AlertmanagerSilent": "alerts/relay/guard.py",
    "AlertRelayWedged": "alerts/relay/guard.py",
}
"""Notices that a program tells through the relay without a rule, and where."""
PAGES = sorted(path.stem for path in RUNBOOKS.glob("*.md") if path.stem != "index")


def text_of(name: str) -> str:
    return (RUNBOOKS / f"{name}.md").read_text()


def snippets(name: str) -> Iterator[str]:
    """Every command of a page, from its blocks and from its sentences."""
    text = text_of(name)
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from (line for line in block.splitlines() if line.strip())
    prose = re.sub(r"^```sh\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`((?:chargewatch|docker) [^`]+)`", prose)


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    """Whatever reaches a person by name has a page, and no page is about what cannot happen any more."""
    assert sorted({*alert_names(), *TOLD_DIRECTLY}) == PAGES


@pytest.mark.parametrize(("name", "module"), TOLD_DIRECTLY.items())
def test_what_is_told_without_a_rule_is_told_under_that_name(name: str, module: str) -> None:
    """The program that tells it has the name in its text."""
    assert f'"{name}"' in (REPOSITORY / module).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_runbook_has_its_four_parts_in_order(name: str) -> None:
    """A sentence of what it is, then meaning, impact, diagnosis, action: none empty."""
    text = text_of(name)
    assert text.startswith(f"# {name}\n")
    assert [line for line in text.splitlines() if line.startswith("## ")] == HEADINGS
    parts = re.split(r"^#+ .*$", text, flags=re.MULTILINE)[1:]
    assert all(part.strip() for part in parts)
    assert re.match(r"(A page|A ticket|Information)", parts[0].strip())


@pytest.mark.parametrize("name", PAGES)
def test_its_commands_exist(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every `chargewatch` command, argument and option is one; every call to a charge point fits its schema."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cards.csv").touch()
    for line in snippets(name):
        words = shlex.split(line, comments=True)
        if words and words[0] == "chargewatch":
            check(words[1:], line)


def check(words: list[str], line: str) -> None:
    """Fails where the command line would."""
    found = [(each.split(), command) for each, command in COMMANDS if words[: len(each.split())] == each.split()]
    assert found, line
    path, command = max(found, key=lambda each: len(each[0]))
    given = words[len(path) :]
    with command.make_context(" ".join(path), list(given), resilient_parsing=False) as context:
        if path == ["call"]:
            assert_call(context.params, line)


def assert_call(params: dict[str, Any], line: str) -> None:
    """The action is one that we may send, and its payload fits some version that has it."""
    action, payload = params["action"], json.loads(params["payload"] or "{}")
    tried = []
    for protocol in (Protocol.OCPP16, Protocol.OCPP201):
        if action in actions(protocol):
            try:
                return validate_call(protocol, action, payload)
            except InvalidCall as violation:
                tried.append(str(violation))
    pytest.fail(f"{line}: {tried or 'no such action'}")


@pytest.mark.parametrize("name", PAGES)
def test_it_speaks_of_runbooks_and_settings_that_exist(name: str) -> None:
    """A page that is named on a page is there."""
    text = text_of(name)
    named = set(re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", text)) & {f"{each}" for each in (*PAGES, *alert_names())}
    assert named <= {*PAGES}
    settings = (REPOSITORY / "docs" / "settings.md").read_text()
    prefixes = r"(?:journal|collector|telemetry|alerts|http|sql|influx)"
    for key in re.findall(rf"`({prefixes}\.[a-z_]+)(?: = [^`]*)?`", text):
        assert f"`{key}`" in settings, key


INDEX = re.findall(r"^\| `(\w+) '(.+?)'` \| `(\w+) '(.+?)'` \|$", (RUNBOOKS / "index.md").read_text(), re.MULTILINE)


def test_the_table_of_versions_is_found() -> None:
    """The test below has something to read."""
    assert len(INDEX) >= 9


@pytest.mark.parametrize(("old", "old_payload", "new", "new_payload"), INDEX)
def test_the_calls_of_both_versions_fit_their_schemas(old: str, old_payload: str, new: str, new_payload: str) -> None:
    """What the table says instead for OCPP 2.x is valid there, and the left side in 1.6."""
    validate_call(Protocol.OCPP16, old, json.loads(old_payload))
    validate_call(Protocol.OCPP201, new, json.loads(new_payload))
