"""How a file of sessions is to be read: a TOML file that names its columns. Decided here: what may be in it, and its mistakes.

Every mistake is one sentence that names the file and the key: `perth.toml: columns.began: is missing`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from chargenet.errors import InvalidFile

NEEDED = ("charge_point", "began", "ended", "energy")
COLUMNS = (
    *NEEDED,
    "connector",
    "session",
    "site",
    "model",
    "user",
    "charging",
    "peak_power",
    "revenue",
    "currency",
    "payment",
    "successful",
    "error_code",
)
ENERGY = {"kWh": 1000, "Wh": 1, "MWh": 1_000_000}
DURATIONS = {"s": 1, "min": 60, "h": 3600}
ISO = "iso"
"""`time_format`: ISO 8601, with or without an offset."""


class ImportMap(msgspec.Struct, frozen=True, kw_only=True):
    """A map file, checked."""

    source: str
    """Names what is imported: the same session of the same source is imported once."""
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    decimal: str = "."
    time_zone: str = "UTC"
    time_format: str = ISO
    energy_unit: str = "kWh"
    charging_unit: str = "s"
    columns: dict[str, str]
    """Our name → the column's."""
    constants: dict[str, str] = {}
    """Our name → a value for every row that has no such column."""
    rated_kw: dict[str, float] = {}
    """Model → rated power of one connector."""

    @property
    def zone(self) -> ZoneInfo:
        """Of times without an offset."""
        return ZoneInfo(self.time_zone)


def read_map(content: bytes, name: str) -> ImportMap:
    """Raises InvalidFile with one sentence."""
    try:
        raw = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidFile(name, None, "", str(error)) from None
    flat = _flat(raw, name)
    try:
        made = msgspec.convert(flat, ImportMap)
    except msgspec.ValidationError as error:
        raise InvalidFile(name, None, "", str(error)) from None
    _check(made, name)
    return made


_TABLES: Mapping[str, Mapping[str, str]] = {
    "file": {"delimiter": "delimiter", "encoding": "encoding", "decimal": "decimal"},
    "time": {"zone": "time_zone", "format": "time_format"},
    "units": {"energy": "energy_unit", "charging": "charging_unit"},
}


def _flat(raw: dict[str, Any], name: str) -> dict[str, Any]:
    """Tables of the file → fields of an ImportMap; unknown keys are refused, a typing error must not be silent."""
    flat: dict[str, Any] = {}
    for key, value in raw.items():
        if key in ("source", "columns", "constants", "rated_kw"):
            flat[key] = value
        elif key in _TABLES and isinstance(value, dict):
            for inner, content in value.items():
                if inner not in _TABLES[key]:
                    raise InvalidFile(name, None, f"{key}.{inner}", f"is not known; there are {', '.join(_TABLES[key])}")
                flat[_TABLES[key][inner]] = content
        else:
            raise InvalidFile(name, None, key, "is not known; there are source, file, time, units, columns, constants, rated_kw")
    for key in ("source", "columns"):
        if key not in flat:
            raise InvalidFile(name, None, key, "is missing")
    return flat


def _check(made: ImportMap, name: str) -> None:
    known = f"is not known; there are {', '.join(COLUMNS)}"
    problems = [
        *((f"columns.{key}", "is missing") for key in NEEDED if key not in made.columns and key not in made.constants),
        *((f"columns.{key}", known) for key in made.columns if key not in COLUMNS),
        *((f"constants.{key}", known) for key in made.constants if key not in COLUMNS),
        *((f"rated_kw.{model}", f"{power} kW is no power") for model, power in made.rated_kw.items() if not 0 < power < 10_000),
    ]
    rules = (
        ("source", bool(made.source.strip()), "is empty"),
        ("file.delimiter", len(made.delimiter) == 1, f"is one character, not {made.delimiter!r}"),
        ("file.decimal", made.decimal in (".", ","), f'is "." or ",", not {made.decimal!r}'),
        ("time.zone", made.time_zone in available_timezones(), f"{made.time_zone!r} is no IANA time zone"),
        ("units.energy", made.energy_unit in ENERGY, f"is {' or '.join(ENERGY)}, not {made.energy_unit!r}"),
        ("units.charging", made.charging_unit in DURATIONS, f"is {' or '.join(DURATIONS)}, not {made.charging_unit!r}"),
    )
    problems += [(key, problem) for key, holds, problem in rules if not holds]
    if problems:
        raise InvalidFile(name, None, *problems[0])
