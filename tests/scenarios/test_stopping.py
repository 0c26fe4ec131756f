"""Starting where somebody listens already, and stopping while charge points are connected and calls are under way."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
import websockets
from ocpp.v16 import call

from tests.support.peer import Held, ask, peer
from tests.support.platform import RunningPlatform
from tests.support.servers import free_port
from tests.support.sockets import RawClient, upgrade_request

SETTINGS = """
[collector]
drain_drop_tcp_vendors = ["Stubborn Inc."]
"""
DRAIN_S = 30
"""Ten are promised; a busy machine may stand still between them."""


async def ended(platform: RunningPlatform) -> int:
    """SIGTERM, and the exit code."""
    platform.process.send_signal(signal.SIGTERM)
    return await asyncio.to_thread(platform.process.wait, DRAIN_S)


async def watch(platform: RunningPlatform) -> str:
    """Follow the live event stream until it ends."""
    url, headers = f"http://127.0.0.1:{platform.http_port}/api/v1/events", {"Authorization": f"Bearer {platform.key}"}
    text = ""
    try:
        async with httpx.AsyncClient(timeout=None) as client, client.stream("GET", url, headers=headers) as stream:
            async for piece in stream.aiter_text():
                text += piece
    except httpx.RemoteProtocolError:  # cut in the middle of a chunk
        return text
    return text


async def test_sigterm_drains(tmp_path: Path) -> None:
    """Fifty connections, one silent, one with a call under way, an open event stream: exit code 0, all told, or dropped.

    Charge points of vendors that take a Close for good see TCP end without one.
    """
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS)
    with RunningPlatform(tmp_path / "data", "--config", str(settings)) as platform:
        async with AsyncExitStack() as open_connections:
            points = []
            for number in range(50):
                point = await open_connections.enter_async_context(peer(platform.url, f"CP-{number}"))
                vendor = "Stubborn Inc." if number % 5 == 0 else "ACME"
                await point.call(call.BootNotification(charge_point_vendor=vendor, charge_point_model="M"))
                points.append(point)
            silent = await RawClient.tcp(platform.ocpp_port)
            silent.write(upgrade_request("/ocpp/SILENT", Sec_WebSocket_Protocol="ocpp1.6"))
            assert (await silent.response())[0] == 101
            points[1].results["ClearCache"] = Held()
            asking = asyncio.create_task(ask(platform, "CP-1", ("ClearCache", {}), timeout_s=60))
            await points[1].is_asked()
            watching = asyncio.create_task(watch(platform))
            assert await ended(platform) == 0
            assert ": chargewatch" in await watching, "the stream had begun, and ended"
            closes = [await point.is_closed() for point in points]
            assert [code for code, _ in closes] == [1006 if number % 5 == 0 else 1001 for number in range(50)]
            assert (await asking)[1]["status"] == "not_connected"
            assert (await silent.receive_close())[0] == 1001
            silent.vanish()
        assert not [line for line in platform.output if "Traceback" in line or "leaked" in line]


async def test_what_was_said_last_is_kept(tmp_path: Path) -> None:
    """A charge point that reports without pause until the very end: what was acknowledged is in the journal."""
    with RunningPlatform(tmp_path / "data") as platform:
        acknowledged = 0
        async with peer(platform.url, "LAST", timeout_s=10) as point:
            stopping = None
            while point.closed is None:
                try:
                    await point.call(call.FirmwareStatusNotification(status="Idle"))
                    acknowledged += 1
                except (websockets.ConnectionClosed, TimeoutError):
                    await point.is_closed()
                if acknowledged == 100 and stopping is None:
                    stopping = asyncio.create_task(ended(platform))
            assert stopping is not None and await stopping == 0
        kept = await asyncio.to_thread(
            platform.cli, "frames", "LAST", "--action", "FirmwareStatusNotification", "--limit", "100000"
        )
        assert len(kept) >= acknowledged >= 100


async def test_it_stops_twice_as_well(tmp_path: Path) -> None:
    """An impatient second SIGTERM or Ctrl-C changes nothing: it drains and exits with 0."""
    with RunningPlatform(tmp_path / "data") as platform:
        async with peer(platform.url, "CP") as point:
            await point.call(call.Heartbeat())
            platform.process.send_signal(signal.SIGINT)
            platform.process.send_signal(signal.SIGTERM)
            assert await ended(platform) == 0
            assert (await point.is_closed())[0] == 1001


@pytest.mark.parametrize("flag", ["--ocpp", "--http"])
def test_a_busy_port_is_one_sentence(tmp_path: Path, flag: str) -> None:
    """It names the address and the flag to choose another; exit code 2; the same folder starts afterwards."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = f"127.0.0.1:{taken.getsockname()[1]}"
        addresses = {"--ocpp": f"127.0.0.1:{free_port()}", "--http": f"127.0.0.1:{free_port()}"} | {flag: busy}
        options = [word for pair in addresses.items() for word in pair]
        command = [sys.executable, "-W", "error", "-m", "chargewatch", "up", "--data", str(tmp_path / "data"), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    assert done.returncode == 2
    (sentence,) = done.stderr.strip().splitlines()
    assert busy in sentence and flag in sentence and "in use" in sentence
    assert not (tmp_path / "data").exists(), "a start that could not succeed leaves nothing behind"
    assert done.stdout == "", "nothing is announced that is not there"
