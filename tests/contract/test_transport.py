"""The transport port, part 1: messages, pings and closes, with every adapter on every event loop over real sockets.

The `websockets` client is the independent peer; a client by hand says what it would never say. Upgrades, limits, compression and
TLS have their own files beside this one.
"""

from __future__ import annotations

import asyncio
import random

import pytest
import websockets
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

from collector.transport import closing
from collector.transport.port import Accept, Limits, Upgrade
from tests.support.sockets import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawClient, Recorder, Stage, frame, on_stage

QUICK = Limits(close_timeout_s=0.2)


@on_stage
async def test_text_goes_both_ways(stage: Stage) -> None:
    """Whole messages arrive in order as the bytes that were sent, empty and large ones too, and answers go back unchanged."""
    texts = ['[2,"1","Heartbeat",{}]', "", "ü€😀", "x" * 125, "x" * 126, "x" * 65_535, "x" * 65_536, "x" * 1_000_000, "end"]
    async with stage.house() as house, websockets.connect(house.url()) as client:
        for text in texts:
            await client.send(text)
        assert [text for (text,) in await house.guests[0].hears("text", len(texts))] == [text.encode() for text in texts]
        for text in texts:
            house.guests[0].sock.send(text.encode())
        assert [await client.recv() for _ in texts] == texts


@on_stage
async def test_fragments_are_joined(stage: Stage) -> None:
    """A message in fragments, with pings between them and empty ones among them, arrives once and whole."""
    async with stage.house() as house:
        client = await RawClient.open(house.port)
        client.frame(TEXT, b"[2,", fin=False)
        client.frame(PING, b"between")
        client.frame(CONTINUATION, b"", fin=False)
        client.frame(CONTINUATION, b'"1"', fin=False)
        client.frame(CONTINUATION, b"]")
        client.frame(TEXT, b"next")
        assert await client.receive() == (0x80 | PONG, b"between")
        assert await house.guests[0].hears("text", 2) == [(b'[2,"1"]',), (b"next",)]
        await client.leave()


@on_stage
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_tcp_boundaries_do_not_matter(stage: Stage, seed: int) -> None:
    """However TCP cuts the stream, and whatever size messages and bursts have, every message arrives once, whole, in order."""
    chance = random.Random(seed)
    sizes = [chance.choice((0, 1, 57, 125, 126, 1_200, 3_000, 17_000, 70_000)) for _ in range(150)]
    messages = [chance.randbytes(size) for size in sizes]
    stream = b"".join(frame(TEXT, message) for message in messages)
    async with stage.house() as house:
        client = await RawClient.open(house.port)
        while stream:
            cut = chance.choice((1, 7, 500, 1_500, 5_000, 40_000, 200_000))
            client.write(stream[:cut])
            stream = stream[cut:]
            await client.writer.drain()
            if chance.random() < 0.5:
                await asyncio.sleep(0)
        await house.guests[0].hears("text", len(messages))
        assert house.guests[0].texts == messages
        await client.leave()


@on_stage
async def test_text_is_not_checked_for_utf8(stage: Stage) -> None:
    """Text that is not UTF-8 is delivered as its bytes: OCPP-J answers it, the connection goes on."""
    async with stage.house() as house:
        client = await RawClient.open(house.port)
        client.frame(TEXT, b"\xff\xfe not utf-8")
        client.frame(TEXT, b"still here")
        assert [text for (text,) in await house.guests[0].hears("text", 2)] == [b"\xff\xfe not utf-8", b"still here"]
        await client.leave()


@on_stage
async def test_binary_is_reported_by_size(stage: Stage) -> None:
    """A binary message, whole or in fragments, is reported with its size, and the connection goes on."""
    async with stage.house() as house:
        client = await RawClient.open(house.port)
        client.frame(BINARY, b"12345")
        client.frame(BINARY, b"123", fin=False)
        client.frame(CONTINUATION, b"4567")
        client.frame(TEXT, b"text")
        await house.guests[0].hears("text")
        assert house.guests[0].all("binary") == [(5,), (7,)]
        await client.leave()


@on_stage
async def test_pings_both_ways(stage: Stage) -> None:
    """The peer's ping is answered with its own payload; our ping brings on_pong; an unasked pong is no harm."""
    async with stage.house() as house:
        client = await RawClient.open(house.port)
        client.frame(PING, b"p" * 125)
        assert await client.receive() == (0x80 | PONG, b"p" * 125)
        guest = house.guests[0]
        guest.sock.ping()
        assert await client.receive() == (0x80 | PING, b"")
        client.frame(PONG)
        await guest.hears("pong", 1)
        client.frame(PONG, b"unasked")
        await guest.hears("pong", 2)
        await client.leave()


