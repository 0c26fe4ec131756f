"""What the rollup fold remembers of a charge point, and the rows it writes. Values only; nothing is decided here.

Everything is small and bounded: it is stored with the journal position, one row per charge point, and read again after a restart.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

LINK, STATUS, TRANSACTION, FLOW = "link", "status", "transaction", "flow"
"""Layers of intervals: connected or disconnected; reported status; a transaction; its charging state."""
CONNECTED, DISCONNECTED = "connected", "disconnected"


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Something that held from `began_at` on, until `ended_at` (None: still). `connector` "" is the whole charge point.

    Keyed by charge point, connector, layer and `began_at`: the same key again replaces it.
    """

    charge_point_id: str
    connector: str
    layer: str
    began_at: datetime
    ended_at: datetime | None = None
    value: str
    detail: str = ""
    """Of a status: the error code and the vendor's code. Of a link: why it ended."""
    sequence: int
    """The journal record that says that it began."""


class Mark(msgspec.Struct, kw_only=True):
    """One reported status."""

    at: datetime
    value: str
    detail: str
    sequence: int


class Running(msgspec.Struct, kw_only=True):
    """A transaction as far as rollups need it. `ended_at` may still be corrected while it is remembered."""

    connector: str
    began_at: datetime
    sequence: int
    ended_at: datetime | None = None
    last_at: datetime | None = None
    last_wh: int | None = None
    flow: str | None = None
    flow_at: datetime | None = None
    flow_sequence: int = 0


class PlaceState(msgspec.Struct, kw_only=True):
    """A connector, or under "" the whole charge point: its newest statuses, oldest first."""

    first_at: datetime
    marks: list[Mark] = []


class PointState(msgspec.Struct, kw_only=True):
    """A charge point."""

    first_at: datetime
    linked_at: datetime | None = None
    """Since when it is connected; None while it is not."""
    link_changed_at: datetime | None = None
    generation: int = 0
    former_generation: int = 0
    """Of the connection that the present one took over from without its end being recorded yet; `reopened_at` since when."""
    reopened_at: datetime | None = None
    link_sequence: int = 0
    link_detail: str = ""
    places: dict[str, PlaceState] = {}
    transactions: dict[str, Running] = {}
    """By transaction id, in order of their first sign."""


class Gap(msgspec.Struct, frozen=True):
    """A while in which the journal got no record at all."""

    before: datetime
    after: datetime


class NetworkState(msgspec.Struct, kw_only=True):
    """What is known of the journal as a whole: its silences, newest last. One of them is where a killed collector was gone."""

    last_at: datetime | None = None
    gaps: list[Gap] = []
