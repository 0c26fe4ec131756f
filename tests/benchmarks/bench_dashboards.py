"""The network wall at 50,000 connectors: the time of its queries against a real Prometheus, and of the scrape that feeds them."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from statistics import median, quantiles

import pytest

from chargenet.clock import SystemClock
from chargenet.observe.exposition import Exposition
from chargenet.observe.platform import PlatformMetrics
from chargewatch.rule_files import write_rules
from dashboards import uids
from dashboards.asking import Sources, ask
from dashboards.boards import BOARDS
from dashboards.build import json_of
from dashboards.queries import View
from tests.contract.test_prometheus import served
from tests.support.big_network import CONNECTORS, BigNetwork
from tests.support.servers import ChildServer, answers, free_port, require_server

SCRAPE_S = 15
SCRAPES = 8
ROUNDS = 20
PARTS = 60
BAR_S = 1.0
"""95 of 100 queries take less."""
SPARE = 2 / 3
"""A scrape takes no more of its interval. The first ones, which write every line anew, are not measured."""


def config(folder: Path, target: int) -> Path:
    """Scrape the platform, evaluate our rules."""
    write_rules(folder / "rules")
    path = folder / "prometheus.yml"
    path.write_text(
        f"global: {{scrape_interval: {SCRAPE_S}s, scrape_timeout: {SCRAPE_S}s, evaluation_interval: {SCRAPE_S}s}}\n"
        f"rule_files: ['{folder}/rules/*.yaml']\n"
        f"scrape_configs: [{{job_name: chargewatch, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}]\n"
    )
    return path


async def until_scraped(sources: Sources, times: int, network: BigNetwork, clock: SystemClock) -> None:
    """Wait for so many scrapes; meanwhile every connector says something new once a minute, as charge points do."""
    part = 0
    while True:
        network.change(clock.now_us() / 1e6, part, PARTS)
        part = (part + 1) % PARTS
        seen = await asyncio.to_thread(sources.instant, "sum(count_over_time(up[10m]))", clock.now_us() / 1e6)
        if seen and seen[0].last >= times:
            return
        await asyncio.sleep(60 / PARTS)


def timed(sources: Sources, clock: SystemClock) -> list[float]:
    """Seconds of every query of the wall, as Grafana asks for a range of six hours."""
    board = json_of(next(board for board in BOARDS if board.uid == uids.NETWORK))
    end = clock.now_us() / 1e6
    view = View(start=end - 6 * 3600, end=end, points=600, scrape_s=SCRAPE_S)
    taken = []
    for panel in board["panels"]:
        for target in panel["targets"]:
            began = time.perf_counter()
            ask({**panel, "targets": [target]}, view, {}, sources)
            taken.append(time.perf_counter() - began)
    return taken


@pytest.mark.benchmark
@pytest.mark.timeout(600)
@pytest.mark.server("prometheus")
async def test_network_wall(tmp_path: Path) -> None:
    """Its queries, again and again while scrapes go on: p95 below a second; a scrape leaves a third of its interval to spare."""
    clock = SystemClock()
    network = BigNetwork(clock.now_us() / 1e6)
    network.change(clock.now_us() / 1e6)
    exposition = Exposition(network.fleet, PlatformMetrics("0"), clock)
    port = free_port()
    async with served(exposition.gzipped) as target:
        arguments = [
            str(require_server("prometheus")), f"--config.file={config(tmp_path, target)}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]  # fmt: skip
        server = ChildServer(arguments, folder=tmp_path, ready=answers(f"http://127.0.0.1:{port}/-/ready"))
        await asyncio.to_thread(server.start)
        sources = Sources(f"http://127.0.0.1:{port}")
        try:
            await until_scraped(sources, SCRAPES, network, clock)
            rounds = [await asyncio.to_thread(timed, sources, clock) for _ in range(ROUNDS)]
            now = clock.now_us() / 1e6
            [scrape] = sources.instant("max(max_over_time(scrape_duration_seconds[1m]))", now)
            [series] = sources.instant("sum(scrape_samples_scraped)", now)
        finally:
            sources.close()
            await asyncio.to_thread(server.stop)
    every = sorted(taken for each in rounds for taken in each)
    p95 = quantiles(every, n=20)[-1]
    figures = {
        "benchmark": "dashboards_network_wall", "connectors": CONNECTORS, "series": int(series.last), "queries": len(rounds[0]),
        "query_p50_s": round(median(every), 4), "query_p95_s": round(p95, 4), "query_max_s": round(every[-1], 4),
        "whole_wall_p50_s": round(median(map(sum, rounds)), 3),
        "scrape_max_s": round(scrape.last, 2), "scrape_interval_s": SCRAPE_S,
    }  # fmt: skip
    print("\n" + json.dumps(figures))
    assert p95 < BAR_S
    assert scrape.last < SCRAPE_S * SPARE
