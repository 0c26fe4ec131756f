"""What people do to alerts, by a signed link or by their keys. Decided here: what is acted on, and who is said to have done it.

The program that a notice is from acts (a case is acknowledged as a case) and tells the notice again. What has no owner is changed
here.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from alerts.links import BadLink, Claim, LinkMaker, Purpose, group_digest
from alerts.relay.book import Book
from alerts.relay.silences import silence_for
from alerts.stages.alert import Alert
from alerts.stages.silence import Silence
from chargenet.errors import Conflict, NotFound
from chargenet.model.notice import Notice
from chargenet.ports import Clock

log = logging.getLogger(__name__)

Owner = Callable[[Purpose, Notice, str, str], Awaitable[None]]
"""The program that a notice is from acknowledges or resolves it (by whom, with which note), and tells the notice again."""
BY_LINK = "by a link in a message"


class Changes(Protocol):
    """What of the relay is needed here."""

    @property
    def book(self) -> Book: ...

    async def start(self) -> None: ...

    async def take(self, alerts: Sequence[Alert]) -> int: ...

    async def add_silence(
        self, matchers: Sequence[str], starts_at: datetime, ends_at: datetime, comment: str, who: str
    ) -> Silence: ...


class Seen(msgspec.Struct, frozen=True):
    """What a link is about: what it proves, and the alerts of its group that are open now, with all that is known of them."""

    claim: Claim
    alerts: list[Alert]
    silenced: tuple[str, ...] = ()
    """The matchers of the silence that was made."""

    @property
    def who(self) -> str:
        """As the audit log and the history of a case name the one who pressed the button."""
        return f"link sent to {self.claim.receiver}"


class LinkActions:
    """Of one relay. `links` None: there are no links."""

    def __init__(self, relay: Changes, links: LinkMaker | None, clock: Clock) -> None:
        self._relay, self._links, self._clock = relay, links, clock
        self.owners: dict[str, Owner] = {}

    async def look(self, token: str) -> Seen:
        """What the link would act on; nothing is changed. Raises BadLink, StoreUnavailable."""
        if self._links is None:
            raise BadLink("this platform makes no links")
        claim = self._links.check(token, self._clock.now())
        await self._relay.start()
        book = self._relay.book
        places = [place for place in book.told if group_digest(place.group_key) == claim.group]
        return Seen(claim, [book.whole(alert) for alert in book.told_here(claim.receiver, places)])

    async def act(self, token: str) -> Seen:
        """Do what the link is for, to what is open; as it was before. Raises BadLink, Conflict, StoreUnavailable."""
        seen = await self.look(token)
        if seen.claim.purpose is Purpose.SILENCE:
            return msgspec.structs.replace(seen, silenced=await self._silence(seen))
        for alert in seen.alerts:
            try:
                await self._act(seen.claim.purpose, alert, seen.who, BY_LINK)
            except (Conflict, NotFound) as error:  # somebody else was quicker
                log.info("a link did nothing to %s: %s", alert.key, error)
        return seen

    async def act_on(self, key: str, purpose: Purpose, who: str, note: str) -> tuple[Alert, Alert]:
        """Acknowledge or resolve one alert; as it was and as it is. Raises NotFound, Conflict, StoreUnavailable."""
        await self._relay.start()
        before = self._relay.book.alerts.get(key)
        if before is None or before.is_over:
            raise NotFound("open alert", key)
        before = self._relay.book.whole(before)
        if purpose is Purpose.ACKNOWLEDGE and before.is_acknowledged:
            raise Conflict(f"{before.notice.acknowledged_by or 'somebody'} has this alert in hand already")
        await self._act(purpose, before, who, note)
        after = self._relay.book.alerts.get(key)
        return before, before if after is None else self._relay.book.whole(after)

    async def _silence(self, seen: Seen) -> tuple[str, ...]:
        """A button pressed twice makes one silence."""
        if not seen.alerts:
            return ()
        now = self._clock.now()
        matchers, starts_at, ends_at = silence_for(seen.alerts, now)
        there = (each for each in self._relay.book.silences.values() if each.in_force(now) and each.created_by == seen.who)
        if not any(each.matchers == matchers for each in there):
            await self._relay.add_silence(matchers, starts_at, ends_at, BY_LINK, seen.who)
        return matchers

    async def _act(self, purpose: Purpose, alert: Alert, who: str, note: str) -> None:
        twin = self._relay.book.twin_of(alert)
        notice = twin.notice if twin is not None else alert.notice
        owner = self.owners.get(notice.source)
        if owner is not None:
            await owner(purpose, notice, who, note)
        else:
            await self._change(purpose, self._relay.book.alerts.get(alert.key, alert), who)

    async def _change(self, purpose: Purpose, alert: Alert, who: str) -> None:
        notice, now, change = alert.notice, self._clock.now(), msgspec.structs.replace
        if purpose is Purpose.RESOLVE:
            notice = change(notice, resolved_at=max(now, notice.began_at + datetime.resolution))
        elif notice.acknowledged_at is None:
            notice = change(notice, acknowledged_at=now, acknowledged_by=who)
        await self._relay.take([change(alert, notice=notice, taken_at=now, heard_at=now)])
