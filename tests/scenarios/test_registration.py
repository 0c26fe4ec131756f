"""Who may be here: the policies for unknown charge points, approval, and blocking."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
import websockets
from ocpp.v16 import call

from tests.support.peer import items, peer, request, settled
from tests.support.platform import RunningPlatform

BOOT = call.BootNotification(charge_point_vendor="ACME", charge_point_model="W")


def platform_with(tmp_path_factory: pytest.TempPathFactory, policy: str) -> AbstractContextManager[RunningPlatform]:
    folder = tmp_path_factory.mktemp(policy)
    settings = folder / "settings.toml"
    settings.write_text(
        f'[collector]\nunknown_charge_points = "{policy}"\nboot_retry_s = 40\nheartbeat_interval_s = 900\njitter = 0\n'
    )
    return RunningPlatform(folder / "data", "--config", str(settings))


@pytest.fixture(scope="module")
def accepting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with platform_with(tmp_path_factory, "accept") as running:
        yield running


@pytest.fixture(scope="module")
def pending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with platform_with(tmp_path_factory, "pending") as running:
        yield running


@pytest.fixture(scope="module")
def rejecting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with platform_with(tmp_path_factory, "reject") as running:
        yield running


async def refusal(url: str, name: str) -> int:
    """The HTTP status that its upgrade gets."""
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with peer(url, name):
            pass
    return refused.value.response.status_code


async def listed_as_pending(platform: RunningPlatform, search: str, count: int, within_s: float) -> None:
    """Wait until so many of these are listed for approval."""
    async with asyncio.timeout(within_s):
        while len(await items(platform, "charge-points", registration="Pending", search=search)) < count:  # noqa: ASYNC110 another process
            await asyncio.sleep(0.05)


async def test_accept_lets_everybody_in(accepting: RunningPlatform) -> None:
    """The policy of a first run on loopback."""
    async with peer(accepting.url, "NEW") as point:
        booted = await point.call(BOOT)
        assert (booted.status, booted.interval) == ("Accepted", 900)


async def test_pending_waits_for_a_person(pending: RunningPlatform) -> None:
    """It is told to wait and listed for approval; once approved, its next boot is accepted. What it said meanwhile is kept."""
    async with peer(pending.url, "NEW") as point:
        booted = await point.call(BOOT)
        assert (booted.status, booted.interval) == ("Pending", 40)
        await point.call(call.StatusNotification(connector_id=1, error_code="NoError", status="Available"))
        await listed_as_pending(pending, "NEW", 1, within_s=3)  # an operator who stands beside it must not wait for some refresh
        (listed,) = await asyncio.to_thread(pending.cli, "charge-points", "list", "--registration", "Pending", "--search", "NEW")
        assert listed["charge_point_id"] == "NEW"
        assert (await point.call(BOOT)).status == "Pending"
        await asyncio.to_thread(pending.cli, "charge-points", "approve", "NEW")
        booted = await point.call(BOOT)
        assert (booted.status, booted.interval) == ("Accepted", 900)
        assert await items(pending, "charge-points", registration="Pending", search="NEW") == []
        await settled(pending)
        (connector,) = await items(pending, "connectors", charge_point="NEW")
        assert connector["status"] == "Available"
    async with peer(pending.url, "NEW") as point:
        assert (await point.call(BOOT)).status == "Accepted", "and stays so"


async def test_many_newcomers_are_all_listed(pending: RunningPlatform) -> None:
    """A site that comes up at once."""
    names = [f"SITE-{number:02d}" for number in range(20)]

    async def come(name: str) -> None:
        async with peer(pending.url, name) as point:
            assert (await point.call(BOOT)).status == "Pending"

    await asyncio.gather(*map(come, names))
    await listed_as_pending(pending, "SITE-", len(names), within_s=5)


async def test_reject_lets_nobody_in_who_is_not_registered(rejecting: RunningPlatform) -> None:
    """404 before it was added, a connection after."""
    assert await refusal(rejecting.url, "NEW") == 404
    await asyncio.to_thread(rejecting.cli, "charge-points", "add", "NEW", "--note", "north gate")
    async with peer(rejecting.url, "NEW") as point:
        assert (await point.call(BOOT)).status == "Accepted"


@pytest.mark.parametrize("by", ["api", "cli"])
async def test_a_blocked_charge_point_is_cut_off_at_once(accepting: RunningPlatform, by: str) -> None:
    """Its connection is closed and it does not come back, until it is approved again."""
    name = f"BAD-{by}"
    async with peer(accepting.url, name) as point, peer(accepting.url, "GOOD") as neighbour:
        assert (await point.call(BOOT)).status == "Accepted"
        await settled(accepting)
        if by == "api":
            status, _ = await request(accepting, "POST", f"/api/v1/charge-points/{name}/block")
            assert status == 200
        else:
            await asyncio.to_thread(accepting.cli, "charge-points", "block", name)
        assert await point.is_closed() == (1008, "blocked")
        assert (await neighbour.call(call.Heartbeat())).current_time
    assert await refusal(accepting.url, name) == 403
    status, outcome = await request(accepting, "POST", f"/api/v1/charge-points/{name}/calls", json={"action": "ClearCache"})
    assert (status, outcome["outcome"]["status"]) == (409, "not_connected")
    await asyncio.to_thread(accepting.cli, "charge-points", "approve", name)
    async with peer(accepting.url, name) as point:
        assert (await point.call(BOOT)).status == "Accepted"
