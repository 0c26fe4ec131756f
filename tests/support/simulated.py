"""Simulated charge points running against the independent server, and what they said to it. Shared by their tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chargenet.clock import SystemClock
from simulator.network import Network
from simulator.scenario import Model, Outage, Scenario, Site
from tests.support.independent_server import IndependentServer, independent_server

SPEED = 60.0
POINT = "SIM-0001"
PROTOCOLS = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")


def one(protocol: str = "ocpp1.6", *, busy: float = 0.0, outages: tuple[Outage, ...] = (), count: int = 1) -> Scenario:
    """One quiet charge point: nobody comes by himself, unless a car is there already."""
    model = {"vendor": "Alfen", "name": "Eve", "connectors": 2, "power_kw": 22.0, "firmware": "1.0.0", "protocol": protocol}
    return Scenario(
        charge_points=count,
        sites=(Site(name="A", outages=outages),),
        models=(Model(**model),),  # type: ignore[arg-type]  # one dictionary of several types
        sessions_per_connector_hour=0.001,
        busy_share=busy,
        faults_per_charge_point_day=0.0,
        dwell_after_full_s=5.0,
    )


@asynccontextmanager
async def running(
    scenario: Scenario, *, password: str | None = None, given: str | None = None, speed: float = SPEED
) -> AsyncIterator[tuple[IndependentServer, Network]]:
    """The network, alive against the server; at the end, no frame may have been wrong."""
    async with independent_server(password=password) as server:
        network = Network(scenario, f"ws://127.0.0.1:{server.port}/ocpp", 7, speed, SystemClock(), password=given)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(network.run())
            try:
                yield server, network
            finally:
                task.cancel()
        assert server.faults == []


async def booted(server: IndependentServer) -> None:
    await server.until(lambda: server.said(POINT, "BootNotification") and len(statuses(server)) >= 2)


def statuses(server: IndependentServer, charge_point_id: str = POINT) -> list[tuple[int, str]]:
    """(connector, status) as reported, in order, in whatever way the protocol has."""
    said = []
    for who, action, payload in server.calls:
        if who != charge_point_id:
            continue
        if action == "StatusNotification":
            said.append((payload.get("evseId") or payload["connectorId"], payload.get("status") or payload["connectorStatus"]))
        for data in payload.get("eventData", ()):
            if data["variable"]["name"] == "AvailabilityState" and "evse" in data["component"]:
                said.append((data["component"]["evse"]["id"], data["actualValue"]))
    return [(connector, status) for connector, status in said if connector]
