"""Follows the collector: fetches what became durable, has it interpreted, and feeds it to the programs of this process.

Decided here: how often, and what is done while the collector does not answer: nothing is judged to have happened meanwhile. Each
round tells the cursors that have moved, so that retention over there goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from chargenet.errors import Conflict, StoreUnavailable
from chargenet.events import Fact
from chargenet.model.record import Record
from chargewatch.apart.journal import FarJournal
from chargewatch.apart.line import Line
from chargewatch.apart.wire import NO_BEATS, News
from collector.feed import JournalFeed

log = logging.getLogger(__name__)

ROUND_S = 0.1
"""The shortest time between two rounds: a few hundred records at once cost less than one by one."""
RETRY_S = 2.0

Heard = Callable[[str, datetime], None]


class Follower:
    """`on_beat` hears of heartbeats (None: they are not asked for); `on_registrations` reads the registrations again."""

    def __init__(
        self, line: Line, journal: FarJournal, interpret: Callable[[Record], Fact],
        on_registrations: Callable[[], Awaitable[None]], on_beat: Heard | None = None,
    ) -> None:  # fmt: skip
        self._line, self._journal, self._interpret = line, journal, interpret
        self._on_registrations, self.on_beat = on_registrations, on_beat
        self._position, self._beats, self._registrations = 0, 0, -1
        self.problem: str | None = None
        """Why nothing is heard of the collector, None while it is."""

    def lag(self) -> int:
        """Durable records that are not here yet."""
        return max(0, self._journal.durable_sequence - self._position)

    async def first_contact(self) -> int:
        """The collector's head; waits for it. What is later is followed."""
        while True:
            try:
                news = await self._line.ask("/news", News, query={"after": 2**62, "beats_after": NO_BEATS})
                break
            except StoreUnavailable as error:
                self._silent(error)
                await asyncio.sleep(RETRY_S)
        self._answered()
        self._journal.saw(news.first, news.durable)
        self._position, self._beats, self._registrations = news.durable, news.beats_upto, news.registrations
        return news.durable

    async def run(self, feed: JournalFeed) -> None:
        """Until cancelled. Raises Conflict when the collector's journal is not the one that was followed."""
        while True:
            try:
                await self._tell()
                beats_after = NO_BEATS if self.on_beat is None else self._beats
                news = await self._line.ask("/news", News, query={"after": self._position, "beats_after": beats_after})
            except StoreUnavailable as error:
                self._silent(error)
                await asyncio.sleep(RETRY_S)
                continue
            self._answered()
            await self._registered(news.registrations)
            await self._take(news, feed)
            if not self.lag():  # else the answer was full: what waits over there is fetched at once
                await asyncio.sleep(ROUND_S)

    async def _registered(self, count: int) -> None:
        """Read the registrations again where they changed; SQL that does not answer is asked again in the next round."""
        if count == self._registrations:
            return
        try:
            await self._on_registrations()
        except StoreUnavailable as error:
            log.warning("registrations are not read again yet: %s", error)
        else:
            self._registrations = count

    async def _tell(self) -> None:
        moved, self._journal.moved = self._journal.moved, {}
        if not moved:
            return
        try:
            await self._line.ask("/cursors", type(None), body=moved)
        except StoreUnavailable:
            self._journal.moved = moved | self._journal.moved
            raise

    async def _take(self, news: News, feed: JournalFeed) -> None:
        if news.durable < self._position:
            raise Conflict(
                f"the collector's journal ends at {news.durable}, but {self._position} was followed: it is another one, "
                "or was restored; this process starts anew"
            )
        self._journal.saw(news.first, news.durable)
        if news.records:
            for facts in without_gaps(await asyncio.to_thread(self._facts, news.records)):
                self._position = facts[-1].sequence
                feed.publish(facts, self._position)
        elif news.durable > self._position:  # nothing readable is left of it: damage, or retention
            self._position = news.durable
            feed.publish((), self._position)
        self._beats = news.beats_upto
        if self.on_beat is not None:
            for charge_point_id, at in news.beats:
                self.on_beat(charge_point_id, datetime.fromtimestamp(at, UTC))

    def _facts(self, records: Sequence[Record]) -> list[Fact]:
        return [self._interpret(record) for record in records]

    def _silent(self, error: StoreUnavailable) -> None:
        if self.problem != str(error):
            log.warning("nothing is heard of the collector: %s", error)
        self.problem = str(error)

    def _answered(self) -> None:
        if self.problem is not None:
            log.info("the collector answers again")
        self.problem = None


def without_gaps(facts: Sequence[Fact]) -> list[Sequence[Fact]]:
    """Facts in order, cut where records between them cannot be read: a feed counts on positions in one stretch."""
    cuts = [at for at in range(1, len(facts)) if facts[at].sequence != facts[at - 1].sequence + 1]
    return [facts[start:end] for start, end in pairwise((0, *cuts, len(facts)))]
