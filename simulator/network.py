"""A simulated network over real WebSockets: `Network(...).run()`. Decided here: who connects when, and which site goes dark."""

from __future__ import annotations

import asyncio
import ssl

from chargenet.ports import Clock
from simulator.charge_point import ChargePoint
from simulator.layout import layout
from simulator.link import Server
from simulator.pace import Pace
from simulator.scenario import Outage, Scenario
from simulator.tally import Statistics


class Network:
    """All charge points of a scenario, in one process.

    `url` is what ids are appended to (ws://host:port/ocpp). `password`: HTTP Basic, the same for all. The same scenario and seed
    give the same charge points, customers and faults. Raises SettingsError for an address that is none.
    """

    def __init__(
        self,
        scenario: Scenario,
        url: str,
        seed: int,
        speed: float,
        clock: Clock,
        *,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.scenario = scenario
        self.plans = layout(scenario, seed)
        self.statistics = Statistics(charge_points=len(self.plans))
        self._pace = Pace(clock, speed)
        server = Server(url=url, password=password, tls=tls)
        self.charge_points = [ChargePoint(plan, scenario, server, self._pace, seed, self.statistics) for plan in self.plans]

    async def run(self) -> None:
        """Live until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for number, point in enumerate(self.charge_points):
                tasks.create_task(point.live(delay_s=number / self.scenario.connects_per_second))
            for site in self.scenario.sites:
                for outage in site.outages:
                    tasks.create_task(self._go_dark(site.name, outage))

    async def _go_dark(self, site: str, outage: Outage) -> None:
        """A site loses its link and gets it back."""
        await self._pace.sleep(outage.after_s)
        there = [point for point in self.charge_points if point.plan.site.name == site]
        for point in there:
            point.go_offline()
        await self._pace.sleep(outage.for_s)
        for point in there:
            point.come_back()
