"""However a 2.x report is broken, it is answered as its schema wants."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chargenet.events import Event
from chargenet.model.words import Protocol
from collector.handlers.directions import UNCONFIRMED
from collector.ocpp.schemas import schema_for
from tests.support.handling import TABLES_2X, run
from tests.support.payloads import full

REPORTS = [(protocol, action) for protocol, table in TABLES_2X.items() for action, route in table.items() if route.report]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(REPORTS), st.data())
def test_broken_reports_are_answered(report: tuple[Protocol, str], data: st.DataObject) -> None:
    """A full report with some of its values replaced or removed: a valid reply, and events that can be written as JSON."""
    protocol, action = report
    payload: Any = full(schema_for(protocol, action).document)
    for _ in range(data.draw(st.integers(1, 4))):
        payload = _broken(payload, data)
    handled = run(action, payload, protocol=protocol, repaired=True)
    if action not in UNCONFIRMED:
        schema_for(protocol, action, response=True).check(json.loads(msgspec.json.encode(handled.reply)))
    assert all(isinstance(event, Event) for event in handled.events)
    msgspec.json.encode(handled.events)


def _broken(value: Any, data: st.DataObject) -> Any:
    """`value` with one random part replaced by anything, or left out."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(value)))
        if data.draw(st.booleans()):
            return {name: part for name, part in value.items() if name != key}
        return {**value, key: _broken(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], _broken(value[at], data), *value[at + 1 :]]
    return data.draw(anything)
