"""Calls of Alertmanager's webhook as it makes them (payload version 4), made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zlib import crc32

ENDLESS = "0001-01-01T00:00:00Z"
BEGAN_AT = datetime(2026, 5, 4, 2, 30, tzinfo=UTC)


def webhook(*alerts: dict[str, Any], group: str = '{}:{alertname="EvConnectorFaulted"}', **fields: Any) -> dict[str, Any]:
    """One call; without alerts, a faulted connector."""
    shown = list(alerts) or [alert()]
    status = "firing" if any(each["status"] == "firing" for each in shown) else "resolved"
    return {
        "version": "4", "groupKey": group, "truncatedAlerts": 0, "status": status, "receiver": "chargewatch", "groupLabels": {},
        "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager.test", "alerts": shown,
    } | fields  # fmt: skip


def alert(
    name: str = "EvConnectorFaulted", *, ended_at: datetime | None = None, began_at: datetime = BEGAN_AT, **labels: str
) -> Any:
    """One alert in a call."""
    given = {
        "alertname": name,
        "severity": "critical",
        "site": "harbour",
        "charge_point": "CP-7",
        "connector": "1",
        "kind": "faulted",
    }
    return {
        "status": "firing" if ended_at is None else "resolved", "labels": given | labels,
        "annotations": {"summary": "A connector is faulted", "description": "It says so.", "runbook_url": "https://wiki.example/x"},
        "startsAt": began_at.isoformat(), "endsAt": ENDLESS if ended_at is None else ended_at.isoformat(),
        "generatorURL": "http://prometheus.test/graph?g0.expr=up", "fingerprint": f"{crc32(repr((name, labels)).encode()):016x}",
    }  # fmt: skip
