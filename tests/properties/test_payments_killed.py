"""The platform killed at every step of a payment: between storing, sending, being done and being answered. Nobody pays twice.

Exhaustive and not sampled: each story is told once without a death, its steps are counted, and then it is told again with a death
at each of them, and at each two of them that are near. What the store and the gateway have survives; everything else is gone.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from billing_reports.payments.facts import Chargeable, Owed
from billing_reports.payments.memory import MemoryGateway
from billing_reports.payments.payment import PaymentState
from billing_reports.storage.payments_memory import MemoryPayments
from tests.support.payments import DAY_S, World, method, payment

_ASKS = ("open", "confirm", "capture", "cancel", "refund", "look")
_WRITES = ("add", "save", "set_position", "take_event")


class Died(BaseException):
    """kill -9."""


class Fate:
    """Counts steps; dies at those that it was told."""

    def __init__(self, deaths: tuple[int, ...] = ()) -> None:
        self._deaths, self.steps = deaths, 0

    def step(self) -> None:
        self.steps += 1
        if self.steps in self._deaths:
            raise Died


class Mortal:
    """Something outside the process: it may die before the call, or after it was done and before it hears of it."""

    def __init__(self, inner: Any, fate: Fate, names: tuple[str, ...]) -> None:
        self._inner, self._fate, self._names = inner, fate, names

    def __getattr__(self, name: str) -> Any:
        work = getattr(self._inner, name)
        if name not in self._names:
            return work

        async def mortal(*arguments: Any, **named: Any) -> Any:
            self._fate.step()
            done = await work(*arguments, **named)
            self._fate.step()
            return done

        return mortal


class Life:
    """One process after another, over one store and one gateway."""

    def __init__(self, fate: Fate) -> None:
        self.bank, self.kept = MemoryGateway(), MemoryPayments()
        self.world = World(Mortal(self.bank, fate, _ASKS), Mortal(self.kept, fate, _WRITES))
        self.forgets = False

    async def ticks(self, count: int, seconds: float) -> None:
        """Rounds, however often the process dies over them; `forgets`: a day goes by after each death, and keys with it."""
        for _ in range(count):
            self.world.clock.advance(seconds)
            await self.survive(self.world.runner.tick)

    async def survive(self, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await work()
                return
            except* Died:
                self.world.born()
                if self.forgets:
                    self.bank.forget_keys()
                    self.world.clock.advance(1.5 * DAY_S)
                work = self.world.runner.tick

    def moved(self) -> list[tuple[str, int]]:
        return [(each.what, each.amount) for each in self.bank.moved]


async def a_session(life: Life) -> None:
    """Held, captured by its CDR, and corrected downwards: a part goes back."""
    books = life.world.books
    books.known["hold-1"] = Owed(used=True, waiting_for="the session runs")
    await life.kept.add(payment(method="pm_card"))
    await life.ticks(2, 300)
    life.world.owes("hold-1", 1234)
    await life.ticks(3, 1800)
    life.world.owes("hold-1", 1000)
    books.tokens.append("t1")
    await life.ticks(3, 1800)


async def a_statement(life: Life) -> None:
    """Charged when it is final, and paid back whole by its credit note."""
    books = life.world.books
    books.known["charge-s1"] = Owed(due=2000, used=True, method=method())
    books.statements = [
        Chargeable(statement_id="s1", number="ST-1", customer_id="anna", currency="EUR", payable=2000, gateway_customer="cus_1")
    ]
    await life.ticks(3, 1800)
    life.world.owes("charge-s1", 0)
    books.notes.append((life.world.clock.now(), "s1-CN", "s1"))
    await life.ticks(3, 1800)


async def a_declined_statement(life: Life) -> None:
    """Declined, then paid by another card three days later."""
    books = life.world.books
    books.known["charge-s1"] = Owed(due=2000, used=True, method=method("pm_declined"))
    books.statements = [
        Chargeable(statement_id="s1", number="ST-1", customer_id="anna", currency="EUR", payable=2000, gateway_customer="cus_1")
    ]
    await life.ticks(2, 1800)
    books.known["charge-s1"] = Owed(due=2000, used=True, method=method("pm_card"))
    await life.ticks(6, DAY_S)


STORIES: dict[str, tuple[Callable[[Life], Awaitable[None]], list[tuple[str, int]], PaymentState]] = {
    "session": (a_session, [("held", 5000), ("charged", 1234), ("refunded", 234)], PaymentState.PAID),
    "statement": (a_statement, [("charged", 2000), ("refunded", 2000)], PaymentState.REFUNDED),
    "declined": (a_declined_statement, [("charged", 2000)], PaymentState.PAID),
}


async def told(name: str, deaths: tuple[int, ...], *, forgets: bool = False) -> tuple[Life, Fate]:
    """A story, with deaths at these steps."""
    fate = Fate(deaths)
    life = Life(fate)
    life.forgets = forgets
    await STORIES[name][0](life)
    return life, fate


@pytest.mark.parametrize("name", STORIES)
async def test_killed_at_any_step_money_moves_once(name: str) -> None:
    """A death at every step, and at any two within twelve steps: money moves once, and the payment ends as it should."""
    _, wanted, state = STORIES[name]
    whole, fate = await told(name, ())
    assert whole.moved() == wanted, "the story itself"
    assert fate.steps > 20
    singles = [(step,) for step in range(1, fate.steps + 1)]
    pairs = [pair for pair in itertools.combinations(range(1, fate.steps + 1), 2) if pair[1] - pair[0] <= 12]
    for deaths in (*singles, *pairs):
        life, _ = await told(name, deaths)
        assert life.moved() == wanted, deaths
        [kept] = (await life.kept.page()).items
        assert (kept.state, kept.stuck, kept.pending) == (state, "", None), deaths


@pytest.mark.parametrize("name", ["statement", "declined"])
async def test_killed_for_longer_than_keys_live_nobody_is_charged_twice(name: str) -> None:
    """After each death the gateway has forgotten every key: a charge happens once all the same, a refund at most once."""
    _, wanted, _ = STORIES[name]
    _, fate = await told(name, ())
    for step in range(1, fate.steps + 1):
        life, _ = await told(name, (step,), forgets=True)
        moved = life.moved()
        assert moved in (wanted, wanted[:1]), step
        [kept] = (await life.kept.page()).items
        assert moved == wanted or kept.stuck, f"{step}: what is not known is told to a person"
