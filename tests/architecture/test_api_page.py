"""docs/api.md is the API: every route with its permission and audit name, and the table of roles as the code has it."""

from __future__ import annotations

import re
from pathlib import Path

from chargenet.model.words import Role
from chargewatch.api.app import rules
from chargewatch.api.permissions import TABLE, Permission

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text("utf-8")
ROUTE = re.compile(r"^\| (GET|HEAD|POST|PUT|PATCH|DELETE) \| `(.+?)` \| (?:`(.*?)`)? ?\| (?:`(.*?)`)? ?\|$", re.MULTILINE)
READS = {("POST", "/api/v1/tariffs/compare")}
"""Reads whose question is too long for a URL. They store nothing and send nothing."""
OPEN = {"/healthz", "/readyz", "/metrics", "/runbooks/{name}", "/api/v1/payments/webhook"}


def test_every_route_is_on_the_page() -> None:
    """Method, path, permission and audit name of every route, and nothing else."""
    real = [
        (rule.method, rule.path, str(rule.needs.permission) if rule.needs else "", rule.audited.action if rule.audited else "")
        for rule in rules()
    ]
    assert ROUTE.findall(PAGE) == real


def test_the_roles_on_the_page_are_the_code() -> None:
    """Each permission's row says yes for exactly the roles that have it."""
    for permission in Permission:
        (row,) = re.findall(rf"^\| `{permission}` \|.+\|$", PAGE, re.MULTILINE)
        cells = [cell.strip() for cell in row.strip("|").split("|")][2:]
        assert [cell == "yes" for cell in cells] == [permission in TABLE[role] for role in Role], permission


def test_every_route_is_guarded() -> None:
    """Only probes (their own rule), uploads, downloads, signed links and calls (their own tokens) go without a permission."""
    unguarded = {rule.path for rule in rules() if rule.needs is None}
    assert {path for path in unguarded if not path.startswith(("/uploads/", "/f/", "/alerts/links/", "/rollouts/links/"))} == OPEN


def test_everything_that_changes_state_is_audited() -> None:
    """Each route but reads takes an audit trail of its own name, and no read does (unit/api/test_audit.py reads the entries)."""
    for rule in rules():
        read = rule.method in ("GET", "HEAD") or (rule.method, rule.path) in READS
        assert (rule.audited is not None) != read, f"{rule.method} {rule.path}"
    names = [(rule.audited.action, rule.path.split("/")[1]) for rule in rules() if rule.audited]
    own = [name for name, first in names if first != "uploads"]
    assert len(set(own)) == len(own)
