"""Connections as charge points make them: twice, half, without a subprotocol, under odd paths, without reading, without ending."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import websockets
from ocpp.v16 import call, call_result

from tests.support.peer import Held, ask, frames, metrics_of, peer, request, settled
from tests.support.platform import RunningPlatform
from tests.support.raw import raw
from tests.support.sockets import RawClient, upgrade_request

LOST_AFTER_S = 6
"""Longer than a busy machine leaves a living peer without its turn."""
SETTINGS = f"""
[collector]
heartbeat_interval_s = 1
lost_after_heartbeats = {LOST_AFTER_S}
ping_interval_s = 1
handshake_timeout_s = 4
max_unsent_bytes = "64 KiB"
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """Short intervals, small buffers."""
    folder = tmp_path_factory.mktemp("connections")
    (folder / "settings.toml").write_text(SETTINGS)
    with RunningPlatform(folder / "data", "--config", str(folder / "settings.toml")) as running:
        yield running


async def state_of(platform: RunningPlatform, name: str) -> dict[str, Any]:
    """What is shown of a charge point, once all is told."""
    await settled(platform)
    _, shown = await request(platform, "GET", f"/api/v1/charge-points/{name}")
    state: dict[str, Any] = shown["state"]
    return state


async def upgraded(platform: RunningPlatform, name: str, **options: Any) -> RawClient:
    """A WebSocket by hand, which answers nothing by itself."""
    client = await RawClient.tcp(platform.ocpp_port, **options)
    client.write(upgrade_request(f"/ocpp/{name}", Sec_WebSocket_Protocol="ocpp1.6"))
    assert (await client.response())[0] == 101
    return client


async def entries(platform: RunningPlatform, name: str, kind: str) -> list[dict[str, Any]]:
    """The payloads of its message log of one kind."""
    return [frame["payload"] for frame in await frames(platform, name) if frame["kind"] == kind]


async def number(platform: RunningPlatform, series: str) -> float:
    """The value of one series of /metrics; 0 when it is not there yet."""
    text = await asyncio.to_thread(platform.api, "GET", "/metrics")
    return next((float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(series)), 0.0)


async def test_the_newest_socket_wins(platform: RunningPlatform) -> None:
    """The old one is cut; its end does not make the charge point offline, and calls go to the new one."""
    async with peer(platform.url, "TWICE") as old:
        await old.call(call.Heartbeat())
        async with peer(platform.url, "TWICE") as new:
            await new.call(call.Heartbeat())
            await old.is_closed()
            new.results["ClearCache"] = call_result.ClearCache(status="Accepted")
            assert (await ask(platform, "TWICE", ("ClearCache", {})))[1]["status"] == "accepted"
            assert (old.asked, len(new.asked)) == ([], 1)
            state = await state_of(platform, "TWICE")
            assert state["connected"] and state["disconnected_at"] is None
            assert 'connected{site="",charge_point="TWICE"} 1' in await metrics_of(platform, "TWICE")
            assert [entry["superseded"] for entry in await entries(platform, "TWICE", "disconnected")] == [True]
    state = await state_of(platform, "TWICE")
    assert not state["connected"]
    assert 'connected{site="",charge_point="TWICE"} 0' in await metrics_of(platform, "TWICE")


async def test_a_call_on_a_superseded_socket_ends(platform: RunningPlatform) -> None:
    """Nobody will answer it any more: its caller learns that at once."""
    async with peer(platform.url, "HANDOVER") as old, asyncio.timeout(10):
        old.results["ClearCache"] = Held()
        asking = asyncio.create_task(ask(platform, "HANDOVER", ("ClearCache", {}), timeout_s=60))
        await old.is_asked()
        async with peer(platform.url, "HANDOVER"):
            assert (await asking)[1]["status"] == "not_connected"


async def test_a_half_open_peer_is_found(platform: RunningPlatform) -> None:
    """It answers no ping and says nothing: cut after three heartbeat intervals, offline, and counted as lost.

    Whoever answers pings or says something lives.
    """
    lost = 'chargewatch_connections_closed_total{cause="lost",protocol="ocpp1.6"}'
    before = await number(platform, lost)
    silent = await upgraded(platform, "HALF-OPEN")
    deaf = await upgraded(platform, "NEVER-PONGS")
    async with peer(platform.url, "ONLY-PONGS") as idle:
        ending = asyncio.create_task(silent.rest())
        while not ending.done():
            deaf.frame(1, b'[2,"1","Heartbeat",{}]')
            await asyncio.sleep(0.2)
        heard = ending.result()
        assert b"\x89\x00" in heard, "it was pinged"
        assert not (await state_of(platform, "HALF-OPEN"))["connected"]
        (end,) = await entries(platform, "HALF-OPEN", "disconnected")
        assert end["lost"] and not end["superseded"]
        assert await number(platform, lost) == before + 1
        assert (await state_of(platform, "NEVER-PONGS"))["connected"] and (await state_of(platform, "ONLY-PONGS"))["connected"]
        assert (await idle.call(call.Heartbeat())).current_time
    for client in (silent, deaf):
        await client.leave()


