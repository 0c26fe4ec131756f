"""The transport port, part 2: the HTTP upgrade. Who gets in, what the others are told, and how long they may take."""

from __future__ import annotations

import asyncio

import pytest
import websockets
from websockets.exceptions import InvalidStatus

from collector.transport.port import COUNTS, Accept, Admit, Limits, Refuse, Upgrade
from tests.support.sockets import TEXT, RawClient, Recorder, Stage, frame, on_stage, refuse, upgrade_request

HASTY = Limits(handshake_timeout_s=0.5, close_timeout_s=0.3)


@on_stage
async def test_what_admit_is_told(stage: Stage) -> None:
    """Path as sent, subprotocols in order, peer address, credentials and user agent; credentials never in its repr."""
    async with stage.house() as house:
        client = await RawClient.tcp(house.port)
        client.write(
            upgrade_request(
                "/ocpp/CP%2001?x=1",
                Sec_WebSocket_Protocol="ocpp2.0.1 , ocpp1.6",
                Authorization="Basic c2VjcmV0",
                User_Agent="Charger/1",
            )
        )
        assert (await client.response())[0] == 101
        (upgrade,) = house.upgrades
        assert upgrade.path == "/ocpp/CP%2001?x=1"
        assert upgrade.subprotocols == ("ocpp2.0.1", "ocpp1.6")
        assert (upgrade.remote, upgrade.tls, upgrade.client_name) == ("127.0.0.1", False, None)
        assert (upgrade.authorization, upgrade.user_agent) == ("Basic c2VjcmV0", "Charger/1")
        assert "c2VjcmV0" not in repr(upgrade)
        await client.leave()


@on_stage
async def test_a_subprotocol_is_echoed_only_when_offered(stage: Stage) -> None:
    """The chosen subprotocol is echoed if it was offered; without an offer the upgrade succeeds and none is named."""

    def admit(upgrade: Upgrade) -> Accept:
        return Accept(Recorder(), "ocpp1.6")

    async with stage.house(admit) as house:
        for offered, answered in (("ocpp1.6", "ocpp1.6"), ("ocpp2.0.1,ocpp1.6", "ocpp1.6"), ("ocpp2.1", None), (None, None)):
            client = await RawClient.tcp(house.port)
            client.write(upgrade_request(Sec_WebSocket_Protocol=offered))
            status, headers, _ = await client.response()
            assert (status, headers.get("sec-websocket-protocol")) == (101, answered)
            await client.leave()


@on_stage
@pytest.mark.parametrize(
    "headers",
    [{"Connection": None}, {"Connection": "keep-alive"}, {"Connection": "keep-alive, Upgrade"}, {"Upgrade": "WebSocket"}],
    ids=["no Connection", "another Connection", "among others", "capitals"],
)
async def test_sloppy_upgrades_are_tolerated(stage: Stage, headers: dict[str, str | None]) -> None:
    """Charge points that leave out the token `Upgrade` in Connection, or write websocket in capitals, get in."""
    async with stage.house() as house:
        client = await RawClient.tcp(house.port)
        client.write(upgrade_request("/ocpp/CP1", **{"first": None, **headers}))
        assert (await client.response())[0] == 101
        client.frame(TEXT, b"in")
        assert await house.guests[0].hears("text") == [(b"in",)]
        await client.leave()


@on_stage
async def test_bytes_that_come_with_the_request_are_not_lost(stage: Stage) -> None:
    """A frame sent together with the upgrade request is delivered after on_open, also when the answer takes its time."""
    listener = Recorder()

    async def admit(upgrade: Upgrade) -> Accept:
        await asyncio.sleep(0.05)
        return Accept(listener)

    async with stage.house(admit) as house:
        client = await RawClient.tcp(house.port)
        whole = frame(TEXT, b"eager")
        client.write(upgrade_request() + whole[:4])
        await asyncio.sleep(0.02)
        client.write(whole[4:])
        assert (await client.response())[0] == 101
        assert await listener.hears("text") == [(b"eager",)]
        assert listener.heard[0] == ("open",)
        await client.leave()


@on_stage
async def test_requests_in_small_pieces(stage: Stage) -> None:
    """An upgrade request that comes byte by byte is an upgrade request."""
    async with stage.house() as house:
        client = await RawClient.tcp(house.port)
        for byte in upgrade_request():
            client.write(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.response())[0] == 101
        await client.leave()


