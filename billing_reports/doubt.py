"""A doubt about a tariff: where, which, in words."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """Somebody gets a price that nobody can have meant."""
    WARNING = "warning"
    """A surprise for drivers or for the operator."""
    NOTE = "note"
    """Allowed, and often not meant."""


class Doubt(msgspec.Struct, frozen=True):
    """One doubt. `where` is the place as OCPI names it, `code` a word for programs, `text` what happens and what to do."""

    level: Level
    where: str
    code: str
    text: str
