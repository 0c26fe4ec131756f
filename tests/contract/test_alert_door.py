"""The way out over real sockets: which addresses are connected to, what of an answer is read, how mail servers and chats answer."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller

from alerts.config.model import AppriseReceiver, EmailReceiver
from alerts.message import trial
from alerts.notifiers.apprise import Apprise
from alerts.notifiers.email import Email
from alerts.notifiers.http import MAX_ANSWER, Door
from alerts.notifiers.port import HttpFailure, HttpRequest, Result, deliver
from alerts.relay.rows import Outcome
from chargenet.settings.values import Secret
from tests.support.relay import NOW
from tests.support.servers import free_port

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Served:
    """Where a server listens, and how often somebody connected."""

    def __init__(self) -> None:
        self.port, self.connections = 0, 0


@asynccontextmanager
async def serving(answer: Answer | bytes, context: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    """A server that answers each request with these bytes, or by itself."""
    served = Served()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0, ssl=context)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()


@asynccontextmanager
async def door(**options: Any) -> AsyncIterator[Door]:
    made = Door(**options)
    try:
        yield made
    finally:
        await made.close()


async def attempt(made: Door, url: str, timeout_s: float = 5.0) -> Result:
    return await deliver(made, HttpRequest(url, {"X-Secret": "geheim"}, b"{}"), timeout_s, NOW)


OK = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


async def test_private_addresses_are_not_connected_to() -> None:
    """By number or by name: nothing reaches the server, and the refusal is final; where they are allowed, it is delivered."""
    async with serving(OK) as served:
        async with door() as guarded:
            for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"):
                result = await attempt(guarded, f"http://{host}:{served.port}/hook")
                assert result.outcome is Outcome.REFUSED and "alerts.allow_private_addresses" in result.detail, host
        assert served.connections == 0
        async with door(allow_private=True) as open_door:
            assert (await attempt(open_door, f"http://127.0.0.1:{served.port}/hook")).outcome is Outcome.DELIVERED


async def test_a_name_that_changes_its_mind_does_not_get_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: what was checked is what is connected to, whatever a second look-up would say; one private address of
    several is one too many."""
    loop, asked = asyncio.get_running_loop(), 0

    async def rebinding(host: str, port: int, **options: Any) -> list[Any]:
        nonlocal asked
        asked += 1
        found = ["93.184.216.34"] if asked == 1 else ["127.0.0.1"]
        if host == "both.example":
            found = ["93.184.216.34", "127.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    connected: list[str] = []

    async with serving(OK) as served, door() as guarded:
        inner = guarded._pool._network_backend._inner  # type: ignore[attr-defined]  # what connects in the end

        async def connect(host: str, *rest: Any) -> Any:
            connected.append(host)
            raise ConnectionRefusedError("nobody there")

        monkeypatch.setattr(loop, "getaddrinfo", rebinding)
        monkeypatch.setattr(inner, "connect_tcp", connect)
        result = await attempt(guarded, f"http://rebound.example:{served.port}/")
        assert (result.outcome, connected, asked) == (Outcome.RETRY, ["93.184.216.34"], 1)
        assert (await attempt(guarded, f"http://rebound.example:{served.port}/")).outcome is Outcome.REFUSED
        assert (await attempt(guarded, f"http://both.example:{served.port}/")).outcome is Outcome.REFUSED
        assert connected == ["93.184.216.34"] and served.connections == 0


async def test_redirects_are_not_followed() -> None:
    """Neither inside nor outside: the answer is final and says what to do; the other server hears nothing."""
    async with serving(OK) as inside, door(allow_private=True) as made:
        for status in (301, 302, 303, 307, 308):
            target = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{inside.port}/\r\nContent-Length: 0\r\n\r\n"
            async with serving(target.encode()) as outside:
                result = await attempt(made, f"http://127.0.0.1:{outside.port}/")
            assert result.outcome is Outcome.REFUSED and "redirect" in result.detail
        assert inside.connections == 0


async def test_an_attempt_has_one_deadline() -> None:
    """A server that sends a byte now and then does not hold the attempt beyond its limit."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with serving(trickle) as served, door(allow_private=True) as made:
        result = await attempt(made, f"http://127.0.0.1:{served.port}/", 0.5)
    assert result.outcome is Outcome.RETRY and result.detail == "no answer within 0.5 s"


async def test_only_the_beginning_of_an_answer_is_read() -> None:
    """An endless answer costs a few kilobytes; what the log says of it is short and on one line."""

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"no\n" * 10_000)
            await writer.drain()

    async with serving(endless) as served, door(allow_private=True) as made:
        answer = await made.post(HttpRequest(f"http://127.0.0.1:{served.port}/", {}, b""), 5.0)
        assert len(answer.body) == MAX_ANSWER
        result = await attempt(made, f"http://127.0.0.1:{served.port}/")
    assert result.outcome is Outcome.REFUSED and len(result.detail) <= 300 and "\n" not in result.detail


@pytest.mark.parametrize("said", [b"nonsense\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"])
async def test_what_is_no_answer_is_tried_again(said: bytes) -> None:
    """Not HTTP, nothing at all, or half of it: nobody knows whether it was taken, so the same id comes again."""
    async with serving(said) as served, door(allow_private=True) as made:
        assert (await attempt(made, f"http://127.0.0.1:{served.port}/")).outcome is Outcome.RETRY


async def test_a_certificate_must_be_trusted() -> None:
    """Over TLS only to whom the system trusts; the failure says so, and holds neither URL nor header."""
    authority = trustme.CA()
    served_context, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(served_context)
    authority.configure_trust(trusting)
    async with serving(OK, served_context) as served:
        url = f"https://localhost:{served.port}/geheim"
        async with door(allow_private=True) as made:
            result = await attempt(made, url)
            assert result.outcome is Outcome.RETRY and "geheim" not in result.detail and "certificate" in result.detail.lower()
        async with door(allow_private=True, ssl_context=trusting) as made:
            assert (await attempt(made, url)).outcome is Outcome.DELIVERED
            with pytest.raises(HttpFailure):
                await made.post(HttpRequest(url.replace("localhost", "127.0.0.1"), {}, b""), 5.0)


class Desk:
    """A mail server's rules: `answer` is said to each mail."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.mails: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(envelope)
        return self.answer


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("250 taken", Outcome.DELIVERED), ("451 later geheim", Outcome.RETRY), ("550 5.7.1 no geheim", Outcome.REFUSED)],
)
async def test_what_a_mail_server_answers(answer: str, outcome: Outcome) -> None:
    """250 is delivered, 4yz is tried again, 5yz is final (RFC 5321 §4.2.1); the log has its code and not its words."""
    desk = Desk(answer)
    server = Controller(desk, hostname="127.0.0.1", port=free_port())
    await asyncio.to_thread(server.start)
    try:
        receiver = EmailReceiver(
            name="mail", host="127.0.0.1", port=server.port, tls="none", sender="cw@example.org", to=("ops@example.org",)
        )
        result = await Email(receiver).send(trial("mail", "ola", NOW, "1"), NOW)
    finally:
        await asyncio.to_thread(server.stop)
    assert result.outcome is outcome and "geheim" not in result.detail
    assert [mail.rcpt_tos for mail in desk.mails] == [["ops@example.org"]]
    assert b"Test from chargewatch" in desk.mails[0].content


