"""From the book to the outbox: groups that are due are judged, and what they should say is stored with what was told, together."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import msgspec

from alerts.links import LinkMaker
from alerts.message import Bases, Message, compose
from alerts.relay.book import Book
from alerts.relay.rows import AlertStore, Flush
from alerts.stages.dedup import Told, Verdict
from alerts.stages.group import Place

BATCH = 25
"""Groups that are judged without a breath of the event loop, and stored in one transaction."""
MAX_WAITING = 10_000
"""Rows of the outbox for one receiver; above it, its groups wait: what is said later is what is so then."""
FULL_S, UNAVAILABLE_S = 60.0, 5.0


class Flusher:
    """Called by the relay, one flush at a time, under the relay's lock."""

    def __init__(self, book: Book, store: AlertStore, links: LinkMaker | None, bases: Bases) -> None:
        self.book, self._store, self._links, self._bases = book, store, links, bases
        self.verdicts: Counter[str] = Counter()
        self.waiting: Counter[str] = Counter()
        """Rows of the outbox by receiver, as last counted and added to since."""

    async def flush(self, now: datetime) -> set[str]:
        """Look at what is due; the receivers that there is something for. Raises StoreUnavailable: it is all due again soon."""
        due = self.book.take_due(now)
        told: set[str] = set()
        for start in range(0, len(due), BATCH):
            batch = due[start : start + BATCH]
            try:
                told |= await self._flush(batch, now)
            except BaseException:
                for place in due[start:]:
                    self.book.later(place, now + timedelta(seconds=UNAVAILABLE_S))
                raise
            await asyncio.sleep(0)
        return told

    async def _flush(self, batch: list[Place], now: datetime) -> set[str]:
        verdicts = {place: verdict for place in batch if (verdict := self._judged(place, now)) is not None}
        after = {place: verdict.after for place, verdict in verdicts.items() if verdict.after is not None}
        keys = [key for place in batch for key in self.book.keys_in(place)]
        forgotten = self.book.finished(keys, after)
        groups = {place: self._without(told, forgotten) for place, told in after.items()}
        messages = await asyncio.to_thread(self._composed, verdicts, now)
        if messages or groups or forgotten:
            await self._store.flush(Flush(messages=messages, groups=list(groups.items()), forgotten=forgotten))
        self._settle(verdicts, groups, forgotten, messages, now)
        return {message.receiver for message in messages}

    def _composed(self, verdicts: dict[Place, Verdict], now: datetime) -> list[Message]:
        return [compose(place, verdict, now, self._links, self._bases) for place, verdict in verdicts.items() if verdict.say]

    def _judged(self, place: Place, now: datetime) -> Verdict | None:
        if self.waiting[place.receiver] >= MAX_WAITING:
            self.book.later(place, now + timedelta(seconds=FULL_S))
            self.verdicts["outbox_full"] += 1
            return None
        return self.book.judge(place, now)

    def _without(self, told: Told, forgotten: list[str]) -> Told:
        kept = tuple(key for key in told.news if key in self.book.alerts and key not in forgotten)
        return msgspec.structs.replace(told, news=kept)

    def _settle(
        self,
        verdicts: dict[Place, Verdict],
        groups: dict[Place, Told],
        forgotten: list[str],
        messages: list[Message],
        now: datetime,
    ) -> None:
        """The store has it: now the book has it too."""
        self.book.told |= groups
        for place, verdict in verdicts.items():
            self.verdicts[verdict.reason.value] += 1
            self.book.later(place, verdict.again_at)
        for key in forgotten:
            self.book.forget(key, now)
        for message in messages:
            self.waiting[message.receiver] += 1
