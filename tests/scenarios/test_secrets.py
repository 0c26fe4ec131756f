"""With everything logged that can be logged: no password, key, token or upload URL is in the log, in /metrics or in an error."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from ocpp.v16 import call_result

from tests.support.deliveries import client
from tests.support.peer import peer
from tests.support.platform import RunningPlatform
from tests.support.raw import raw
from tests.support.servers import free_port

PASSWORD, WRONG_PASSWORD, AUTHORIZATION_KEY = "correct-horse-battery", "wrong-horse-staple-x", "616263646566676869"
INFLUX_TOKEN, ID_TOKEN = "influx-token-7f3a9c21", "AFFE0815DEADBEEF"


@pytest.fixture(params=[("picows", "text"), ("websockets", "json")], ids=["picows, text", "websockets, JSON"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningPlatform]:
    """At the level debug, with an InfluxDB that does not answer (so that its errors are logged)."""
    transport, form = request.param
    file = tmp_path / "settings.toml"
    file.write_text(f"""
[log]
level = "debug"
format = "{form}"
[collector]
transport = "{transport}"
failed_login_delay_s = 0.1
[influx]
url = "http://127.0.0.1:{free_port()}"
token = "{INFLUX_TOKEN}"
""")
    with RunningPlatform(tmp_path / "data", "--config", str(file)) as running:
        yield running


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"SECURE:{password}".encode()).decode()}


async def test_no_secret_leaves(platform: RunningPlatform) -> None:
    """Log-ins right and wrong, keys made, passwords and upload URLs sent to charge points, frames with ID tokens."""
    async with client(platform) as api:
        secrets = [platform.key, PASSWORD, WRONG_PASSWORD, AUTHORIZATION_KEY, INFLUX_TOKEN, ID_TOKEN]
        made = await ok(api.post("/api/v1/keys", json={"name": "other", "role": "viewer"}))
        secrets.append(made["secret"])
        for name in ("SECURE", "OTHER"):
            await ok(api.post("/api/v1/charge-points", json={"charge_point_id": name}))
        await ok(api.post("/api/v1/charge-points/SECURE/password", json={"password": PASSWORD}))
        generated = await ok(api.post("/api/v1/charge-points/OTHER/password", json={}))
        secrets.append(generated["password"])
        await logs_in(platform)
        await api.get("/api/v1/keys", headers={"Authorization": "Bearer cw_000000000000_" + WRONG_PASSWORD})
        secrets += await asks_a_charge_point(platform, api)
        async with raw(platform.url, "TOKENS") as point:
            await point.call("Authorize", {"idTag": ID_TOKEN, "password": WRONG_PASSWORD})
            await point.say('[2,"broken","Authorize",{"idTag":"' + ID_TOKEN + '"')
            await point.hear()
        metrics = (await api.get("/metrics")).text
        health = (await api.get("/api/v1/health")).text
    assert await asyncio.to_thread(platform.stop) == 0
    log = "".join(line for line in platform.output if not line.startswith("admin key: "))
    encoded = [basic(password)["Authorization"].split()[1] for password in (PASSWORD, WRONG_PASSWORD)]
    for secret in [*secrets, *encoded]:
        assert secret not in metrics and secret not in health
        assert secret not in log, next(line for line in platform.output if secret in line)
    assert "log-in refused" in log and "telemetry-influx waits" in log, "what happened was logged"


async def ok(request: Any) -> Any:
    answer: httpx.Response = await request
    assert answer.status_code < 400, answer.text
    return answer.json()


async def logs_in(platform: RunningPlatform) -> None:
    """Once right, once wrong."""
    async with raw(platform.url, "SECURE", additional_headers=basic(PASSWORD)) as point:
        assert await point.is_served()
    with suppress(websockets.InvalidStatus):
        async with raw(platform.url, "SECURE", additional_headers=basic(WRONG_PASSWORD)):
            pytest.fail("a wrong password was let in")


async def asks_a_charge_point(platform: RunningPlatform, api: httpx.AsyncClient) -> list[str]:
    """Sets its password by OCPP and requests its diagnostics; the secrets in what it was sent."""
    async with peer(platform.url, "ASKED") as point:
        point.results["ChangeConfiguration"] = call_result.ChangeConfiguration(status="Accepted")
        point.results["GetDiagnostics"] = call_result.GetDiagnostics(file_name="d.log")
        call = {"action": "ChangeConfiguration", "payload": {"key": "AuthorizationKey", "value": AUTHORIZATION_KEY}}
        await api.post("/api/v1/charge-points/ASKED/calls", json=call)
        await api.post("/api/v1/charge-points/ASKED/diagnostics", json={})
        _, asked = await point.is_asked(2)
        location: str = asked["location"]
        async with httpx.AsyncClient() as upload:
            await upload.put(location.rstrip("/") + "/d.log", content=b"log")
            await upload.put(location.rstrip("/") + "x/d.log", content=b"log")
    return [location.rstrip("/").rsplit("/", 1)[1]]
