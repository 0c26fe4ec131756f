"""Sixty simulated charge points, a running platform, a webhook that listens, and images to roll out. For scenarios of rollouts."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from chargenet.clock import SystemClock
from simulator.charge_point import ChargePoint
from simulator.image import Troubles, make_image
from simulator.layout import Conduct
from simulator.network import Network
from simulator.scenario import Model, Scenario, Site
from tests.support.deliveries import until
from tests.support.platform import RunningPlatform
from tests.support.servers import free_port

SPEED = 120.0
COUNT, SITES = 60, 20
ARMOUR = "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----"
"""The makers' signatures are opaque to a platform: it sends them as they are."""
BAD = Troubles(faults_per_day=500, offline_per_day=100, offline_s=900, failed_sessions=0.5)
ALERTS = """\
[route]
receivers = ["night"]
group_by = ["rollout", "kind"]
group_wait_s = 0

[receivers.night]
type = "webhook"
url = "http://127.0.0.1:{port}/hook"
secret = "whsec_QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD"
"""
FORMS = ("plain", "signed", "ocpp2.0.1", "ocpp2.1")


def model(form: str) -> Model:
    """Four kinds of one product: the forms of an update order that OCPP has."""
    protocol = {"ocpp2.0.1": "ocpp2.0.1", "ocpp2.1": "ocpp2.1"}.get(form, "ocpp1.6")
    updates = form if form in ("plain", "signed") else "both"
    return msgspec.convert({"vendor": "Alfen", "name": "Eve", "firmware": "1.0.0", "protocol": protocol, "updates": updates}, Model)


def scenario(faults_per_day: float) -> Scenario:
    """Nobody comes to charge unless a test says so; what breaks down breaks down by chance."""
    return Scenario(
        charge_points=COUNT,
        sites=tuple(Site(name=f"site {number}") for number in range(SITES)),
        models=tuple(model(form) for form in FORMS),
        sessions_per_connector_hour=1e-6,
        busy_share=0.0,
        faults_per_charge_point_day=faults_per_day,
    )


