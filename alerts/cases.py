"""Findings become cases. Decided here: when a case opens, is hidden, clears and comes back, each with its reason.

Hysteresis: a finding opens a case at `Policy.open_score` and keeps it at `Policy.keep_score`; a case clears when its finding has
been gone for `Policy.clear_s` (twice as long each time it came back), or, where absence proves nothing, by a good session.
Cool-down: what comes back within `Policy.cool_down_s` is the same case, reopened. A wide case (site, vendor, charge point) hides
the cases that it explains, planned work hides what it touches. Nobody is told here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from alerts.case import Case, Change, Step, moved
from alerts.finding import Finding
from chargenet.model.notice import Severity

MAX_DOUBLINGS = 4
MAX_EVIDENCE = 20
_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How the cases of one kind behave. Durations in seconds."""

    open_score: float = 0.5
    keep_score: float = 0.25
    clear_s: float = 120.0
    cool_down_s: float = 3600.0
    needs_good_session: bool = False
    """That nothing is found any more proves nothing; a good session does, or `forget_s` without a finding."""
    forget_s: float = 7 * 86_400.0
    explained_by: frozenset[str] = frozenset()
    """Kinds of cases of its site, vendor or charge point that explain this kind."""


class Proof(msgspec.Struct, frozen=True):
    """A good session: evidence that a connector works."""

    at: datetime
    what: str
    """E.g. "session 4711 delivered 12.4 kWh"."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What judging needs besides findings, all in memory."""

    policy: Callable[[str], Policy]
    """By kind."""
    groups: Callable[[str], frozenset[str]]
    """`site:…` and `vendor:…` of a charge point."""
    site: Callable[[str], str | None]
    """Site of a charge point."""
    mask: Callable[[Finding], str | None]
    """The planned work that hides a finding, as a sentence."""
    proof: Callable[[Case], Proof | None]
    """The last good session of what a case is about."""


class Known(msgspec.Struct, frozen=True):
    """All unresolved cases and those that may still come back, by key; `next_id` for a new one."""

    cases: Mapping[tuple[str, str], Case]
    next_id: int


def judge(
    findings: Iterable[Finding], known: Known, scope: Callable[[Case], bool], around: Surroundings, now: datetime
) -> list[Change]:
    """What the findings change. `scope`: the cases whose finding would be among `findings` if it were still true.

    Each case changes at most once. Wide findings come first, so that what they explain is hidden from the beginning; order and
    repeats of `findings` make no difference.
    """
    found = _strongest(findings)
    cases, next_id = dict(known.cases), known.next_id
    changes: list[Change] = []
    for key in sorted(found, key=lambda key: (_width(found[key]), key)):
        change = _found(found[key], cases.get(key), cases, next_id, around, now)
        if change is not None:
            next_id += change.case.case_id == next_id
            cases[key] = change.case
            changes.append(change)
    for key, case in known.cases.items():
        kept = key in found and found[key].score >= around.policy(case.kind).keep_score
        if case.is_open and not kept and scope(case):
            change = _missing(case, around, now)
            if change is not None:
                changes.append(change)
    return changes


def expired(case: Case, policy: Policy, now: datetime) -> bool:
    """A resolved case that can no longer come back."""
    return case.resolved_at is not None and not case.is_open and now - case.resolved_at > timedelta(seconds=policy.cool_down_s)


