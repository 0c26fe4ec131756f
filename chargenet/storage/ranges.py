"""What may be asked of telemetry. Decided here: the bounds of a query, and the sentence for one that makes no sense."""

from __future__ import annotations

from chargenet.errors import Conflict
from chargenet.ports import TelemetryQuery

AGGREGATE_NAMES = ("mean", "min", "max", "first", "last", "sum", "count")

MAX_SAMPLES = 100_000
"""No answer holds more, whatever limit was asked for."""

MAX_CHARGE_POINTS = 1000

MAX_CONNECTOR_HOURS = 1_000_000
"""Of one answer: 5,000 connectors for eight days, or 100 for more than a year."""

MAX_GAP_HOURS = 10_000_000
"""Hours without a register of their own that one answer may fill: a clock that was never set opens gaps of years."""


def bounded(limit: int) -> int:
    """A limit between 1 and MAX_SAMPLES."""
    return max(1, min(limit, MAX_SAMPLES))


def enough(hours: int, limit: int = MAX_CONNECTOR_HOURS) -> None:
    """Raises Conflict when an answer would have more hours than fit."""
    if hours > limit:
        raise Conflict(f"that is energy of more than {limit} hours of connectors: ask for a shorter range or fewer charge points")


def step_us(query: TelemetryQuery) -> int | None:
    """Microseconds of a step, None for raw samples."""
    return None if query.step_s is None else query.step_s * 1_000_000


def checked(query: TelemetryQuery) -> TelemetryQuery:
    """The query itself; ValueError, with a sentence for the caller, when it makes no sense."""
    if query.start.tzinfo is None or query.end.tzinfo is None:
        raise ValueError("start and end need a time zone")
    if query.aggregate not in AGGREGATE_NAMES:
        raise ValueError(f"aggregate {query.aggregate!r} is not one of {', '.join(AGGREGATE_NAMES)}")
    if query.step_s is not None and query.step_s < 1:
        raise ValueError("step_s must be at least 1")
    if len(query.charge_points) > MAX_CHARGE_POINTS:
        raise ValueError(f"at most {MAX_CHARGE_POINTS} charge points in one query")
    return query
