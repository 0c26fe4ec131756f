"""Whatever a charge point answers to a call of ours, there is an outcome."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chargenet.model.words import OutcomeStatus, Protocol
from collector.commands import CSMS_INITIATED, outcome
from collector.commands.outcomes import CONSENT, Items

words = st.sampled_from(["Accepted", "Rejected", "status", "id", "name", "evse", "component", "variable", "statusInfo", "instance"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=5),
    max_leaves=12,
)
calls = st.sampled_from([(protocol, action) for protocol in Protocol for action in sorted(CSMS_INITIATED[protocol])])


@given(calls, anything, anything)
def test_every_result_has_an_outcome(call: tuple[Protocol, str], result: Any, inner: Any) -> None:
    """Accepted or rejected, never an exception; with the field that the rule reads holding anything."""
    protocol, action = call
    rule = CONSENT[action]
    field = rule.field if isinstance(rule, Items) else "status"
    for said in (result, {field: inner}, {field: [inner]}, {field: "Rejected", "statusInfo": inner}):
        status, detail = outcome(action, protocol, said)
        assert status in (OutcomeStatus.ACCEPTED, OutcomeStatus.REJECTED)
        assert detail is None or isinstance(detail, str)