@on_stage
@pytest.mark.parametrize(
    ("answer", "header"),
    [
        (Refuse(401, "who are you"), ("www-authenticate", 'Basic realm="chargewatch", charset="UTF-8"')),
        (Refuse(403, "not you"), None),
        (Refuse(404), None),
        (Refuse(429, "slowly", 7), ("retry-after", "7")),
        (Refuse(503, "full", 30), ("retry-after", "30")),
        (Refuse(503), ("retry-after", "10")),
    ],
)
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
async def test_a_refusal_is_an_http_answer(stage: Stage, answer: Refuse, header: tuple[str, str] | None, later: bool) -> None:
    """A refused upgrade gets its status, its sentence and its header, and the connection ends."""

    async def wait() -> Refuse:
        await asyncio.sleep(0.01)
        return answer

    admit: Admit = (lambda upgrade: wait()) if later else (lambda upgrade: answer)
    async with stage.house(admit) as house:
        client = await RawClient.tcp(house.port)
        client.write(upgrade_request())
        status, headers, body = await client.response()
        assert (status, headers["connection"]) == (answer.status, "close")
        assert answer.body in body.decode()
        assert header is None or headers[header[0]] == header[1]
        assert await client.rest() == b""
        await client.leave()
        with pytest.raises(InvalidStatus) as refused:
            await websockets.connect(house.url())
        assert refused.value.response.status_code == answer.status
        assert house.server.counts["refused"] == 2


@on_stage
async def test_a_slow_answer_holds_nobody_up(stage: Stage) -> None:
    """While one upgrade waits for its password check, others get in and talk."""
    decided = asyncio.Event()
    late = Recorder()

    async def slow() -> Accept:
        await decided.wait()
        return Accept(late)

    def admit(upgrade: Upgrade) -> object:
        return slow() if upgrade.path == "/slow" else house.welcome(upgrade)

    async with stage.house(admit) as house:  # type: ignore[arg-type]
        waiting = await RawClient.tcp(house.port)
        waiting.write(upgrade_request("/slow"))
        async with websockets.connect(house.url()) as client:
            await client.send("meanwhile")
            assert await house.guests[0].hears("text") == [(b"meanwhile",)]
            assert late.heard == []
            decided.set()
            assert (await waiting.response())[0] == 101
            waiting.frame(TEXT, b"at last")
            assert await late.hears("text") == [(b"at last",)]
        await waiting.leave()


@on_stage
async def test_a_peer_that_leaves_before_its_answer(stage: Stage) -> None:
    """Its listener never opens, and hears one on_close, so that what was counted for it can be given back."""
    decided = asyncio.Event()
    listener = Recorder()

    async def slow(upgrade: Upgrade) -> Accept:
        await decided.wait()
        return Accept(listener)

    async with stage.house(slow) as house:
        client = await RawClient.tcp(house.port)
        client.write(upgrade_request())
        await asyncio.sleep(0.05)
        client.vanish()
        await asyncio.sleep(0.05)
        decided.set()
        assert (await listener.closed())[::2] == (1006, True)
        assert listener.all("open") == []
        assert house.server.counts["abandoned"] == 1


@on_stage
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
async def test_a_failing_admit_is_a_500(stage: Stage, later: bool, caplog: pytest.LogCaptureFixture) -> None:
    """An exception out of `admit` is logged and answered 500, without its text."""

    async def fail_later() -> Accept:
        raise RuntimeError("a secret bug")

    def admit(upgrade: Upgrade) -> object:
        if later:
            return fail_later()
        raise RuntimeError("a secret bug")

    async with stage.house(admit) as house:  # type: ignore[arg-type]
        client = await RawClient.tcp(house.port)
        client.write(upgrade_request())
        status, _, body = await client.response()
        assert status == 500
        assert b"secret" not in body
        assert "a secret bug" in caplog.text
        await client.leave()


WRONG: dict[str, tuple[bytes, int]] = {
    "no upgrade": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 426),
    "upgrade to h2c": (upgrade_request(Upgrade="h2c"), 426),
    "old version": (upgrade_request(Sec_WebSocket_Version="8"), 426),
    "no version": (upgrade_request(Sec_WebSocket_Version=None), 426),
    "no key": (upgrade_request(Sec_WebSocket_Key=None), 400),
    "short key": (upgrade_request(Sec_WebSocket_Key="YWJj"), 400),
    "post": (upgrade_request(first="POST /ocpp/CP1 HTTP/1.1"), 405),
    "http 1.0": (upgrade_request(first="GET /ocpp/CP1 HTTP/1.0"), 505),
    "not http": (upgrade_request(first="HELO"), 400),
    "a body": (upgrade_request(Content_Length="5"), 400),
    "a chunked body": (upgrade_request(Transfer_Encoding="chunked"), 400),
    "a folded header": (upgrade_request(X="1\r\n folded"), 400),
    "a bare line feed": (upgrade_request(X="1\nAuthorization: Basic x"), 400),
    "a null byte": (upgrade_request(X="1\x00"), 400),
    "two keys": (upgrade_request(X="1\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="), 400),
    "two credentials": (upgrade_request(Authorization="Basic YTpi\r\nAuthorization: Basic YTpj"), 400),
    "a huge header": (upgrade_request(X="x" * 40_000), 431),
    "a huge path": (upgrade_request("/" + "x" * 40_000), 431),
    "many headers": (upgrade_request(X="1" + "\r\nX: 1" * 200), 431),
}


