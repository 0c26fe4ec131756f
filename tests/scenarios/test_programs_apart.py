"""A collector and three programs in processes of their own, on a real PostgreSQL: work, kill -9 of each side, and the end."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from ocpp.v16 import call, call_result

from tests.support.apart import PlatformApart, ProgramApart
from tests.support.billing import TARIFF
from tests.support.peer import peer
from tests.support.postgres import Postgres
from tests.support.postgres import postgres as postgres

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.server("postgresql")]
IMAGE = bytes(range(256)) * 8000
SPEC = "name: new\nartifact: w-2\ntarget: {all: true}\nwaves: {sizes: ['1', rest], holdout: '0'}\n"
MANIFEST = f"name: w-2\nvendor: ACME\nmodels: [W]\nversion: '2'\nrelease: 2\nsha256: {hashlib.sha256(IMAGE).hexdigest()}\n"


@pytest.fixture
def platform(tmp_path: Path, postgres: Postgres) -> Iterator[PlatformApart]:
    """All four processes."""
    with PlatformApart(tmp_path, postgres) as running:
        yield running


async def eventually(ask: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """The answer, once it is as wanted."""
    answer: Any = None
    for _ in range(450):
        answer = await asyncio.to_thread(ask)
        if wanted(answer):
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError(f"it stays {answer}")


def get(platform: PlatformApart, path: str, **headers: str) -> httpx.Response:
    """Whatever the collector's listener answers."""
    known = {"Authorization": f"Bearer {platform.key}"} | headers
    return httpx.get(f"http://127.0.0.1:{platform.http_port}{path}", headers=known, timeout=30)


def ids(platform: PlatformApart, what: str) -> list[Any]:
    """Of all cases or CDRs."""
    key = {"cases": "case_id", "cdrs": "id"}[what]
    return [each[key] for each in platform.api("GET", f"/api/v1/{what}", params={"limit": 1000})["items"]]


async def charge(point: Any, minutes: int) -> None:
    """One session of the last hours, told at once."""
    first, last = ((datetime.now(UTC) + timedelta(minutes=each)).isoformat() for each in (minutes, minutes + 30))
    began = await point.call(call.StartTransaction(connector_id=1, id_tag="T", meter_start=0, timestamp=first))
    await point.call(call.StopTransaction(transaction_id=began.transaction_id, meter_stop=5000, timestamp=last, id_tag="T"))


async def fault(point: Any, connector: int) -> None:
    """A ground fault."""
    await point.call(call.StatusNotification(connector_id=connector, error_code="GroundFailure", status="Faulted"))


async def test_a_day_in_four_processes(platform: PlatformApart) -> None:
    """What each process does arrives through the collector; each may be killed, and nothing is lost or doubled."""
    await asyncio.to_thread(_prepare, platform)
    async with peer(platform.url, "CP-1") as point:
        await point.call(call.BootNotification(charge_point_vendor="ACME", charge_point_model="W", firmware_version="1"))
        await charge(point, -120)
        await fault(point, 1)
        await eventually(lambda: ids(platform, "cases"), lambda found: len(found) == 1)
        await eventually(lambda: ids(platform, "cdrs"), lambda found: len(found) == 1)
        [shown] = await asyncio.to_thread(platform.cli, "cases", "list")
        assert shown["kind"] == "safety_fault"
        await _firmware_reaches_the_charge_point(platform, point)
        await _alerts_are_killed(platform, point)
    before = [await asyncio.to_thread(ids, platform, what) for what in ("cases", "cdrs")]
    await _collector_is_killed(platform)
    async with peer(platform.url, "CP-1") as point:
        await point.call(call.BootNotification(charge_point_vendor="ACME", charge_point_model="W", firmware_version="1"))
        await charge(point, -60)
        await eventually(lambda: ids(platform, "cdrs"), lambda found: len(found) == 2)
    assert await asyncio.to_thread(ids, platform, "cases") == before[0], "nobody was called offline, no case came twice"
    await asyncio.to_thread(_everything_ends, platform)


