"""The file of a rollout that goes back. Decided here: it names its charge points one by one; its canary is one of them; and a wave
that has soaked without proof waits for a person at once, because those that wait to go back are a poor control group. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from firmware_orchestrator.rows import Rollout

KEPT = ("soak", "gate", "windows", "caps", "retries", "patience", "availability")
"""Sections that hold for going back as for going forth."""
SOAK = "24h"
"""Where the file says nothing: as GatePolicy has it."""


def reverse_file(rollout: Rollout, artifact_id: str, charge_points: Sequence[str]) -> str:
    """A rollout file, as text."""
    given = yaml.safe_load(rollout.spec)
    kept = {name: given[name] for name in KEPT if name in given}
    soak = kept.get("soak", {})
    kept["soak"] = soak | {"at_most": soak.get("at_least", SOAK)}
    file = {
        "name": f"{rollout.name} back",
        "artifact": artifact_id,
        "target": {"charge_points": sorted(charge_points)},
        "waves": {"sizes": ["1", "rest"], "holdout": "0"},
        "offline": "wait",
        **kept,
    }
    return yaml.safe_dump(file, sort_keys=False, allow_unicode=True)
