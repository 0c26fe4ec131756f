"""A store goes away while charge points talk, and comes back: calls are acknowledged all the time, nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.deliveries import (
    READINGS,
    SAMPLES,
    Delivery,
    all_there,
    client,
    delivering,
    everything,
    more,
    recovered,
    troubled,
    well,
)
from tests.support.influx import Influx, influxd
from tests.support.influx_v2_shim import ShimLog, shim
from tests.support.platform import RunningPlatform
from tests.support.postgres import Postgres, running
from tests.support.raw import raw
from tests.support.servers import free_port

SQL_LISTS = (
    "charge-points", "charge-points/SQL-0", "charge-points/SQL-0/history", "connectors", "transactions", "quarantine", "tokens",
    "sites", "keys", "audit", "diagnostics",
)  # fmt: skip


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A server that this test may stop."""
    yield from running()


def settings(tmp_path: Path, text: str) -> tuple[str, str]:
    """Options of `chargewatch up` for a settings file with this text."""
    file = tmp_path / "settings.toml"
    file.write_text(text)
    return "--config", str(file)


def on_postgres(tmp_path: Path, url: str) -> RunningPlatform:
    return RunningPlatform(tmp_path / "data", *settings(tmp_path, f'[sql]\nurl = "{url}"\ntimeout_s = 1.5\n'))


async def is_a_problem(answer: httpx.Response) -> None:
    """503 as RFC 9457 says it."""
    assert answer.status_code == 503, f"{answer.url}: {answer.status_code} {answer.text}"
    assert answer.headers["content-type"] == "application/problem+json" and "retry-after" in answer.headers
    problem = answer.json()
    assert problem["status"] == 503 and problem["detail"].startswith("sql store is unavailable"), problem


@pytest.mark.server("postgresql")
async def test_postgresql_away_under_traffic(tmp_path: Path, postgres: Postgres) -> None:
    """Stopped under traffic: calls are acknowledged, the API says 503, projections wait. Started: all of it is there, once."""
    with on_postgres(tmp_path, postgres.database()) as platform:
        async with client(platform) as api:
            async with delivering(platform, 6, "SQL") as deliveries:
                await more(deliveries, 8)
                await asyncio.to_thread(postgres.server.stop)
                checks = await troubled(api, "sql", "projection stations", "projection transactions")
                assert "sql store is unavailable" in checks["projection transactions"]["detail"]
                assert checks["journal"]["ok"] and checks["projection telemetry"]["ok"] and checks["projection fleet"]["ok"]
                await more(deliveries, 12)
                await what_still_works(platform, api)
                await what_does_not(api)
                await asyncio.to_thread(postgres.server.start)
                await well(api, "sql")
                await more(deliveries, 8)
            await recovered(api)
            await all_there(api, deliveries)
            assert (await api.get("/api/v1/tokens")).json()["items"] == [], "what was refused was not done either"
        assert platform.stop() == 0


async def what_still_works(platform: RunningPlatform, api: httpx.AsyncClient) -> None:
    """Ready, because frames are acknowledged; newcomers are let in; everything that does not need SQL answers."""
    ready = await api.get("/readyz")
    assert ready.status_code == 200 and ready.json()["status"] == "ready", ready.text
    assert (await api.get("/api/v1/health")).json()["status"] == "degraded"
    async with raw(platform.url, "SQL-NEWCOMER") as point:
        assert (await point.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}))[0] == 3
        assert (await point.call("Authorize", {"idTag": "T"}))[2]["idTagInfo"]["status"] == "Accepted"
    metrics = (await api.get("/metrics")).text
    (behind,) = (
        line for line in metrics.splitlines() if line.startswith("chargewatch_projection_behind_records") and "transactions" in line
    )
    assert float(behind.split()[-1]) > 0, "the cursor waits"
    frames = await everything(api, "/api/v1/charge-points/SQL-NEWCOMER/frames")
    assert {frame["action"] for frame in frames} >= {"BootNotification", "Authorize"}


async def what_does_not(api: httpx.AsyncClient) -> None:
    """Lists and changes that need SQL: a problem document, never a 500, and no waiting without end."""
    answers = await asyncio.gather(*(api.get(f"/api/v1/{path}") for path in SQL_LISTS))
    changes = await asyncio.gather(
        api.post("/api/v1/tokens", json={"value": "NEW", "status": "Accepted"}),
        api.put("/api/v1/sites/NEW", json={"name": "New"}),
        api.post("/api/v1/keys", json={"name": "new", "role": "viewer"}),
    )
    for answer in (*answers, *changes):
        await is_a_problem(answer)


@pytest.mark.server("postgresql")
async def test_postgresql_that_says_nothing(tmp_path: Path, postgres: Postgres) -> None:
    """Not stopped but stuck, so that connections stay open without an answer: the same, and the platform can still be ended."""
    with on_postgres(tmp_path, postgres.database()) as platform:
        async with client(platform) as api:
            with stuck(postgres):
                async with delivering(platform, 3, "STUCK") as deliveries:
                    await more(deliveries, 12)
                    await troubled(api, "sql", "projection transactions")
                    assert (await api.get("/readyz")).status_code == 200
                    for answer in await asyncio.gather(*(api.get("/api/v1/transactions") for _ in range(20))):
                        await is_a_problem(answer)
            await recovered(api)
            await all_there(api, deliveries)
            with stuck(postgres):
                await troubled(api, "sql")
                assert await asyncio.to_thread(platform.stop) == 0, "a silent database does not keep the program from ending"


