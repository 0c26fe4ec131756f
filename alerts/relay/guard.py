"""The dead man's switches. Decided here: when silence is a sign.

Alertmanager should send its Watchdog alert: when it stops, `Expected` says so. The relay's own loop should turn: when it does not,
because it hangs or its store is gone, a thread beside it tells the receivers named for that, without loop and store.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from alerts.config.model import Receiver, Watchdog
from alerts.message import Item, Message, message_id
from alerts.notifiers.choose import notifier
from alerts.notifiers.http import Door
from alerts.relay.rows import Outcome
from alerts.stages.dedup import Reason, Status
from alerts.stages.group import Place
from chargenet.model.notice import Notice, Severity
from chargenet.model.standstill import STILL_S, Standstills
from chargenet.ports import Clock

log = logging.getLogger(__name__)

KEY = "relay/watchdog"
_GROUP = "relay:wedged"


class Expected:
    """Is Alertmanager still there? Pure. It has the whole time from the start on, less what this process could not hear of it."""

    def __init__(self, watchdog: Watchdog, now: datetime, standstills: Standstills) -> None:
        self._watchdog, self._standstills = watchdog, standstills
        self.heard_at: datetime | None = None
        self._since = now

    def heard(self, now: datetime) -> None:
        """The Watchdog alert came."""
        self.heard_at = self._since = now

    def notice(self, now: datetime, is_open: bool) -> Notice | None:
        """What should be told now, given whether its silence is told already."""
        within_s = self._watchdog.expect_within_s
        if within_s is None:
            return self._notice(now, over=True) if is_open else None
        silent = (now - self._since).total_seconds() - self._standstills.between_instants(self._since, now) > within_s
        return self._notice(now, over=not silent) if silent != is_open else None

    def _notice(self, now: datetime, *, over: bool) -> Notice:
        last = self.heard_at.strftime("last at %Y-%m-%d %H:%M UTC") if self.heard_at else "never since this start"
        text = (
            f"The alert {self._watchdog.alert} should come all the time and shows that alerts can get through. It came {last}.\n"
            "Until it comes again, nothing that Prometheus finds is told. Look at Prometheus, then at Alertmanager, then at the "
            "network between them and here."
        )
        return Notice(
            key=KEY, source="relay", kind="AlertmanagerSilent", severity=Severity.CRITICAL, title="Alertmanager has gone silent",
            text=text, labels={}, began_at=self._since, resolved_at=now if over else None,
        )  # fmt: skip


class Guard:
    """A thread that watches the relay. `open_door` makes a door of the thread's own; `stop` lets it end."""

    def __init__(self, watchdog: Watchdog, receivers: Sequence[Receiver], clock: Clock, open_door: Callable[[], Door]) -> None:
        self._after_s, self._receivers, self._clock, self._open_door = watchdog.wedged_after_s, receivers, clock, open_door
        self._last = clock.monotonic()
        self._problem = "its event loop does not turn"
        self._told = False
        self._change = 0
        self._untold: list[tuple[Receiver, Message]] = []
        """What is tried again at every look, until it is taken or something else is so."""
        self._ended = threading.Event()

    def turned(self) -> None:
        """The relay did its work."""
        self._last, self._problem = self._clock.monotonic(), "its event loop does not turn"

    def hindered(self, problem: str) -> None:
        """The relay could not do its work, and says why."""
        self._problem = problem

    def start(self) -> None:
        """Nothing to watch for where nobody would be told."""
        if self._receivers:
            threading.Thread(target=self._watch, name="alert relay guard", daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def _watch(self) -> None:
        every_s = min(5.0, self._after_s / 4)
        while True:
            began = self._clock.monotonic()
            if self._ended.wait(every_s):
                return
            self.woke(self._clock.monotonic() - began - every_s)
            self.look()

    def woke(self, late_s: float) -> None:
        """This thread slept for so much longer than it meant to: where the whole process stood still, the loop is not to blame."""
        if late_s > STILL_S:
            self._last += late_s

    def look(self) -> None:
        """Tell when the relay stands still, and when it moves again. Blocking."""
        still_s = self._clock.monotonic() - self._last
        stuck = still_s > self._after_s
        if stuck != self._told:
            self._told = stuck
            self._change += 1
            self._untold = [(receiver, self._message(receiver.name, stuck, still_s)) for receiver in self._receivers]
        if self._untold:
            asyncio.run(self._tell())

    async def _tell(self) -> None:
        door = self._open_door()
        waiting = []
        try:
            for receiver, message in self._untold:
                result = await notifier(receiver, door).send(message, self._clock.now())
                level = logging.WARNING if result.outcome is Outcome.DELIVERED else logging.ERROR
                log.log(level, "told %s: %s (%s)", receiver.name, message.title, result.outcome)
                if result.outcome is Outcome.RETRY:
                    waiting.append((receiver, message))
        finally:
            await door.close()
        self._untold = waiting

    def _message(self, receiver: str, stuck: bool, still_s: float) -> Message:
        now = self._clock.now()
        place = Place(receiver, _GROUP)
        title = "The alert relay stands still: nothing is told" if stuck else "Over: the alert relay works again"
        text = f"{title}.\nIt has not worked for {still_s:.0f} s: {self._problem}." if stuck else f"{title}."
        item = Item(
            key=_GROUP, source="relay", kind="AlertRelayWedged", severity=Severity.CRITICAL, title=title, text=text,
            labels={"kind": "AlertRelayWedged"}, began_at=now - timedelta(seconds=still_s), resolved_at=None if stuck else now,
        )  # fmt: skip
        return Message(
            message_id=message_id(place, self._change, now), receiver=receiver, group_key=_GROUP, change=self._change,
            status=Status.FIRING if stuck else Status.RESOLVED, reason=Reason.FIRST if stuck else Reason.OVER,
            severity=Severity.CRITICAL, title=title, text=text, labels=item.labels, began_at=item.began_at, created_at=now,
            items=(item,),
        )  # fmt: skip
