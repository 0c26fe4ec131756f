"""The API of programs apart through the collector's listener: who may, whose address counts, and what passes unchanged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send

from chargewatch.apart.wire import CLIENT_HEADER, KEY_HEADER, TOKEN_HEADER
from chargewatch.programs import ALL
from tests.support.doors import TOKEN
from tests.support.forwarding import Forwarded, forwarded
from tests.support.servers import free_port

PLAN = {"reason": "new cables", "charge_point_id": "CP-1", "ends_at": "2026-01-02T00:00:00Z"}
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Forwarded]:
    """A collector and a program; no test changes what another one sees."""
    async with forwarded(tmp_path_factory.mktemp("both")) as made:
        yield made


class Echo:
    """A program that says what reached it; `answer` decides otherwise."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.left = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
        raw = scope["raw_path"].decode() + "?" + scope["query_string"].decode()
        self.seen.append({"method": scope["method"], "target": raw, "headers": headers, "body": body})
        await self.answer(receive, send)

    async def answer(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})

    def header(self, name: str) -> list[str]:
        """Values of the last request."""
        return [value for each, value in self.seen[-1]["headers"] if each == name.lower()]


async def test_a_key_of_the_collector_is_a_key_of_the_program(both: Forwarded) -> None:
    """A viewer reads, an operator acts, and the program's audit log names the key, whatever letters its name has."""
    async with both.client("viewer") as viewer, both.client("operator") as operator:
        assert (await viewer.get("/api/v1/cases")).status_code == 200
        refused = await viewer.post("/api/v1/silences", json={})
        assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
        await both.far.register("CP-1")
        made = await operator.post("/api/v1/maintenance", json=PLAN)
        assert made.status_code == 201, made.text
        [entry] = [each for each in await both.audited() if each[1] == "maintenance.add"]
        assert entry[0].endswith("operator ü")
        answer = await operator.get("/api/v1/cases?nonsense=1")
        assert answer.status_code == 422 and answer.json()["instance"] == "/api/v1/cases"


async def test_no_key_and_wrong_keys_are_refused(both: Forwarded) -> None:
    """By the program, as in one process."""
    async with both.client(None) as nobody:
        assert (await nobody.get("/api/v1/cases")).status_code == 401
        wrong = await nobody.get("/api/v1/cases", headers={"Authorization": "Bearer cw_123_nonsense"})
        assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, 'Bearer realm="chargewatch"')


async def test_a_callers_own_word_is_never_believed(both: Forwarded) -> None:
    """Whoever sends the platform's own headers to the collector's address is who he was without them."""
    admin = json.dumps({"key_id": "1", "name": "me", "role": "admin", "created_at": "2026-01-01T00:00:00Z"})
    forged = {KEY_HEADER: admin, CLIENT_HEADER: "127.0.0.1", TOKEN_HEADER: TOKEN.reveal()}
    async with both.client(None) as nobody, both.client("viewer") as viewer:
        assert (await nobody.get("/api/v1/cases", headers=forged)).status_code == 401
        assert (await viewer.post("/api/v1/silences", json={}, headers=forged)).status_code == 403


async def test_a_program_is_reached_through_the_collector_alone(both: Forwarded) -> None:
    """Its own listener knows no keys; without the token: 421 for everything but the probes."""
    async with httpx.AsyncClient(base_url=both.program, headers={"Authorization": f"Bearer {both.keys['admin']}"}) as client:
        for headers in ({}, {KEY_HEADER: "{}"}, {TOKEN_HEADER: "wrong"}):
            answer = await client.get("/api/v1/cases", headers=headers)
            assert (answer.status_code, answer.headers["content-type"]) == (421, "application/problem+json")
        assert (await client.get("/internal/checks")).status_code == 401
        assert (await client.get("/metrics")).status_code == 200, "loopback: probes are open"


