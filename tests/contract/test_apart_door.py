"""The doors between the processes: who is let in, how much a body may be, and what is answered by whose fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.routing import Route

from chargenet.errors import NotFound, StoreUnavailable
from chargenet.model.record import Record
from chargenet.model.words import RecordKind
from chargenet.settings.values import Secret
from chargenet.testing import MemoryJournal, MemoryTelemetry
from chargewatch.apart import door as doors
from chargewatch.apart.beats import KEPT_BEATS, Beats
from chargewatch.apart.door import CollectorDoor, answered, door
from chargewatch.apart.joints import Inner
from chargewatch.apart.line import Line
from chargewatch.apart.wire import CLIENT_HEADER, MAX_BYTES, NO_BEATS, TOKEN_HEADER, News, Records, bounded
from collector.feed import JournalFeed
from collector.interpret import interpret
from tests.support.api import ScriptedGateway
from tests.support.doors import TOKEN, behind, served
from tests.support.facts import fact
from tests.support.journal import append, durable

OURS = {TOKEN_HEADER: TOKEN.reveal()}


async def _size(request: Request) -> bytes:
    return str(len(await request.body())).encode()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Before a door with one question, the size of a body."""
    app = Inner(door([Route("/size", answered(_size), methods=["POST"])], TOKEN), None)
    async with served(app) as url, httpx.AsyncClient(base_url=url) as made:
        yield made


async def test_only_the_token_opens(client: httpx.AsyncClient) -> None:
    """Without it, with another one, with a part of it, or where it has no business (a URL, a key's place): 401, and no hint."""
    wrong: tuple[dict[str, str | bytes], ...] = (
        {}, {TOKEN_HEADER: "wrong"}, {TOKEN_HEADER: TOKEN.reveal()[:-1]}, {TOKEN_HEADER: TOKEN.reveal() + "x"},
        {TOKEN_HEADER: b"\xff\xfe"}, {"Authorization": f"Bearer {TOKEN.reveal()}"},
    )  # fmt: skip
    for headers in wrong:
        answer = await client.post("/internal/size", headers=headers, content=b"x")  # type: ignore[arg-type]
        assert (answer.status_code, TOKEN.reveal() in answer.text) == (401, False)
    assert (await client.post(f"/internal/size?{TOKEN_HEADER}={TOKEN.reveal()}")).status_code == 401
    assert (await client.post("/internal/size", headers=OURS, content=b"abc")).text == "3"


async def test_a_token_may_have_any_letters() -> None:
    """What is compared are bytes as they are sent."""
    token = Secret("schlüssel-für-alle-programme")
    async with behind(door([Route("/size", answered(_size), methods=["POST"])], token), token) as line:
        with pytest.raises(StoreUnavailable, match="another version"):  # it was let in: the answer is no MessagePack of that
            await line.ask("/size", dict[str, int], body=b"abc")


async def test_what_is_passed_on_for_somebody_is_not_let_in(client: httpx.AsyncClient) -> None:
    """The forwarder's requests carry the token, but are a caller's: they never reach the door."""
    answer = await client.post("/internal/size", headers=OURS | {CLIENT_HEADER: "10.0.0.9"}, content=b"x")
    assert answer.status_code == 401


async def test_nothing_else_is_there(client: httpx.AsyncClient) -> None:
    """The collector's listener for programs has no API, no probes and no documents."""
    for path in ("/", "/internal", "/metrics", "/healthz", "/api/v1/keys", "/docs", "/openapi.json", "/internalx/size"):
        assert (await client.get(path, headers=OURS)).status_code == 404
    assert (await client.get("/internal/nothing", headers=OURS)).status_code == 404
    assert (await client.get("/internal/size", headers=OURS)).status_code == 405


