"""The catalogue of metrics keeps its own rules, and its documentation is true."""

from __future__ import annotations

from pathlib import Path

from chargenet.observe import names as n
from chargenet.observe.reference import markdown

ROOT = Path(__file__).resolve().parents[3]
PREFIXES = tuple(f"chargewatch_{thing}_" for thing in ("connector", "charge_point", "site", "model", "firmware"))


def test_the_page_of_metrics_is_up_to_date() -> None:
    """docs/metrics.md is what names.py says; `python -m chargenet.observe.reference > docs/metrics.md` writes it anew."""
    assert (ROOT / "docs" / "metrics.md").read_text() == markdown()


def test_names_follow_the_rules() -> None:
    """Names are unique and begin as agreed, counters end in _total and nothing else does, and each has a help text."""
    assert len({family.name for family in n.FAMILIES}) == len(n.FAMILIES)
    for family in n.FLEET:
        assert family.name.startswith(PREFIXES), family.name
    for family in n.FAMILIES:
        assert family.name.startswith("chargewatch_")
        assert family.name.endswith("_total") == (family.kind == "counter"), family.name
        assert family.help.endswith("."), family.name


def test_every_constant_is_listed() -> None:
    """A family that is defined is in FAMILIES, so that documentation and contract tests cannot miss it."""
    assert {family.name for family in vars(n).values() if isinstance(family, n.Family)} == {family.name for family in n.FAMILIES}


def test_no_label_can_carry_a_person_or_a_transaction() -> None:
    """Only the labels of this list exist; none is a token, a transaction or a message."""
    allowed = {
        "site", "charge_point", "connector", "status", "error_code", "vendor_error_code", "phase", "location", "vendor", "model",
        "firmware", "protocol", "version", "security_profile", "cause", "reason", "action", "outcome", "quirk", "type",
        "projection", "store", "method", "route", "group", "kind", "severity", "state", "what",
        "origin", "receiver", "rollout", "wave", "signal", "verdict", "window", "currency", "program",
    }  # fmt: skip
    assert {label for family in n.FAMILIES for label in family.labels} <= allowed
