"""The platform's process is stopped for longer than three heartbeat intervals, and goes on: nobody was silent but itself."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from ocpp.v16 import call

from tests.support.peer import frames, items, peer, request
from tests.support.platform import RunningPlatform

HEARTBEAT_S = 2
STOPPED_S = 7.5
SETTINGS = f"""
[collector]
heartbeat_interval_s = {HEARTBEAT_S}
ping_interval_s = 1

[alerts]
network_speed = 60
"""
"""At this speed a silence of three heartbeats opens a case, as four minutes do at the speed of life."""
NAMES = [f"CP-{number}" for number in range(5)]


@pytest.fixture
def platform(tmp_path: Any) -> Iterator[RunningPlatform]:
    """Short intervals; what was stopped is let go whatever happens, since a stopped process cannot even be ended."""
    (tmp_path / "settings.toml").write_text(SETTINGS)
    with RunningPlatform(tmp_path / "data", "--config", str(tmp_path / "settings.toml")) as running:
        try:
            yield running
        finally:
            running.process.send_signal(signal.SIGCONT)


async def beat(point: Any) -> None:
    """Heartbeats as they are due, each answered before the next."""
    while True:
        await point.call(call.Heartbeat())
        await asyncio.sleep(HEARTBEAT_S / 4)


async def test_nobody_is_lost_while_we_stood_still(platform: RunningPlatform) -> None:
    """No connection is cut, what was said meanwhile is answered, and no case is opened."""
    async with asyncio.timeout(120), AsyncExitStack() as opened, asyncio.TaskGroup() as tasks:
        calm: dict[str, Any] = {"timeout_s": 60, "ping_interval": None}
        points = [await opened.enter_async_context(peer(platform.url, name, **calm)) for name in NAMES]
        beating = [tasks.create_task(beat(point)) for point in points]
        for point in points:
            await point.call(call.StatusNotification(connector_id=1, error_code="NoError", status="Available"))

        platform.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(STOPPED_S)
        meanwhile = [
            tasks.create_task(point.call(call.StatusNotification(connector_id=1, error_code="NoError", status="Charging")))
            for point in points
        ]
        await asyncio.sleep(0.1)
        platform.process.send_signal(signal.SIGCONT)
        await asyncio.gather(*meanwhile)

        while not any("nobody was listening" in line for line in platform.output):  # noqa: ASYNC110 - the log tells nobody
            await asyncio.sleep(0.1)
        status, judgement = await request(platform, "POST", "/api/v1/cases/judge")
        assert status == 200, judgement
        assert [each for each in judgement["findings"] if "offline" in each["finding"]["kind"]] == []
        assert [each for each in await items(platform, "cases") if "offline" in each["kind"]] == []
        for name in NAMES:
            assert [each["kind"] for each in await frames(platform, name)] == ["connected", "call", "call"]
        for task in beating:
            assert not task.done(), "a connection was cut"
            task.cancel()