class RolloutNetwork:
    """What a scenario needs of it all."""

    def __init__(self, platform: RunningPlatform, network: Network, folder: Path) -> None:
        self.platform, self.network, self.folder = platform, network, folder
        self.points: dict[str, ChargePoint] = {point.charge_point_id: point for point in network.charge_points}
        self.told: list[dict[str, Any]] = []
        """Data of the webhook's messages."""

    async def api(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return await asyncio.to_thread(self.platform.api, method, f"/api/v1/{path}", json=body)

    def refused(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, str]:
        """Status and sentence of a call that is not carried out. Blocking."""
        headers = {"Authorization": f"Bearer {self.platform.key}"}
        url = f"http://127.0.0.1:{self.platform.http_port}/api/v1/{path}"
        answer = httpx.request(method, url, headers=headers, json=body, timeout=30)
        return answer.status_code, answer.json()["detail"]

    async def cli(self, *arguments: str) -> Any:
        return await asyncio.to_thread(self.platform.cli, *arguments)

    async def add_firmware(self, version: str, release: int, troubles: Troubles = Troubles(), **manifest: Any) -> str:  # noqa: B008 - a value
        """An image with its manifest, added and approved; its id."""
        name, image = f"eve-{version}", make_image(version, troubles)
        given = {
            "name": name, "vendor": "Alfen", "models": ["Eve"], "version": version, "release": release,
            "sha256": hashlib.sha256(image).hexdigest(), "signature": base64.b64encode(b"opaque").decode(),
            "signing_certificate": ARMOUR,
        }  # fmt: skip
        files = {"manifest": ("manifest.json", json.dumps(given | manifest)), "file": (f"{name}.bin", image)}
        await asyncio.to_thread(self.platform.api, "POST", "/api/v1/firmware", files=files)
        await self.api("POST", f"firmware/{name}/approvals")
        return name

    async def create(self, text: str) -> Any:
        """A draft of this file, with its charge points."""
        made = await self.api("POST", "rollouts", {"spec": text})
        return await self.status(made["rollout_id"])

    async def status(self, rollout_id: str) -> Any:
        return await self.api("GET", f"rollouts/{rollout_id}")

    async def until(self, rollout_id: str, done: Callable[[dict[str, Any]], object], timeout_s: float = 180) -> dict[str, Any]:
        """The status once `done` is true of it."""
        status: dict[str, Any] = {}

        async def reached() -> bool:
            status.update(await self.status(rollout_id))
            return bool(done(status))

        try:
            await until(reached, timeout_s)
        except TimeoutError:
            raise AssertionError(brief(status)) from None
        return status

    async def history(self, rollout_id: str) -> list[dict[str, Any]]:
        """All of it, oldest first."""
        page = await self.api("GET", f"rollouts/{rollout_id}/history?limit=1000")
        return list(reversed(page["items"]))

    async def news(self, kind: str, timeout_s: float = 90) -> dict[str, Any]:
        """The first message of the webhook that is about this."""

        def about() -> list[dict[str, Any]]:
            return [each for each in self.told if kind in json.dumps(each)]

        async def heard() -> bool:
            return bool(about())

        await until(heard, timeout_s)
        return about()[0]

    async def all_known(self) -> bool:
        """Has everybody booted, and does the platform know?"""
        if not all(point.online for point in self.points.values()):
            return False
        return len((await self.api("GET", "charge-points?connected=true&limit=1000"))["items"]) == COUNT

    def behave(self, charge_point_id: str, conduct: Conduct) -> None:
        """From now on it does so when it is told to update."""
        point = self.points[charge_point_id]
        point.plan = msgspec.structs.replace(point.plan, conduct=conduct)


def brief(status: dict[str, Any]) -> str:
    """What matters of a status that is not as it should be."""
    verdict = status.get("verdict") or {}
    reasons = "; ".join(each["sentence"] for each in verdict.get("reasons", ()))
    waves = [(each["state"], each["counts"]) for each in status.get("waves", ())]
    open_ones = [
        (each["charge_point_id"], each["state"], each["reason"])
        for each in status.get("updates", ())
        if each["state"] not in ("verified", "healthy", "holdout", "queued")
    ]
    return f"{status.get('state')} {status.get('sentence')!r} {verdict.get('outcome')}: {reasons}\n{waves}\n{open_ones}"


@asynccontextmanager
async def rollout_network(folder: Path, *, faults_per_day: float) -> AsyncIterator[RolloutNetwork]:
    """Everything runs, and every charge point has booted."""
    port = free_port()
    data = folder / "data"
    data.mkdir()
    (data / "alerts.toml").write_text(ALERTS.format(port=port))
    (folder / "config.toml").write_text("[alerts]\nallow_private_addresses = true\n")
    with RunningPlatform(data, "--config", str(folder / "config.toml")) as platform:
        network = Network(scenario(faults_per_day), platform.url, 7, SPEED, SystemClock())
        world = RolloutNetwork(platform, network, folder)
        await asyncio.to_thread(register, platform, network)
        async with asyncio.TaskGroup() as tasks:
            hook = await asyncio.start_server(listener(world.told), "127.0.0.1", port)
            async with hook:
                running = tasks.create_task(network.run())
                await until(world.all_known, 120)
                yield world
                running.cancel()


def register(platform: RunningPlatform, network: Network) -> None:
    """Sites, and who stands where."""
    base, headers = f"http://127.0.0.1:{platform.http_port}/api/v1", {"Authorization": f"Bearer {platform.key}"}
    with httpx.Client(headers=headers, timeout=30) as client:
        for site in network.scenario.sites:
            body = {"name": site.name, "time_zone": "Europe/Oslo"}
            client.put(f"{base}/sites/{site.name.replace(' ', '-')}", json=body).raise_for_status()
        for plan in network.plans:
            body = {"charge_point_id": plan.charge_point_id, "site_id": plan.site.name.replace(" ", "-")}
            client.post(f"{base}/charge-points", json=body).raise_for_status()


def listener(told: list[dict[str, Any]]) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]:
    """A webhook that remembers."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        [length] = [int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:")]
        told.append(json.loads(await reader.readexactly(length))["data"])
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    return answer
