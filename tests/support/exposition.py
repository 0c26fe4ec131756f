"""Reading a Prometheus exposition back, with the Prometheus client's own parser, and facts to make one from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from chargenet.events import Event, Fact

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def samples(text: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """(name, labels that are not empty) → value. A series that is there twice is an error."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            key = (sample.name, frozenset((name, value) for name, value in sample.labels.items() if value))
            assert key not in found, f"{key} is exposed twice"
            found[key] = sample.value
    return found


def value(text: bytes, name: str, **labels: str) -> float | None:
    """The value of one series, None when it is absent."""
    return samples(text).get((name, frozenset(labels.items())))


def facts(
    *events: Event | Iterable[Event], charge_point_id: str = "CP1", first: int = 1, generation: int = 1, after_s: float = 0.0
) -> list[Fact]:
    """One fact per argument, received at START + after_s, with sequences from `first`."""
    at = START + timedelta(seconds=after_s)
    return [
        Fact(first + number, at, charge_point_id, generation, "ocpp1.6", "", (event,) if isinstance(event, Event) else tuple(event))
        for number, event in enumerate(events)
    ]