@contextmanager
def stuck(postgres: Postgres) -> Iterator[None]:
    """Every process of the server is stopped by a signal; its kernel goes on accepting connections and acknowledging packets."""
    children = subprocess.run(["pgrep", "-P", str(postgres.server.pid)], capture_output=True, text=True, check=True).stdout.split()
    processes = [postgres.server.pid, *map(int, children)]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


@pytest.mark.parametrize("command", [["up", "--ocpp", "127.0.0.1:0", "--http", "127.0.0.1:0"], ["transactions", "list"]])
async def test_postgresql_is_down_at_start(tmp_path: Path, command: list[str]) -> None:
    """One sentence on standard error that says which store, and exit code 4; nothing is announced."""
    port = free_port()
    options = settings(tmp_path, f'[sql]\nurl = "postgresql+psycopg://nobody:hush@127.0.0.1:{port}/none"\n')
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "error", "-m", "chargewatch", *command, "--data", str(tmp_path / "data"), *options],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    (sentence,) = done.stderr.strip().splitlines()
    assert sentence.startswith("chargewatch: sql store is unavailable: ") and str(port) in sentence, sentence
    assert "hush" not in done.stderr + done.stdout and "listening" not in done.stdout
    assert not (tmp_path / "data" / "platform.json").exists()


@pytest.mark.parametrize("embedded", [True, False], ids=["beside the embedded store", "alone"])
@pytest.mark.server("influxdb")
async def test_influxdb_away_under_traffic(tmp_path: Path, embedded: bool) -> None:
    """Stopped for a while: its cursor waits, the embedded store goes on where there is one; then every sample is there, once."""
    with influx_of_two_versions(tmp_path) as (influx, front):
        text = f'[telemetry]\nembedded = {str(embedded).lower()}\n[influx]\nurl = "{front.url}"\nbucket = "cw"\ntimeout_s = 3\n'
        text += f'org = "{influx.org}"\ntoken = "{influx.token}"\n'
        with RunningPlatform(tmp_path / "data", *settings(tmp_path, text)) as platform:
            async with client(platform) as api:
                async with delivering(platform, 4, "INFLUX") as deliveries:
                    await more(deliveries, 10)
                    await asyncio.to_thread(influx.server.stop)
                    checks = await troubled(api, "projection telemetry-influx")
                    assert "InfluxDB" in checks["projection telemetry-influx"]["detail"]
                    waited_at = position_in(platform)
                    await more(deliveries, 10)
                    assert position_in(platform) == waited_at, "the cursor waits"
                    assert (await api.get("/readyz")).status_code == 200
                    answer = await api.get("/api/v1/telemetry/measurements", params=QUERY)
                    assert answer.status_code == (200 if embedded else 503), answer.text
                    await asyncio.to_thread(influx.server.start)
                    await more(deliveries, 5)
                await recovered(api)
                assert_complete(influx, deliveries)
                await is_shown(api, deliveries)
            assert platform.stop() == 0


QUERY: dict[str, Any] = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z", "limit": 100_000}


@contextmanager
def influx_of_two_versions(tmp_path: Path) -> Iterator[tuple[Influx, ShimLog]]:
    folder = tmp_path / "influxd"
    folder.mkdir()
    with influxd(folder) as influx, shim(influx) as front:
        influx.make("cw")
        yield influx, front


def position_in(platform: RunningPlatform) -> int:
    """Up to where InfluxDB has everything, as kept on disk."""
    return int((platform.data / "telemetry-influx.position").read_text())


def assert_complete(influx: Influx, deliveries: list[Delivery]) -> None:
    """Past the product: InfluxDB itself has every reading of every charge point, with both values, once."""
    (result,) = influx.ask("SELECT charge_point, energy_active_import_register_wh, power_active_import_w FROM meter", "cw")
    (series,) = result["series"]
    for delivery in deliveries:
        mine = sorted((time, int(energy), int(power)) for time, name, energy, power in series["values"] if name == delivery.name)
        said = sorted((time, register, register) for time, register in delivery.readings)
        assert mine == said, f"{delivery.name}: lost or doubled in InfluxDB"


async def is_shown(api: httpx.AsyncClient, deliveries: list[Delivery]) -> None:
    """And the API's query shows the same, whichever store answers it."""
    for delivery in deliveries:
        answer = await api.get("/api/v1/telemetry/measurements", params=QUERY | {"charge_point": delivery.name})
        assert answer.status_code == 200, answer.text
        series = answer.json()["items"]
        assert len(series) == len(SAMPLES) and len(delivery.readings) >= READINGS
        for each in series:
            values = [int(sample["value"]) for sample in each["samples"]]
            assert values == [register for _, register in delivery.readings]