async def test_probes_elsewhere_want_their_token(tmp_path: Path) -> None:
    """Where the listener is not on loopback, neither nobody nor a key from a header opens /metrics."""
    closed: dict[str, Any] = {"http__open_probes": False, "http__probe_token": "for-the-probes-and-nothing-else"}
    async with forwarded(tmp_path, **closed) as both, httpx.AsyncClient(base_url=both.program) as client:
        assert (await client.get("/metrics")).status_code == 401
        forged = {KEY_HEADER: "{}", "Authorization": f"Bearer {both.keys['admin']}"}
        assert (await client.get("/metrics", headers=forged)).status_code == 401
        known = {"Authorization": "Bearer for-the-probes-and-nothing-else"}
        assert (await client.get("/metrics", headers=known)).status_code == 200
        assert (await client.get("/api/v1/cases", headers=known)).status_code == 421


async def test_a_revoked_key_works_nowhere_at_once(both: Forwarded) -> None:
    """The collector looks at each request; a program remembers no key."""
    made = await both.near.keys.create("leaves us", "viewer", both.near.clock.now())
    async with both.client(None) as client:
        client.headers["Authorization"] = f"Bearer {made.secret}"
        assert (await client.get("/api/v1/cases")).status_code == 200
        await both.near.keys.revoke(made.key.key_id, both.near.clock.now())
        assert (await client.get("/api/v1/cases")).status_code == 401


async def test_wrong_keys_are_counted_by_the_callers_address(tmp_path: Path) -> None:
    """One address that guesses is held back; another one, through the same collector, is not."""
    async with forwarded(tmp_path, http__failed_keys=3) as both:
        other = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
        async with both.client(None) as guesser, both.client("viewer", transport=other) as viewer:
            for expected in (401, 401, 401, 429):
                answer = await guesser.get("/api/v1/cases", headers={"Authorization": "Bearer cw_1_x", CLIENT_HEADER: "9.9.9.9"})
                assert answer.status_code == expected
            assert int(answer.headers["retry-after"]) > 0
            assert (await viewer.get("/api/v1/cases")).status_code == 200


async def test_paths_and_queries_pass_as_they_came(tmp_path: Path) -> None:
    """An escaped slash belongs to its part, dots lead nowhere else, and no parameter is spelled anew."""
    echo = Echo()
    async with forwarded(tmp_path, echo) as both, both.client() as client:
        for raw in (
            b"/api/v1/cases?site=a%2Fb&site=c+d&x",
            b"/f/..%2Finternal/checks",
            b"/f/../internal/checks",
            b"/f/t/a%20%C3%BC.bin",
        ):
            await client.get(httpx.URL(both.collector), extensions={"target": raw})
            assert echo.seen[-1]["target"] == raw.decode() + ("" if b"?" in raw else "?")


async def test_nobody_is_led_through_the_door(both: Forwarded) -> None:
    """A path with dots in it that a program's route matches ends there, not at the door or the probes beside it."""
    async with both.client(None) as nobody:
        for raw in (b"/f/../internal/checks", b"/f/%2e%2e/internal/checks", b"/f/x/../../internal/checks", b"/f/../metrics"):
            answer = await nobody.get(httpx.URL(both.collector), extensions={"target": raw})
            assert answer.status_code == 404, raw


async def test_what_passes_and_what_does_not(tmp_path: Path) -> None:
    """Bodies byte for byte, a sender's signature and his own token; not what concerns one connection, nor what is ours to say."""
    echo, body = Echo(), b'{"id": "evt_1" ,  "\xc3\xbc":1}\n'
    async with forwarded(tmp_path, echo) as both, both.client(None) as sender:
        headers = {
            "Stripe-Signature": "t=1,v1=abc",
            "Authorization": "Bearer of-alertmanager",
            "Connection": "close, X-Mine",
            "X-Mine": "1",
        }
        await sender.post("/api/v1/payments/webhook", content=body, headers=headers | {CLIENT_HEADER: "9.9.9.9"})
        await sender.post("/api/v1/alerts/alertmanager", content=body, headers=headers)
        assert [each["body"] for each in echo.seen] == [body] * len(echo.seen) and echo.seen
        assert echo.header("stripe-signature") == ["t=1,v1=abc"] and echo.header("authorization") == ["Bearer of-alertmanager"]
        assert echo.header("x-mine") == [] and echo.header("accept-encoding") == ["gzip, deflate"]
        assert echo.header(CLIENT_HEADER) == ["127.0.0.1"] and echo.header(KEY_HEADER) == []
        assert echo.header(TOKEN_HEADER) == [TOKEN.reveal()]