@on_stage
async def test_a_peer_without_pongs_is_the_listeners_to_judge(stage: Stage) -> None:
    """Pings that are never answered close nothing: some charge points know no ping."""
    async with stage.house(limits=QUICK) as house:
        client = await RawClient.open(house.port)
        for _ in range(3):
            house.guests[0].sock.ping()
            assert (await client.receive())[0] == 0x80 | PING
        await asyncio.sleep(0.3)
        client.frame(TEXT, b"alive")
        assert await house.guests[0].hears("text") == [(b"alive",)]
        assert house.guests[0].all("close") == []
        await client.leave()


@on_stage
@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "going"), (3008, "ü" * 61), (4999, "r" * 123)])
async def test_the_peer_closes(stage: Stage, code: int, reason: str) -> None:
    """The peer's code and reason reach the listener, the Close is answered in kind, and TCP ends."""
    async with stage.house() as house:
        async with websockets.connect(house.url()) as client:
            await client.close(code, reason)
            assert client.close_code == code
        assert await house.guests[0].closed() == (code, reason, False)


@on_stage
async def test_a_close_without_a_code(stage: Stage) -> None:
    """An empty Close frame is 1005 to the listener, and answered by an empty one."""
    async with stage.house() as house:
        client = await RawClient.open(house.port)
        client.frame(CLOSE)
        assert await client.receive() == (0x80 | CLOSE, b"")
        assert await client.rest() == b""
        await client.leave()
        assert await house.guests[0].closed() == (1005, "", False)


@on_stage
@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1012, "back soon"), (4001, "x" * 200)])
async def test_we_close(stage: Stage, code: int, reason: str) -> None:
    """Our code and reason (cut to what fits) reach the peer; its answer ends the connection; nothing is sent after our Close."""
    async with stage.house() as house:
        async with websockets.connect(house.url()) as client:
            house.guests[0].sock.close(code, reason)
            house.guests[0].sock.close(1011, "only the first counts")
            house.guests[0].sock.send(b"too late")
            expected = ConnectionClosedOK if code == 1000 else ConnectionClosedError
            with pytest.raises(expected) as closed:
                await client.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, reason[:123])
        assert await house.guests[0].closed() == (code, reason[:123], False)


@on_stage
async def test_a_close_that_is_not_answered(stage: Stage) -> None:
    """A peer that does not answer our Close is dropped after the close timeout, even if it goes on talking."""
    async with stage.house(limits=QUICK) as house:
        client = await RawClient.open(house.port)
        house.guests[0].sock.close(1000, "bye")
        assert await client.receive_close() == (1000, "bye")
        client.frame(TEXT, b"talking on")
        assert await house.guests[0].closed() == (1006, closing.NO_ANSWER, True)
        assert house.guests[0].texts == []
        await client.leave()


@on_stage
async def test_abort_drops_tcp(stage: Stage) -> None:
    """abort ends TCP without a Close frame; on_close comes later, not out of abort itself."""
    async with stage.house() as house:
        client = await RawClient.open(house.port)
        guest = house.guests[0]
        guest.sock.abort()
        guest.sock.abort()
        assert guest.all("close") == []
        assert await client.rest() == b""
        assert await guest.closed() == (1006, closing.ABORTED, True)
        guest.sock.send(b"into the void")
        guest.sock.ping()
        guest.sock.close()
        guest.sock.pause_reading()
        guest.sock.resume_reading()
        await client.leave()


@on_stage
@pytest.mark.parametrize("how", ["RST", "FIN"])
async def test_a_peer_that_vanishes(stage: Stage, how: str) -> None:
    """TCP reset, or ended without a Close frame, is a lost connection, in the middle of a message too."""
    async with stage.house() as house:
        client = await RawClient.open(house.port)
        client.write(frame(TEXT, b"half a message")[:9])
        await client.writer.drain()
        await house.guests[0].hears("open")
        if how == "RST":
            client.vanish()
        else:
            await client.leave()
        assert await house.guests[0].closed() == (1006, "", True)


@on_stage
@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
async def test_a_close_code_that_must_not_be_sent(stage: Stage, code: int) -> None:
    """A reserved close code from the peer is a protocol error (RFC 6455 §7.4.2); from us a programming error."""
    async with stage.house(limits=QUICK) as house:
        client = await RawClient.open(house.port)
        with pytest.raises(ValueError, match="must not be sent"):
            house.guests[0].sock.close(code)
        client.frame(CLOSE, code.to_bytes(2, "big"))
        assert (await client.receive_close())[0] == 1002
        await client.leave()
        assert (await house.guests[0].closed())[::2] == (1002, False)


