"""What folding a batch of facts gives: intervals to store, amounts to add, hours to make again. Collects; decides nothing."""

from __future__ import annotations

from datetime import datetime

from billing_reports.rollup_state import Span
from billing_reports.rollups import HourAmounts, hour_of


class Emitted:
    """One batch."""

    def __init__(self) -> None:
        self.spans: dict[tuple[str, str, str, datetime], Span] = {}
        self.dirty: dict[str, datetime] = {}
        """Charge point → the earliest hour that must be made again."""
        self._energy: dict[tuple[str, str, datetime], int] = {}
        self._sessions: dict[tuple[str, str, datetime], int] = {}

    def put(self, span: Span) -> None:
        """A span that began, ended or changed."""
        self.spans[span.charge_point_id, span.connector, span.layer, span.began_at] = span

    def add(self, charge_point_id: str, connector: str, at: datetime, *, energy_wh: int = 0, sessions: int = 0) -> None:
        """Amounts of the hour in which `at` is."""
        key = (charge_point_id, connector, hour_of(at))
        self._energy[key] = self._energy.get(key, 0) + energy_wh
        self._sessions[key] = self._sessions.get(key, 0) + sessions

    def touch(self, charge_point_id: str, at: datetime) -> None:
        """What is known of `at` and later changed."""
        hour = hour_of(at)
        if charge_point_id not in self.dirty or hour < self.dirty[charge_point_id]:
            self.dirty[charge_point_id] = hour

    def amounts(self) -> list[HourAmounts]:
        """What is to be added, one per connector and hour."""
        return [
            HourAmounts(
                charge_point_id=key[0],
                connector=key[1],
                hour=key[2],
                energy_wh=energy_wh,
                sessions=self._sessions[key],
            )
            for key, energy_wh in self._energy.items()
        ]
