"""From the outbox to one receiver. Decided here: what is sent next, when it is tried again, and when it is given up.

In order per group: only the oldest row of a group is ever on its way. A row is done when the store says so, so that a crash repeats
an attempt instead of losing it; the message's id lets the receiver see the repeat.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from alerts.message import MAX_TITLE, cut
from alerts.notifiers.port import MAX_DETAIL, Notifier, Result
from alerts.relay.breaker import Breaker, backoff_s
from alerts.relay.rows import AlertStore, Delivery, Outcome, State, Waiting
from alerts.stages.dedup import Status
from chargenet.errors import Unavailable
from chargenet.ports import Clock

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Groups that are on their way to one receiver at the same time."""
STORE_RETRY_S = 2.0
IDLE_S = 60.0
_STATES = {
    Outcome.DELIVERED: State.DELIVERED,
    Outcome.RETRY: State.WAITING,
    Outcome.REFUSED: State.REFUSED,
    Outcome.GIVEN_UP: State.GIVEN_UP,
}
Told = Callable[[Delivery], None]


class Dispatcher:
    """Of one receiver. `random` gives numbers in [0, 1); `told` hears of every attempt, once it is in the log."""

    def __init__(
        self, receiver: str, notifier: Notifier, store: AlertStore, clock: Clock, give_up_after_s: float,
        random: Callable[[], float], told: Told,
    ) -> None:  # fmt: skip
        self.receiver = receiver
        self.breaker = Breaker()
        self._notifier, self._store, self._clock = notifier, store, clock
        self._give_up_after = timedelta(seconds=give_up_after_s)
        self._random, self._told = random, told
        self._news = asyncio.Event()

    def hurry(self) -> None:
        """There is something new in the outbox."""
        self._news.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._news.clear()
            try:
                again_at = await self.step()
            except Unavailable as error:
                log.warning("deliveries to %s wait: %s", self.receiver, error)
                await asyncio.sleep(STORE_RETRY_S)
                continue
            wait_s = IDLE_S if again_at is None else (again_at - self._clock.now()).total_seconds()
            try:
                async with asyncio.timeout(min(IDLE_S, max(0.0, wait_s))):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def step(self) -> datetime | None:
        """Send what may be sent now; when to look again, None: when there is something new. Raises StoreUnavailable."""
        while True:
            now = self._clock.now()
            paused_until = self.breaker.closed_until(now)
            if paused_until is not None:
                return paused_until
            heads = await self._store.heads(self.receiver, now, 1 if self.breaker.is_open else AT_ONCE)
            if not heads:
                return await self._store.next_due(self.receiver)
            async with asyncio.TaskGroup() as tasks:
                for head in heads:
                    tasks.create_task(self._attempt(head))

    async def _attempt(self, waiting: Waiting) -> None:
        now, began = self._clock.now(), self._clock.monotonic()
        try:
            result = await self._notifier.send(waiting.message, now)
        # A fault of ours, or of a client library, must not end the deliveries of others: it is logged, shown and tried again.
        except Exception as error:
            log.error("delivery to %s failed", self.receiver, exc_info=error)
            result = Result(outcome=Outcome.RETRY, detail=f"{type(error).__name__} on our side; the log has it")
        now = self._clock.now()
        duration_ms = round((self._clock.monotonic() - began) * 1000)
        recovered = self._feel(result, now)
        delivery, next_attempt_at = self._judged(waiting, result, now, duration_ms)
        await self._record(delivery, next_attempt_at)
        if recovered:
            await self._store.hurry(self.receiver, now)

    def _feel(self, result: Result, now: datetime) -> bool:
        if result.answered:
            return self.breaker.answered()
        self.breaker.failed(now, result.retry_after_s)
        return False

    def _judged(self, waiting: Waiting, result: Result, now: datetime, duration_ms: int) -> tuple[Delivery, datetime]:
        message, attempt = waiting.message, waiting.attempts + 1
        delay_s = max(backoff_s(attempt, self._random()), result.retry_after_s or 0.0)
        next_attempt_at = now + timedelta(seconds=delay_s)
        outcome = result.outcome
        too_old = next_attempt_at - waiting.created_at > self._give_up_after
        if outcome is Outcome.RETRY and (too_old or message.status == Status.TEST):
            outcome = Outcome.GIVEN_UP
        delivery = Delivery(
            outbox_id=waiting.outbox_id, message_id=message.message_id, receiver=self.receiver, group_key=message.group_key,
            change=message.change, status=message.status, reason=message.reason, title=cut(message.title, MAX_TITLE),
            attempt=attempt, at=now, outcome=outcome, http_status=result.http_status, duration_ms=duration_ms,
            detail=cut(result.detail, MAX_DETAIL),
        )  # fmt: skip
        return delivery, next_attempt_at

    async def _record(self, delivery: Delivery, next_attempt_at: datetime) -> None:
        """Until it is stored: to forget a delivery would be to deliver twice."""
        while True:
            try:
                await self._store.attempted(delivery, _STATES[Outcome(delivery.outcome)], next_attempt_at)
                break
            except Unavailable as error:
                log.warning("a delivery to %s is not logged yet: %s", self.receiver, error)
                await asyncio.sleep(STORE_RETRY_S)
        if delivery.outcome in (Outcome.REFUSED, Outcome.GIVEN_UP):
            log.error("%s did not get %s (%s): %s", delivery.receiver, delivery.message_id, delivery.outcome, delivery.detail)
        self._told(delivery)
