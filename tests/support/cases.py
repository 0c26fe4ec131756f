"""Findings, cases and their surroundings for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from alerts.case import Case, Change
from alerts.cases import Known, Policy, Proof, Surroundings, judge
from alerts.finding import Evidence, Finding

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
CLEAR_S = 120.0


def finding(charge_point_id: str | None = "CP-1", connector: str | None = "1", **given: Any) -> Finding:
    """A fault that the charge point itself reports, unless said otherwise."""
    values: dict[str, Any] = {
        "kind": "ConnectorFaulted",
        "severity": "warning",
        "score": 1.0,
        "began_at": NOW,
        "summary": "faulted: GroundFailure",
        "evidence": (Evidence(what="it said Faulted at 03:00", sequences=(7,)),),
        "action": "Send a technician.",
    }
    return Finding(charge_point_id=charge_point_id, connector=connector, **(values | given))


def case(case_id: int = 1, **given: Any) -> Case:
    """An open case of `finding()`."""
    found = finding()
    values: dict[str, Any] = {
        "kind": found.kind, "thing": found.thing, "charge_point_id": "CP-1", "connector": "1", "severity": found.severity,
        "score": found.score, "summary": found.summary, "action": found.action, "evidence": found.evidence, "began_at": NOW,
        "opened_at": NOW, "found_at": NOW,
    }  # fmt: skip
    return Case(case_id=case_id, **(values | given))


class World:
    """Cases over time: `find` judges, and keeps what became of it."""

    def __init__(self, policy: Policy | None = None, **policies: Policy) -> None:
        self.now = NOW
        self.cases: dict[tuple[str, str], Case] = {}
        self.masks: dict[str, str] = {}
        self.proofs: dict[str, Proof] = {}
        self._policy, self._policies = policy or Policy(clear_s=CLEAR_S), policies
        self._next_id = 1

    def find(self, *findings: Finding, scope: Callable[[Case], bool] = lambda case: True, after_s: float = 0.0) -> list[Change]:
        """Judge these findings, `after_s` later."""
        self.now += timedelta(seconds=after_s)
        around = Surroundings(
            policy=lambda kind: self._policies.get(kind, self._policy),
            groups=lambda point: frozenset({"site:A", "vendor:V"}),
            site=lambda point: "A",
            mask=lambda found: self.masks.get(str(found.charge_point_id)),
            proof=lambda known: self.proofs.get(known.thing),
        )
        changes = judge(findings, Known(self.cases, self._next_id), scope, around, self.now)
        self.keep(changes)
        return changes

    def keep(self, changes: Iterable[Change]) -> None:
        """What changed, is so."""
        for change in changes:
            self.cases[change.case.key] = change.case
            self._next_id = max(self._next_id, change.case.case_id + 1)

    def tell(self) -> list[Case]:
        """Everything that the relay must hear; it has heard it then."""
        untold = [case for case in self.cases.values() if case.untold]
        for case in untold:
            self.cases[case.key] = msgspec.structs.replace(case, told=case.revision)
        return untold

    @property
    def only(self) -> Case:
        """The one case that there is."""
        [case] = self.cases.values()
        return case


def whats(changes: Sequence[Change]) -> list[str]:
    """What happened, in order."""
    return [change.what for change in changes]