@on_stage
@pytest.mark.parametrize(("request_bytes", "status"), WRONG.values(), ids=WRONG.keys())
async def test_what_is_not_an_upgrade_is_told_so(stage: Stage, request_bytes: bytes, status: int) -> None:
    """A wrong request gets the HTTP status that says what is wrong, with a sentence, and `admit` is not asked."""
    async with stage.house() as house:
        client = await RawClient.tcp(house.port)
        client.write(request_bytes)
        answered, headers, body = await client.response()
        assert answered == status
        assert body.decode().strip().endswith(".")
        assert status != 426 or headers["upgrade"] == "websocket"
        assert house.upgrades == []
        assert house.server.counts["malformed"] == 1
        await client.leave()


@on_stage
async def test_each_slow_upgrade_has_its_own_time(stage: Stage) -> None:
    """The clock of an upgrade runs from its own beginning: a later one is cut too, after the first, and the next after both."""
    async with stage.house(limits=HASTY) as house:
        first, second = await RawClient.tcp(house.port), await RawClient.tcp(house.port)
        assert [(await client.response())[0] for client in (first, second)] == [408, 408]
        third = await RawClient.tcp(house.port)
        assert (await third.response())[0] == 408
        assert house.server.counts["timed_out"] == 3
        for client in (first, second, third):
            await client.leave()


@on_stage
@pytest.mark.parametrize("said", [b"", b"GET /ocpp/CP1 HT", upgrade_request()[:-2]], ids=["nothing", "a line", "all but the end"])
async def test_a_slow_upgrade_is_cut(stage: Stage, said: bytes) -> None:
    """Slow-loris: a request that is not complete in time is answered 408 and cut, and counted; a neighbour gets in."""
    async with stage.house(limits=HASTY) as house:
        client = await RawClient.tcp(house.port)
        client.write(said)
        assert (await client.response())[0] == 408
        assert await client.rest() == b""
        assert house.server.counts["timed_out"] == 1
        assert house.upgrades == []
        async with websockets.connect(house.url()):
            assert house.server.counts["upgraded"] == 1
        await client.leave()


@on_stage
async def test_an_answer_that_comes_too_late(stage: Stage) -> None:
    """When admit takes longer than the handshake may, the peer gets 503 with Retry-After, and the listener one on_close."""
    listener = Recorder()

    async def slow(upgrade: Upgrade) -> Accept:
        await asyncio.sleep(1.2)
        return Accept(listener)

    async with stage.house(slow, limits=HASTY) as house:
        client = await RawClient.tcp(house.port)
        client.write(upgrade_request())
        status, headers, _ = await client.response()
        assert (status, headers["retry-after"]) == (503, "10")
        assert (await listener.closed())[::2] == (1006, True)
        await client.leave()


@on_stage
async def test_closing_the_server(stage: Stage) -> None:
    """A closed server accepts nobody, drops upgrades under way, and leaves open sockets to their owner."""

    async def never(upgrade: Upgrade) -> Accept:
        await asyncio.Event().wait()
        raise AssertionError

    def admit(upgrade: Upgrade) -> object:
        return never(upgrade) if upgrade.path == "/slow" else house.welcome(upgrade)

    async with stage.house(admit) as house:  # type: ignore[arg-type]
        half = await RawClient.tcp(house.port)
        half.write(b"GET /")
        waiting = await RawClient.tcp(house.port)
        waiting.write(upgrade_request("/slow"))
        client = await RawClient.open(house.port)
        await asyncio.sleep(0.05)
        port = house.port
        await house.server.close()
        assert (await half.rest(), await waiting.rest()) == (b"", b"")
        with pytest.raises(OSError):
            await RawClient.tcp(port)
        client.frame(TEXT, b"still here")
        assert await house.guests[-1].hears("text") == [(b"still here",)]
        for other in (half, waiting, client):
            await other.leave()


@on_stage
async def test_a_busy_port_is_an_oserror_that_names_it(stage: Stage) -> None:
    """Binding an address that is taken raises OSError with the address in its text."""
    async with stage.house() as house:
        with pytest.raises(OSError, match=f"127.0.0.1:{house.port}"):
            await stage.serve(refuse(404), "127.0.0.1", house.port)


@on_stage
async def test_every_connection_is_counted(stage: Stage) -> None:
    """The counts have the port's keys, and account for every TCP connection."""
    async with stage.house() as house:
        assert set(house.server.counts) == set(COUNTS)
        client = await RawClient.open(house.port)
        gone = await RawClient.tcp(house.port)
        gone.write(b"GET")
        await gone.writer.drain()
        await gone.leave()
        await asyncio.sleep(0.05)
        counts = house.server.counts
        assert (counts["accepted"], counts["upgraded"], counts["abandoned"]) == (2, 1, 1)
        await client.leave()
