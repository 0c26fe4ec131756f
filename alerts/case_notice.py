"""A case as a notice. Decided here: what somebody woken at 3 a.m. reads first: what, since when, how sure, why, what to do.

The title never changes while the case is open, so that a case is told of once; figures that move are in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from alerts.case import Case
from alerts.kinds import KINDS
from chargenet.model.notice import Link, Notice
from chargenet.model.transaction import Transaction

MAX_EVIDENCE = 6
SESSIONS = 3
NOTHING_WH = 500
"""A session that gave no more than this has hit its driver (alerts.attempts.LITTLE_ENERGY_WH)."""


class Background(msgspec.Struct, frozen=True, kw_only=True):
    """What is said beside the evidence. `sessions`: newest first, of the connector or charge point."""

    site_name: str = ""
    sessions: Sequence[Transaction] = ()
    peers: str = ""
    links: Sequence[Link] = ()


def notice_of(case: Case, background: Background) -> Notice:
    """What the relay is told of a case."""
    hit = drivers_hit(case, background.sessions)
    return Notice(
        key=f"case-{case.case_id}",
        source="alerts",
        kind=title_of(case.kind),
        severity=case.severity,
        title=f"{place(case, background.site_name)}: {_means(case)}",
        text=_text(case, background, hit),
        labels=_labels(case),
        links=tuple(background.links),
        details=_details(case, background, hit),
        began_at=case.began_at,
        resolved_at=case.resolved_at,
        acknowledged_at=case.acknowledged_at,
        acknowledged_by=case.acknowledged_by or "",
    )


def title_of(kind: str) -> str:
    """The name of the alert: ConnectorFaulted for faulted."""
    known = KINDS.get(kind)
    return known.title if known else "".join(part.capitalize() for part in kind.split("_"))


def place(case: Case, site_name: str = "") -> str:
    """Where it is, for people."""
    if case.group is not None:
        sort, _, name = case.group.partition(":")
        return f"{sort} {site_name or name}".strip()
    at = f" ({site_name or case.site_id})" if site_name or case.site_id else ""
    plug = f" connector {case.connector}" if case.connector is not None else ""
    return f"{case.charge_point_id}{plug}{at}"


def drivers_hit(case: Case, sessions: Sequence[Transaction]) -> int:
    """Different drivers whose session since the case began gave (next to) nothing."""
    hit = {
        row.token_key or row.transaction_id
        for row in sessions
        if row.ended_at is not None and row.ended_at >= case.began_at and (row.energy_wh or 0) <= NOTHING_WH
    }
    return len(hit)


def _means(case: Case) -> str:
    known = KINDS.get(case.kind)
    return (known.means if known else case.summary).rstrip(".")


def _text(case: Case, background: Background, hit: int) -> str:
    lines = [f"{case.summary}.".replace("..", ".")]
    if case.resolved_at is not None:
        lines.append(f"Why it is over: {case.resolution}.")
    else:
        lines.append(f"What to do: {case.action}")
    if case.acknowledged_by and case.resolved_at is None:
        lines.append(f"Taken by {case.acknowledged_by}{': ' + case.note if case.note else ''}.")
    lines.append(f"How sure: {_sure(case.score)}.")
    if case.times_reopened:
        lines.append(f"It came back {case.times_reopened} times.")
    if case.evidence:
        lines.append("Evidence:")
        lines += [f"- {each.what}{_records(each.sequences)}" for each in case.evidence[:MAX_EVIDENCE]]
    if hit:
        lines.append(f"Drivers who got nothing since it began: {hit}.")
    if background.peers:
        lines.append(background.peers)
    if background.sessions:
        lines.append("Last sessions:")
        lines += [f"- {_session(row)}" for row in background.sessions[:SESSIONS]]
    return "\n".join(lines)


def _labels(case: Case) -> dict[str, str]:
    """What routes, groups and inhibitions go by; of charge points and places only."""
    labels = {"case_kind": case.kind, "site": case.site_id, "charge_point": case.charge_point_id, "connector": case.connector}
    if case.group is not None and not case.group.startswith("site:"):
        labels["group"] = case.group
    return {name: value for name, value in labels.items() if value}


def _details(case: Case, background: Background, hit: int) -> dict[str, object]:
    return {
        "case_id": case.case_id,
        "state": str(case.state),
        "score": round(case.score, 3),
        "times_reopened": case.times_reopened,
        "drivers_hit": hit,
        "peers": background.peers,
        "action": case.action,
        "evidence": [msgspec.to_builtins(each) for each in case.evidence[:MAX_EVIDENCE]],
        "last_sessions": [_session_facts(row) for row in background.sessions[:SESSIONS]],
    }


def _session_facts(row: Transaction) -> dict[str, object]:
    """Without who charged."""
    return {
        "transaction_id": row.transaction_id,
        "began_at": row.began_at.isoformat() if row.began_at else None,
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "energy_wh": row.energy_wh,
        "stop_reason": row.stop_reason,
    }


def _session(row: Transaction) -> str:
    began = _when(row.began_at) if row.began_at else "unknown start"
    energy = "energy unknown" if row.energy_wh is None else f"{row.energy_wh / 1000:.1f} kWh"
    minutes = "still open" if row.duration_s is None else f"{row.duration_s / 60:.0f} min"
    return f"{began}, {minutes}, {energy}{', ended: ' + row.stop_reason if row.stop_reason else ''}"


def _records(sequences: tuple[int, ...]) -> str:
    return f" (records {', '.join(map(str, sequences[-5:]))} of the message log)" if sequences else ""


def _sure(score: float) -> str:
    return "it says so itself" if score >= 1 else f"{score:.0%}"


def _when(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")