def _strongest(findings: Iterable[Finding]) -> dict[tuple[str, str], Finding]:
    """One finding per thing and kind: the surest, then the earliest."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        key = (finding.thing, finding.kind)
        other = found.get(key)
        if other is None or _strength(finding) > _strength(other):
            found[key] = finding
    return found


def _strength(finding: Finding) -> tuple[int, float, float, str]:
    return _RANK.get(finding.severity, 0), finding.score, -finding.began_at.timestamp(), finding.summary


def _width(finding: Finding) -> int:
    if finding.group is not None:
        return 0
    return 1 if finding.connector is None else 2


def _found(
    finding: Finding, case: Case | None, cases: Mapping[tuple[str, str], Case], next_id: int, around: Surroundings, now: datetime
) -> Change | None:
    policy = around.policy(finding.kind)
    parent, mask = _parent(finding, policy, cases, around), around.mask(finding)
    if case is None or expired(case, policy, now):
        return _opened(finding, next_id, parent, mask, around, now) if finding.score >= policy.open_score else None
    if not case.is_open:
        if case.resolved_by is not None and case.resolved_at and now - case.resolved_at < timedelta(seconds=policy.clear_s):
            return None  # somebody says that it is done: the evidence gets time to follow
        return _reopened(case, finding, parent, mask, now) if finding.score >= policy.open_score else None
    return _again(case, finding, parent, mask, now) if finding.score >= policy.keep_score else None


def _opened(finding: Finding, case_id: int, parent: Case | None, mask: str | None, around: Surroundings, now: datetime) -> Change:
    point = finding.charge_point_id
    group_site = finding.group.removeprefix("site:") if finding.group is not None and finding.group.startswith("site:") else None
    case = Case(
        case_id=case_id,
        kind=finding.kind,
        thing=finding.thing,
        charge_point_id=point,
        connector=finding.connector,
        group=finding.group,
        site_id=group_site if point is None else around.site(point),
        severity=finding.severity,
        score=finding.score,
        summary=finding.summary,
        action=finding.action,
        evidence=finding.evidence[:MAX_EVIDENCE],
        began_at=min(finding.began_at, now),
        opened_at=now,
        found_at=now,
        suppressed_by=parent.case_id if parent else None,
        masked_by=mask,
    )
    return Change(case=case, what="opened", why=_hiding(parent, mask) or finding.summary)


def _reopened(case: Case, finding: Finding, parent: Case | None, mask: str | None, now: datetime) -> Change:
    after = msgspec.structs.replace(
        _refreshed(case, finding, now),
        state=moved(case, Step.FOUND),
        severity=finding.severity,
        began_at=max(min(finding.began_at, now), case.resolved_at or now),
        opened_at=now,
        acknowledged_at=None,
        acknowledged_by=None,
        resolved_at=None,
        resolved_by=None,
        resolution=None,
        times_reopened=case.times_reopened + 1,
        suppressed_by=parent.case_id if parent else None,
        masked_by=mask,
        revision=case.revision + 1,
    )
    return Change(case=after, what="reopened", why=_hiding(parent, mask) or f"it came back: {finding.summary}")


def _again(case: Case, finding: Finding, parent: Case | None, mask: str | None, now: datetime) -> Change | None:
    """The finding of an unresolved case is still there."""
    after = msgspec.structs.replace(
        _refreshed(case, finding, now), suppressed_by=parent.case_id if parent else None, masked_by=mask
    )
    worse = _RANK.get(finding.severity, 0) > _RANK.get(case.severity, 0)
    if worse:
        after = msgspec.structs.replace(after, severity=finding.severity, revision=case.revision + 1)
    if after.hidden and not case.hidden:
        return Change(case=after, what="suppressed" if parent else "masked", why=_hiding(parent, mask) or "")
    if case.hidden and not after.hidden:
        return Change(case=after, what="shown", why="nothing explains it any more, and it is still so")
    if worse:
        return Change(case=after, what="worse", why=f"now {finding.severity}: {finding.summary}")
    return None if _same(case, after) else Change(case=after, what="seen", why=finding.summary)


def _refreshed(case: Case, finding: Finding, now: datetime) -> Case:
    return msgspec.structs.replace(
        case,
        score=finding.score,
        summary=finding.summary,
        action=finding.action,
        evidence=finding.evidence[:MAX_EVIDENCE],
        found_at=now,
        gone_since=None,
    )


def _same(before: Case, after: Case) -> bool:
    """Nothing but the instant of the last look differs."""
    return msgspec.structs.replace(after, found_at=before.found_at) == before


def _missing(case: Case, around: Surroundings, now: datetime) -> Change | None:
    """The finding of an unresolved case was not made, though it was looked for."""
    policy = around.policy(case.kind)
    gone_since = case.gone_since or now
    gone_s = (now - gone_since).total_seconds()
    proof = around.proof(case)
    if proof is not None and proof.at > max(case.found_at, case.began_at):
        return _cleared(case, f"confirmed by a good session: {proof.what}", now)
    clear_s = policy.clear_s * 2 ** min(case.times_reopened, MAX_DOUBLINGS)
    if not policy.needs_good_session and gone_s >= clear_s:
        return _cleared(case, f"not found any more for {_minutes(gone_s)}", now)
    if gone_s >= policy.forget_s:
        return _cleared(case, f"neither found nor disproved for {_minutes(gone_s)}", now)
    if case.gone_since is None:
        return Change(case=msgspec.structs.replace(case, gone_since=now), what="gone", why="not found any more")
    return None


def _cleared(case: Case, why: str, now: datetime) -> Change:
    after = msgspec.structs.replace(
        case,
        state=moved(case, Step.CLEAR),
        gone_since=case.gone_since or now,
        resolved_at=now,
        resolved_by=None,
        resolution=why,
        suppressed_by=None,
        masked_by=None,
        revision=case.revision + 1,
    )
    return Change(case=after, what="resolved", why=why)


def _parent(finding: Finding, policy: Policy, cases: Mapping[tuple[str, str], Case], around: Surroundings) -> Case | None:
    """The unresolved wide case that explains a finding."""
    if finding.charge_point_id is None or not policy.explained_by:
        return None
    wider = sorted(around.groups(finding.charge_point_id))
    if finding.connector is not None:
        wider.append(finding.charge_point_id)
    for thing in wider:
        for kind in sorted(policy.explained_by):
            case = cases.get((thing, kind))
            if case is not None and case.is_open:
                return case
    return None


def _hiding(parent: Case | None, mask: str | None) -> str | None:
    if parent is not None:
        return f"explained by case {parent.case_id}: {parent.thing} {parent.kind}"
    return f"planned work: {mask}" if mask is not None else None


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
