"""The webhook payload of Alertmanager, version 4 → alerts in its own groups. Pure. Decided here: which label means what to us."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from alerts.message import MAX_LABEL, MAX_TEXT, MAX_TITLE, MAX_URL, cut
from alerts.stages.alert import ALERTMANAGER, Alert
from chargenet.errors import ChargewatchError
from chargenet.model.notice import Link, Notice, Severity

MAX_ALERTS = 5_000
_SEVERITIES = {
    "critical": Severity.CRITICAL, "page": Severity.CRITICAL, "error": Severity.CRITICAL,
    "warning": Severity.WARNING, "ticket": Severity.WARNING,
    "info": Severity.INFO, "none": Severity.INFO,
}  # fmt: skip
_LINKS = (("runbook_url", "Runbook"), ("dashboard_url", "Board"), ("case_url", "Case"))


class BadPayload(ChargewatchError):
    """No webhook payload of version 4; says why."""


class _Alert(msgspec.Struct, rename="camel"):
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime
    generator_url: str = msgspec.field(default="", name="generatorURL")
    fingerprint: str = ""


class _Payload(msgspec.Struct, rename="camel"):
    version: str
    group_key: str
    alerts: list[_Alert]
    truncated_alerts: int = 0


class Call(msgspec.Struct, frozen=True):
    """One call: its alerts, and whether the dead man's switch was among them."""

    alerts: tuple[Alert, ...]
    watchdog: bool
    group: str
    """Alertmanager's own name of the group."""
    truncated: int
    """Alerts that Alertmanager left out (its `max_alerts`)."""


def parse(body: bytes, watchdog: str, now: datetime) -> Call:
    """Raises BadPayload."""
    try:
        payload = msgspec.json.decode(body, type=_Payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadPayload(f"this is no webhook payload of Alertmanager: {error}") from None
    if payload.version != "4":
        raise BadPayload(f"this is version {payload.version[:20]!r} of Alertmanager's webhook payload, expected version 4")
    if len(payload.alerts) > MAX_ALERTS:
        raise BadPayload(f"{len(payload.alerts)} alerts in one call, expected at most {MAX_ALERTS}: set max_alerts")
    names = [alert.labels.get("alertname", "") for alert in payload.alerts]
    alerts = tuple(_alerts(payload, watchdog, now))
    return Call(alerts, watchdog in names, cut(payload.group_key, MAX_LABEL), payload.truncated_alerts)


def _alerts(payload: _Payload, watchdog: str, now: datetime) -> Iterator[Alert]:
    group = hashlib.sha256(payload.group_key.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    for each in payload.alerts:
        if each.labels.get("alertname") != watchdog:
            notice = _notice(each, group)
            yield Alert(notice=notice, origin=ALERTMANAGER, given_group=group, taken_at=now, heard_at=now)


def _notice(each: _Alert, group: str) -> Notice:
    labels = {cut(name, MAX_LABEL): cut(value, MAX_LABEL) for name, value in each.labels.items()}
    notes = each.annotations
    kind = labels.pop("alertname", "Alert")
    if "kind" in labels:  # of a case: the name of the alert is the kind here
        labels.setdefault("case_kind", labels.pop("kind"))
    severity = _SEVERITIES.get(labels.pop("severity", ""), Severity.WARNING)
    links = [Link(title, notes[name]) for name, title in _LINKS if _is_link(notes.get(name, ""))]
    if _is_link(each.generator_url):
        links.append(Link("Prometheus", each.generator_url))
    began_at = _aware(each.starts_at)
    return Notice(
        key=f"alertmanager/{group}/{cut(each.fingerprint, 64) or _fingerprint(each.labels)}",
        source=ALERTMANAGER,
        kind=kind,
        severity=severity,
        title=cut(" ".join((notes.get("summary") or kind).split()), MAX_TITLE),
        text=cut(notes.get("description") or notes.get("message") or "", MAX_TEXT),
        labels=labels,
        links=tuple(links),
        began_at=began_at,
        resolved_at=max(_aware(each.ends_at), began_at + _INSTANT) if each.status == "resolved" else None,
    )


_INSTANT = datetime.resolution
"""An alert of Alertmanager is never news: its end lies after its beginning."""


def _is_link(url: str) -> bool:
    return url.startswith(("https://", "http://")) and len(url) <= MAX_URL and url.isprintable()


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _fingerprint(labels: dict[str, str]) -> str:
    return hashlib.sha256(msgspec.json.encode(sorted(labels.items()))).hexdigest()[:16]