async def test_no_subprotocol_means_the_default_one(platform: RunningPlatform) -> None:
    """It is served as OCPP 1.6, nothing is promised in the answer, and the connection is flagged."""
    async with raw(platform.url, "NAMELESS", None) as point:
        assert point.connection.subprotocol is None
        assert (await point.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"}))[0] == 3
    assert (await state_of(platform, "NAMELESS"))["protocol"] == "ocpp1.6"
    (opened,) = await entries(platform, "NAMELESS", "connected")
    assert opened["subprotocol_missing"] is True


async def test_the_charge_points_order_of_subprotocols_counts(platform: RunningPlatform) -> None:
    """The first that we speak; with none of them the connection is opened and closed (OCPP-J 1.6 §3.1.2), and there is no call."""
    for offered, chosen in ((["ocpp2.9", "ocpp2.1", "ocpp1.6"], "ocpp2.1"), (["ocpp1.6", "ocpp2.0.1"], "ocpp1.6")):
        async with websockets.connect(f"{platform.url}/MANY", subprotocols=offered) as connection:  # type: ignore[arg-type]
            assert connection.subprotocol == chosen
    client = await RawClient.tcp(platform.ocpp_port)
    client.write(upgrade_request("/ocpp/ALIEN", Sec_WebSocket_Protocol="soap, ocpp1.5"))
    status, headers, _ = await client.response()
    assert status == 101 and "sec-websocket-protocol" not in headers
    assert (await client.receive_close())[0] == 1002
    await client.leave()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/ocpp/PLAIN", "PLAIN"),
        ("/BARE", "BARE"),
        ("/ocpp/SLASH/", "SLASH"),
        ("/ocpp/QUERY?token=x", "QUERY"),
        ("/ocpp/SITE%207%2FLEFT", "SITE 7/LEFT"),
        ("/Gr%C3%BCn-1", "Grün-1"),
        ("/ocpp/A%25B", "A%B"),
    ],
)
async def test_the_path_names_the_charge_point(platform: RunningPlatform, path: str, name: str) -> None:
    """Percent-encoded or not, with or without /ocpp; it is known, and can be asked, by its decoded name."""
    base = platform.url.removesuffix("/ocpp")
    async with raw(base, path.removeprefix("/")) as point:
        booted = await point.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        assert booted[2]["status"] == "Accepted"
        await settled(platform)
        rows = await asyncio.to_thread(platform.cli, "charge-points", "list", "--search", name)
        assert name in [row["charge_point_id"] for row in rows]
        _, shown = await request(platform, "GET", f"/api/v1/charge-points/{quote(name, safe='')}")
        assert (shown["charge_point_id"], shown["state"]["connected"]) == (name, True)


@pytest.mark.parametrize("path", ["/", "/ocpp/", "/ocpp/%FF", "/ocpp/%00", "/ocpp/" + "x" * 256])
async def test_a_path_that_names_nobody_is_refused(platform: RunningPlatform, path: str) -> None:
    """404 instead of a charge point without a usable name."""
    client = await RawClient.tcp(platform.ocpp_port)
    client.write(upgrade_request(path, Sec_WebSocket_Protocol="ocpp1.6"))
    assert (await client.response())[0] == 404
    await client.leave()


async def test_a_slow_reader_is_cut_and_counted(platform: RunningPlatform) -> None:
    """It takes calls and never reads them: past the limit its connection ends, its neighbours' do not."""
    slow = 'chargewatch_connections_closed_total{cause="slow",protocol="ocpp1.6"}'
    before = await number(platform, slow)
    client = await upgraded(platform, "SLOW", receive_buffer=4096)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    large = ("DataTransfer", {"vendorId": "v", "data": "x" * 900_000})
    async with peer(platform.url, "NEIGHBOUR") as neighbour:
        for _ in range(40):
            _, outcome = await ask(platform, "SLOW", large, timeout_s=0.05)
            if outcome["status"] == "not_connected":
                break
        assert outcome["status"] == "not_connected", "it was never cut"
        (end,) = await entries(platform, "SLOW", "disconnected")
        assert end["lost"] and end["reason"] == "the peer does not read what it is sent"
        assert await number(platform, slow) == before + 1
        assert (await neighbour.call(call.Heartbeat())).current_time
    client.vanish()


async def test_an_upgrade_that_never_ends_is_cut_and_counted(platform: RunningPlatform) -> None:
    """Slow-loris: a few bytes now and then buy no more time; nor does garbage buy an upgrade."""
    before = await number(platform, 'chargewatch_sockets_total{outcome="timed_out"}')
    client = await RawClient.tcp(platform.ocpp_port)
    answered = asyncio.create_task(client.response())
    for byte in upgrade_request("/ocpp/LORIS"):
        if answered.done():
            break
        client.write(bytes([byte]))
        await asyncio.sleep(0.05)
    assert (await answered)[0] == 408
    client.vanish()
    assert await number(platform, 'chargewatch_sockets_total{outcome="timed_out"}') == before + 1
    client = await RawClient.tcp(platform.ocpp_port)
    client.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n")
    assert (await client.response())[0] == 400
    client.vanish()
    assert await number(platform, 'chargewatch_sockets_total{outcome="malformed"}') >= 1
