"""The alerts program over fakes, for one night: what charge points say, what is judged, who is told, and a restart in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from alerts.app import Alerts, AlertSettings
from alerts.case import Case
from alerts.storage.cases_memory import MemoryCases
from chargenet import events as e
from chargenet.events import Event, Fact
from chargenet.model.ids import IdToken
from chargenet.model.notice import Notice
from chargenet.model.standstill import STILL_S
from chargenet.testing import FrozenClock, MemoryJournal, MemoryStores
from tests.support.api import ListFeed
from tests.support.tale import began, ended


class Relay:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    async def tell(self, notices: Sequence[Notice]) -> None:
        self.notices += notices


class LivedClock(FrozenClock):
    """Time that the program lives through: it beats as it passes."""

    def __init__(self) -> None:
        super().__init__()
        self.alerts: Alerts | None = None

    def advance(self, seconds: float) -> None:
        """Move both clocks forward, in steps that are no standstill."""
        for _ in range(int(seconds // STILL_S)):
            super().advance(STILL_S)
            self._beat()
        super().advance(seconds % STILL_S)
        self._beat()

    def _beat(self) -> None:
        if self.alerts is not None:
            self.alerts.standstills.beat(self.now(), self.monotonic())


class Night:
    """Time moves when told to."""

    def __init__(self, settings: AlertSettings | None = None) -> None:
        self.settings = settings or AlertSettings()
        self.clock, self.feed, self.journal, self.store = LivedClock(), ListFeed(), MemoryJournal(), MemoryCases()
        self.relay = Relay()
        self.last_frames: dict[str, datetime] = {}
        self.alerts = self.made()
        self._transactions = 0
        self._registers: dict[tuple[str, int], int] = {}

    def made(self) -> Alerts:
        """A new process on the same stores."""
        return Alerts(
            self.feed, self.journal, self.clock, MemoryStores(), self.store, self.relay, lambda name: "A", self.last_frames,
            self.settings,
        )  # fmt: skip

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Alerts]:
        """One process, from its start to its kill: nothing is stored at the end that was not before."""
        self.alerts = self.clock.alerts = self.made()
        task = asyncio.ensure_future(self.alerts.run())
        await asyncio.sleep(0.05)
        try:
            yield self.alerts
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def say(self, charge_point_id: str, *events: Event) -> int:
        """One record; its sequence."""
        sequence = self.feed.head + 1
        self.feed.put(Fact(sequence, self.clock.now(), charge_point_id, 1, "ocpp1.6", "", events))
        return sequence

    def session(self, charge_point_id: str, energy_wh: int, *, connector: int = 1, minutes: float = 2) -> int:
        """A driver nobody knows comes, and leaves with so much; the last record of it."""
        self._transactions += 1
        name = str(self._transactions)
        token = IdToken(f"04{self._transactions:06d}")
        register_wh = self._registers.get((charge_point_id, connector), 1_000_000)
        self._registers[charge_point_id, connector] = register_wh + energy_wh
        start = began(name, connector=connector, register_wh=register_wh, id_token=token, token_status="Accepted")
        self.say(charge_point_id, start)
        self.clock.advance(minutes * 60)
        return self.say(charge_point_id, ended(name, connector=connector, register_wh=register_wh + energy_wh))

    def boot(self, charge_point_id: str) -> None:
        """It connects and says what it is."""
        about = e.ChargePointBooted(
            vendor="Acme", model="One", serial_number=None, firmware_version="1.0", registration="Accepted", reason=None
        )
        self.say(charge_point_id, e.ConnectionOpened(remote="10.0.0.1"), about)

    async def taken_in(self) -> None:
        """Everything said is known, and nobody is silent: heartbeats come in between."""
        self.last_frames.update({fact.charge_point_id: self.clock.now() for fact in self.feed.facts})
        while self.alerts.loop.lag():  # noqa: ASYNC110 - the loop tells nobody when it is level
            await asyncio.sleep(0.01)

    async def judged(self) -> None:
        """Everything said is taken in, judged, told and stored."""
        await self.taken_in()
        loop = self.alerts.loop
        for step in (loop._points, loop._sweep, loop._statistics, loop._told, loop._checkpoint):
            await step()

    async def cases(self, kind: str | None = None) -> list[Case]:
        """All cases, of this kind."""
        return list((await self.store.cases(kind=kind)).items)
