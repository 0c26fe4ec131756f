"""The exposition against the real Prometheus: promtool finds nothing to complain about, and a scrape answers queries rightly."""

from __future__ import annotations

import asyncio
import gzip
import json
import urllib.parse
import urllib.request
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from alerts.app import Alerts, AlertSettings
from alerts.case import Change
from alerts.metrics import CaseMetrics
from alerts.relay.metrics import RelayMetrics
from alerts.storage.cases_memory import MemoryCases
from billing_reports.metrics import BillingMetrics
from billing_reports.payments.metrics import PaymentMetrics
from billing_reports.payments.store import Summary
from billing_reports.rollup_metrics import RollupMetrics
from chargenet.clock import SystemClock
from chargenet.model import measurement as m
from chargenet.observe import names as n
from chargenet.observe.exposition import CONTENT_TYPE, Exposition
from chargenet.observe.fleet import FleetMetrics
from chargenet.observe.platform import PlatformMetrics
from chargenet.testing import FrozenClock, MemoryJournal, MemoryStores
from firmware_orchestrator.metrics import RolloutMetrics
from tests.support.api import ListFeed
from tests.support.cases import case
from tests.support.relay import Simulated
from tests.support.servers import ChildServer, answers, find_server, free_port, require_server
from tests.unit.observe.test_platform_metrics import everything


def full_fleet(now: float) -> FleetMetrics:
    """Two charge points with a value in every family."""
    metrics = FleetMetrics(lambda charge_point_id: f"site of {charge_point_id}")
    for charge_point_id in ("CP1", 'CP "2"\\'):
        metrics.opened(charge_point_id, "ocpp1.6", now)
        metrics.booted(charge_point_id, "Alfen", "Eve", "1.0", now)
        metrics.reported(charge_point_id, "1", "Faulted", now, "GroundFailure", "E7")
        metrics.reported(charge_point_id, "2.2", "Charging", now)
        row = metrics.row(charge_point_id, "2.2")
        metrics.started(row, now)
        metrics.last_seen.put(row, now, now)
        columns = [metrics.power, metrics.energy, metrics.soc, metrics.session_energy]
        columns += [column for phase in ("", "L1") if (column := metrics.column(m.CURRENT, phase))]
        columns += [column for phase in ("", "L1-N") if (column := metrics.column(m.VOLTAGE, phase))]
        columns += [column for place in ("Body", "Cable") if (column := metrics.column(m.TEMPERATURE, place))]
        for column in columns:
            column.put(row, 42.5, now)
        point = metrics.point(charge_point_id)
        metrics.security_events.count(point.row, now)
        metrics.uploads.count(point.row, now)
    return metrics


def exposition() -> Exposition:
    clock = SystemClock()
    platform = everything()
    platform.registry.register(full_cases())
    platform.registry.register(RelayMetrics(Simulated().relay, clock))
    platform.registry.register(RolloutMetrics(lambda: 0, lambda: 0))
    platform.registry.register(RollupMetrics(lambda: 0))
    platform.registry.register(BillingMetrics(lambda: 0, lambda: True))
    platform.registry.register(full_payments(clock))
    return Exposition(full_fleet(clock.now_us() / 1e6), platform, clock)


def full_cases() -> CaseMetrics:
    """A value in every family of alerts."""
    world = Alerts(ListFeed(), MemoryJournal(), FrozenClock(), MemoryStores(), MemoryCases(), None, str, {}, AlertSettings())
    opened = case(site_id='quoted "site"')
    world.caseload.by_key[opened.key] = opened
    world.caseload.changed(Change(case=opened, what="opened", why=""))
    return world.metrics


def full_payments(clock: SystemClock) -> PaymentMetrics:
    """A value in every family of payments."""
    metrics = PaymentMetrics(clock.now, lambda: True)
    metrics.counted(Summary(states={("hold", "held"): 1}, stuck=0, receivable={"EUR": 120}, oldest_request_at=None))
    return metrics