VIOLATIONS = {
    "unmasked": frame(TEXT, b"x", masked=False),
    "rsv1 without compression": frame(TEXT, b"x", rsv=4),
    "rsv2": frame(TEXT, b"x", rsv=2),
    "rsv3": frame(TEXT, b"x", rsv=1),
    "rsv1 on a ping": frame(PING, b"x", rsv=4),
    "rsv2 on a close": frame(CLOSE, b"", rsv=2),
    "opcode 3": frame(3, b"x"),
    "opcode 11": frame(11, b"x"),
    "fragmented ping": frame(PING, b"x", fin=False),
    "long ping": frame(PING, b"x" * 126),
    "continuation of nothing": frame(CONTINUATION, b"x"),
    "message inside a message": frame(TEXT, b"x", fin=False) + frame(TEXT, b"x"),
    "close of one byte": frame(CLOSE, b"x"),
}


@on_stage
@pytest.mark.parametrize("broken", VIOLATIONS.values(), ids=VIOLATIONS.keys())
async def test_a_broken_protocol_is_closed_with_1002(stage: Stage, broken: bytes) -> None:
    """What RFC 6455 forbids closes the connection with 1002, heard on both sides; nothing is delivered after it."""
    async with stage.house(limits=QUICK) as house:
        client = await RawClient.open(house.port)
        client.write(broken)
        assert (await client.receive_close())[0] == 1002
        client.frame(TEXT, b"after it")
        await client.leave()
        assert (await house.guests[0].closed())[::2] == (1002, False)
        assert house.guests[0].texts == []


class Failing(Recorder):
    """A listener with a bug."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def _hear(self, *what: object) -> None:
        super()._hear(*what)
        if what[0] == self.where:
            raise RuntimeError("a bug of ours")


@on_stage
@pytest.mark.parametrize("where", ["open", "text", "binary", "pong"])
async def test_a_failing_listener_harms_only_itself(stage: Stage, where: str, caplog: pytest.LogCaptureFixture) -> None:
    """An exception out of a listener is logged and closes its own connection with 1011; its neighbour goes on."""
    broken = Failing(where)

    def admit(upgrade: Upgrade) -> Accept:
        return Accept(broken) if upgrade.path == "/broken" else house.welcome(upgrade)

    async with stage.house(admit, limits=QUICK) as house, websockets.connect(house.url()) as neighbour:
        async with websockets.connect(house.url("/broken")) as client:
            if where == "text":
                await client.send("x")
            elif where == "binary":
                await client.send(b"x")
            elif where == "pong":
                await client.pong()
            with pytest.raises(ConnectionClosedError):
                await client.recv()
            assert client.close_code == 1011
        assert (await broken.closed())[::2] == (1011, False)
        assert "a bug of ours" in caplog.text
        await neighbour.send("here")
        assert await house.guests[0].hears("text") == [(b"here",)]


@on_stage
async def test_any_bytes_at_all(stage: Stage) -> None:
    """After the upgrade a peer may send what it will: its connection ends at most once, and nobody else notices."""
    chance = random.Random(7)
    async with stage.house(limits=QUICK) as house, websockets.connect(house.url()) as neighbour:
        clients = [await RawClient.open(house.port, deflate=number % 2 == 0) for number in range(60)]
        for client in clients:
            bits = chance.randbytes(chance.choice((2, 14, 200, 5_000)))
            start = frame(chance.randrange(16), chance.randbytes(40), fin=chance.random() < 0.7, rsv=chance.choice((0, 0, 4, 1)))
            client.write(chance.choice((bits, start + bits, start + start + bits)))
        await asyncio.sleep(0.3)
        await neighbour.send("still here")
        assert await house.guests[0].hears("text") == [(b"still here",)]
        for client, guest in zip(clients, house.guests[1:], strict=True):
            client.vanish()
            assert (await guest.closed())[0] in (1000, 1002, 1005, 1006, 1007, 1009) or guest.all("close")[0][0] >= 3000


@on_stage
async def test_messages_sent_before_a_violation_in_another_read_arrive(stage: Stage) -> None:
    """What was right before the peer broke the protocol has been delivered."""
    async with stage.house(limits=QUICK) as house:
        client = await RawClient.open(house.port)
        client.frame(TEXT, b"right")
        await house.guests[0].hears("text")
        client.write(VIOLATIONS["opcode 3"])
        assert (await house.guests[0].closed())[0] == 1002
        assert house.guests[0].texts == [b"right"]
        await client.leave()
