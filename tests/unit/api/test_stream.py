"""The live event stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chargenet.events import CommandSent, Event, Fact, MeasurementsTaken, StatusReported, TokenPresented
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.key import Key
from chargenet.model.measurement import POWER, Measurement, together
from chargewatch.api.auth import Principal
from chargewatch.api.problems import ApiError
from chargewatch.api.stream import HEARTBEAT_S, Filter, Slots, sse
from tests.support.api import Api, FakePlatform, api_over

AT = datetime(2026, 1, 1, tzinfo=UTC)
STATUS = StatusReported(connector=ConnectorRef(1), status="Charging", raw_status="Charging")
TOKEN = TokenPresented(id_token=IdToken("04A2B3C4"), token_status="Accepted")


def fact(sequence: int, charge_point_id: str, *events: Event) -> Fact:
    return Fact(sequence, AT, charge_point_id, 1, "ocpp1.6", "StatusNotification", events)


def viewer(role: str = "viewer") -> Principal:
    return Principal(Key(key_id="k", name="n", role=role, created_at=AT))


EVERYTHING = Filter()


async def messages(platform: FakePlatform, wanted: Filter = EVERYTHING, *, after: int = 0, role: str = "viewer") -> list[Any]:
    """What a stream sends until the platform closes."""
    platform.closing = False
    stream = sse(platform, wanted, viewer(role), after)
    found = [await anext(stream)]
    platform_facts = len(platform.feed.facts)
    if platform_facts > after:
        found.append(await anext(stream))
    platform.closing = True
    found += [message async for message in stream]
    return [json.loads(line[6:]) for message in found for line in message.decode().splitlines() if line.startswith("data: ")]


async def test_facts_arrive_in_order_and_resume_after_a_sequence(api: Api) -> None:
    """Each fact is one message whose id is its sequence; after=n begins with n + 1."""
    api.platform.feed.put(fact(1, "CP-1", STATUS), fact(2, "CP-2", STATUS), fact(3, "CP-1", STATUS))
    assert [each["sequence"] for each in await messages(api.platform)] == [1, 2, 3]
    assert [each["sequence"] for each in await messages(api.platform, after=2)] == [3]


async def test_readings_are_a_list_of_values(api: Api) -> None:
    """What is kept as one composition is told value by value."""
    power = Measurement(POWER, 7200.0, "W")
    api.platform.feed.put(
        fact(
            1, "CP-1",
            MeasurementsTaken(connector=ConnectorRef(1), transaction_id=None, measured_at=AT, measurements=together([power])),
        )
    )  # fmt: skip
    ((told,),) = [message["events"] for message in await messages(api.platform)]
    assert [(each["measurand"], each["value"], each["unit"]) for each in told["measurements"]] == [(POWER, 7200.0, "W")]


async def test_filters_choose_facts_and_events(api: Api) -> None:
    """Only the wanted charge points' wanted events are sent."""
    api.platform.feed.put(fact(1, "CP-1", STATUS, TOKEN), fact(2, "CP-2", TOKEN))
    by_point = await messages(api.platform, Filter(charge_points=frozenset({"CP-2"})))
    assert [each["sequence"] for each in by_point] == [2]
    (by_type,) = await messages(api.platform, Filter(types=frozenset({"StatusReported"})))
    assert [event["status"] for event in by_type["events"]] == ["Charging"]


async def test_viewers_see_tokens_hashed_and_nobody_sees_secrets(api: Api) -> None:
    """An operator sees the ID token, a viewer its hash; an upload URL in a command is hidden from both."""
    location = f"http://x/uploads/{'0' * 16}.{'s' * 43}"
    sent = CommandSent(message_id="m", action="GetDiagnostics", payload={"location": location})
    api.platform.feed.put(fact(1, "CP-1", TOKEN, sent))
    (seen,) = await messages(api.platform, role="operator")
    assert seen["events"][0]["id_token"]["value"] == "04A2B3C4"
    assert seen["events"][1]["payload"] == {"location": "http://x/uploads/(hidden)"}
    (hashed,) = await messages(api.platform)
    assert hashed["events"][0]["id_token"]["value"] == IdToken("04A2B3C4").hashed and "payload" not in hashed["events"][1]


async def test_a_quiet_stream_says_that_it_is_there(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment is sent when nothing happened for the heartbeat interval."""
    monkeypatch.setattr("chargewatch.api.stream._POLL_S", 0.001)
    stream = sse(api.platform, Filter(), viewer(), 0)
    await anext(stream)
    pending = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.02)
    assert not pending.done()
    api.platform.clock.advance(HEARTBEAT_S)
    assert await pending == b": still here\n\n"
    api.platform.closing = True
    assert [message async for message in stream] == []


def test_slots_are_bounded() -> None:
    """The stream after the last slot is refused with 503, until one is given back."""
    slots = Slots(1)
    slots.take()
    with pytest.raises(ApiError) as refused:
        slots.take()
    assert refused.value.status == 503
    slots.give_back()
    slots.take()


def _close_after_the_first_facts(platform: FakePlatform) -> None:
    read = platform.feed.next

    async def last(after: int, limit: int = 2000) -> Sequence[Fact]:
        platform.closing = True
        return await read(after, limit)

    platform.feed.next = last  # type: ignore[method-assign]


async def test_the_route_streams_and_gives_its_slot_back(tmp_path: Path) -> None:
    """Over HTTP: media type, resuming by Last-Event-ID, the slot free afterwards; an unknown type is refused by name."""
    async with api_over(tmp_path, http__max_streams=1) as api:
        api.platform.feed.put(fact(1, "CP-1", STATUS), fact(2, "CP-1", STATUS))
        _close_after_the_first_facts(api.platform)
        answer = await api.viewer.get("/events", headers={"Last-Event-ID": "1"})
        assert (
            answer.headers["content-type"].startswith("text/event-stream")
            and "id: 2\n" in answer.text
            and "id: 1\n" not in answer.text
        )
        assert api.app.state.streams.open == 0
        refused = await api.viewer.get("/events", params={"type": "Explosion"})
        assert refused.status_code == 422 and "Explosion" in refused.json()["detail"]
