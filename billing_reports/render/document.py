"""A report as blocks, before it has a form. Decided here: which blocks there are; pages.py and html.py give them a form each."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from matplotlib.figure import Figure


class Heading(msgspec.Struct, frozen=True):
    """Begins a section."""

    text: str


class Text(msgspec.Struct, frozen=True):
    """A paragraph; `small` for remarks."""

    text: str
    small: bool = False


class Tile(msgspec.Struct, frozen=True):
    """One figure that is read first. `tone`: good, warn, bad or empty."""

    label: str
    value: str
    note: str = ""
    tone: str = ""


class Tiles(msgspec.Struct, frozen=True):
    """A row of figures."""

    tiles: tuple[Tile, ...]


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """A table. `align`: one letter per column, l or r; `widths`: shares of the page's width; `tones`: colour of single cells."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: str
    widths: tuple[float, ...]
    bars: dict[int, tuple[float, ...]] = {}
    """Column → for each row 0 to 1: a bar behind its number."""
    tones: dict[tuple[int, int], str] = {}
    """(row, column) → good, warn or bad."""
    total: bool = False
    """The last row is the sum of the others."""


class Plot(msgspec.Struct, frozen=True):
    """A drawing. `height` in parts of the page's width; `says`: what it shows, for those who cannot see it."""

    draw: Callable[[], Figure]
    height: float
    says: str


class NewPage(msgspec.Struct, frozen=True):
    """What follows begins on a new page."""


Block = Heading | Text | Tiles | Rows | Plot | NewPage


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A report in one language."""

    title: str
    subtitle: str
    made: str
    """When and of what, for the foot of each page."""
    language: str
    blocks: tuple[Block, ...]
