"""The transport port, part 3: bounds. Oversized messages, slow readers, back-pressure, compression bombs, no socket left."""

from __future__ import annotations

import asyncio
import sys
import textwrap
import zlib
from subprocess import PIPE

import pytest
import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from collector.transport import closing
from collector.transport.port import Limits
from tests.support.sockets import CONTINUATION, PING, TEXT, RawClient, Stage, frame, on_stage, upgrade_request

SMALL = Limits(max_message_bytes=65_536, close_timeout_s=0.3, max_write_buffer_bytes=262_144)


def packed(message: bytes) -> bytes:
    """One message as permessage-deflate sends it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


OVERSIZED = {
    "one frame": frame(TEXT, b"x" * 65_537),
    "a frame that is only announced": frame(TEXT, b"x" * 10_000_000)[:20],
    "fragments": frame(TEXT, b"x" * 40_000, fin=False) + frame(CONTINUATION, b"x" * 40_000),
    "ten megabytes": frame(TEXT, b"x" * 10_000_000),
}


@on_stage
@pytest.mark.parametrize("message", OVERSIZED.values(), ids=OVERSIZED.keys())
async def test_an_oversized_message(stage: Stage, message: bytes) -> None:
    """A message over the limit closes its connection with 1009, which the peer can read; its neighbour goes on."""
    async with stage.house(limits=SMALL) as house, websockets.connect(house.url()) as neighbour:
        client = await RawClient.open(house.port)
        client.write(message)
        assert (await client.receive_close())[0] == 1009
        await client.leave()
        assert (await house.guests[1].closed())[::2] == (1009, False)
        assert house.guests[1].texts == []
        await neighbour.send("x" * 65_536)
        assert await house.guests[0].hears("text") == [(b"x" * 65_536,)]


@on_stage
async def test_a_peer_that_goes_on_after_1009_is_cut(stage: Stage) -> None:
    """A peer that ignores our Close and sends on is dropped after the close timeout; nothing of it is delivered."""
    async with stage.house(limits=SMALL) as house:
        client = await RawClient.open(house.port)
        client.write(OVERSIZED["one frame"])
        with pytest.raises(ConnectionError):
            for _ in range(500):
                client.frame(TEXT, b"y" * 1000)
                await client.writer.drain()
                await asyncio.sleep(0.01)
        assert (await house.guests[0].closed())[0] == 1009
        assert house.guests[0].texts == []
        await client.leave()


@on_stage
async def test_a_slow_reader_is_dropped(stage: Stage) -> None:
    """A peer that does not read is aborted once the write buffer passes its limit; the limit holds until then."""
    async with stage.house(limits=SMALL) as house:
        client = await RawClient.open(house.port, receive_buffer=4096)
        guest = house.guests[0]
        assert guest.sock.write_buffer_size == 0
        largest = 0
        for _ in range(2000):
            guest.sock.send(b"x" * 32_768)
            largest = max(largest, guest.sock.write_buffer_size)
        assert await guest.closed() == (1006, closing.TOO_SLOW, True)
        assert 0 < largest <= SMALL.max_write_buffer_bytes + 2 * 32_768
        client.vanish()


@on_stage
async def test_a_flood_of_pings_from_a_peer_that_does_not_read(stage: Stage) -> None:
    """Pongs count against the write buffer too."""
    async with stage.house(limits=SMALL) as house:
        client = await RawClient.open(house.port, receive_buffer=4096)
        flood = frame(PING, b"p" * 125) * 2000
        with pytest.raises(ConnectionError):
            for _ in range(2000):
                client.write(flood)
                await client.writer.drain()
        assert await house.guests[0].closed() == (1006, closing.TOO_SLOW, True)
        await client.leave()


@on_stage
async def test_back_pressure(stage: Stage) -> None:
    """While reading is paused the peer's send blocks; after resume_reading everything arrives, nothing is lost."""
    async with stage.house() as house:
        client = await RawClient.open(house.port)
        guest = house.guests[0]
        guest.sock.pause_reading()
        messages = 600
        client.write(frame(TEXT, b"x" * 60_000) * messages)
        sending = asyncio.get_running_loop().create_task(client.writer.drain())
        done, _ = await asyncio.wait({sending}, timeout=0.3)
        assert not done
        assert len(guest.texts) <= 2
        guest.sock.resume_reading()
        await guest.hears("text", messages)
        await sending
        await client.leave()
        assert (await guest.closed())[2]


