"""What a charge point still has to tell. Decided here: order is kept, durable reports wait out an outage, memory is bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from simulator.reports import Metered, Report

LIMIT = 1000


class Item:
    """One report on its way. `answer` is set by the pump: the result's payload, or None when there will be none."""

    __slots__ = ("answer", "attempts", "report")

    def __init__(self, report: Report, answer: asyncio.Future[dict[str, Any] | None] | None = None) -> None:
        self.report, self.answer, self.attempts = report, answer, 0

    def settle(self, result: dict[str, Any] | None) -> None:
        """Tell whoever waits."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(result)


class Outbox:
    """First in, first out. When full, the oldest reading goes first, as real charge points do it; then the oldest of all."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._items: deque[Item] = deque()
        self._limit = limit
        self._filled = asyncio.Event()
        self.lost = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        """Add at the end."""
        if len(self._items) >= self._limit:
            self._make_room()
        self._items.append(item)
        self._filled.set()

    def put_back(self, item: Item) -> None:
        """It could not be delivered: it is next again."""
        self._items.appendleft(item)
        self._filled.set()

    async def get(self, timeout_s: float) -> Item | None:
        """The next item; None when there is none for so long."""
        if not self._items:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._filled.wait()
            except TimeoutError:
                return None
        item = self._items.popleft()
        if not self._items:
            self._filled.clear()
        return item

    def forget_passing(self) -> None:
        """The connection is gone: whatever does not survive that is dropped."""
        kept = [item for item in self._items if item.report.durable]
        for item in self._items:
            if not item.report.durable:
                item.settle(None)
        self._items = deque(kept)
        if not kept:
            self._filled.clear()

    def _make_room(self) -> None:
        self.lost += 1
        for index, item in enumerate(self._items):
            if isinstance(item.report, Metered):
                item.settle(None)
                del self._items[index]
                return
        self._items.popleft().settle(None)
