"""The relay killed at any step, again and again: every (receiver, group, change) is told once, in order, and what is told is true.

The process dies before or after any call of the store, and before or after any request reaches the receiver. What the store has
survives; everything else is gone. Whoever had something to tell tells it again, as the programs do, until it is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.message import Message
from alerts.notifiers.port import Result
from alerts.relay.rows import Outcome
from alerts.storage.memory import MemoryAlerts
from chargenet.model.notice import Notice
from chargenet.testing import FrozenClock
from tests.support.relay import CONFIG, NOW, Listener, Simulated

KEYS = ("case-1", "case-2", "case-3")
HOURS_OF_PEACE = 3
CRASHES = st.lists(st.integers(1, 40), max_size=12)
"""After so many steps (of the store, or to the receiver) the process dies; then after so many more."""
STEP = st.one_of(
    st.tuples(st.just("turn"), st.sampled_from(KEYS)),
    st.tuples(st.just("wait"), st.sampled_from([5, 40, 400])),
    st.tuples(st.just("receiver"), st.booleans()),
)


class Died(BaseException):
    """kill -9."""


class Fate:
    """Counts steps; dies where it must."""

    def __init__(self, crashes: list[int]) -> None:
        self._left = list(crashes)

    def step(self) -> None:
        if not self._left:
            return
        self._left[0] -= 1
        if self._left[0] == 0:
            self._left.pop(0)
            raise Died


class MortalStore:
    """A store whose process can die before it is called, or after it has done its work and before it can say so."""

    def __init__(self, inner: MemoryAlerts, fate: Fate) -> None:
        self._inner, self._fate = inner, fate

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        work = getattr(self._inner, name)

        async def mortal(*arguments: Any, **named: Any) -> Any:
            self._fate.step()
            done = await work(*arguments, **named)
            self._fate.step()
            return done

        return mortal


class MortalListener(Listener):
    """A receiver that knows ids: a repeat is answered as the first time, and changes nothing."""

    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate
        self.known: dict[str, Message] = {}

    async def send(self, message: Message, now: datetime) -> Result:
        self._fate.step()
        result = await super().send(message, now)
        if result.outcome is Outcome.DELIVERED:
            assert self.known.setdefault(message.message_id, message) == message, "a repeat is word for word the same"
        self._fate.step()
        return result


class Life:
    """One process after another over the same store, and the one receiver."""

    def __init__(self, crashes: list[int]) -> None:
        self.fate = Fate(crashes)
        self.store = MemoryAlerts()
        self.clock = FrozenClock(NOW)
        self.receiver = MortalListener(self.fate)
        self.deaths = 0
        self.untold: list[Notice] = []
        self.born()

    def born(self) -> None:
        self.world = Simulated(CONFIG, MortalStore(self.store, self.fate), self.clock)  # type: ignore[arg-type]  # by getattr
        self.world.relay.dispatchers["night"]._notifier = self.receiver

    async def survive(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it, however often the process dies over it."""
        while True:
            try:
                await work()
                return
            except (Died, BaseExceptionGroup):
                self.deaths += 1
                self.born()

    async def tell(self, notice: Notice) -> None:
        """As a program does: until it is stored."""
        await self.survive(lambda: self.world.relay.tell([notice]))

    async def wait(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            self.clock.advance(min(20.0, end - self.clock.monotonic()))
            await self.survive(self.world.turn)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, min_size=3, max_size=25), crashes=CRASHES)
def test_every_change_is_told_once_and_in_order_whenever_it_dies(steps: list[tuple[str, Any]], crashes: list[int]) -> None:
    """Ids name changes one to one; a group's changes arrive as 1, 2, 3, … without a gap; in the end it believes the truth."""
    asyncio.run(_lived(steps, crashes))


async def _lived(steps: list[tuple[str, Any]], crashes: list[int]) -> None:
    life = Life(crashes)
    is_open: dict[str, Notice] = {}
    for what, value in steps:
        if what == "wait":
            await life.wait(value)
        elif what == "receiver":
            life.receiver.is_up() if value else life.receiver.is_down()
        elif value in is_open:
            await life.tell(life.world.over(is_open.pop(value)))
        else:
            is_open[value] = life.world.notice(value)
            await life.tell(is_open[value])
            life.clock.advance(1)
    life.receiver.is_up()
    await life.wait(HOURS_OF_PEACE * 3600)
    _is_right(life, set(is_open))


def _is_right(life: Life, is_open: set[str]) -> None:
    known = list(life.receiver.known.values())
    changes = [(message.group_key, message.change) for message in known]
    assert len(set(changes)) == len(changes), "two messages for one change"
    for group in {message.group_key for message in known}:
        heard = [change for key, change in changes if key == group]
        assert heard == list(range(1, len(heard) + 1))
    believed: set[str] = set()
    for message in known:
        believed = {item.key for item in message.items if item.resolved_at is None}
    assert believed == is_open
    assert not [row for row in life.store._rows.values() if row.state.value != "delivered"]
    assert {alert.key for alert in life.world.relay.book.alerts.values() if not alert.is_over} == is_open