@on_stage
async def test_closing_while_paused(stage: Stage) -> None:
    """close() while reading is paused still hears the peer's answer; what the peer sent before it is not delivered any more."""
    async with stage.house() as house, websockets.connect(house.url()) as client:
        guest = house.guests[0]
        guest.sock.pause_reading()
        await client.send("unread")
        guest.sock.close(1001, "going")
        assert await guest.closed() == (1001, "going", False)
        assert guest.texts == []


# compression

AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
OFFERS = {
    None: None,
    "permessage-deflate": AGREED,
    "permessage-deflate; client_max_window_bits": AGREED,
    "permessage-deflate; client_max_window_bits=10; server_no_context_takeover": AGREED,
    'permessage-deflate; server_max_window_bits="11"': f"{AGREED}; server_max_window_bits=11",
    "permessage-deflate; server_max_window_bits=8": None,
    "permessage-deflate; server_max_window_bits=8, permessage-deflate": AGREED,
    "permessage-deflate; server_max_window_bits": None,
    "permessage-deflate; server_max_window_bits=16": None,
    "permessage-deflate; client_max_window_bits=007": None,
    "permessage-deflate; server_no_context_takeover=1": None,
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover": None,
    "permessage-deflate; whatever": None,
    "x-webkit-deflate-frame, permessage-deflate": AGREED,
    "permessage-deflate; ;": None,
}


@on_stage
@pytest.mark.parametrize(("offer", "answer"), OFFERS.items())
async def test_what_is_agreed(stage: Stage, offer: str | None, answer: str | None) -> None:
    """No context takeover either way; an offer with an odd parameter is declined (RFC 7692 §7.1), the upgrade succeeds without."""
    async with stage.house() as house:
        client = await RawClient.tcp(house.port)
        client.write(upgrade_request(Sec_WebSocket_Extensions=offer))
        status, headers, _ = await client.response()
        assert (status, headers.get("sec-websocket-extensions")) == (101, answer)
        client.frame(TEXT, b"plain")
        assert await house.guests[0].hears("text") == [(b"plain",)]
        await client.leave()


