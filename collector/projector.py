"""Runs one projection from its cursor for ever. Decided here: batching, back-off and what is reported; not what is projected."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Sequence

from chargenet.errors import Unavailable
from chargenet.events import Fact
from chargenet.ports import Clock, Feed, Journal, Projection

log = logging.getLogger(__name__)

BATCH_WINDOW_S = 0.05
"""Facts are gathered this long between two applications: a store likes one batch of 500 better than 50 of 10."""
BATCH_FACTS = 10_000
ENOUGH_FACTS, LOOK_S = 4_000, 0.1
"""So many facts are a good batch, looked for so often."""

FIRST_RETRY_S, LAST_RETRY_S = 0.5, 30.0


def backoff_s(attempt: int, jitter: float) -> float:
    """Seconds before retry number `attempt` (from 1): doubling from 0.5 to 30, times 0.5 to 1 by `jitter` in [0, 1)."""
    return float(min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** min(attempt - 1, 16)) * (0.5 + jitter / 2))


class Projector:
    """Feeds one projection and keeps its cursor in the journal, so that retention never outruns it."""

    def __init__(
        self, projection: Projection, feed: Feed, journal: Journal, clock: Clock, *, window_s: float = BATCH_WINDOW_S
    ) -> None:
        self.projection = projection
        self._feed, self._journal, self._clock = feed, journal, clock
        self._window_s = window_s
        self.position = 0
        self._current_at = clock.monotonic()
        self.problem: str | None = None
        """Why it waits for its store, None while it does not."""
        self._applied, self._hurried = asyncio.Event(), asyncio.Event()

    def lag(self) -> int:
        """Records that the projection has not seen yet."""
        return max(0, self._feed.head - self.position)

    def lag_s(self) -> float:
        """Seconds since the projection was last up to date; 0 when it is."""
        return 0.0 if self.lag() == 0 else self._clock.monotonic() - self._current_at

    async def start(self) -> None:
        """Find the store's own position; retries while the store is unavailable."""
        attempt = 0
        while True:
            try:
                self.position = await self.projection.position()
                break
            except Unavailable as error:
                attempt += 1
                await self._wait(str(error), attempt)
        self.problem = None
        self._applied.set()
        self._journal.set_cursor(self.projection.name, self.position)

    async def run(self) -> None:
        """Apply facts as they come, until cancelled."""
        await self.start()
        while True:
            await self._apply(await self._feed.next(self.position, BATCH_FACTS))
            await self._gather()

    async def _gather(self) -> None:
        """Let facts gather, until there are so many that the feed would soon have to read them from the journal again."""
        steps = 1 if self._window_s <= LOOK_S else round(self._window_s / LOOK_S)
        for _ in range(steps):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._window_s / steps):
                    await self._hurried.wait()
            if self.lag() >= ENOUGH_FACTS or self._hurried.is_set():
                return

    def hurry(self) -> None:
        """Gather no longer: the process ends, and what is applied now need not be read from the journal again."""
        self._hurried.set()

    async def catch_up(self, target: int) -> None:
        """Apply everything up to `target`, then return; used at start-up and by `rebuild`."""
        while self.position < target:
            await self._apply(await self._feed.next(self.position))

    async def wait_for(self, sequence: int) -> None:
        """Return once the projection has seen `sequence`."""
        while self.position < sequence:
            self._applied.clear()
            await self._applied.wait()

    async def _apply(self, facts: Sequence[Fact]) -> None:
        upto = facts[-1].sequence
        attempt = 0
        while True:
            try:
                await self.projection.apply(facts, upto)
                break
            except Unavailable as error:
                attempt += 1
                await self._wait(str(error), attempt)
            # A fault of a read model, or a record that it cannot bear, must not end what acknowledges: it is shown, the cursor
            # stays (nothing is skipped), and a version that can goes on from there.
            except Exception as error:
                attempt += 1
                problem = f"failed at records {facts[0].sequence} to {upto}: {type(error).__name__}; the log has it"
                if self.problem != problem:
                    log.error("projection %s failed", self.projection.name, exc_info=error)
                await self._wait(problem, attempt)
        if self.problem:
            log.info("projection %s is writing again", self.projection.name)
        self.position, self.problem = upto, None
        self._journal.set_cursor(self.projection.name, upto)
        self._applied.set()
        if self.lag() == 0:
            self._current_at = self._clock.monotonic()

    async def _wait(self, problem: str, attempt: int) -> None:
        if self.problem != problem:
            log.warning("projection %s waits: %s", self.projection.name, problem)
        self.problem = problem
        # Jitter only spreads load; nothing is derived from it.
        await asyncio.sleep(backoff_s(attempt, random.random()))  # noqa: S311
