"""Measurements and state changes by range. Decided here: how long a range may be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from chargenet.ports import EnergyHour, SeriesSamples, StateChange, TelemetryQuery
from chargewatch.api.answers import Instant, Limit, Text, UsableName, encoded, filter_text, json, returns, sliced
from chargewatch.api.auth import At, Reader
from chargewatch.api.problems import ApiError

router = APIRouter(prefix="/telemetry", tags=["telemetry"])

_LONGEST = timedelta(days=3660)
Start = Annotated[Instant, Query(description="First instant.")]
End = Annotated[Instant, Query(description="First instant after the range.")]
ChargePoints = Annotated[list[UsableName], Query(max_length=100, description="Only these; none means all.")]


class SeriesList(msgspec.Struct, frozen=True):
    """Series in no particular order; samples of each in time order."""

    items: list[SeriesSamples]


class StateList(msgspec.Struct, frozen=True):
    """State changes in time order; ask again from the last one's instant for more."""

    items: list[StateChange]


class EnergyList(msgspec.Struct, frozen=True):
    """Energy per connector and UTC hour."""

    items: list[EnergyHour]


def _range(start: datetime, end: datetime) -> None:
    if not start < end:
        raise ApiError(422, "start must be before end")
    if end - start > _LONGEST:
        raise ApiError(422, f"a range may be at most {_LONGEST.days} days long")


@router.get("/measurements", responses=returns(SeriesList, "Samples per series."))
async def query_measurements(
    _: Reader,
    platform: At,
    start: Start,
    end: End,
    charge_point: ChargePoints = [],  # noqa: B006 FastAPI copies defaults
    connector: Annotated[Text | None, filter_text("Only this connector (its label).", 32)] = None,
    measurand: Annotated[Text | None, filter_text("Only this measurand, e.g. Power.Active.Import.")] = None,
    step_s: Annotated[int | None, Query(ge=1, le=86_400 * 366, description="Down-sample to steps of so many seconds.")] = None,
    aggregate: Annotated[
        Literal["mean", "min", "max", "first", "last", "sum", "count"], Query(description="What to make of a step.")
    ] = "mean",
    limit: Annotated[int, Query(ge=1, le=100_000, description="At most so many samples.")] = 10_000,
) -> Response:
    """Measurements in base units: raw, or aggregated over steps aligned to the epoch."""
    _range(start, end)
    query = TelemetryQuery(
        charge_points=tuple(charge_point),
        connector=connector,
        measurand=measurand,
        start=start,
        end=end,
        step_s=step_s,
        aggregate=aggregate,
        limit=limit,
    )
    series = await platform.telemetry.query(query)
    parts = [b'{"labels":%b,"samples":%b}' % (msgspec.json.encode(each.labels), await sliced(each.samples)) for each in series]
    return encoded(b'{"items":[%b]}' % b",".join(parts))


@router.get("/states", responses=returns(StateList, "Changes in time order."))
async def query_states(
    _: Reader,
    platform: At,
    charge_point: Annotated[UsableName, Query(min_length=1, max_length=255)],
    start: Start,
    end: End,
    kind: Annotated[Literal["status", "connection", "error", "security", "diagnostics"] | None, Query()] = None,
    limit: Limit = 1000,
) -> Response:
    """Status, connection, error, security and diagnostics changes of one charge point."""
    _range(start, end)
    return json(StateList(await platform.telemetry.states(charge_point, start, end, kind=kind, limit=limit)))


@router.get("/hourly-energy", responses=returns(EnergyList, "Energy by register difference."))
async def query_hourly_energy(
    _: Reader,
    platform: At,
    start: Start,
    end: End,
    charge_point: ChargePoints = [],  # noqa: B006 FastAPI copies defaults
) -> Response:
    """Energy per connector and UTC hour, by the difference of registers."""
    _range(start, end)
    return encoded(b'{"items":%b}' % await sliced(await platform.telemetry.hourly_energy(start, end, tuple(charge_point))))