async def test_bodies_are_bounded(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the length that is declared, and by what comes where none is."""
    monkeypatch.setattr(doors, "MAX_BODY", 1000)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    assert (await client.post("/internal/size", headers=OURS, content=b"x" * 1000)).text == "1000"
    assert (await client.post("/internal/size", headers=OURS, content=b"x" * 1001)).status_code == 413
    assert (await client.post("/internal/size", headers=OURS, content=pieces())).status_code == 413


async def test_faults_are_told_apart() -> None:
    """503 where a store is away, 404 where nothing is, 400 where the question makes no sense."""

    async def fails(request: Request) -> bytes:
        raise {"store": StoreUnavailable("sql", "is down"), "nothing": NotFound("charge point", "x"), "sense": KeyError("after")}[
            request.query_params["with"]
        ]

    async with served(Inner(door([Route("/fails", answered(fails))], TOKEN), None)) as url, httpx.AsyncClient() as client:
        for kind, status in (("store", 503), ("nothing", 404), ("sense", 400)):
            assert (await client.get(f"{url}/internal/fails?with={kind}", headers=OURS)).status_code == status


class Collector:
    """A journal with a feed, as the collector has them."""

    def __init__(self, beats: Beats) -> None:
        self.journal, self.beats, self.registrations = MemoryJournal(), beats, 5
        self.feed = JournalFeed(self.journal, interpret)
        offered = CollectorDoor(self.journal, self.feed, ScriptedGateway(), MemoryTelemetry(), beats, lambda: self.registrations)
        self.app = door(offered.routes, TOKEN)

    async def say(self, *numbers: int) -> None:
        """Records that are durable and published."""
        for number in numbers:
            append(self.journal, number)
        await durable(self.journal)
        self.feed.publish([fact(number) for number in numbers], numbers[-1])


async def _news(line: Line, after: int, beats_after: int = NO_BEATS) -> News:
    return await line.ask("/news", News, query={"after": after, "beats_after": beats_after})


async def test_news_is_what_came_after() -> None:
    """Records, the bounds of the journal, heartbeats since a position, and the count of registrations; nothing after a moment."""
    collector = Collector(Beats(1000))
    async with behind(collector.app) as line:
        await collector.say(1, 2, 3)
        collector.beats.add("CP-1", 7.5)
        news = await _news(line, 1, 1000)
        assert [record.sequence for record in news.records] == [2, 3]
        assert (news.first, news.durable, news.beats, news.beats_upto, news.registrations) == (1, 3, [("CP-1", 7.5)], 1001, 5)
        assert (await _news(line, 0)).beats == [], "nobody who did not ask"
        nothing = await _news(line, 2**62)
        assert (nothing.records, nothing.durable) == ([], 3)


async def test_whoever_waits_hears_at_once() -> None:
    """A question that waits is answered by the next record."""
    collector = Collector(Beats())
    async with behind(collector.app) as line:
        asked = asyncio.ensure_future(_news(line, 0))
        await asyncio.sleep(0.05)
        await collector.say(1)
        assert [record.sequence for record in (await asked).records] == [1]


async def test_what_is_durable_but_not_yet_published_is_not_skipped() -> None:
    """The journal's own watermark runs ahead of the feed: an answer never claims more than its records and the feed's head."""
    collector = Collector(Beats())
    async with behind(collector.app) as line:
        append(collector.journal, 1)
        await durable(collector.journal)
        assert collector.journal.durable_sequence == 1 and collector.feed.head == 0
        news = await _news(line, 0)
        assert (news.records, news.durable) == ([], 0)


async def test_questions_that_make_no_sense_are_refused() -> None:
    """Not numbers, or missing: 400, which the asker hears as a store that is unavailable."""
    async with behind(Collector(Beats()).app) as line:
        for query in ({}, {"after": "x"}, {"limit": "1"}):
            with pytest.raises(StoreUnavailable, match="answers 400"):
                await line.ask("/records", Records, query=query)


def test_beats_of_another_run_are_given_whole() -> None:
    """A position of before a restart, or from afar, gets all that is kept; nobody gets one twice within a run."""
    beats = Beats(500)
    for number in range(3):
        beats.add("CP-1", float(number))
    assert [at for _, at in beats.after(501)] == [1.0, 2.0] and beats.after(503) == []
    assert len(beats.after(0)) == len(beats.after(10**6)) == 3


def test_beats_are_bounded() -> None:
    """The oldest go first, and whoever is late gets what is left."""
    beats = Beats()
    for number in range(KEPT_BEATS + 5):
        beats.add("CP-1", float(number))
    kept = beats.after(1)
    assert (len(kept), kept[0], beats.upto) == (KEPT_BEATS, ("CP-1", 5.0), KEPT_BEATS + 5)


def test_huge_records_come_one_by_one() -> None:
    """An answer is bounded, but has one record at least: a follower always gets on."""
    huge = [Record(number, 0, "CP-1", 1, "ocpp1.6", RecordKind.CALL, b"x" * MAX_BYTES, b"") for number in (1, 2, 3)]
    assert bounded(huge) == huge[:1]
    small = [Record(number, 0, "CP-1", 1, "ocpp1.6", RecordKind.CALL, b"x", b"") for number in (1, 2, 3)]
    assert bounded(small) == small and bounded([]) == []
