"""Calls in both directions at once, in every OCPP version: one of ours in flight, theirs never held up, and every call ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.peer import MODULES, PROTOCOLS, Held, ask, frames, items, peer, request, settled
from tests.support.platform import RunningPlatform
from tests.support.raw import raw

MAX_WAITING = 8
CLEAR = ("ClearCache", dict[str, Any]())
every_version = pytest.mark.parametrize("protocol", PROTOCOLS)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    folder = tmp_path_factory.mktemp("calls")
    settings = folder / "settings.toml"
    settings.write_text(f"[collector]\nmax_waiting_calls = {MAX_WAITING}\n")
    with RunningPlatform(folder / "data", "--config", str(settings)) as running:
        yield running


def accepted(protocol: str, action: str = "ClearCache") -> Any:
    return getattr(MODULES[protocol].call_result, action)(status="Accepted")


async def heartbeat(point: Any, protocol: str) -> None:
    """Ask something that needs no record, and something that does."""
    call = MODULES[protocol].call
    assert (await point.call(call.Heartbeat())).current_time
    await point.call(call.FirmwareStatusNotification(status="Idle"))


@every_version
async def test_five_calls_at_once_go_one_at_a_time(platform: RunningPlatform, protocol: str) -> None:
    """Never two in flight; all of them end, and each caller gets the answer to its own."""
    name = f"FIVE-{protocol}"
    async with peer(platform.url, name, protocol) as point:

        async def answer() -> Any:
            await asyncio.sleep(0.02)
            return MODULES[protocol].call_result.DataTransfer(status="Accepted", data=point.asked[-1][1]["data"])

        point.results["DataTransfer"] = answer
        calls = [("DataTransfer", {"vendorId": "v", "data": f"n{number}"}) for number in range(5)]
        ends = await asyncio.gather(*(ask(platform, name, call) for call in calls))
        assert [status for status, _ in ends] == [200] * 5
        assert [outcome["result"]["data"] for _, outcome in ends] == [f"n{number}" for number in range(5)]
        assert point.most_open == 1 and len(point.asked) == 5
        assert len({outcome["message_id"] for _, outcome in ends}) == 5


@every_version
async def test_a_charge_point_that_calls_while_our_call_waits_is_answered_at_once(platform: RunningPlatform, protocol: str) -> None:
    """Its answer to us comes only after ours to it: nobody waits for anybody in a circle."""
    name = f"CROSS-{protocol}"
    async with peer(platform.url, name, protocol) as point:
        held = point.results["ClearCache"] = Held(accepted(protocol))
        asking = asyncio.create_task(ask(platform, name, CLEAR))
        await point.is_asked()
        for _ in range(3):
            await heartbeat(point, protocol)
        assert not asking.done()
        held.release()
        assert (await asking)[1]["status"] == "accepted"

        async def report_first() -> Any:
            await heartbeat(point, protocol)
            return accepted(protocol)

        point.results["ClearCache"] = report_first
        assert (await ask(platform, name, CLEAR))[1]["status"] == "accepted", "its handler may call us before it answers"


@every_version
async def test_calls_are_made_while_handlers_run(platform: RunningPlatform, protocol: str) -> None:
    """A charge point that reports without pause is asked twenty times meanwhile; all is answered, in both directions."""
    name = f"BUSY-{protocol}"
    async with peer(platform.url, name, protocol) as point:
        point.results["ClearCache"] = accepted(protocol)
        reported, busy = 0, True

        async def report() -> None:
            nonlocal reported
            while busy:
                await heartbeat(point, protocol)
                reported += 1

        reporting = asyncio.create_task(report())
        for _ in range(4):
            ends = await asyncio.gather(*(ask(platform, name, CLEAR) for _ in range(5)))
            assert {outcome["status"] for _, outcome in ends} == {"accepted"}
        busy = False
        await reporting
        assert reported > 5 and point.most_open == 1


@every_version
async def test_silence_is_an_outcome_and_a_late_answer_harms_nobody(platform: RunningPlatform, protocol: str) -> None:
    """504 timed_out; what comes later is kept, flagged, and not taken for the answer to the next call."""
    name = f"SILENT-{protocol}"
    async with peer(platform.url, name, protocol) as point:
        held = point.results["ClearCache"] = Held(accepted(protocol))
        status, outcome = await ask(platform, name, CLEAR, timeout_s=0.3)
        assert (status, outcome["status"]) == (504, "timed_out")
        held.release()
        await heartbeat(point, protocol)
        point.results["ClearCache"] = MODULES[protocol].call_result.ClearCache(status="Rejected")
        assert (await ask(platform, name, CLEAR))[1]["status"] == "rejected"
    log = await frames(platform, name)
    assert [frame["flags"] for frame in log if frame["kind"] == "refused"] == [["refused"]], "the late answer"
    assert [frame["reply"]["status"] for frame in log if frame["kind"] == "result"] == ["timed_out", "rejected"]


async def test_calls_that_wait_behind_a_silent_one_end_in_time(platform: RunningPlatform) -> None:
    """Those that never left say so; the queue is bounded, and one more is refused at once."""
    async with peer(platform.url, "QUEUE") as point:
        point.results["ClearCache"] = Held()
        first = asyncio.create_task(ask(platform, "QUEUE", CLEAR, timeout_s=60))
        await point.is_asked()
        waiting = [asyncio.create_task(ask(platform, "QUEUE", CLEAR, timeout_s=0.5)) for _ in range(MAX_WAITING + 1)]
        ends = [outcome for _, outcome in await asyncio.gather(*waiting)]
        assert [outcome["status"] for outcome in ends].count("error") == 1
        assert [outcome["detail"] for outcome in ends if outcome["status"] == "error"] == [
            f"{MAX_WAITING} calls wait for this charge point already"
        ]
        silent = [outcome["detail"] for outcome in ends if outcome["status"] == "timed_out"]
        assert len(silent) == MAX_WAITING and all(detail.startswith("never sent") for detail in silent)
        assert len(point.asked) == 1 and not first.done()
        await point.hang_up()
        assert (await first)[1]["status"] == "not_connected"


async def test_who_is_not_connected_is_not_asked(platform: RunningPlatform) -> None:
    """409 for one that we know, 404 for one that we do not; at once, whatever the time limit."""
    async with peer(platform.url, "AWAY") as point:
        await heartbeat(point, "ocpp1.6")
        await settled(platform)
    await settled(platform)
    async with asyncio.timeout(5):
        for command in (CLEAR, {"type": "Reset"}):
            status, outcome = await ask(platform, "AWAY", command, timeout_s=60)
            assert (status, outcome["status"]) == (409, "not_connected")
            status, outcome = await ask(platform, "NOBODY", command, timeout_s=60)
            assert (status, outcome["status"]) == (404, "not_connected")


async def test_a_connection_that_ends_ends_its_calls(platform: RunningPlatform) -> None:
    """At once: the one in flight may have been carried out, the waiting ones never left."""
    async with peer(platform.url, "GONE") as point, asyncio.timeout(10):
        point.results["ClearCache"] = Held()
        calls = [asyncio.create_task(ask(platform, "GONE", CLEAR, timeout_s=60)) for _ in range(3)]
        await point.is_asked()
        assert (await ask(platform, "GONE", CLEAR, timeout_s=0.5))[1]["status"] == "timed_out", "by now the others wait as well"
        await point.hang_up()
        ends = await asyncio.gather(*calls)
    assert {(status, outcome["status"]) for status, outcome in ends} == {(409, "not_connected")}
    details = sorted(outcome["detail"] for _, outcome in ends)
    assert len([detail for detail in details if "unknown" in detail]) == 1
    assert len([detail for detail in details if "never sent" in detail]) == 2


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ('[3,"{}",{{"status":"Maybe"}}]', "rejected"),
        ('[3,"{}",{{}}]', "rejected"),
        ('[3,"{}",[]]', "rejected"),
        ('[3,"{}",null]', "rejected"),
        ('[4,"{}","GenericError"]', "error"),
        ('[4,"{}","","",{{}}]', "error"),
    ],
)
async def test_an_odd_answer_is_an_answer(platform: RunningPlatform, answer: str, status: str) -> None:
    """Answers that break their schema end the call: no doubt is taken for consent."""
    async with raw(platform.url, "ODD") as point:
        asking = asyncio.create_task(ask(platform, "ODD", ("Reset", {"type": "Soft"})))
        call = await point.hear()
        await point.say(answer.format(call[1]))
        http_status, outcome = await asking
        assert (http_status, outcome["status"]) == (200, status), outcome
        assert await point.is_served()


@every_version
async def test_a_log_is_asked_for_and_uploaded(platform: RunningPlatform, protocol: str) -> None:
    """The charge point gets a URL of ours, good for one file; the file is listed, and comes back byte for byte."""
    name, content = f"LOG-{protocol}", b"all is well\n" * 5000
    action = "GetDiagnostics" if protocol == "ocpp1.6" else "GetLog"
    async with peer(platform.url, name, protocol) as point, httpx.AsyncClient() as client:
        results = MODULES[protocol].call_result
        point.results["GetDiagnostics"] = getattr(results, "GetDiagnostics", dict)()
        point.results["GetLog"] = results.GetLog(status="Accepted", filename="a.log")
        status, answer = await request(platform, "POST", f"/api/v1/charge-points/{name}/diagnostics", json={})
        assert (status, answer["outcome"]["status"], answer["outcome"]["action"]) == (200, "accepted", action)
        payload = point.asked[0][1]
        location = payload["location"] if action == "GetDiagnostics" else payload["log"]["remoteLocation"]
        if protocol == "ocpp1.6":
            uploaded = await client.put(f"{location}/diagnostics.log", content=content)
        else:
            uploaded = await client.post(location, files={"file": ("diagnostics.log", content)})
        assert uploaded.status_code == 201
        assert (await client.put(location, content=b"again")).status_code == 404, "the URL is used up"
        await settled(platform)
        (file,) = await items(platform, "diagnostics", charge_point=name)
        assert (file["name"], file["size_bytes"], file["request_id"]) == ("diagnostics.log", len(content), answer["request_id"])
        url = f"http://127.0.0.1:{platform.http_port}/api/v1/diagnostics/{file['file_id']}/content"
        downloaded = await client.get(url, headers={"Authorization": f"Bearer {platform.key}"})
        assert downloaded.content == content


@every_version
async def test_a_refused_log_leaves_no_way_to_upload(platform: RunningPlatform, protocol: str) -> None:
    """The URL was told to a charge point that will not use it: it is worth nothing."""
    name = f"NOLOG-{protocol}"
    async with peer(platform.url, name, protocol) as point, httpx.AsyncClient() as client:
        point.results["GetLog"] = MODULES[protocol].call_result.GetLog(status="Rejected")
        body = {"use_log": True, "log_type": "SecurityLog"}
        _, answer = await request(platform, "POST", f"/api/v1/charge-points/{name}/diagnostics", json=body)
        assert answer["outcome"]["status"] == "rejected"
        location = point.asked[0][1]["log"]["remoteLocation"]
        assert (await client.put(location, content=b"x")).status_code == 404


async def test_the_message_log_has_both_directions(platform: RunningPlatform) -> None:
    """A call of ours and its answer are two entries with one message id; secrets that we set are hidden in them."""
    async with peer(platform.url, "BOTH") as point:
        point.results["ChangeConfiguration"] = accepted("ocpp1.6", "ChangeConfiguration")
        secret = "00112233445566778899aabbccddeeff00112233"
        await ask(platform, "BOTH", {"type": "SetVariable", "name": "AuthorizationKey", "value": secret})
        assert point.asked[0][1]["value"] == secret, "the charge point gets it, nobody else"
    log = await frames(platform, "BOTH")
    command, result = (next(frame for frame in log if frame["kind"] == kind) for kind in ("command", "result"))
    assert (command["direction"], command["message_id"]) == ("out", result["message_id"])
    _, audit = await request(platform, "GET", "/api/v1/audit")
    assert secret not in json.dumps([log, audit, platform.output])
