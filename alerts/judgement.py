"""One look at everything, as it is shown to whoever asked for it. Decided here: what is said beside each finding; no judging."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from alerts.case import Case
from alerts.finding import Finding


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A finding, the case that it belongs to, and why nobody is told of it, if so."""

    finding: Finding
    case_id: int | None = None
    """None: it is not sure enough to be a case yet."""
    state: str | None = None
    suppressed_by: int | None = None
    """The case that explains it."""
    masked_by: str | None = None
    """The planned work that hides it."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """All findings that are true at `at`, the most urgent first."""

    at: datetime
    took_s: float
    charge_points: int
    connectors: int
    findings: Sequence[Judged]


_URGENCY = {"critical": 0, "warning": 1, "info": 2}


def judged(findings: Iterable[Finding], cases: Mapping[tuple[str, str], Case], mask: Mapping[int, str]) -> list[Judged]:
    """Findings with their cases. `mask`: position of a finding → the planned work that hides it."""
    shown = []
    for position, finding in enumerate(findings):
        case = cases.get((finding.thing, finding.kind))
        live = case if case is not None and case.is_open else None
        shown.append(
            Judged(
                finding=finding,
                case_id=live.case_id if live else None,
                state=live.state if live else None,
                suppressed_by=live.suppressed_by if live else None,
                masked_by=mask.get(position),
            )
        )
    return sorted(shown, key=lambda each: (_URGENCY.get(each.finding.severity, 3), -each.finding.score, each.finding.thing))