@pytest.mark.server("promtool")
async def test_promtool_finds_nothing_to_complain_about() -> None:
    """`promtool check metrics` is clean on the complete exposition, and every family of the catalogue is in it."""
    body = await exposition().body()
    tool = find_server("promtool")
    assert tool is not None
    checked = await asyncio.create_subprocess_exec(tool, "check", "metrics", stdin=PIPE, stdout=PIPE, stderr=STDOUT)
    said, _ = await checked.communicate(body)
    assert (checked.returncode, said) == (0, b"")
    exposed = {line.split()[2] for line in body.decode().splitlines() if line.startswith("# TYPE")}
    assert {family.name for family in n.FAMILIES} <= exposed


async def test_gzip_is_the_same_text() -> None:
    """The compressed answer unpacks to an exposition of the same fleet."""
    served = exposition()
    plain = [line for line in (await served.body()).splitlines() if line.startswith(b"chargewatch_connector_")]
    packed = gzip.decompress(await served.gzipped())
    assert plain
    assert [line for line in packed.splitlines() if line.startswith(b"chargewatch_connector_")] == plain


@asynccontextmanager
async def served(body: Callable[[], Awaitable[bytes]]) -> AsyncIterator[int]:
    """A tiny HTTP server that answers every request with the exposition; gives its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        text = await body()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Encoding: gzip\r\n" % CONTENT_TYPE.encode())
        writer.write(b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(text) + text)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def query(port: int, expression: str) -> list[tuple[dict[str, str], float]]:
    """An instant query of Prometheus."""
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(url, timeout=10) as response:
        rows = json.load(response)["data"]["result"]
    return [(row["metric"], float(row["value"][1])) for row in rows]


async def eventually(port: int, expression: str) -> list[tuple[dict[str, str], float]]:
    """The first answer that is not empty."""
    for _ in range(200):
        if found := await asyncio.to_thread(query, port, expression):
            return found
        await asyncio.sleep(0.1)
    return []


@pytest.mark.server("prometheus")
async def test_prometheus_scrapes_and_answers(tmp_path: Path) -> None:
    """A real Prometheus takes the scrape, answers with the right values and labels, and forgets what is not exposed any more."""
    clock = SystemClock()
    fleet = full_fleet(clock.now_us() / 1e6)
    shown = Exposition(fleet, PlatformMetrics("1.2.3"), clock)
    port = free_port()
    async with served(shown.gzipped) as target:
        config = tmp_path / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s}\n"
            f"scrape_configs: [{{job_name: chargewatch, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}]\n"
        )
        server = ChildServer(
            [require_server("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}",
             f"--web.listen-address=127.0.0.1:{port}"],
            folder=tmp_path, ready=answers(f"http://127.0.0.1:{port}/-/ready"),
        )  # fmt: skip
        await asyncio.to_thread(server.start)
        try:
            labels, watts = (await eventually(port, 'chargewatch_connector_power_watts{charge_point="CP1"}'))[0]
            assert (labels["site"], labels["connector"], watts) == ("site of CP1", "2.2", 42.5)
            assert await eventually(port, "up") != []
            assert (await eventually(port, "up"))[0][1] == 1
            assert (await eventually(port, 'sum by (status) (chargewatch_site_connectors{status="Faulted"})'))[0][1] == 2
            quoted = await eventually(port, 'chargewatch_connector_status{charge_point="CP \\"2\\"\\\\",status="Faulted"}')
            assert quoted[0][1] == 1
            age = (await eventually(port, 'time() - chargewatch_connector_last_seen_timestamp_seconds{charge_point="CP1"}'))[0][1]
            assert -1 <= age <= 60
            fleet.forget("CP1")
            for _ in range(200):
                if not await asyncio.to_thread(query, port, 'chargewatch_connector_power_watts{charge_point="CP1"}'):
                    break
                await asyncio.sleep(0.1)
            assert query(port, 'chargewatch_connector_power_watts{charge_point="CP1"}') == []
        finally:
            await asyncio.to_thread(server.stop)
