"""The event loop's lag, measured with clocks that do as they are told."""

from __future__ import annotations

import pytest

from chargenet.observe.looplag import LoopLag
from chargenet.testing import FrozenClock


class Over(Exception):
    """Ends the probe."""


async def test_lag_is_what_a_sleep_takes_too_long() -> None:
    """A sleep of 50 ms that takes 350 ms is a lag of 300 ms; one that is in time is none."""
    clock = FrozenClock()
    seen: list[float] = []
    turns = iter((0.35, 0.05))

    async def sleep(seconds: float) -> None:
        try:
            clock.advance(next(turns))
        except StopIteration:
            raise Over from None

    with pytest.raises(Over):
        await LoopLag(clock, seen.append).run(sleep)
    assert seen == pytest.approx([0.3, 0.0])


def test_the_worst_of_the_last_minute() -> None:
    """The maximum is remembered for a minute and then forgotten."""
    clock = FrozenClock()
    lag = LoopLag(clock, lambda _: None)
    assert lag.worst() == 0.0
    lag.record(0.7, clock.monotonic())
    for _ in range(12):
        clock.advance(5)
        lag.record(0.01, clock.monotonic())
    assert lag.worst() == 0.7
    for _ in range(3):
        clock.advance(5)
        lag.record(0.01, clock.monotonic())
    assert lag.worst() == 0.01
    clock.advance(200)
    assert lag.worst() == 0.0
