"""A charge point is cut off, and on-call hears of it once: with Prometheus and Alertmanager from Debian, and without them.

The platform's detection runs 60 times as fast as a real network's, and so do the product's own rule files; everything else is as
in production: real servers, real sockets, signed webhooks verified by somebody else's library. A heartbeat is due every three
seconds, so that a busy machine, which may stand still for two, makes nobody look lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.alerting import prometheus_and_alertmanager
from tests.support.hooks import SECRET, Hook, hook
from tests.support.platform import RunningPlatform
from tests.support.sites import LivingPoints, living

SPEED = 60
TOKEN = "alertmanager-token-of-a-test"
SITES = {"harbour": [f"HARBOUR-{number}" for number in range(1, 41)], "depot": ["DEPOT-1", "DEPOT-2", "DEPOT-3"]}
CONFIG = """
[http]
failed_keys = 1000000

[collector]
heartbeat_interval_s = 3
ping_interval_s = 1

[alerts]
network_speed = {speed}
allow_private_addresses = true
through_alertmanager = {through}
alertmanager_token = "{token}"
"""
ALERTS = """
[route]
receivers = ["night"]
group_wait_s = 1
group_interval_s = 1

[[route.routes]]
match = ["layer!~case|state", "source=alertmanager"]
receivers = ["machine-room"]

[receivers.night]
type = "webhook"
url = "{night}"
secret = "{secret}"

[receivers.machine-room]
type = "webhook"
url = "{machine_room}"
secret = "{secret}"
"""
"""What a test machine in a hurry makes of the platform's own health goes elsewhere."""


class World:
    """What a story needs."""

    def __init__(self, platform: RunningPlatform, receiver: Hook, points: LivingPoints) -> None:
        self.platform, self.receiver, self.points = platform, receiver, points

    async def hears(self, true: Callable[[], object]) -> None:
        await asyncio.to_thread(self.receiver.until, true)

    async def cases(self, kind: str, *states: str) -> list[dict[str, Any]]:
        page = await asyncio.to_thread(self.platform.api, "GET", f"/api/v1/cases?kind={kind}")
        return [each for each in page["items"] if each["state"] in states]

    async def until_case(self, kind: str, *states: str) -> dict[str, Any]:
        """A case of this kind in one of these states."""
        async with asyncio.timeout(60):
            while True:
                if found := await self.cases(kind, *states):
                    return found[0]
                await asyncio.sleep(0.2)


@contextmanager
def told(folder: Path, through: bool, night: Hook, machine_room: Hook) -> Iterator[RunningPlatform]:
    """The platform, and with `through` the two servers beside it."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    (folder / "config.toml").write_text(CONFIG.format(speed=SPEED, through=str(through).lower(), token=TOKEN))
    (data / "alerts.toml").write_text(ALERTS.format(night=night.url, machine_room=machine_room.url, secret=SECRET))
    with ExitStack() as stack:
        platform = stack.enter_context(RunningPlatform(data, "--config", str(folder / "config.toml")))
        if through:
            stack.enter_context(prometheus_and_alertmanager(folder / "servers", platform.http_port, TOKEN, SPEED))
        try:
            yield platform
        finally:
            platform.kill()  # how it stops is another story


@asynccontextmanager
async def world(folder: Path, through: bool) -> AsyncIterator[World]:
    with ExitStack() as stack:
        receiver, machine_room = stack.enter_context(hook()), stack.enter_context(hook())
        platform = await asyncio.to_thread(stack.enter_context, told(folder, through, receiver, machine_room))
        async with living(platform, SITES) as points:
            yield World(platform, receiver, points)
        await asyncio.to_thread(stack.close)


WITH_SERVERS = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.server("prometheus"), pytest.mark.server("alertmanager")]


def marked(test: Any) -> Any:
    for mark in WITH_SERVERS:
        test = mark(test)
    return test


async def lost_and_found(here: World, *answers: int) -> None:
    """DEPOT-1 is cut off and comes back: told once, with all that somebody woken at night asks; then that it is over."""
    here.receiver.answers = list(answers)
    await here.points.cut_off(["DEPOT-1"])
    await here.hears(lambda: here.receiver.taken)
    ((message_id, data),) = here.receiver.taken
    assert [each for each, _ in here.receiver.heard] == [message_id] * (len(answers) + 1)
    assert data["status"] == "firing" and data["title"].startswith("DEPOT-1 (Depot)")
    (item,) = data["items"]
    assert item["kind"] == "ChargePointOffline" and item["labels"]["site"] == "depot"
    for said in ("What to do:", "How sure:", "Evidence:", "others at this site"):
        assert said in data["text"], data["text"]
    case = await here.until_case("offline", "open")
    assert item["details"]["case_id"] == case["case_id"]
    assert {"Acknowledge", "Runbook", "API", "Silence for 4 hours", "Resolve"} <= {link["title"] for link in data["links"]}
    await here.points.connect(["DEPOT-1"])
    await here.hears(lambda: here.receiver.told[-1][0] == "resolved")
    assert [status for status, _ in here.receiver.told] == ["firing", "resolved"]
    log = (await asyncio.to_thread(here.platform.api, "GET", "/api/v1/deliveries"))["items"]
    tried = [(each["state"], each["attempts"]) for each in log if each["receiver"] == "night"]
    assert tried == [("delivered", 1), ("delivered", len(answers) + 1)]


async def silenced_and_many(here: World) -> None:
    """What is silenced is not told; forty charge points that go at once are one message, not forty."""
    here.receiver.taken.clear()
    silence = ("silences", "add", "site=depot", "--comment", "the cable is dug up")
    await asyncio.to_thread(here.platform.cli, *silence)
    await here.points.cut_off(["DEPOT-2", *SITES["harbour"]])
    await here.hears(lambda: here.receiver.taken)
    await here.until_case("site_offline", "open")
    silenced = await here.until_case("offline", "open")
    assert silenced["charge_point_id"] == "DEPOT-2", "it is there to be seen"
    await here.points.connect(SITES["harbour"])
    await here.hears(lambda: here.receiver.told[-1][0] == "resolved")
    assert [status for status, _ in here.receiver.told] == ["firing", "resolved"]
    (_, data), _ = here.receiver.taken
    assert [item["kind"] for item in data["items"]] == ["SiteOffline"] and data["title"].startswith("site Harbour")


@marked
async def test_with_prometheus_a_lost_charge_point_is_told_once_and_its_return_too(tmp_path: Path) -> None:
    """Signed, and once, though the receiver answers 503 twice; in the words of the case; resolved by itself."""
    async with world(tmp_path, through=True) as here:
        await lost_and_found(here, 503, 503)


@marked
async def test_with_prometheus_a_silence_is_kept_and_a_site_is_one_page(tmp_path: Path) -> None:
    """A silence of the platform's holds for what Alertmanager tells; its inhibitions hold for forty."""
    async with world(tmp_path, through=True) as here:
        await silenced_and_many(here)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_alone_the_platform_tells_the_same(tmp_path: Path) -> None:
    """Without Prometheus and Alertmanager: found, grouped, silenced, told and resolved by the platform itself."""
    async with world(tmp_path, through=False) as here:
        await lost_and_found(here)
        await silenced_and_many(here)
