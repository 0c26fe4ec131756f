"""A firmware is rolled out over real sockets: canary first, the version in the BootNotification is the proof, then the rest."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from chargenet.clock import SystemClock
from simulator.network import Network
from simulator.scenario import Model, Scenario, Site
from tests.support.platform import RunningPlatform

SPEC = """\
name: new
artifact: eve-2.0.0
target: {all: true}
waves: {sizes: ["2", "rest"], holdout: "1"}
caps: {overall: 10, per_site: "10"}
"""


def scenario() -> Scenario:
    """Six charge points of three protocols with nobody at them."""
    return Scenario(
        charge_points=6,
        sites=tuple(Site(name=f"site {number}") for number in range(3)),
        models=tuple(
            Model(vendor="Alfen", name="Eve", firmware="1.0.0", protocol=protocol)
            for protocol in ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")
        ),
        sessions_per_connector_hour=0.001,
        busy_share=0.0,
        faults_per_charge_point_day=0.0,
    )


UNFETCHED = {"sending", "sent", "downloading"}


def add_firmware(platform: RunningPlatform, folder: Path) -> None:
    """An image whose name is its version, approved."""
    image = folder / "eve-2.0.0.bin"
    image.write_bytes(b"firmware 2.0.0\n" * 1000)
    manifest = folder / "manifest.yaml"
    manifest.write_text(
        f"name: eve-2.0.0\nvendor: Alfen\nmodels: [Eve]\nversion: 2.0.0\nrelease: 2\n"
        f"sha256: {hashlib.sha256(image.read_bytes()).hexdigest()}\n"
    )
    platform.cli("firmware", "add", str(image), "--manifest", str(manifest))
    platform.cli("firmware", "approve", "eve-2.0.0")


async def until(platform: RunningPlatform, rollout_id: str, done: Any) -> dict[str, Any]:
    """The status once `done` is true of it."""
    status: dict[str, Any] = {}
    for _ in range(300):
        status = await asyncio.to_thread(platform.api, "GET", f"/api/v1/rollouts/{rollout_id}")
        if done(status):
            return status
        await asyncio.sleep(0.5)
    raise AssertionError(status)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_canary_is_verified_by_the_version_it_boots_with(tmp_path: Path) -> None:
    """Created, started, sent, fetched by HTTP, installed, rebooted: both canaries are verified, and the rest waits for the soak.

    A kill -9 of the platform meanwhile changes nothing, and no charge point is sent an order twice. (It is killed once they have
    their image: one that cannot fetch it says so while nobody listens, and is tried again hours later.)
    """
    with RunningPlatform(tmp_path / "data") as platform:
        network = Network(scenario(), platform.url, 7, 20.0, SystemClock())
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(network.run())
            await asyncio.sleep(3)
            await asyncio.to_thread(add_firmware, platform, tmp_path)
            file = tmp_path / "rollout.yaml"
            file.write_text(SPEC)
            planned = await asyncio.to_thread(platform.cli, "rollout", "plan", str(file))
            assert [len(wave["charge_points"]) for wave in planned["waves"]] == [2, 3]
            await asyncio.to_thread(platform.cli, "rollout", "create", str(file))
            await asyncio.to_thread(platform.cli, "rollout", "start", "new")
            await until(platform, "new", lambda status: not UNFETCHED & status["counts"].keys() and status["counts"]["queued"] == 3)
            await asyncio.to_thread(platform.kill)
            await asyncio.to_thread(platform.start)
            status = await until(platform, "new", lambda status: status["counts"].get("verified") == 2)
            assert status["state"] == "running" and status["counts"]["queued"] == 3
            paused = await asyncio.to_thread(platform.cli, "rollout", "pause", "new", "--why", "enough for today")
            assert paused["state"] == "paused"
            aborted = await asyncio.to_thread(platform.cli, "rollout", "abort", "new")
            assert aborted["state"] == "aborted"
            history = await asyncio.to_thread(platform.cli, "rollout", "history", "new", "--limit", "1000")
            running.cancel()
        orders = [each["charge_point_id"] for each in history if each["after"] == "sending"]
        assert len(orders) == len(set(orders)) == 2, "nobody was sent an order twice"
