"""Facts and states for tests of rollups and reports: instants are minutes after DAY."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from billing_reports.rollup_fold import Fold
from billing_reports.rollup_rows import Emitted
from billing_reports.rollup_state import NetworkState, PointState, Span
from billing_reports.rollups import HourSeconds
from billing_reports.storage.rollup_memory import MemoryRollups
from chargenet import events as e
from chargenet.events import Event, Fact
from chargenet.model.ids import ConnectorRef
from tests.support.facts import register

DAY = datetime(2026, 3, 2, tzinfo=UTC)
POINT = "CP-1"
ONE = ConnectorRef(1)


def minute(minutes: float) -> datetime:
    """An instant of the test's day."""
    return DAY + timedelta(minutes=minutes)


class Story:
    """Facts of charge points, written down minute by minute; sequences count up."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def fact(self, at: float, *events: Event, point: str = POINT, generation: int = 1) -> Story:
        """One record."""
        self.facts.append(
            Fact(len(self.facts) + 1, minute(at), point, generation, "ocpp1.6", "", tuple(events)),
        )
        return self

    def opened(self, at: float, **more: object) -> Story:
        """A connection opens."""
        return self.fact(at, e.ConnectionOpened(remote="10.0.0.1"), **more)  # type: ignore[arg-type]

    def closed(self, at: float, reason: str = "", **more: object) -> Story:
        """A connection breaks."""
        return self.fact(at, e.ConnectionClosed(code=1006, reason=reason, lost=True), **more)  # type: ignore[arg-type]

    def status(
        self,
        at: float,
        status: str,
        said_at: float | None = None,
        *,
        connector: ConnectorRef | None = ONE,
        error: str | None = None,
    ) -> Story:
        """A status; `said_at` by the device's clock."""
        reported = None if said_at is None else minute(said_at)
        event = e.StatusReported(connector=connector, status=status, raw_status=status, error_code=error, reported_at=reported)
        return self.fact(at, event)

    def start(self, at: float, key: str, wh: int | None = 0, said_at: float | None = None, flow: str | None = None) -> Story:
        """A transaction begins."""
        event = e.TransactionStarted(
            transaction_id=key, connector=ONE, started_at=minute(at if said_at is None else said_at),
            energy_register_wh=wh, charging_state=flow,
        )  # fmt: skip
        return self.fact(at, event)

    def reading(self, at: float, key: str | None, wh: float, said_at: float | None = None) -> Story:
        """A register."""
        event = e.MeasurementsTaken(
            connector=ONE, transaction_id=key, measured_at=minute(at if said_at is None else said_at), measurements=(register(wh),)
        )
        return self.fact(at, event)

    def stop(self, at: float, key: str, wh: int | None = None, said_at: float | None = None) -> Story:
        """A transaction ends."""
        event = e.TransactionStopped(
            transaction_id=key, connector=None, stopped_at=minute(at if said_at is None else said_at), energy_register_wh=wh
        )
        return self.fact(at, event)


class Folded:
    """What a story comes to."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.states: dict[str, PointState] = {}
        self.emitted = Emitted()
        network = NetworkState()
        for fact in facts:
            state = self.states.setdefault(fact.charge_point_id, PointState(first_at=fact.received_at))
            Fold(state, network, self.emitted).apply(fact)

    def spans(self, layer: str, connector: str = "1") -> list[tuple[str, float, float | None]]:
        """(value, from minute, to minute) of one layer, in order."""
        mine = [each for each in self.emitted.spans.values() if each.charge_point_id == POINT]
        found = [each for each in mine if each.layer == layer and each.connector == connector]
        return [_shown(each) for each in sorted(found, key=lambda each: each.began_at)]


def _shown(span: Span) -> tuple[str, float, float | None]:
    def minutes(at: datetime) -> float:
        return (at - DAY).total_seconds() / 60

    return span.value, minutes(span.began_at), None if span.ended_at is None else minutes(span.ended_at)


def hours_of(facts: Sequence[Fact], until_hour: int) -> list[HourSeconds]:
    """Rows made of a story, through the projection and the fake store, in order."""
    from billing_reports.rollup_projection import RollupProjection

    async def work() -> list[HourSeconds]:
        store = MemoryRollups()
        projection = RollupProjection(store)
        await projection.apply(facts, facts[-1].sequence)
        await store.roll(minute(60 * until_hour))
        return list(await store.rows(DAY, minute(60 * until_hour)))

    return asyncio.run(work())
