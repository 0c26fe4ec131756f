"""How long a step on the event loop may be."""

from __future__ import annotations

import asyncio

import pytest

from chargenet import turns as module
from chargenet.turns import LEAST_S, MOST_S, SHARE, Turns, step_s


def test_a_step_is_short_on_a_quick_loop_and_longer_on_a_busy_one() -> None:
    """A tenth of what the loop does otherwise, never below a millisecond nor above ten."""
    assert step_s(0.0) == LEAST_S
    assert step_s(0.05) == pytest.approx(0.05 * SHARE)
    assert step_s(5.0) == MOST_S


async def test_the_loop_turns_when_a_step_was_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before a millisecond of work; afterwards the next step may be as long as the turn of the loop allows."""
    now = 0.0
    monkeypatch.setattr(module, "monotonic", lambda: now)
    turned: list[float] = []

    async def others() -> None:
        nonlocal now
        while True:
            turned.append(now)
            now += 0.04
            await asyncio.sleep(0)

    turns, beside = Turns(), asyncio.ensure_future(others())
    now += LEAST_S / 2
    await turns.rest()
    assert turned == [], "too little was done"
    now += LEAST_S / 2
    await turns.rest()
    assert len(turned) == 1
    now += 0.0039
    await turns.rest()
    assert len(turned) == 1, "the loop was away for 40 ms: a step may take four"
    now += 0.0002
    await turns.rest()
    assert len(turned) == 2
    beside.cancel()
