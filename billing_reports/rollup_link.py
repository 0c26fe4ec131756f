"""Connections as intervals. Decided here: when a charge point counts as connected, also across a collector that was killed.

A killed collector records the end of its connections only when it is started again, by its own clock then. Until when they really
held nobody knows better than the journal: it is silent while no collector runs, so the silence before that record is taken as time
without connection.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from billing_reports.rollup_rows import Emitted
from billing_reports.rollup_state import CONNECTED, DISCONNECTED, LINK, Gap, NetworkState, PointState, Span
from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.text import storable_text

COLLECTOR_ENDED = "the collector ended"
"""The reason under which a collector records the connections that the one before it left open."""
SILENCE = timedelta(seconds=5)
MAX_GAPS = 16


def note_silence(network: NetworkState, fact: Fact) -> None:
    """Remembers long pauses of the whole journal."""
    now, last_at = fact.received_at, network.last_at
    if last_at is None:
        network.last_at = now
    elif now > last_at:
        if now - last_at > SILENCE:
            network.gaps.append(Gap(last_at, now))
            del network.gaps[:-MAX_GAPS]
        network.last_at = now


def open_link(state: PointState, fact: Fact, out: Emitted, *, assumed: bool) -> None:
    """A connection opened; or, `assumed`, a frame came from a charge point whose connection was never seen to begin."""
    at = fact.received_at
    if assumed:
        if state.link_changed_at is not None or not fact.generation:
            return
        if any(isinstance(event, e.ConnectionClosed | e.ConnectionOpened) for event in fact.events):
            return
    if state.linked_at is not None:
        state.former_generation, state.reopened_at = state.generation, at
        state.generation = max(state.generation, fact.generation)
        return
    if state.link_changed_at is not None and state.link_changed_at < at:
        _put(out, fact, state.link_changed_at, at, DISCONNECTED, state.link_detail, state.link_sequence)
    state.linked_at = state.link_changed_at = at
    state.generation, state.link_sequence, state.link_detail = fact.generation, fact.sequence, ""
    state.reopened_at = None
    _put(out, fact, at, None, CONNECTED, "", fact.sequence)
    out.touch(fact.charge_point_id, at)


def close_link(state: PointState, network: NetworkState, fact: Fact, event: e.ConnectionClosed, out: Emitted) -> None:
    """A connection ended. One that was taken over changes nothing, unless a collector's death lies between the two."""
    if event.superseded or state.linked_at is None:
        return
    left_open = event.reason == COLLECTOR_ENDED
    if state.reopened_at is not None and fact.generation < state.generation:
        if left_open and fact.generation == state.former_generation:
            _split(state, network, fact, state.reopened_at, out)
        return
    if fact.generation < state.generation:
        return
    at = _gone_since(state, network, fact.received_at) if left_open else fact.received_at
    detail = storable_text(event.reason) or ("lost" if event.lost else "closed")
    _put(out, fact, state.linked_at, at, CONNECTED, "", state.link_sequence)
    state.link_sequence, state.link_detail, state.link_changed_at = fact.sequence, detail, at
    state.linked_at = state.reopened_at = None
    _put(out, fact, at, None, DISCONNECTED, detail, fact.sequence)
    out.touch(fact.charge_point_id, at)


def _split(state: PointState, network: NetworkState, fact: Fact, reopened_at: datetime, out: Emitted) -> None:
    """It came back before the end of its former connection was recorded: between the two it was not connected."""
    assert state.linked_at is not None
    gone_at = _gone_since(state, network, reopened_at)
    _put(out, fact, state.linked_at, gone_at, CONNECTED, "", state.link_sequence)
    if gone_at < reopened_at:
        _put(out, fact, gone_at, reopened_at, DISCONNECTED, COLLECTOR_ENDED, fact.sequence)
    _put(out, fact, reopened_at, None, CONNECTED, "", state.generation)
    state.linked_at = state.link_changed_at = reopened_at
    state.link_sequence, state.reopened_at = state.generation, None
    out.touch(fact.charge_point_id, gone_at)


def _gone_since(state: PointState, network: NetworkState, before: datetime) -> datetime:
    """Beginning of the journal's last silence up to `before`, not before the connection's own beginning."""
    assert state.linked_at is not None
    gap = next((each for each in reversed(network.gaps) if each.after <= before), None)
    return max(state.linked_at, gap.before if gap is not None else before)


def _put(out: Emitted, fact: Fact, began_at: datetime, ended_at: datetime | None, value: str, detail: str, sequence: int) -> None:
    out.put(
        Span(
            charge_point_id=fact.charge_point_id, connector="", layer=LINK, began_at=began_at, ended_at=ended_at, value=value,
            detail=detail, sequence=sequence,
        )
    )  # fmt: skip
