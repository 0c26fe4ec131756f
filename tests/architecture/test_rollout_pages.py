"""docs/rollouts.md, gate.md and firmware-files.md know every key that their files may have, and their examples are valid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from chargewatch.demo.images import steps
from firmware_orchestrator import spec_file
from firmware_orchestrator.evidence.policy import GatePolicy, HardRules
from firmware_orchestrator.evidence.signals import TABLE
from firmware_orchestrator.manifest import Manifest
from firmware_orchestrator.manifest_file import parse_manifest
from firmware_orchestrator.retry import Failure
from firmware_orchestrator.rollout import diagram
from firmware_orchestrator.spec import parse_spec

DOCS = Path(__file__).parents[2] / "docs"
SECTIONS = {
    "waves": spec_file.WavesSection,
    "soak": spec_file.SoakSection,
    "windows": spec_file.WindowsSection,
    "caps": spec_file.CapsSection,
    "retries": spec_file.RetriesSection,
    "patience": spec_file.PatienceSection,
}


def page(name: str) -> str:
    """The text of a page."""
    return (DOCS / name).read_text()


def example(name: str) -> str:
    """Its example file."""
    (found,) = re.findall(r"```yaml\n(.*?)```", page(name), re.DOTALL)
    return str(found)


def keys(kind: Any) -> set[str]:
    """The keys that a section may have."""
    return set(kind.__struct_encode_fields__)


def test_the_examples_are_valid() -> None:
    """What is copied from a page works."""
    assert parse_spec(example("rollouts.md")).name == "eve-2.4.1-spring"
    assert parse_manifest(example("firmware-files.md"), "example.yaml").release == 41


def test_the_walk_through_is_that_of_the_steps() -> None:
    """What docs/rollouts.md lets a stranger type on the demo network is what `firmware demo-images` writes into STEPS.txt."""
    walk = page("rollouts.md").partition("## The file")[0]
    typed = re.findall(r"^    (chargewatch (?!demo |firmware demo-images ).+)$", walk, re.MULTILINE)
    written = [line for line in steps(Path("demo-firmware"), None).splitlines() if not line.startswith("#")]
    assert typed == written


@pytest.mark.parametrize("name", ["rollout", "wave", "update"])
def test_the_diagrams_are_the_tables(name: str) -> None:
    """Nobody draws them by hand."""
    assert f"```mermaid\n{diagram(name)}\n```" in page("rollouts.md")


def test_every_key_of_a_rollout_is_explained() -> None:
    """Sections, their keys, and the classes of failures."""
    text = page("rollouts.md")
    assert {key for key in keys(spec_file.SpecFile) | keys(spec_file.Selection) if key not in text} == set()
    for section, kind in SECTIONS.items():
        assert {key for key in keys(kind) if f"`{section}.{key}`" not in text and f"`{key}`" not in text} == set(), section
    assert {failure for failure in Failure if failure not in text} == set()


def test_every_key_of_the_gate_is_explained() -> None:
    """Policy, hard rules and signals, the latter with the words of their table."""
    text = page("gate.md")
    assert {key for key in keys(GatePolicy) | keys(HardRules) if f"`{key}`" not in text} == set()
    for row in TABLE.values():
        assert f"| `{row.signal}` | {row.event} | {row.at_risk} | {row.weight:g} |" in text


def test_every_key_of_a_manifest_is_explained() -> None:
    """The page of firmware files."""
    assert {key for key in keys(Manifest) if f"`{key}`" not in page("firmware-files.md")} == set()
