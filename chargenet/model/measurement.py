"""One normalised sampled value, and many together. Decided here: base units, names of measurands, and that a value is finite.

A charge point sends the same composition of values for ever: `Measurements` keeps what they are once for all of them
(`Composition`) and per message only the numbers. Whoever takes in all facts of a network decides about a composition once and then
moves numbers; everybody else sees a sequence of `Measurement`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import msgspec

ENERGY_REGISTER = "Energy.Active.Import.Register"
ENERGY_INTERVAL = "Energy.Active.Import.Interval"
POWER = "Power.Active.Import"
POWER_OFFERED = "Power.Offered"
CURRENT = "Current.Import"
CURRENT_OFFERED = "Current.Offered"
VOLTAGE = "Voltage"
TEMPERATURE = "Temperature"
SOC = "SoC"


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """A sampled value in a base unit (Wh, W, A, V, VA, var, varh, VAh, Celsius, Percent, Hertz, RPM or as the charge point said).

    `measurand` is the standard's name, or the charge point's own where it is not standard; `phase` and `location` as in OCPP,
    defaults filled in (location Outlet, context Sample.Periodic). `value` is finite.
    """

    measurand: str
    value: float
    unit: str
    phase: str | None = None
    location: str = "Outlet"
    context: str = "Sample.Periodic"


class Kind(msgspec.Struct, frozen=True, gc=False):
    """A `Measurement` without its value."""

    measurand: str
    unit: str
    phase: str | None = None
    location: str = "Outlet"
    context: str = "Sample.Periodic"


class Composition:
    """What some values are, in order: made by `composition_of`, compared by identity. `shared`: others will have it too."""

    __slots__ = ("kinds", "shared")

    def __init__(self, kinds: tuple[Kind, ...], shared: bool) -> None:
        self.kinds, self.shared = kinds, shared

    def __reduce__(self) -> tuple[Callable[..., Composition], tuple[Any, ...]]:
        return composition_of, (self.kinds,)


MAX_COMPOSITIONS = 4096
"""Charge points may write anything into labels: beyond this, all are forgotten and learned again."""
MAX_SHARED_KINDS, MAX_SHARED_LABELS = 64, 200
"""More values, or more characters of labels each, are nobody's habit, and are not kept."""

_compositions: dict[tuple[Kind, ...], Composition] = {}


def composition_of(kinds: Iterable[Kind]) -> Composition:
    """The composition of these kinds, the same one each time."""
    wanted = tuple(kinds)
    found = _compositions.get(wanted)
    if found is None:
        found = Composition(wanted, len(wanted) <= MAX_SHARED_KINDS and all(map(_modest, wanted)))
        if found.shared:
            if len(_compositions) >= MAX_COMPOSITIONS:
                _compositions.clear()
            _compositions[wanted] = found
    return found


def _modest(kind: Kind) -> bool:
    labels = (kind.measurand, kind.unit, kind.phase or "", kind.location, kind.context)
    return sum(map(len, labels)) <= MAX_SHARED_LABELS


Plan = TypeVar("Plan")


class Plans(Generic[Plan]):
    """What somebody decided about compositions, once each: `plans[composition]`. Bounded as they are."""

    def __init__(self, decide: Callable[[Composition], Plan], limit: int = MAX_COMPOSITIONS) -> None:
        self._decide, self._limit = decide, limit
        self._made: dict[Composition, Plan] = {}

    def __getitem__(self, composition: Composition) -> Plan:
        plan = self._made.get(composition)
        if plan is None:
            plan = self._decide(composition)
            if composition.shared:
                if len(self._made) >= self._limit:
                    self._made.clear()
                self._made[composition] = plan
        return plan


class Measurements(Sequence[Measurement]):
    """A sequence of `Measurement`, equal to any other of the same ones. `values` are in step with `composition.kinds`."""

    __slots__ = ("_made", "composition", "values")

    def __init__(self, composition: Composition, values: tuple[float, ...]) -> None:
        self.composition, self.values = composition, values
        self._made: tuple[Measurement, ...] | None = None

    def made(self) -> tuple[Measurement, ...]:
        """One object per value, made when first asked for."""
        made = self._made
        if made is None:
            made = self._made = tuple(
                [
                    Measurement(kind.measurand, value, kind.unit, kind.phase, kind.location, kind.context)
                    for kind, value in zip(self.composition.kinds, self.values, strict=True)
                ]
            )
        return made

    def __iter__(self) -> Iterator[Measurement]:
        return iter(self.made())

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Any:
        return self.made()[index]

    def __eq__(self, other: object) -> bool:
        return self.made() == (other.made() if isinstance(other, Measurements) else other)

    def __hash__(self) -> int:
        return hash(self.made())

    def __repr__(self) -> str:
        return repr(self.made())


def as_list(value: object) -> list[Measurement]:
    """`enc_hook` of msgspec for whatever may hold `Measurements`. TypeError for anything else."""
    if isinstance(value, Measurements):
        return list(value.made())
    raise TypeError(f"{type(value).__name__} cannot be encoded")


def together(measurements: Sequence[Measurement] | Measurements) -> Measurements:
    """Measurements from single ones; what is together already is given back."""
    if type(measurements) is Measurements:
        return measurements
    kinds = [Kind(each.measurand, each.unit, each.phase, each.location, each.context) for each in measurements]
    return Measurements(composition_of(kinds), tuple([each.value for each in measurements]))


class SignedMeterValue(msgspec.Struct, frozen=True):
    """Signed meter data exactly as it came, for whoever must verify it (OCMF, EDL). Never re-serialised, rounded or trimmed."""

    data: str
    encoding_method: str | None = None
    signing_method: str | None = None
    public_key: str | None = None
    context: str | None = None