@on_stage
@pytest.mark.parametrize("window_bits", [None, 9, 15])
async def test_compressed_both_ways(stage: Stage, window_bits: int | None) -> None:
    """Compressed messages, whole and in fragments, inflate to what they were; ours inflate in the window the peer asked for."""
    factory = ClientPerMessageDeflateFactory(server_max_window_bits=window_bits, client_max_window_bits=window_bits or True)
    texts = ["", "short", "meter " * 500, "".join(chr(33 + i * i % 90) for i in range(20_000)), "x" * 60_000]
    async with stage.house() as house, websockets.connect(house.url(), extensions=[factory], compression=None) as client:
        assert "permessage-deflate" in client.response.headers["Sec-WebSocket-Extensions"]  # type: ignore[union-attr]
        for text in texts:
            await client.send(text)
            await client.send([text[: len(text) // 2], text[len(text) // 2 :]])
        guest = house.guests[0]
        await guest.hears("text", 2 * len(texts))
        assert guest.texts == [text.encode() for text in texts for _ in range(2)]
        for text in texts:
            guest.sock.send(text.encode())
        assert [await client.recv() for _ in texts] == texts


@on_stage
async def test_short_messages_leave_uncompressed(stage: Stage) -> None:
    """Under 128 bytes nothing is compressed; from there on it is, and no message needs the one before it."""
    async with stage.house() as house:
        client = await RawClient.open(house.port, deflate=True)
        for message, compressed in ((b"x" * 127, False), (b"x" * 128, True), (b"x" * 5000, True), (b"x" * 5000, True)):
            house.guests[0].sock.send(message)
            first, payload = await client.receive()
            assert first == (0xC1 if compressed else 0x81)
            assert inflate(payload, compressed) == message
        await client.leave()


def inflate(payload: bytes, compressed: bool) -> bytes:
    """As a peer without memory of earlier messages does it."""
    return zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff") if compressed else payload


@on_stage
async def test_compression_switched_off(stage: Stage) -> None:
    """With `deflate` off, no offer is taken."""
    async with stage.house(limits=Limits(deflate=False)) as house:
        client = await RawClient.tcp(house.port)
        client.write(upgrade_request(Sec_WebSocket_Extensions="permessage-deflate"))
        _, headers, _ = await client.response()
        assert "sec-websocket-extensions" not in headers
        await client.leave()


BOMBS = {
    "a bomb": (frame(TEXT, packed(b"0" * 50_000_000), rsv=4), 1009),
    "one byte over": (frame(TEXT, packed(b"0" * 65_537), rsv=4), 1009),
    "not deflate": (frame(TEXT, b"\xff" * 50, rsv=4), 1002),
    "rsv1 on a continuation": (frame(TEXT, packed(b"x"), fin=False, rsv=4) + frame(CONTINUATION, b"", rsv=4), 1002),
}


@on_stage
@pytest.mark.parametrize(("bomb", "code"), BOMBS.values(), ids=BOMBS.keys())
async def test_compression_bombs(stage: Stage, bomb: bytes, code: int) -> None:
    """What inflates over the limit is refused with 1009, before it is inflated; what does not inflate with 1002."""
    async with stage.house(limits=SMALL) as house:
        client = await RawClient.open(house.port, deflate=True)
        client.frame(TEXT, packed(b"0" * 65_536), rsv=4)
        assert await house.guests[0].hears("text") == [(b"0" * 65_536,)]
        client.write(bomb)
        assert (await client.receive_close())[0] == code
        await client.leave()
        assert (await house.guests[0].closed())[::2] == (code, False)


FEW_SOCKETS = """
    import asyncio, resource, sys
    import uvloop
    from collector.transport.choose import choose
    from collector.transport.port import Accept
    from tests.support.sockets import LOOPS, Recorder

    async def main():
        server = await choose(sys.argv[1])(lambda upgrade: Accept(Recorder()), "127.0.0.1", 0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
        print(server.port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        print(server.counts["upgraded"], server.counts["out_of_sockets"], flush=True)

    with asyncio.Runner(loop_factory=LOOPS[sys.argv[2]]) as runner:
        runner.run(main())
"""


@on_stage
async def test_no_socket_left(stage: Stage) -> None:
    """When file descriptors run out, accepting pauses without spinning; when some are free again, those who waited get in."""
    name = stage.serve.__module__.rpartition(".")[2]
    arguments = (sys.executable, "-c", textwrap.dedent(FEW_SOCKETS), name, stage.loop)
    program = await asyncio.create_subprocess_exec(*arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    assert program.stdout is not None
    port = int(await program.stdout.readline())
    clients = [await RawClient.tcp(port) for _ in range(60)]
    for client in clients:
        client.write(upgrade_request())
    first = [client for client in clients[:15] if (await client.response())[0] == 101]
    assert len(first) == 15
    await asyncio.sleep(0.3)
    for client in clients[:45]:
        client.vanish()
    for client in clients[45:]:
        assert (await client.response())[0] == 101
        client.vanish()
    out, err = await program.communicate(b"")
    upgraded, pauses = out.split()
    assert int(upgraded) >= 30
    assert 1 <= int(pauses) <= 10
    assert b"cannot accept connections" in err
    assert b"Traceback" not in err