async def test_large_bodies_are_refused_on_the_way(tmp_path: Path) -> None:
    """By their declared length, and by what comes where none is declared: 413, a problem like any other."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 500

    async with forwarded(tmp_path, http__max_body_bytes=2000) as both, both.client("operator") as client:
        declared = await client.post("/api/v1/silences", content=b" " * 2001)
        counted = await client.post("/api/v1/silences", content=pieces())
    for answer in (declared, counted):
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
        assert "http.max_body_bytes" in answer.json()["detail"]


async def test_a_program_that_is_away_is_named(tmp_path: Path) -> None:
    """503 with a sentence and a time to try again; the collector's own routes answer as ever."""
    urls = {f"programs__{name}_url": f"http://127.0.0.1:{free_port()}" for name in ALL}
    async with forwarded(tmp_path, away=urls) as both, both.client() as client:
        answer = await client.get("/api/v1/cases")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["detail"].startswith("the alerts program does not answer: ")
        assert TOKEN.reveal() not in answer.text
        assert (await client.get("/api/v1/charge-points")).status_code == 200


async def test_unknown_paths_and_methods(both: Forwarded) -> None:
    """As in one process: 404 and 405 as problems, and a slash too many leads to the right place."""
    async with both.client() as client:
        for method, path, status in (
            ("GET", "/api/v1/cases/1/nothing", 404), ("GET", "/api/v1/nothing", 404), ("PATCH", "/api/v1/cases", 405),
            ("DELETE", "/api/v1/sites", 405), ("GET", "/api/v1/cases/", 307),
        ):  # fmt: skip
            answer = await client.request(method, path)
            assert answer.status_code == status, path
            if status != 307:
                assert answer.headers["content-type"] == "application/problem+json"
        assert (await client.get("/api/v1/cases/", follow_redirects=True)).status_code == 200


async def test_the_document_lists_all(both: Forwarded) -> None:
    """The collector's OpenAPI document has every path, wherever it is answered."""
    async with both.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"/api/v1/cases", "/api/v1/firmware", "/api/v1/cdrs", "/api/v1/charge-points"} <= set(paths)


class Endless(Echo):
    """Answers for ever, until its caller is gone."""

    async def answer(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        watching = asyncio.ensure_future(receive())
        while not watching.done():
            await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
            await asyncio.sleep(0.01)
        assert (await watching)["type"] == "http.disconnect"
        self.left.set()


async def test_a_caller_that_leaves_is_gone_for_the_program_too(tmp_path: Path) -> None:
    """What nobody reads is not made any more, and the connection to the program is let go of."""
    endless = Endless()
    async with forwarded(tmp_path, endless) as both, both.client() as client:
        async with client.stream("GET", "/api/v1/cases") as answer:
            async for _ in answer.aiter_raw():
                break
        async with asyncio.timeout(20):
            await endless.left.wait()


class Dying(Echo):
    """Ends in the middle of an answer, as a killed process does."""

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        super().__init__()
        self._headers = headers

    async def answer(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"8")]])
async def test_half_an_answer_is_never_taken_for_a_whole(tmp_path: Path, headers: list[tuple[bytes, bytes]]) -> None:
    """With and without a declared length, the caller's connection ends without the end of the answer."""
    async with forwarded(tmp_path, Dying(headers)) as both, both.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/api/v1/cases")
