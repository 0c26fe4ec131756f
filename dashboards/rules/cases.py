"""One alert per kind of case. Decided here: what of a case Alertmanager hears; what a case is, the detectors decide.

The detectors have waited and weighed already, so pages have no `for`. What a wider case explains or planned work hides is not
among the series at all.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chargenet.observe import names as n
from dashboards import uids
from dashboards.rules.config import RuleConfig
from dashboards.rules.model import CRITICAL, Alert, Group, series

_THINGS = "site, charge_point, connector, group, severity"
_CONNECTOR, _POINT = "connector", "charge point"


class CaseKind(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the detectors' table of kinds. `thing`: connector, charge point, or group."""

    kind: str
    title: str
    severity: str
    thing: str
    means: str
    action: str


def case_alerts(config: RuleConfig, kinds: Iterable[CaseKind]) -> list[Group]:
    """A group for each thing that can be sick."""
    rows = list(kinds)
    groups = {"connectors": _CONNECTOR, "charge-points": _POINT, "sites-and-vendors": "group"}
    return [Group(f"cases-{name}", [_alert(config, row) for row in rows if row.thing == thing]) for name, thing in groups.items()]


def _alert(config: RuleConfig, row: CaseKind) -> Alert:
    kind = f'kind="{row.kind}"'
    return Alert(
        name=row.title,
        expr=f"max by ({_THINGS}) ({series(config, n.CASE, kind)})",
        severity=None,
        summary=row.means,
        description=f"{_place(row)}: {_sure()}. What to do: {row.action}",
        for_s=0.0 if row.severity == CRITICAL else config.case_for_s,
        keep_s=config.case_keep_firing_s,
        board=_board(row),
        variables=_variables(row),
        labels={"layer": "case", "case_kind": row.kind},
    )


def _place(row: CaseKind) -> str:
    at = "{{ with $labels.site }} at site {{ . }}{{ end }}"
    if row.thing == _CONNECTOR:
        return "{{ $labels.charge_point }} connector {{ $labels.connector }}" + at
    if row.thing == _POINT:
        return "{{ $labels.charge_point }}" + at
    return "{{ $labels.group }}"


def _sure() -> str:
    return "{{ if ge $value 1.0 }}it says so itself{{ else }}sure to {{ $value | humanizePercentage }}{{ end }}"


def _board(row: CaseKind) -> str:
    if row.thing == _CONNECTOR:
        return uids.CONNECTOR
    return uids.CHARGE_POINT if row.thing == _POINT else uids.SITE if row.kind.startswith("site") else uids.NETWORK


def _variables(row: CaseKind) -> dict[str, str]:
    site = {"site": "site"}
    point = site | {"charge_point": "charge_point"}
    if row.thing == _CONNECTOR:
        return point | {"connector": "connector"}
    return point if row.thing == _POINT else site if row.kind.startswith("site") else {}
