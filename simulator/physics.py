"""How cars charge. Pure: a car, a state of charge and some noise in; watts, volts, amperes and degrees out."""

from __future__ import annotations

import math
import random

import msgspec

PHASES = ("L1", "L2", "L3")


class Car(msgspec.Struct, frozen=True, kw_only=True):
    """What plugs in. `target_ratio`: its driver leaves at this state of charge."""

    battery_wh: float
    max_power_w: float
    soc_ratio: float
    target_ratio: float
    pack_v: float = 400.0


class Electrical(msgspec.Struct, frozen=True, kw_only=True):
    """What a meter shows at one instant. Phase None: direct current."""

    power_w: float
    volts: tuple[tuple[str | None, float], ...]
    amperes: tuple[tuple[str | None, float], ...]


def arriving_car(rng: random.Random, *, direct: bool, station_w: float, speed: float) -> Car:
    """A car as it comes to such a charge point. `speed` makes its battery smaller, never its power larger."""
    battery_wh = rng.choice((40_000.0, 52_000.0, 58_000.0, 77_000.0, 94_000.0))
    soc = rng.uniform(0.08, 0.45)
    if direct:
        return Car(
            battery_wh=battery_wh / speed,
            max_power_w=min(station_w, rng.choice((50e3, 100e3, 125e3, 170e3, 250e3))),
            soc_ratio=soc,
            target_ratio=rng.uniform(0.7, 0.88),
            pack_v=rng.choice((400.0, 400.0, 800.0)),
        )
    return Car(
        battery_wh=battery_wh / speed,
        max_power_w=min(station_w, rng.choice((3700.0, 7400.0, 11_000.0, 11_000.0, 22_000.0))),
        soc_ratio=soc,
        target_ratio=rng.uniform(soc + 0.1, 1.0),
    )


def wanted_power_w(car: Car, soc_ratio: float, *, direct: bool) -> float:
    """The charging curve: DC rises, holds and falls from half full; AC holds until nearly full. 0 when full."""
    if soc_ratio >= 1.0:
        return 0.0
    if not direct:
        return car.max_power_w * min(1.0, max(0.08, (1.0 - soc_ratio) / 0.05))
    if soc_ratio < 0.1:
        share = 0.6 + 4.0 * soc_ratio
    elif soc_ratio < 0.5:
        share = 1.0
    elif soc_ratio < 0.8:
        share = 1.0 - (soc_ratio - 0.5) * 2.2
    else:
        share = max(0.05, 0.34 - (soc_ratio - 0.8) * 1.45)
    return car.max_power_w * share


def electrical(car: Car, soc_ratio: float, power_w: float, rng: random.Random, *, direct: bool, phases: int) -> Electrical:
    """What the meter shows at this power: volts with the grid's noise and sag, amperes that fit."""
    if direct:
        volts = round(car.pack_v * (0.85 + 0.2 * soc_ratio) + rng.gauss(0.0, 0.5), 1)
        return Electrical(power_w=power_w, volts=((None, volts),), amperes=((None, round(power_w / volts, 2)),))
    names = PHASES[:phases]
    share_w = power_w / phases
    volts_by_phase = tuple((name, round(230.5 - share_w / 230 * 0.06 + rng.gauss(0.0, 0.7), 1)) for name in names)
    amperes = tuple((name, round(share_w / volts, 2)) for name, volts in volts_by_phase)
    return Electrical(power_w=power_w, volts=volts_by_phase, amperes=amperes)


def warmed(temperature_c: float, load_ratio: float, seconds: float, *, ambient_c: float = 19.0, tau_s: float = 240.0) -> float:
    """Temperature after `seconds` at this load: it approaches ambient plus 32 degrees at full load."""
    settled = ambient_c + 32.0 * load_ratio
    return settled + (temperature_c - settled) * math.exp(-seconds / tau_s)