def _prepare(platform: PlatformApart) -> None:
    """A site with a tariff, so that sessions there become CDRs."""
    platform.api("PUT", "/api/v1/sites/harbour", json={"name": "Harbour", "time_zone": "Europe/Oslo"})
    platform.api("POST", "/api/v1/charge-points", json={"charge_point_id": "CP-1", "site_id": "harbour"})
    assignments = [{"scope": "site", "place": "harbour"}]
    platform.api("POST", "/api/v1/tariffs", json={"tariff": TARIFF, "assignments": assignments})


async def _firmware_reaches_the_charge_point(platform: PlatformApart, point: Any) -> None:
    """Added, ordered and fetched through the collector's address."""
    point.results["UpdateFirmware"] = call_result.UpdateFirmware()
    files = {"manifest": ("m.yaml", MANIFEST.encode()), "file": ("w.bin", IMAGE)}
    await asyncio.to_thread(platform.api, "POST", "/api/v1/firmware", files=files)
    await asyncio.to_thread(platform.api, "POST", "/api/v1/firmware/w-2/approvals", json={})
    await asyncio.to_thread(platform.lists, "ACME")
    await asyncio.to_thread(platform.api, "POST", "/api/v1/rollouts", json={"spec": SPEC})
    await asyncio.to_thread(platform.api, "POST", "/api/v1/rollouts/new/start")
    ordered = await eventually(lambda: [payload for action, payload in point.asked if action == "UpdateFirmware"], bool)
    path = httpx.URL(ordered[0]["location"]).raw_path.decode()
    whole = await asyncio.to_thread(get, platform, path)
    assert (whole.status_code, whole.content) == (200, IMAGE)
    part = await asyncio.to_thread(lambda: get(platform, path, Range="bytes=1000-1999"))
    assert (part.status_code, part.content) == (206, IMAGE[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(IMAGE)}"


async def _alerts_are_killed(platform: PlatformApart, point: Any) -> None:
    """Their part of the API says so, charge points notice nothing; what was said meanwhile is there once they are back."""
    alerts = platform.programs["alerts"]
    await asyncio.to_thread(alerts.kill)
    answer = await asyncio.to_thread(get, platform, "/api/v1/cases")
    assert answer.status_code == 503 and "the alerts program does not answer" in answer.json()["detail"]
    checks = (await asyncio.to_thread(platform.api, "GET", "/api/v1/health"))["checks"]
    assert "alerts (apart)" in [each["name"] for each in checks if not each["ok"]]
    await fault(point, 2)
    await asyncio.to_thread(alerts.start)
    await eventually(lambda: ids(platform, "cases"), lambda found: len(found) >= 2)
    await asyncio.to_thread(platform.well)
    assert [len(await asyncio.to_thread(ids, platform, what)) for what in ("cases", "cdrs")] == [2, 1]


async def _collector_is_killed(platform: PlatformApart) -> None:
    """The programs say so, go on running, and are well again when it is back on the same folder."""
    await asyncio.to_thread(platform.kill)
    for program in platform.programs.values():
        await eventually(lambda: _reaches(program), lambda reaches: reaches == 0)  # noqa: B023 - awaited at once
        assert any("nothing is heard of the collector" in line for line in program.output)
        assert program.process.poll() is None
    await asyncio.to_thread(platform.start)
    await asyncio.to_thread(platform.well)
    assert [_reaches(each) for each in platform.programs.values()] == [1, 1, 1]


def _reaches(program: ProgramApart) -> float:
    """Its own metric."""
    lines = httpx.get(f"http://127.0.0.1:{program.port}/metrics", timeout=30).text.splitlines()
    [line] = [each for each in lines if each.startswith("chargewatch_program_reaches_collector{")]
    return float(line.split()[-1])


def _everything_ends(platform: PlatformApart) -> None:
    """The collector while programs hold connections to it, programs without it, and one that never found it: all with 0."""
    assert platform.stop() == 0, "".join(platform.output)
    billing, *others = reversed(platform.programs.values())
    assert [each.stop() for each in others] == [0, 0] and billing.process.poll() is None
    assert billing.stop() == 0
    billing.output.clear()
    billing.launch()
    billing.says("waiting for the collector")
    assert billing.stop() == 0
    assert not any("Traceback" in line for each in platform.programs.values() for line in each.output)
