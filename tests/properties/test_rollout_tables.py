"""The tables of states: no way out of an end, and an end from everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargenet.errors import Conflict
from firmware_orchestrator.rollout import (
    ROLLOUT,
    ROLLOUT_ENDS,
    UPDATE,
    UPDATE_ENDS,
    WAVE,
    Move,
    RolloutState,
    WaveState,
    after,
    may,
)

GRAPHS: dict[str, Mapping[Any, Iterable[Any]]] = {
    "rollout": {state: set(moves.values()) for state, moves in ROLLOUT.items()},
    "wave": WAVE,
    "update": UPDATE,
}
ENDS = {"rollout": ROLLOUT_ENDS, "wave": {WaveState.PASSED}, "update": UPDATE_ENDS}


@given(st.sampled_from(RolloutState), st.lists(st.sampled_from(Move), max_size=30))
def test_no_sequence_of_moves_leaves_an_end(state: RolloutState, moves: list[Move]) -> None:
    """Moves that the table does not have are refused, and change nothing."""
    for move in moves:
        ended = state in ROLLOUT_ENDS
        try:
            state, before = after(state, move), state
        except Conflict:
            continue
        assert not ended, f"{move} led from {before} to {state}"


def test_updates_that_ended_stay_so() -> None:
    """Late statuses of a charge point change no ending."""
    assert not [(end, target) for end in UPDATE_ENDS for target in UPDATE if may(end, target)]


@pytest.mark.parametrize("name", GRAPHS)
def test_an_end_can_be_reached_from_everywhere(name: str) -> None:
    """Nothing is stuck by construction."""
    graph, ending = GRAPHS[name], set(ENDS[name])
    while more := {state for state, targets in graph.items() if state not in ending and ending & set(targets)}:
        ending |= more
    assert ending == set(graph)
