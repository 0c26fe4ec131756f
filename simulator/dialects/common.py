"""What the dialects share: instants as text, and a sample as sampled values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from simulator.reports import Report, Sample
from simulator.scenario import Model

Message = tuple[str, dict[str, Any]]


class Identity(NamedTuple):
    """What a charge point says of itself at boot. `firmware` changes by updates."""

    model: Model
    serial_number: str
    firmware: str


class Dialect(Protocol):
    """One protocol."""

    def encode(self, report: Report, identity: Identity) -> Message | None:
        """(action, payload); None for what this protocol has no words for."""


class Value(NamedTuple):
    """One sampled value."""

    measurand: str
    number: float
    unit: str
    phase: str | None = None
    location: str | None = None


def iso(at: datetime) -> str:
    """UTC with milliseconds and a Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def values(sample: Sample) -> Iterator[Value]:
    """The values of a sample: register first, then what flows now."""
    yield Value("Energy.Active.Import.Register", round(sample.register_wh, 1), "Wh")
    now = sample.electrical
    if now is not None:
        yield Value("Power.Active.Import", round(now.power_w, 1), "W")
        for phase, amperes in now.amperes:
            yield Value("Current.Import", amperes, "A", phase)
        for phase, volts in now.volts:
            yield Value("Voltage", volts, "V", f"{phase}-N" if phase else None)
    if sample.soc_percent is not None:
        yield Value("SoC", round(sample.soc_percent, 1), "Percent", None, "EV")
