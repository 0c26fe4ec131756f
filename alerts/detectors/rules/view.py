"""What a rule sees, and how it says what it found. Decided here: how instants, durations and energies read; what counts score."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from alerts.detectors.rules.settings import RuleSettings
from alerts.finding import Evidence, Finding
from alerts.kinds import KINDS
from alerts.signals.connector import ConnectorSignals, OpenTransaction
from alerts.signals.point import PointSignals


class View:
    """One charge point at one instant. `until`: until when what it said last is taken to hold."""

    __slots__ = ("now", "point", "settings", "until")

    def __init__(self, point: PointSignals, now: datetime, until: datetime, settings: RuleSettings) -> None:
        self.point, self.now, self.until, self.settings = point, now, until, settings

    def lasts_s(self, since: datetime) -> float:
        """How long something has been so, as far as the charge point was heard."""
        return (self.until - since).total_seconds()

    def age_s(self, at: datetime) -> float:
        """How long ago something happened."""
        return (self.now - at).total_seconds()

    def open_at(self, label: str | None) -> OpenTransaction | None:
        """The open transaction of a connector."""
        return next((each for each in self.point.transactions.values() if each.connector == label), None)

    def connector_of(self, transaction: OpenTransaction) -> ConnectorSignals | None:
        """The connector of a transaction, where it is known."""
        return None if transaction.connector is None else self.point.connectors.get(transaction.connector)

    def found(
        self,
        kind: str,
        connector: str | None,
        *,
        began_at: datetime,
        summary: str,
        evidence: Sequence[Evidence],
        score: float = 1.0,
        severity: str | None = None,
        action: str | None = None,
    ) -> Finding:
        """A finding about this charge point, with the defaults of its kind."""
        row = KINDS[kind]
        return Finding(
            kind=kind,
            charge_point_id=self.point.charge_point_id,
            connector=connector,
            severity=severity or row.severity,
            score=score,
            began_at=began_at,
            summary=summary,
            evidence=tuple(evidence),
            action=action or row.action,
        )

    def when(self, at: datetime) -> str:
        """An instant for a person, in UTC."""
        return clock(at, self.now)


def clock(at: datetime, now: datetime) -> str:
    """`14:02 UTC`, with the day where it is not within half a day."""
    day = "" if abs((now - at).total_seconds()) < 43_200 else f"{at.day} {at:%b} "
    return f"{day}{at:%H:%M} UTC"


def lasting(seconds: float) -> str:
    """`40 s`, `7 min`, `3 h 10 min`, `2 days 4 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h" if hours else f"{days} days"


def kwh(wh: float) -> str:
    """Watt-hours for a person."""
    return f"{wh:.0f} Wh" if abs(wh) < 1000 else f"{wh / 1000:.1f} kWh"


def kw(w: float) -> str:
    """Watts for a person."""
    return f"{w:.0f} W" if abs(w) < 1000 else f"{w / 1000:.1f} kW"


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 boot`, `3 boots`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def sureness(count: int) -> float:
    """How sure a number of failures makes: each halves the doubt, so that more never make it less."""
    return float(1.0 - 0.5**count)
