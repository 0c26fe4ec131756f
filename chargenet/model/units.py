"""Units as charge points write them → the base units of a Measurement. Decided here: spellings and conversions, nothing about OCPP.

Decimal prefixes are exact shifts of the decimal point (`exponent`); only temperatures need arithmetic.
"""

from __future__ import annotations

import msgspec


class Conversion(msgspec.Struct, frozen=True):
    """base = (value + shift) * ratio, then × 10^exponent, in `unit`."""

    unit: str
    exponent: int = 0
    shift: float = 0.0
    ratio: float = 1.0


def _prefixed(unit: str) -> dict[str, Conversion]:
    return {
        unit.casefold(): Conversion(unit),
        f"k{unit}".casefold(): Conversion(unit, 3),
    }


_UNITS: dict[str, Conversion] = {
    **_prefixed("Wh"),
    **_prefixed("varh"),
    **_prefixed("VAh"),
    **_prefixed("W"),
    **_prefixed("var"),
    **_prefixed("VA"),
    **_prefixed("V"),
    "a": Conversion("A"),
    "celsius": Conversion("Celsius"),
    "celcius": Conversion("Celsius"),
    "°c": Conversion("Celsius"),
    "c": Conversion("Celsius"),
    "k": Conversion("Celsius", shift=-273.15),
    "kelvin": Conversion("Celsius", shift=-273.15),
    "fahrenheit": Conversion("Celsius", shift=-32.0, ratio=5 / 9),
    "percent": Conversion("Percent"),
    "%": Conversion("Percent"),
    "hertz": Conversion("Hertz"),
    "hz": Conversion("Hertz"),
    "rpm": Conversion("RPM"),
}
# Case tells milli from mega, so these spellings are matched exactly.
_EXACT: dict[str, Conversion] = {
    "MWh": Conversion("Wh", 6),
    "MW": Conversion("W", 6),
    "mA": Conversion("A", -3),
    "mV": Conversion("V", -3),
    "mW": Conversion("W", -3),
    "mWh": Conversion("Wh", -3),
}

_DIMENSIONS: tuple[tuple[str, str, frozenset[str]], ...] = (
    # measurand prefix, unit when none was said, base units that make sense
    ("Energy.Active.", "Wh", frozenset({"Wh"})),
    ("Energy.Reactive.", "varh", frozenset({"varh"})),
    ("Energy.Apparent.", "VAh", frozenset({"VAh"})),
    ("Power.Active.", "W", frozenset({"W"})),
    ("Power.Reactive.", "var", frozenset({"var"})),
    ("Power.Offered", "W", frozenset({"W", "VA"})),
    ("Power.Factor", "", frozenset({"", "Percent"})),
    ("Current.", "A", frozenset({"A"})),
    ("Voltage", "V", frozenset({"V"})),
    ("Frequency", "Hertz", frozenset({"Hertz"})),
    ("Temperature", "Celsius", frozenset({"Celsius"})),
    ("SoC", "Percent", frozenset({"Percent"})),
    ("RPM", "RPM", frozenset({"RPM"})),
)


def conversion(unit: str) -> Conversion | None:
    """How to bring `unit` to its base unit; None for a unit that is not known (it is kept as said)."""
    text = unit.strip()
    return _EXACT.get(text) or _UNITS.get(text.casefold())


def default_unit(measurand: str) -> str:
    """The base unit of a measurand whose unit was not said; "" where none can be told.

    OCPP's blanket default is Wh, which is right for energy alone: a Frequency without unit is not an energy.
    """
    return next((unit for prefix, unit, _ in _DIMENSIONS if measurand.startswith(prefix)), "")


def plausible(measurand: str, unit: str) -> bool:
    """Whether a base unit can belong to a measurand; True for measurands that are not standard."""
    return next((unit in units for prefix, _, units in _DIMENSIONS if measurand.startswith(prefix)), True)
