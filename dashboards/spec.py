"""The words that a board is written in. Decided here: what a board may consist of; how Grafana wants it is panels.py and build.py.

A board answers one question. Every panel has a fixed id (links to a panel stay true), a description and a unit; every query
goes through a data source variable. Widths are of 24 columns, heights of rows of 38 pixels.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

PROMETHEUS, INFLUX, ALERTMANAGER = "prometheus", "influx", "alertmanager"
"""Names of the data source variables."""
SOURCE_UID = {
    PROMETHEUS: "chargewatch-prometheus",
    INFLUX: "chargewatch-influx",
    ALERTMANAGER: "chargewatch-alertmanager",
}
"""Uid of the provisioned data source behind each."""
PLUGIN = {PROMETHEUS: "prometheus", INFLUX: "influxdb", ALERTMANAGER: "alertmanager"}

Colours = tuple[tuple[float | None, str], ...]
"""(from this value, colour), ascending; the first begins at None, which is minus infinity."""

PLAIN: Colours = ((None, "text"),)

Words = tuple[tuple[str, str, str], ...]
"""(value, what is shown instead, colour)."""


class Unit(StrEnum):
    """Grafana's ids of the units that the boards use."""

    COUNT = "short"
    RATIO = "percentunit"
    WATT = "watt"
    WATT_HOUR = "watth"
    AMPERE = "amp"
    VOLT = "volt"
    CELSIUS = "celsius"
    SECONDS = "s"
    BYTES = "bytes"
    PER_SECOND = "cps"
    PER_HOUR = "suffix: /h"
    EUR = "currencyEUR"
    SINCE = "dateTimeFromNow"
    STATE = "string"


class Kind(StrEnum):
    """Grafana's ids of the panels that the boards use."""

    STAT = "stat"
    BARS = "bargauge"
    GRAPH = "timeseries"
    TABLE = "table"
    STATES = "state-timeline"
    TEXT = "text"


class Query(msgspec.Struct, frozen=True):
    """One question to a data source. Figures, bars and tables ask for now alone; graphs, and figures with a line, over time."""

    text: str
    legend: str = ""
    source: str = PROMETHEUS


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a table: a label, or `Value` (with several queries `Value #A`, `Value #B`, …)."""

    field: str
    title: str
    unit: Unit | None = None
    colours: Colours = ()
    decimals: int | None = None
    width: int | None = None
    link: str = ""
    """Where a click leads (see links.py)."""
    bar: bool = False
    """Drawn as a bar in the cell, from 0."""
    most: float | None = None
    """End of that bar."""
    words: Words = ()


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One panel. What a field means depends on `kind`; what a kind does not use is left alone."""

    id: int
    kind: Kind
    title: str
    description: str
    queries: tuple[Query, ...] = ()
    unit: Unit = Unit.COUNT
    width: int = 6
    height: int = 8
    colours: Colours = PLAIN
    decimals: int | None = None
    least: float | None = None
    most: float | None = None
    words: Words = ()
    nothing: str = ""
    """Shown where a query has no answer and that is good or usual."""
    link: str = ""
    stacked: bool = False
    filled: int = 12
    line_colours: tuple[tuple[str, str], ...] = ()
    """(legend, colour) of single lines."""
    second_axis: tuple[tuple[str, Unit], ...] = ()
    """(legend, unit) of lines on the right-hand axis."""
    stepped: bool = False
    joined_s: float | None = None
    """Points at most this far apart are one line. None: what is live, for the telemetry store; for Prometheus neighbours alone."""
    threshold_lines: bool = False
    from_zero: bool = True
    """The axis begins at 0, unless values are below."""
    columns: tuple[Column, ...] = ()
    sort: tuple[str, bool] | None = None
    """(title of a column, descending)."""
    spark: bool = False
    """A stat shows its recent past as a line."""
    text: str = ""
    may_be_empty: str = ""
    """Why there may rightly be no answer at all on a healthy network."""


class Row(msgspec.Struct, frozen=True):
    """Panels side by side from left to right, wrapped at 24 columns, under a heading where there is one."""

    panels: tuple[Panel, ...]
    heading: str = ""


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A choice at the head of a board. `query`: label_values(…) of Prometheus; without one it is a text field with `default`."""

    name: str
    label: str
    query: str = ""
    default: str = ""
    many: bool = False
    """Several may be chosen, or all (`.*`)."""


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """Marks over the graphs where a query has an answer."""

    name: str
    query: str
    title: str
    colour: str


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """One board. `uid` and the ids of its panels never change, since links and habits rest on them."""

    uid: str
    title: str
    question: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    since: str = "now-6h"
    refresh: str = "30s"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, in order."""
        return tuple(panel for row in self.rows for panel in row.panels)

    @property
    def sources(self) -> tuple[str, ...]:
        """The data source variables that it needs; Prometheus always."""
        used = {query.source for panel in self.panels for query in panel.queries}
        return tuple(name for name in SOURCE_UID if name in used | {PROMETHEUS})
