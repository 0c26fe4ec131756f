"""What folding a batch of facts gives: intervals to store, amounts to add, hours to make again. Collects; decides nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from billing_reports.rollup_state import Span
from billing_reports.rollups import HOUR, HourAmounts, hour_of

_NOTHING = timedelta(0)


class Emitted:
    """One batch."""

    def __init__(self) -> None:
        self.spans: dict[tuple[str, str, str, datetime], Span] = {}
        self.dirty: dict[str, datetime] = {}
        """Charge point → the earliest hour that must be made again."""
        self._amounts: dict[tuple[str, str, datetime], list[int]] = {}
        """Energy (Wh) and sessions."""
        self._hour = datetime.min.replace(tzinfo=UTC)
        """Of the last amount: the next one is nearly always in the same."""

    def put(self, span: Span) -> None:
        """A span that began, ended or changed."""
        self.spans[span.charge_point_id, span.connector, span.layer, span.began_at] = span

    def add(self, charge_point_id: str, connector: str, at: datetime, *, energy_wh: int = 0, sessions: int = 0) -> None:
        """Amounts of the hour in which `at` is."""
        if not _NOTHING <= at - self._hour < HOUR:
            self._hour = hour_of(at)
        key = (charge_point_id, connector, self._hour)
        amounts = self._amounts.get(key)
        if amounts is None:
            self._amounts[key] = [energy_wh, sessions]
        else:
            amounts[0] += energy_wh
            amounts[1] += sessions

    def touch(self, charge_point_id: str, at: datetime) -> None:
        """What is known of `at` and later changed."""
        hour = hour_of(at)
        if charge_point_id not in self.dirty or hour < self.dirty[charge_point_id]:
            self.dirty[charge_point_id] = hour

    def amounts(self) -> list[HourAmounts]:
        """What is to be added, one per connector and hour."""
        return [
            HourAmounts(charge_point_id=key[0], connector=key[1], hour=key[2], energy_wh=energy_wh, sessions=sessions)
            for key, (energy_wh, sessions) in self._amounts.items()
        ]
