"""The life of a simulated network against a server that shares nothing with the collector: sessions, outages, oddities.

Every frame is checked in both directions by the schemas of the PyPI `ocpp` package.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import structs

from chargenet.clock import SystemClock
from chargenet.errors import SettingsError
from simulator.network import Network
from simulator.scenario import Oddities, Outage, demo
from tests.support.independent_server import IndependentServer, independent_server
from tests.support.simulated import POINT, SPEED, booted, one, running, statuses


async def test_a_network_lives() -> None:
    """Mixed charge points of three protocols boot, report, charge and stop; every frame is valid and none is refused."""
    async with running(demo(14), speed=120.0) as (server, network):
        await server.until(lambda: len(server.protocols) == 3 and network.statistics.connected >= 12)
        await server.until(lambda: network.statistics.sessions_stopped >= 3, timeout_s=60)
        await server.until(lambda: any(action == "MeterValues" for _, action, _ in server.calls))
        assert network.statistics.call_errors == network.statistics.timeouts == network.statistics.connect_failures == 0
        assert network.statistics.energy_wh > 0
        assert "/14 connected" in network.statistics.line()


async def test_the_password_is_sent() -> None:
    """With the right password a charge point gets in; with another it is refused, tries again, and counts that as an error."""
    async with running(one(), password="right", given="right") as (server, _):
        await booted(server)
        assert server.refused == 0
    async with running(one(), password="right", given="wrong") as (server, network):
        await server.until(lambda: server.refused >= 2)
        assert network.statistics.connect_failures >= 1
        assert server.calls == []
        assert "wrong" not in repr(network.statistics.problems)


async def test_an_outage_is_told_about_afterwards() -> None:
    """A session goes on while its site is dark; its readings come late, flagged as offline, in order and without a gap."""
    scenario = one("ocpp2.0.1", busy=1.0, outages=(Outage(after_s=240.0, for_s=240.0),))
    async with running(scenario) as (server, network):
        await server.until(lambda: any(event.get("offline") for event in server.said(POINT, "TransactionEvent")))
        await server.until(lambda: network.charge_points[0].waiting == 0 and network.statistics.connects == 2)
        by_transaction: dict[str, list[int]] = {}
        for event in server.said(POINT, "TransactionEvent"):
            by_transaction.setdefault(event["transactionInfo"]["transactionId"], []).append(event["seqNo"])
        assert all(numbers == list(range(len(numbers))) for numbers in by_transaction.values())
        assert len(server.said(POINT, "BootNotification")) == 1


async def test_a_refused_driver_does_not_charge() -> None:
    """A token that the server blocks starts no transaction, and the connector is free again."""
    async with independent_server() as server:
        server.token_status = "Blocked"
        network = Network(one(busy=1.0), f"ws://127.0.0.1:{server.port}/ocpp", 7, SPEED, SystemClock())
        async with asyncio.TaskGroup() as group:
            task = group.create_task(network.run())
            await server.until(lambda: len(server.said(POINT, "Authorize")) == 2)
            await server.until(lambda: dict(statuses(server)) == {1: "Available", 2: "Available"})
            task.cancel()
        assert server.said(POINT, "StartTransaction") == []
        assert network.statistics.sessions_started == 0
        assert server.faults == []


async def test_a_charge_point_survives_the_loss_of_its_server() -> None:
    """When the server drops the connection, the charge point is back by itself without a boot, and tells its statuses again."""
    async with running(one()) as (server, network):
        await booted(server)
        before = len(statuses(server))
        server.connected[POINT].transport.abort()
        await server.until(lambda: network.statistics.connects == 2 and len(statuses(server)) >= before + 2)
        assert len(server.said(POINT, "BootNotification")) == 1


def test_a_wrong_address_is_named() -> None:
    """An address that is none for WebSockets is refused at once, with what it should look like."""
    with pytest.raises(SettingsError, match="ws://"):
        Network(one(), "http://127.0.0.1", 1, 1.0, SystemClock())


def oddly(server: IndependentServer, network: Network, oddity: str) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
    """The charge point that is odd in this way, and its calls."""
    (plan,) = [plan for plan in network.plans if plan.oddity == oddity]
    return plan.charge_point_id, [(action, payload) for who, action, payload in server.calls if who == plan.charge_point_id]


async def test_oddities_show_as_they_do_in_life() -> None:
    """A silent connector charges nothing, a flapping one faults again and again, a wrong clock stays wrong, a backlog is old."""
    odd = Oddities(flapping=1, silent=1, drifting=1, backlog=1)
    scenario = structs.replace(one(busy=1.0, count=4), oddities=odd)
    async with running(scenario) as (server, network):

        def done() -> bool:
            flapping = statuses(server, oddly(server, network, "flapping")[0])
            silent = [payload for action, payload in oddly(server, network, "silent")[1] if action == "StopTransaction"]
            return len(silent) >= 1 and flapping.count((1, "Faulted")) >= 2

        await server.until(done)
        now = datetime.now(UTC)

        silent = oddly(server, network, "silent")[1]
        plugs = {payload["connectorId"]: payload["meterStart"] for action, payload in silent if action == "StartTransaction"}
        stopped = [payload["meterStop"] for action, payload in silent if action == "StopTransaction"]
        assert plugs[1] in stopped

        def lateness_s(oddity: str, action: str) -> list[float]:
            calls = oddly(server, network, oddity)[1]
            said = [datetime.fromisoformat(payload["timestamp"]) for name, payload in calls if name == action]
            return [(now - at).total_seconds() for at in said]

        assert all(-200 < late < -60 for late in lateness_s("drifting", "StatusNotification"))
        assert max(lateness_s("backlog", "StartTransaction")) > 19 * 3600
        assert max(lateness_s("backlog", "StopTransaction")) > 8 * 3600
        assert all(-1 < late < 120 for late in lateness_s("silent", "StatusNotification"))


async def test_the_same_seed_brings_the_same_drivers() -> None:
    """Two runs of one scenario and seed have the same charge points, cars and drivers; another seed has others."""

    async def drivers(seed: int) -> dict[tuple[str, int], str]:
        async with independent_server() as server:
            network = Network(one(busy=1.0, count=3), f"ws://127.0.0.1:{server.port}/ocpp", seed, SPEED, SystemClock())
            async with asyncio.TaskGroup() as group:
                task = group.create_task(network.run())
                await server.until(lambda: sum(action == "StartTransaction" for _, action, _ in server.calls) == 6)
                task.cancel()
            return {
                (who, payload["connectorId"]): f"{payload['idTag']} {payload['meterStart']}"
                for who, action, payload in server.calls
                if action == "StartTransaction"
            }

    first, second, other = await drivers(1), await drivers(1), await drivers(2)
    assert first == second
    assert first != other
