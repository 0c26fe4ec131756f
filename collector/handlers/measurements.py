"""Sampled values → Measurements, for every OCPP version. Decided here: defaults, base units, what is a number, what is signed data.

The hot path of the collector. Everything about a sampled value except its number is decided once per distinct combination of
(measurand, unit, phase, location, context, multiplier) and remembered as a `_Recipe`; and where a whole list of them needs nothing
but its numbers read, that is remembered too (`_usual`): eight values cost 3.6 µs instead of 5.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

import msgspec
from msgspec.structs import astuple

from chargenet.events import FrameDeviated, MeasurementsTaken
from chargenet.model.ids import ConnectorRef
from chargenet.model.measurement import ENERGY_REGISTER, Composition, Kind, Measurements, SignedMeterValue, composition_of
from chargenet.model.units import Conversion, conversion, default_unit, plausible
from collector.deviations import PHASES
from collector.handlers.instants import instant
from collector.quirks import flag

_SIGNED_OPENINGS = ("OCMF|", "{", "<?xml", "<signedMeterValue", "AP;")
_MAX_RECIPES = 4096


class _Recipe(msgspec.Struct, frozen=True, gc=False):
    """What every sampled value of one combination has in common. `suffix` is an exact decimal shift, e.g. "e3" for kWh."""

    kind: Kind
    suffix: str = ""
    shift: float = 0.0
    ratio: float = 1.0
    plain: bool = True
    odd: tuple[str, str] | None = None


_Key = tuple[Any, ...]
_recipes: dict[_Key, _Recipe] = {}
_Sampled = tuple[Measurements, Sequence[SignedMeterValue]]
_NOTHING: _Sampled = (Measurements(composition_of(()), ()), ())
_FLOATS = {float}
_numbers = msgspec.json.Decoder(tuple[float, ...]).decode
_usual: dict[_Key, Composition] = {}
"""The labels of all sampled values of a list, field by field → what they are; only lists in which every value is plain."""


def taken_v16(
    meter_values: Iterable[Any] | None,
    path: str,
    connector: ConnectorRef | None,
    transaction_id: str | None,
    deviations: list[FrameDeviated],
) -> list[MeasurementsTaken]:
    """One event per element of an OCPP 1.6 `meterValue` or `transactionData` list that holds anything usable."""
    return _taken(sampled_v16, meter_values, path, connector, transaction_id, deviations)


def taken_2x(
    meter_values: Iterable[Any] | None,
    path: str,
    connector: ConnectorRef | None,
    transaction_id: str | None,
    deviations: list[FrameDeviated],
) -> list[MeasurementsTaken]:
    """One event per element of an OCPP 2.0.1 or 2.1 `meterValue` list that holds anything usable."""
    return _taken(sampled_2x, meter_values, path, connector, transaction_id, deviations)


def _taken(
    sampler: Callable[[Any, str, list[FrameDeviated]], _Sampled],
    meter_values: Iterable[Any] | None,
    path: str,
    connector: ConnectorRef | None,
    transaction_id: str | None,
    deviations: list[FrameDeviated],
) -> list[MeasurementsTaken]:
    events = []
    for at, meter_value in enumerate(meter_values or ()):
        here = f"{path}[{at}]"
        measured_at = instant(meter_value.timestamp, here + ".timestamp", deviations)
        measurements, signed = sampler(meter_value.sampledValue, here, deviations)
        if measurements or signed:
            events.append(
                MeasurementsTaken(
                    connector=connector,
                    transaction_id=transaction_id,
                    measured_at=measured_at,
                    measurements=measurements,
                    signed=tuple(signed),
                )
            )
    return events


def sampled_v16(values: Sequence[Any] | None, path: str, deviations: list[FrameDeviated]) -> _Sampled:
    """OCPP 1.6 SampledValues (value is text). Appends what could not be used or had to be interpreted."""
    if not values:
        return _NOTHING
    known: Composition | None = None
    labels: Sequence[tuple[Any, ...]] = ()
    try:
        texts, *labels = zip(*map(astuple, values), strict=True)  # a Struct's first field is its value; by columns, all of it in C
        known = _usual.get((type(values[0]), *labels))
        # One JSON list is read three times faster than eight floats. As many numbers as texts: no text holds more than one.
        numbers = _numbers(f"[{','.join(texts)}]")
    except (ValueError, TypeError):  # anything but numbers as JSON writes them
        known = None
    if known is not None and len(numbers) == len(texts) and isfinite(sum(numbers)):
        return Measurements(known, numbers), ()
    taken = _Taken()
    for at, sample in enumerate(values):
        key = (sample.measurand, sample.unit, sample.phase, sample.location, sample.context, None)
        r = _recipes.get(key) or _recipe(key)
        text = sample.value
        if sample.format == "SignedData":
            _sign(text, sample.context, taken.signed, f"{path}.sampledValue[{at}]", deviations)
            continue
        if r.plain:
            try:
                value = float(text)
            except (ValueError, TypeError):
                value = None
            if value is not None and isfinite(value) and "_" not in text:
                taken.add(r, value)
                continue
        _unusual(r, text, f"{path}.sampledValue[{at}]", sample.context, taken, deviations)
    return taken.together(values, labels)


def sampled_2x(values: Sequence[Any] | None, path: str, deviations: list[FrameDeviated]) -> _Sampled:
    """OCPP 2.x SampledValues (value is a number, unitOfMeasure has a multiplier, signedMeterValue comes beside the number)."""
    if not values:
        return _NOTHING
    numbers, *labels = zip(*map(astuple, values), strict=True)
    try:
        known = _usual.get((type(values[0]), *labels))
    except TypeError:  # somebody's own data among the labels
        known, labels = None, []
    if known is not None and set(map(type, numbers)) == _FLOATS and isfinite(sum(numbers)):
        return Measurements(known, numbers), ()
    taken = _Taken()
    for at, sample in enumerate(values):
        measure = sample.unitOfMeasure
        unit, multiplier = (None, None) if measure is None else (measure.unit, measure.multiplier)
        key = (sample.measurand, unit, sample.phase, sample.location, sample.context, multiplier)
        r = _recipes.get(key) or _recipe(key)
        if sample.signedMeterValue is not None:
            taken.signed.append(_signed_2x(sample.signedMeterValue, sample.context))
        value = sample.value
        if r.plain and type(value) is float and isfinite(value):
            taken.add(r, value)
            continue
        _unusual(r, value, f"{path}.sampledValue[{at}]", sample.context, taken, deviations)
    return taken.together(values, labels)


class _Taken:
    """What is found in a list, value by value."""

    __slots__ = ("kinds", "plain", "signed", "values")

    def __init__(self) -> None:
        self.kinds: list[Kind] = []
        self.values: list[float] = []
        self.signed: list[SignedMeterValue] = []
        self.plain = 0

    def add(self, recipe: _Recipe, value: float) -> None:
        """A measurement."""
        self.kinds.append(recipe.kind)
        self.values.append(value)
        self.plain += recipe.plain

    def together(self, samples: Sequence[Any], labels: Sequence[tuple[Any, ...]]) -> _Sampled:
        """All of it. Where nothing needed more than its number read, the next list with these labels takes the short way."""
        composition = composition_of(self.kinds)
        if labels and composition.shared and self.plain == len(samples) and not self.signed:
            if len(_usual) >= _MAX_RECIPES:
                _usual.clear()
            _usual[(type(samples[0]), *labels)] = composition
        return Measurements(composition, tuple(self.values)), self.signed


def number(value: object, suffix: str = "") -> float | None:
    """Text or number → finite float, shifted by `suffix` ("e3") exactly in decimal; None when it is not a finite number."""
    text = value.strip() if isinstance(value, str) else repr(value)
    if not text or "_" in text:
        return None
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        result = float(text + suffix) if "e" not in text.lower() else float(Decimal(text) * Decimal("1" + suffix))
    except (ValueError, InvalidOperation, OverflowError):
        return None
    return result if isfinite(result) else None


def _unusual(
    recipe: _Recipe,
    value: object,
    path: str,
    context: str | None,
    taken: _Taken,
    deviations: list[FrameDeviated],
) -> None:
    """A sampled value that needs conversion, or a remark, or is not a number."""
    result = number(value, recipe.suffix)
    if result is None:
        if isinstance(value, str) and value.lstrip().startswith(_SIGNED_OPENINGS):
            deviations.append(flag("signed-without-format", path + ".value", "signed data without format SignedData"))
            _sign(value, context, taken.signed, path, deviations)
        else:
            deviations.append(_not_a_number(value, path))
        return
    if recipe.shift or recipe.ratio != 1.0:
        result = round((result + recipe.shift) * recipe.ratio, 9)
    if recipe.odd is not None:
        deviations.append(flag(recipe.odd[0], path, recipe.odd[1]))
    elif isinstance(value, str) and value != value.strip():
        deviations.append(flag("value-blanks", path + ".value", f"{value[:64]!r}: blanks around a number", value))
    taken.add(recipe, result)


def _not_a_number(value: object, path: str) -> FrameDeviated:
    if value is None or (isinstance(value, str) and not value.strip()):
        return flag("value-empty", path + ".value", "no value", value)
    return flag("value-not-a-number", path + ".value", f"{str(value)[:64]!r} is not a finite number", value)


def _recipe(key: _Key) -> _Recipe:
    """Decide about a combination once. The memory is bounded: charge points may write anything into these fields."""
    if len(_recipes) >= _MAX_RECIPES:
        _recipes.clear()
    recipe = _recipes[key] = _decide(*key)
    return recipe


def _decide(
    said: str | None, unit: str | None, phase: str | None, location: str | None, context: str | None, multiplier: int | None
) -> _Recipe:
    measurand, suffix_phase = _split(said or ENERGY_REGISTER)
    odd: tuple[str, str] | None = None
    if unit:
        known = conversion(unit) or Conversion(unit)
        if not plausible(measurand, known.unit):
            odd = ("unit-unlikely", f"{measurand} in {unit!r}: kept as said")
    else:
        known = Conversion(default_unit(measurand))
        if multiplier is None and not measurand.startswith("Energy.Active."):
            odd = ("unit-missing", f"{measurand} without unit, taken as {known.unit or 'none'}; the default Wh would be wrong")
    exponent = known.exponent + (multiplier or 0)
    plain = not exponent and not known.shift and known.ratio == 1.0 and odd is None
    return _Recipe(
        Kind(measurand, known.unit, phase or suffix_phase, location or "Outlet", context or "Sample.Periodic"),
        f"e{exponent}" if exponent else "",
        known.shift,
        known.ratio,
        plain,
        odd,
    )


def _split(measurand: str) -> tuple[str, str | None]:
    """`Current.Import.L1` → (`Current.Import`, `L1`): some charge points append the phase."""
    head, dot, tail = measurand.strip().rpartition(".")
    return (head, tail) if dot and tail in PHASES else (measurand.strip(), None)


def _sign(text: object, context: str | None, signed: list[SignedMeterValue], path: str, deviations: list[FrameDeviated]) -> None:
    """OCPP 1.6 signed data: the text itself, verbatim; what a JSON wrapper says about it is copied beside it."""
    if not isinstance(text, str) or not text:
        deviations.append(flag("value-empty", path + ".value", "signed data without data", text))
        return
    wrapper: dict[str, Any] = {}
    if text.lstrip().startswith("{"):
        try:
            wrapper = msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            deviations.append(flag("signed-not-json", path + ".value", "signed data looks like JSON and is not"))
    signed.append(
        SignedMeterValue(
            data=text,
            encoding_method=_text(wrapper.get("encodingMethod")),
            signing_method=_text(wrapper.get("signingMethod")),
            public_key=_text(wrapper.get("publicKey")),
            context=context,
        )
    )


def _signed_2x(value: Any, context: str | None) -> SignedMeterValue:
    return SignedMeterValue(
        data=value.signedMeterData or "",
        encoding_method=value.encodingMethod,
        signing_method=value.signingMethod,
        public_key=value.publicKey,
        context=context,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
