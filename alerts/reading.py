"""One instant's measurements, read once for signals and attempts. Decided here: which value is the connector's own.

Nearly every fact of a network passes here, so where the values stand is decided once for each composition of them. That is for the
usual layout; any other goes through the two thorough readings, which say what each program counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chargenet.model import measurement as m
from chargenet.model.measurement import Composition, Measurement, Measurements, Plans, together


class Reading(msgspec.Struct, gc=False):
    """What matters of it. Wh, W, percent, °C; None where nothing was said."""

    register_wh: float | None = None
    begins: bool = False
    """The register is that of a transaction's begin."""
    power_w: float | None = None
    offered_w: float | None = None
    soc_percent: float | None = None
    delivered: Delivered | None = None
    """As attempts count it, where that differs from the above."""
    temperature_c: float | None = None
    """The highest of all places."""


class Delivered(msgspec.Struct, frozen=True, gc=False):
    """The same for attempts: at the outlet or in the vehicle, phases added up, an offered current told as power."""

    register_wh: float | None
    power_w: float | None
    offered_w: float | None
    soc_percent: float | None


class _Layout(msgspec.Struct, frozen=True, gc=False):
    """Where each stands among the values of a composition; None where it does not."""

    usual: bool
    """The outlet as a whole, and currents by phase beside it. Any other layout is read thoroughly each time."""
    register: int | None = None
    begins: bool = False
    power: int | None = None
    offered: int | None = None
    soc: int | None = None
    temperatures: tuple[int, ...] = ()


_PHASED = frozenset({m.ENERGY_REGISTER, m.POWER, m.POWER_OFFERED, m.SOC, m.CURRENT_OFFERED})
"""What makes a layout unusual where it is told by phase, or elsewhere than at the outlet."""


def _layout(composition: Composition) -> _Layout:
    plain: dict[str, int] = {}
    temperatures = []
    for at, kind in enumerate(composition.kinds):
        name = kind.measurand
        if name == m.TEMPERATURE:
            temperatures.append(at)
        elif kind.phase is None and (kind.location == "Outlet" or (name == m.SOC and kind.location == "EV")):
            plain[name] = at
        elif name in _PHASED:
            return _Layout(usual=False)
    if m.CURRENT_OFFERED in plain:
        return _Layout(usual=False)
    register = plain.get(m.ENERGY_REGISTER)
    begins = register is not None and composition.kinds[register].context == "Transaction.Begin"
    powers = plain.get(m.POWER), plain.get(m.POWER_OFFERED)
    return _Layout(True, register, begins, *powers, plain.get(m.SOC), tuple(temperatures))


_LAYOUTS = Plans(_layout)


class _Memo:
    """The last reading: signals and attempts ask for the same one after another. One assignment, so that threads may ask too."""

    latest: tuple[Sequence[Measurement], Reading] = ((), Reading())


def read(measurements: Sequence[Measurement]) -> Reading:
    """Of several values of one measurand the last counts."""
    known, reading = _Memo.latest
    if known is not measurements or not measurements:
        reading = _read(together(measurements))
        _Memo.latest = (measurements, reading)
    return reading


def _read(measurements: Measurements) -> Reading:
    layout, values = _LAYOUTS[measurements.composition], measurements.values
    if not layout.usual:
        return _unusual(measurements.made())
    register, power, offered, soc = layout.register, layout.power, layout.offered, layout.soc
    return Reading(
        None if register is None else values[register],
        layout.begins,
        None if power is None else values[power],
        None if offered is None else values[offered],
        None if soc is None else values[soc],
        None,
        max([values[at] for at in layout.temperatures]) if layout.temperatures else None,
    )


def _unusual(measurements: Sequence[Measurement]) -> Reading:
    reading = _at_outlet(measurements)
    values = _delivered(measurements)
    power, offered = values.get(m.POWER), values.get(m.POWER_OFFERED)
    if offered is None and m.CURRENT in values and m.CURRENT_OFFERED in values and power:
        current = values[m.CURRENT]
        offered = power * values[m.CURRENT_OFFERED] / current if current > 0 else None
    reading.delivered = Delivered(values.get(m.ENERGY_REGISTER), power, offered, values.get(m.SOC))
    reading.temperature_c = values.get(m.TEMPERATURE)
    return reading


def _at_outlet(measurements: Sequence[Measurement]) -> Reading:
    """The connector's own meter: registers without a phase, powers of single phases added up."""
    reading, phases_w, phases = Reading(), 0.0, 0
    for each in measurements:
        measurand = each.measurand
        if each.location != "Outlet":
            if measurand == m.SOC:
                reading.soc_percent = each.value
        elif measurand == m.ENERGY_REGISTER and each.phase is None:
            reading.register_wh, reading.begins = each.value, each.context == "Transaction.Begin"
        elif measurand == m.POWER:
            if each.phase is None:
                reading.power_w = each.value
            else:
                phases_w, phases = phases_w + each.value, phases + 1
        elif measurand == m.POWER_OFFERED and each.phase is None:
            reading.offered_w = each.value
        elif measurand == m.SOC:
            reading.soc_percent = each.value
    if reading.power_w is None and phases:
        reading.power_w = phases_w
    return reading


_PLACES = frozenset({"Outlet", "EV"})
_USED = frozenset({m.ENERGY_REGISTER, m.POWER, m.POWER_OFFERED, m.CURRENT, m.CURRENT_OFFERED, m.SOC, m.TEMPERATURE})
_SUMMED = frozenset({m.ENERGY_REGISTER, m.POWER, m.POWER_OFFERED})


def _delivered(measurements: Sequence[Measurement]) -> dict[str, float]:
    """Measurand → value. Phases add up for power, the largest counts for current, the highest for temperature."""
    found: dict[str, float] = {}
    phases: dict[str, list[float]] = {}
    for each in measurements:
        if each.measurand not in _USED:
            continue
        if each.measurand == m.TEMPERATURE:
            found[m.TEMPERATURE] = max(each.value, found.get(m.TEMPERATURE, each.value))
        elif each.location not in _PLACES:
            continue
        elif each.phase is None:
            found[each.measurand] = each.value
        elif "-" not in each.phase:
            phases.setdefault(each.measurand, []).append(each.value)
    for measurand, values in phases.items():
        found.setdefault(measurand, sum(values) if measurand in _SUMMED else max(values))
    return found
