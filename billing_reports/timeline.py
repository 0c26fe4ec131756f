"""What a connector did, as sets of time. Decided here: how connection, status and transactions together mean occupied, up, idle …

A status holds only while the charge point is connected: what nobody can hear now is not known now. A transaction holds by itself,
because it is told by device clock even where the connection was down. Unknown is never up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from billing_reports.intervals import NOTHING, Interval, Intervals, clip, intersect, joined, subtract, union
from billing_reports.rollup_state import CONNECTED, FLOW, LINK, STATUS, TRANSACTION, Span
from chargenet.model.record import microseconds
from chargenet.model.words import ConnectorStatus

OCCUPIED = frozenset(
    {
        ConnectorStatus.PREPARING.value,
        ConnectorStatus.OCCUPIED.value,
        ConnectorStatus.CHARGING.value,
        ConnectorStatus.SUSPENDED_EV.value,
        ConnectorStatus.SUSPENDED_EVSE.value,
        ConnectorStatus.FINISHING.value,
    }
)
CHARGING = ConnectorStatus.CHARGING.value
FAULTED = ConnectorStatus.FAULTED.value
UNAVAILABLE = ConnectorStatus.UNAVAILABLE.value
UNKNOWN = ConnectorStatus.UNKNOWN.value


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """One connector in a window: sets of time, in microseconds. They overlap where life does."""

    known: Intervals
    """From when the connector was first heard of."""
    connected: Intervals
    occupied: Intervals
    charging: Intervals
    faulted: Intervals
    unavailable: Intervals
    unknown: Intervals
    """Connected, and no status known."""
    transactions: Intervals

    @property
    def offline(self) -> Intervals:
        """Known, and not connected."""
        return subtract(self.known, self.connected)

    @property
    def idle(self) -> Intervals:
        """Occupied and not charging."""
        return subtract(self.occupied, self.charging)

    @property
    def up(self) -> Intervals:
        """Proven to be usable or in use: connected with a status that is neither Faulted nor Unavailable, or in a transaction."""
        well = subtract(self.connected, joined(self.faulted, self.unavailable, self.unknown))
        return intersect(joined(well, subtract(self.transactions, self.faulted)), self.known)


def timeline(spans: Iterable[Span], connector: str, first_at: datetime, start: int, end: int) -> Timeline:
    """The connector in [start, end) from the spans of its charge point; `first_at`: when it was first heard of."""
    found = _sets(spans, connector, start, end)
    known = clip(((microseconds(first_at), end),), start, end) if microseconds(first_at) < end else NOTHING
    connected = intersect(found.get((LINK, CONNECTED), NOTHING), known)
    # One that has not ended proves nothing about a time in which nobody could hear of it; its end will, when it is told.
    transactions = joined(
        found.get((TRANSACTION, "ended"), NOTHING), intersect(found.get((TRANSACTION, "open"), NOTHING), connected)
    )
    said = joined(*(found.get((STATUS, status), NOTHING) for status in OCCUPIED))
    occupied = joined(intersect(said, connected), transactions)
    charging = joined(
        intersect(found.get((STATUS, CHARGING), NOTHING), connected), intersect(found.get((FLOW, CHARGING), NOTHING), transactions)
    )
    faulted = intersect(found.get((STATUS, FAULTED), NOTHING), connected)
    unavailable = intersect(found.get((STATUS, UNAVAILABLE), NOTHING), connected)
    return Timeline(
        known=known,
        connected=connected,
        occupied=intersect(occupied, known),
        charging=intersect(charging, known),
        faulted=faulted,
        unavailable=subtract(unavailable, faulted),
        unknown=subtract(connected, found.get((STATUS, "known"), NOTHING)),
        transactions=intersect(transactions, known),
    )


def _sets(spans: Iterable[Span], connector: str, start: int, end: int) -> Mapping[tuple[str, str], Intervals]:
    """(layer, value) → set. Of the whole charge point's status only Faulted and Unavailable reach its connectors."""
    pieces: dict[tuple[str, str], list[Interval]] = {}
    for span in spans:
        if span.connector not in ("", connector):
            continue
        piece = (microseconds(span.began_at), end if span.ended_at is None else microseconds(span.ended_at))
        for key in _keys(span):
            pieces.setdefault(key, []).append(piece)
    return {key: clip(union(found), start, end) for key, found in pieces.items()}


def _keys(span: Span) -> Sequence[tuple[str, str]]:
    if span.layer == TRANSACTION:
        return ((TRANSACTION, "open" if span.ended_at is None else "ended"),)
    if span.layer != STATUS:
        return ((span.layer, span.value),)
    if span.connector == "":
        return ((STATUS, span.value),) if span.value in (FAULTED, UNAVAILABLE) else ()
    return ((STATUS, span.value),) if span.value == UNKNOWN else ((STATUS, span.value), (STATUS, "known"))