async def test_mail_is_not_sent_in_the_clear_where_tls_was_asked_for() -> None:
    """A server that does not know STARTTLS gets nothing."""
    desk = Desk("250 taken")
    server = Controller(desk, hostname="127.0.0.1", port=free_port())
    await asyncio.to_thread(server.start)
    try:
        receiver = EmailReceiver(name="m", host="127.0.0.1", port=server.port, sender="cw@example.org", to=("ops@example.org",))
        result = await Email(receiver).send(trial("mail", "ola", NOW, "1"), NOW)
    finally:
        await asyncio.to_thread(server.stop)
    assert result.outcome is Outcome.RETRY and desk.mails == []


@pytest.mark.filterwarnings("ignore")  # what plugins of the library import is not ours
async def test_a_chat_by_its_apprise_url() -> None:
    """A URL of the library's own JSON form: delivered where it is taken, tried again where it is not."""
    for status, outcome in ((b"200 OK", Outcome.DELIVERED), (b"500 Oops", Outcome.RETRY)):
        async with serving(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as served:
            receiver = AppriseReceiver(name="chat", urls=(Secret(f"json://127.0.0.1:{served.port}/geheim"),))
            result = await Apprise(receiver).send(trial("chat", "ola", NOW, "1"), NOW)
            assert result.outcome is outcome and "geheim" not in result.detail and served.connections == 1
    unknown = AppriseReceiver(name="chat", urls=(Secret("nothing://geheim"),))
    result = await Apprise(unknown).send(trial("chat", "ola", NOW, "1"), NOW)
    assert result.outcome is Outcome.REFUSED and "URL 1" in result.detail and "geheim" not in result.detail
