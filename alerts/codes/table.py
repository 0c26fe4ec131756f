"""codes.toml as a table. Decided here: what is known of a code, and that a wrong row fails at load, naming it."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """One error code. `family`: ocpp16, chargex, evgo, component, or a vendor's name; "" for a code that is in no table."""

    family: str
    code: str
    name: str
    means: str
    """A sentence: what is so."""
    check: str = ""
    """What to look at."""
    safety: bool = False
    """Somebody can be hurt: ground failure, over-current, over-voltage, heat, a welded contactor, an open cable, a pressed stop."""
    user: bool = False
    """A driver or a car can cause it without anything being broken."""
    same_as: str = ""
    """The code of the ocpp16 or chargex family that means the same."""
    confirmed: bool = True
    """False: the name is as used by others; its source could not be read."""
    info: str = ""
    """Found by how StatusNotification's info begins, not by the vendor's error code."""


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A table of codes and where it is from. `vendor_ids`: StatusNotification vendorId, case folded."""

    source: str
    vendor_ids: tuple[str, ...] = ()
    separator: str = ";"
    codes: tuple[Code, ...] = ()


class Table(msgspec.Struct, frozen=True):
    """All families by name."""

    families: dict[str, Family]

    def code(self, family: str, code: str) -> Code | None:
        """A row by its code, without regard to case."""
        wanted = code.casefold()
        return next((row for row in self.families[family].codes if row.code.casefold() == wanted), None)


@cache
def table() -> Table:
    """The packaged table. Raises ValueError when it is broken, naming the row."""
    return parse(files("alerts.codes").joinpath("codes.toml").read_text("utf-8"))


def parse(text: str) -> Table:
    """A table from TOML: one table per family, with an array of codes. Raises ValueError, naming family and row."""
    families = {}
    for name, family in tomllib.loads(text).items():
        rows = tuple(_row(name, row) for row in family.pop("codes", ()))
        twice = {row.code.casefold() for row in rows if sum(row.code.casefold() == other.code.casefold() for other in rows) > 1}
        if twice:
            raise ValueError(f"codes.toml: {name}: {', '.join(sorted(twice))} is there twice")
        families[name] = msgspec.structs.replace(msgspec.convert(family, Family), codes=rows)
    return Table(families)


def _row(family: str, row: dict[str, Any]) -> Code:
    unknown = sorted(set(row) - set(Code.__struct_fields__))
    if unknown:
        raise ValueError(f"codes.toml: {family}: {row.get('code')}: {', '.join(unknown)} is not known")
    try:
        return msgspec.convert({"family": family, **row}, Code)
    except msgspec.ValidationError as error:
        raise ValueError(f"codes.toml: {family}: {row.get('code')}: {error}") from error
