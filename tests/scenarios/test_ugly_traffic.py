"""Frames that are no frames: each is answered where OCPP-J has an answer, and neither its connection nor its neighbours suffer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.platform import RunningPlatform
from tests.support.raw import raw

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
ANSWERED_16: list[tuple[str, str, str]] = [
    ("truncated call", '[2,"a1","Authorize",{"idTag":"A1', "FormationViolation"),
    ("action is a list", '[2,"a2",["x"],{}]', "FormationViolation"),
    ("unknown action", '[2,"a3","Sing",{}]', "NotImplemented"),
    ("action of the server", '[2,"a4","Reset",{"type":"Hard"}]', "NotSupported"),
    ("payload is text", '[2,"a5","Authorize","please"]', "FormationViolation"),
    ("deep nesting", '[2,"a6","DataTransfer",{"vendorId":' + "[" * 20_000 + "]" * 20_000 + "}]", "FormationViolation"),
]
UNANSWERED_16: list[tuple[str, str | bytes]] = [
    ("not JSON", "hello"),
    ("an object", "{}"),
    ("an empty list", "[]"),
    ("message type 9", '[9,"x","Heartbeat",{}]'),
    ("a result for nothing", '[3,"nobody",{}]'),
    ("an error for nothing", '[4,"nobody","GenericError","",{}]'),
    ("binary", b"\x00\x01\x02"),
]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with RunningPlatform(tmp_path_factory.mktemp("ugly") / "data") as running:
        yield running


@pytest.mark.parametrize(("kind", "text", "code"), ANSWERED_16, ids=[kind for kind, _, _ in ANSWERED_16])
async def test_a_broken_call_with_an_id_is_answered_with_an_error(
    platform: RunningPlatform, kind: str, text: str, code: str
) -> None:
    """The id could be read, so the charge point's queue moves on; the connection stays."""
    async with raw(platform.url, "UGLY-1") as point:
        await point.say(text)
        reply = await point.hear()
        assert reply[0] == 4 and reply[2] == code, reply
        assert await point.is_served()


@pytest.mark.parametrize(("kind", "text"), UNANSWERED_16, ids=[kind for kind, _ in UNANSWERED_16])
async def test_what_cannot_be_answered_harms_nobody(platform: RunningPlatform, kind: str, text: str | bytes) -> None:
    """OCPP-J 1.6 has no answer without an id: the next call on the connection is the next to be answered."""
    async with raw(platform.url, "UGLY-2") as point, raw(platform.url, "NEIGHBOUR") as neighbour:
        await point.say(text)
        assert await point.is_served()
        assert await neighbour.is_served()


async def test_ocpp2_answers_even_without_an_id(platform: RunningPlatform) -> None:
    """OCPP 2.x part 4 §4.2.3: an unreadable call gets an RpcFrameworkError under the id "-1"."""
    async with raw(platform.url, "UGLY-3", "ocpp2.0.1") as point:
        await point.say("[2,")
        reply = await point.hear()
        assert reply[:3] == [4, "-1", "RpcFrameworkError"]


async def test_an_oversized_frame_ends_its_connection_only(platform: RunningPlatform) -> None:
    """10 MB is refused with close code 1009, and the charge point may come back."""
    async with raw(platform.url, "NEIGHBOUR") as neighbour:
        async with raw(platform.url, "UGLY-4") as point:
            await point.say('[2,"x","DataTransfer",{"vendorId":"v","data":"' + "a" * 10_000_000 + '"}]')
            await asyncio.wait_for(point.connection.wait_closed(), 10)
            assert point.connection.close_code == 1009
        assert await neighbour.is_served()
    async with raw(platform.url, "UGLY-4") as point:
        assert await point.is_served()


async def test_a_repeated_key_is_flagged_and_the_last_one_counts(platform: RunningPlatform) -> None:
    """Real charge points send one; the report is used all the same."""
    async with raw(platform.url, "UGLY-5") as point:
        await point.say(
            '[2,"k","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Faulted","status":"Available"}]'
        )
        assert await point.hear() == [3, "k", {}]


@pytest.mark.parametrize(
    ("kind", "action", "payload"),
    [
        ("unknown error code", "StatusNotification", STATUS | {"errorCode": "Error"}),
        ("misspelt status", "StatusNotification", STATUS | {"status": "Faultd"}),
        (
            "empty sampledValue",
            "MeterValues",
            {"connectorId": 1, "meterValue": [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": []}]},
        ),
        ("no sampledValue", "MeterValues", {"connectorId": 1, "meterValue": [{"timestamp": "2026-01-01T00:00:00Z"}]}),
        (
            "21 characters of idTag",
            "StartTransaction",
            {"connectorId": 1, "idTag": "X" * 21, "meterStart": 1, "timestamp": "2026-01-01T00:00:00Z"},
        ),
        ("a stop of nothing", "StopTransaction", {"transactionId": -1, "meterStop": 5, "timestamp": "2026-01-01T00:00:00Z"}),
        (
            "long serial",
            "BootNotification",
            {"chargePointVendor": "V", "chargePointModel": "M", "chargePointSerialNumber": "S" * 32},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_report_is_never_refused_for_its_content(
    platform: RunningPlatform, kind: str, action: str, payload: dict[str, Any]
) -> None:
    """Schema-violating reports of real charge points: accepted, flagged, kept."""
    async with raw(platform.url, f"UGLY-6-{action}") as point:
        assert (await point.call(action, payload))[0] == 3


async def test_every_one_of_them_is_in_the_message_log(platform: RunningPlatform) -> None:
    """What could not be understood is evidence too."""
    async with raw(platform.url, "UGLY-7") as point:
        await point.say("hello")
        assert await point.is_served()
    frames = await asyncio.to_thread(platform.cli, "frames", "UGLY-7")
    assert any("hello" in json.dumps(frame) for frame in frames)
    metrics = await asyncio.to_thread(platform.api, "GET", "/metrics")
    assert "chargewatch_frames_refused_total" in metrics
