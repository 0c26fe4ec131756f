"""The transport port, part 4: TLS and client certificates."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import ssl
import struct
from pathlib import Path

import pytest
import websockets

from collector.transport import closing
from collector.transport.port import Limits
from tests.support.papers import Papers
from tests.support.sockets import RawClient, Stage, on_stage, upgrade_request

HASTY = Limits(handshake_timeout_s=0.3, close_timeout_s=0.3)
SLOW = Limits(close_timeout_s=0.3, max_write_buffer_bytes=262_144)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Made once: keys are slow."""
    return Papers(tmp_path_factory.mktemp("papers"))


@on_stage
async def test_messages_over_tls(stage: Stage, papers: Papers) -> None:
    """Small, large and many messages go both ways over TLS, compressed or not, and the upgrade says that it was TLS."""
    async with stage.house(tls=papers.server()) as house:
        for compression in (None, "deflate"):
            async with websockets.connect(house.url(), ssl=papers.client(), compression=compression) as client:
                guest = house.guests[-1]
                texts = ["", "x", "y" * 20_000, "z" * 900_000, *(str(number) for number in range(300))]
                for text in texts:
                    await client.send(text)
                await guest.hears("text", len(texts))
                assert [text.decode() for text in guest.texts] == texts
                for text in texts:
                    guest.sock.send(text.encode())
                assert [await client.recv() for _ in texts] == texts
            assert await guest.closed() == (1000, "", False)
        assert all(upgrade.tls and upgrade.client_name is None for upgrade in house.upgrades)


@on_stage
async def test_a_client_certificate(stage: Stage, papers: Papers) -> None:
    """Mutual TLS: the verified common name and the certificate's SHA-256 reach `admit`."""
    context = papers.client("CP-7")
    async with stage.house(tls=papers.server(mutual=True)) as house, websockets.connect(house.url(), ssl=context) as client:
        (upgrade,) = house.upgrades
        assert upgrade.client_name == "CP-7"
        assert upgrade.client_fingerprint is not None
        assert len(bytes.fromhex(upgrade.client_fingerprint)) == hashlib.sha256().digest_size
        await client.send("hello")
        assert await house.guests[0].hears("text") == [(b"hello",)]


@on_stage
async def test_no_or_a_strangers_certificate(stage: Stage, papers: Papers, tmp_path: Path) -> None:
    """Without a certificate of our authority nobody reaches `admit`; the failure is counted, others get in."""
    (tmp_path / "other").mkdir()
    strangers = Papers(tmp_path / "other").client("CP-7")
    strangers.load_verify_locations(papers.folder / "ca.pem")
    async with stage.house(tls=papers.server(mutual=True)) as house:
        for context in (papers.client(), strangers):
            with pytest.raises((OSError, EOFError, websockets.WebSocketException)):
                async with websockets.connect(house.url(), ssl=context) as client:
                    await client.recv()
        assert house.upgrades == []
        assert house.server.counts["tls_failed"] == 2
        async with websockets.connect(house.url(), ssl=papers.client("CP-8")):
            assert house.upgrades[0].client_name == "CP-8"


@on_stage
async def test_old_tls_is_refused(stage: Stage, papers: Papers) -> None:
    """TLS 1.2 is the least."""
    old = papers.client()
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    modern = papers.client()
    modern.maximum_version = ssl.TLSVersion.TLSv1_2
    async with stage.house(tls=papers.server()) as house:
        with pytest.raises(OSError):
            await websockets.connect(house.url(), ssl=old)
        async with websockets.connect(house.url(), ssl=modern) as client:
            await client.send("1.2")
            assert await house.guests[0].hears("text") == [(b"1.2",)]


@on_stage
@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["nothing", "half a hello"])
async def test_a_slow_tls_handshake_is_cut(stage: Stage, papers: Papers, said: bytes) -> None:
    """A peer that does not finish its TLS handshake in time is dropped and counted."""
    async with stage.house(tls=papers.server(), limits=HASTY) as house:
        client = await RawClient.tcp(house.port)
        client.write(said)
        assert b"HTTP" not in await client.rest()
        await client.leave()
        assert house.server.counts["tls_failed"] == 1


@on_stage
async def test_plain_text_on_a_tls_port(stage: Stage, papers: Papers) -> None:
    """A ws:// client on a wss:// port is turned away, and counted."""
    async with stage.house(tls=papers.server(), limits=HASTY) as house:
        client = await RawClient.tcp(house.port)
        client.write(b"GET / HTTP/1.1\r\n\r\n")
        await client.rest()
        await client.leave()
        assert house.server.counts["tls_failed"] == 1


@on_stage
async def test_refusals_and_violations_over_tls(stage: Stage, papers: Papers) -> None:
    """An oversized message closes with 1009 over TLS as well, and the peer can read it."""
    limits = Limits(max_message_bytes=65_536, close_timeout_s=0.5)
    async with stage.house(tls=papers.server(), limits=limits) as house:
        async with websockets.connect(house.url(), ssl=papers.client(), compression=None) as client:
            await client.send("x" * 65_537)
            with pytest.raises(websockets.ConnectionClosedError):
                await client.recv()
            assert client.close_code == 1009
        assert (await house.guests[0].closed())[::2] == (1009, False)


@on_stage
async def test_a_slow_reader_over_tls(stage: Stage, papers: Papers) -> None:
    """The write buffer is bounded over TLS too, and back-pressure works."""
    async with stage.house(tls=papers.server(), limits=SLOW) as house:
        client = await websockets.connect(house.url(), ssl=papers.client(), max_queue=1, compression=None, close_timeout=0.2)
        guest = house.guests[0]
        guest.sock.pause_reading()
        sending = asyncio.get_running_loop().create_task(_flood(client))
        done, _ = await asyncio.wait({sending}, timeout=0.3)
        assert not done
        guest.sock.resume_reading()
        await sending
        await guest.hears("text", 400)
        for _ in range(2000):
            guest.sock.send(b"x" * 32_768)
        assert await guest.closed() == (1006, closing.TOO_SLOW, True)
        client.transport.abort()
        await client.wait_closed()


async def _flood(client: websockets.ClientConnection) -> None:
    for _ in range(400):
        await client.send("x" * 60_000)


def leave(context: ssl.SSLContext, port: int, how: str) -> None:
    """Upgrade over TLS, then go without a Close frame."""
    sock = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
    sock.sendall(upgrade_request("/ocpp/CP-1"))
    assert sock.recv(4096).startswith(b"HTTP/1.1 101")
    if how == "with closing alert":
        with contextlib.suppress(OSError):
            sock.settimeout(5)
            sock.unwrap()
        sock.close()
        return
    tcp = socket.socket(fileno=sock.detach())
    if how == "reset":
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif how == "after a record that is none":
        tcp.send(b"\x17\x03\x03\x00\x10" + b"z" * 16)
    tcp.close()


@pytest.mark.parametrize("how", ["without closing alert", "with closing alert", "reset", "after a record that is none"])
@on_stage
async def test_a_peer_that_leaves_without_a_close_frame(stage: Stage, papers: Papers, how: str) -> None:
    """However TLS ended, the connection is lost (1006), which is no fault of ours (1011)."""
    async with stage.house(tls=papers.server()) as house:
        await asyncio.to_thread(leave, papers.client(), house.port, how)
        assert (await house.guests[0].closed())[::2] == (1006, True)
