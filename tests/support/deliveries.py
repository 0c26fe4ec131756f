"""Charge points that deliver transactions while what the platform stands on fails, and what must be there afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.support.platform import RunningPlatform
from tests.support.raw import RawPoint, raw

READINGS = 3
SAMPLES = ({"measurand": "Energy.Active.Import.Register", "unit": "Wh"}, {"measurand": "Power.Active.Import", "unit": "W"})


class Delivery:
    """One charge point's work: start, READINGS readings, stop, and again. Every call must be answered before the next one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.acknowledged = 0
        self.transactions: list[int] = []
        """Ids that it was given, in order; all but the last one may be assumed to be stopped."""
        self.readings: list[tuple[str, int]] = []
        """(timestamp, register) of each acknowledged reading."""
        self._step = 0

    async def deliver(self, point: RawPoint, stop: asyncio.Event, pause_s: float) -> None:
        """Until `stop`, and then to the end of the running transaction."""
        while not stop.is_set() or self._step % (READINGS + 2):
            await self._next(point)
            await asyncio.sleep(pause_s)

    async def _next(self, point: RawPoint) -> None:
        turn, part = divmod(self._step, READINGS + 2)
        at = f"2026-03-{1 + turn // 1440:02d}T{turn // 60 % 24:02d}:{turn % 60:02d}:{part:02d}Z"
        register = turn * 1000 + part * 100
        if part == 0:
            start = {"connectorId": 1, "idTag": "T", "meterStart": register, "timestamp": at}
            self.transactions.append((await self._say(point, "StartTransaction", start))["transactionId"])
        elif part <= READINGS:
            sampled = [sample | {"value": str(register)} for sample in SAMPLES]
            value = [{"timestamp": at, "sampledValue": sampled}]
            await self._say(point, "MeterValues", {"connectorId": 1, "transactionId": self.transactions[-1], "meterValue": value})
            self.readings.append((at, register))
        else:
            await self._say(
                point, "StopTransaction", {"transactionId": self.transactions[-1], "meterStop": register, "timestamp": at}
            )
        self._step += 1

    async def _say(self, point: RawPoint, action: str, payload: dict[str, Any]) -> Any:
        reply = await point.call(action, payload, f"{self.name}-{self._step}")
        assert reply[0] == 3, f"{action} was answered {reply}"
        self.acknowledged += 1
        return reply[2]


@asynccontextmanager
async def delivering(platform: RunningPlatform, count: int, prefix: str, pause_s: float = 0.02) -> AsyncIterator[list[Delivery]]:
    """`count` charge points deliver inside this block, and finish their transactions at its end."""
    deliveries = [Delivery(f"{prefix}-{number}") for number in range(count)]
    stop = asyncio.Event()

    async def one(delivery: Delivery) -> None:
        async with raw(platform.url, delivery.name) as point:
            await delivery.deliver(point, stop, pause_s)

    async with asyncio.TaskGroup() as tasks:
        for delivery in deliveries:
            tasks.create_task(one(delivery))
        yield deliveries
        stop.set()


async def until(true: Callable[[], Awaitable[object]], timeout_s: float = 60) -> None:
    """Ask again and again until the answer is truthy."""
    async with asyncio.timeout(timeout_s):
        while True:
            if await true():
                return
            await asyncio.sleep(0.03)


async def more(deliveries: Sequence[Delivery], calls: int) -> None:
    """Wait until each of them was acknowledged `calls` more times."""
    goals = [delivery.acknowledged + calls for delivery in deliveries]

    async def reached() -> bool:
        return all(delivery.acknowledged >= goal for delivery, goal in zip(deliveries, goals, strict=True))

    await until(reached)


def client(platform: RunningPlatform) -> httpx.AsyncClient:
    """Of the API, as admin; errors are answers."""
    headers = {"Authorization": f"Bearer {platform.key}"}
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{platform.http_port}", headers=headers, timeout=30)


async def health(api: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """Every health check by its name."""
    answer = await api.get("/api/v1/health")
    assert answer.status_code == 200, answer.text
    return {check["name"]: check for check in answer.json()["checks"]}


async def troubled(api: httpx.AsyncClient, *names: str) -> dict[str, dict[str, Any]]:
    """Wait until these health checks fail; all checks then."""
    checks: dict[str, dict[str, Any]] = {}

    async def failing() -> bool:
        checks.update(await health(api))
        return not any(checks[name]["ok"] for name in names)

    await until(failing)
    return checks


async def well(api: httpx.AsyncClient, name: str) -> None:
    """Wait until this health check is good."""

    async def good() -> bool:
        return bool((await health(api))[name]["ok"])

    await until(good)


async def recovered(api: httpx.AsyncClient) -> None:
    """Wait until every projection has seen everything, and no store is complained about."""

    async def caught_up() -> bool:
        checks = {name: check for name, check in (await health(api)).items() if name not in ("disk", "loop")}
        details = [check["detail"] for name, check in checks.items() if name.startswith("projection")]
        return all(check["ok"] for check in checks.values()) and set(details) == {"0 records behind"}

    await until(caught_up)


async def everything(api: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """All pages of a listing."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        answer = await api.get(path, params=query | {"limit": 1000} | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        if (cursor := page["next_cursor"]) is None:
            return found


async def all_there(api: httpx.AsyncClient, deliveries: Sequence[Delivery]) -> None:
    """Every transaction is listed once, stopped, with its energy; none more."""
    for delivery in deliveries:
        shown = await everything(api, "/api/v1/transactions", charge_point=delivery.name)
        rows = [each["transaction"] for each in shown]
        assert sorted(int(row["transaction_id"]) for row in rows) == delivery.transactions, f"{delivery.name}: lost or doubled"
        assert {each["energy_wh"] for each in shown} == {100 * (READINGS + 1)}
        assert {(row["state"], row["readings"]) for row in rows} == {("stopped", READINGS)}
        assert not [row for row in rows if row["flags"]], "nothing about them is odd"
