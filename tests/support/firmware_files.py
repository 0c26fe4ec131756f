"""Manifests, artifacts and fleets for tests of firmware rollouts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from firmware_orchestrator.artifacts import Artifact, SignatureCheck
from firmware_orchestrator.fleet import FleetMember
from firmware_orchestrator.manifest import Manifest

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MANIFEST = """\
name: acme-2.4.1
vendor: Acme
models: ["AC-*"]
version: 2.4.1
release: 241
"""


def manifest(**changes: Any) -> Manifest:
    """Acme's 2.4.1 for all AC models."""
    given: dict[str, Any] = {"name": "acme-2.4.1", "vendor": "Acme", "models": ("AC-*",), "version": "2.4.1", "release": 241}
    return Manifest(**(given | changes))


def artifact(made: Manifest | None = None, **changes: Any) -> Artifact:
    """An artifact as the store gives it."""
    made = made or manifest()
    given: dict[str, Any] = {
        "artifact_id": made.name, "file_name": "acme.bin", "sha256": "a" * 64, "size_bytes": 1000, "manifest": made,
        "signature_check": SignatureCheck(None, "no signature"), "added_at": NOW, "added_by": "key-1 ops", "approvals_needed": 1,
    }  # fmt: skip
    return Artifact(**(given | changes))


def member(name: str, **changes: Any) -> FleetMember:
    """A charge point that Acme's 2.4.1 is for."""
    given: dict[str, Any] = {
        "charge_point_id": name, "site_id": f"site-{name}", "time_zone": "Europe/Oslo", "vendor": "Acme", "model": "AC-22",
        "firmware_version": "2.3.0", "protocol": "ocpp1.6", "connected": True, "firmware_profile": True,
    }  # fmt: skip
    return FleetMember(**(given | changes))
