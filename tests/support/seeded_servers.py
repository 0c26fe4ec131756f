"""The seeded network in a real Prometheus and a real InfluxDB, for tests of boards and for the pictures in docs."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import yaml

from chargenet.clock import SystemClock
from chargenet.events import Fact
from chargenet.storage.influx import InfluxTarget, InfluxTelemetry
from chargewatch.rule_files import write_rules
from dashboards.asking import Sources
from dashboards.promql import selectors
from dashboards.queries import View
from tests.support.influx import Influx, influxd
from tests.support.influx_v2_shim import shim
from tests.support.seeded_metrics import SeededMetrics, stamped
from tests.support.seeded_network import END, SCRAPE_EVERY, SCRAPE_S, STEP_S, STEPS, SeededNetwork
from tests.support.seeded_programs import connector_hours
from tests.support.servers import ChildServer, answers, find_server, free_port, require_server

DATABASE = "chargewatch"
WEEK = timedelta(days=7)
WEEK_OLD = (b"chargewatch_model_power_watts", b"chargewatch_model_active_transactions")
"""What boards compare with a week ago."""
VIEW = View(start=END.timestamp() - STEP_S * STEPS, end=END.timestamp(), points=240, scrape_s=SCRAPE_S)


@dataclass
class SeededServers:
    """`sources` to ask; `network` knows what is true at its end; `server` is the InfluxDB, without the door in front of it."""

    sources: Sources
    network: SeededNetwork
    prometheus: str
    influx: str
    server: Influx


@contextmanager
def seeded_servers(folder: Path) -> Iterator[SeededServers]:
    """Fill both servers in `folder`. Skips where they are not installed."""
    network = SeededNetwork()
    with ExitStack() as stack:
        influx = stack.enter_context(influxd(_made(folder / "influx")))
        influx.make(DATABASE)
        front = stack.enter_context(shim(influx))
        asyncio.run(_fill(network, folder, influx.target(front.url, DATABASE)))
        prometheus = stack.enter_context(seeded_prometheus(folder))
        sources = Sources(prometheus, front.url, DATABASE, influx.token)
        stack.callback(sources.close)
        yield SeededServers(sources, network, prometheus, front.url, influx)


async def _fill(network: SeededNetwork, folder: Path, influx: InfluxTarget) -> None:
    """Scrapes to a file for promtool, facts to InfluxDB, both by the product's own code."""
    told: list[Fact] = []
    with (folder / "scrapes.om").open("wb") as file:
        await _last_week(file.write)
        file.write(_earlier())
        metrics = SeededMetrics(network)
        for step, (at, facts) in enumerate(network.steps()):
            await metrics.take(at, facts)
            told += facts
            if step % SCRAPE_EVERY == 0:
                file.write(metrics.text(at))
        file.write(b"# EOF\n")
    telemetry = InfluxTelemetry(influx, folder, SystemClock(), lambda: 0.5, name="boards")
    for start in range(0, len(told), 5000):
        part = told[start : start + 5000]
        await telemetry.write(part, part[-1].sequence)
    await telemetry.write_hours(connector_hours(network))
    assert telemetry.rejected == 0
    await telemetry.close()


def _earlier() -> bytes:
    """What was recorded in the three days before: two percent unusable."""
    hours = [VIEW.start - 3600 * hour for hour in range(72, 0, -1)]
    return "".join(f"network:chargewatch_unusable:ratio 0.02 {at:.0f}\n" for at in hours).encode()


async def _last_week(write: object) -> None:
    """The same hours a week before: a calm day, of which only the sums are of interest."""
    assert callable(write)
    calm = SeededNetwork(END - WEEK, seed=8, calm=True)
    metrics = SeededMetrics(calm)
    for step, (at, facts) in enumerate(calm.steps()):
        await metrics.take(at, facts)
        if step % SCRAPE_EVERY == 0:
            lines = stamped(b"".join(metrics.fleet.chunks(at.timestamp())), at.timestamp()).splitlines(keepends=True)
            write(b"".join(line for line in lines if line.startswith(WEEK_OLD)))


@contextmanager
def seeded_prometheus(folder: Path) -> Iterator[str]:
    """Blocks made by promtool, then what our recording rules make of them, then the server; gives its URL."""
    data, tool = folder / "prometheus", find_server("promtool")
    assert tool is not None
    blocks = [str(tool), "tsdb", "create-blocks-from", "openmetrics", "-q", "--max-block-duration=24h"]
    _run([*blocks, str(folder / "scrapes.om"), str(data)])
    config = folder / "prometheus.yml"
    config.write_text("global: {scrape_interval: 15s}\n")
    rules = write_rules(_made(folder / "rules"))
    with _server(folder, config, data) as url:
        _record(str(tool), url, rules, folder / "recorded")
    with _server(folder, config, _with_blocks(data, folder / "recorded")) as url:
        _record(str(tool), url, [_second(rules, folder)], folder / "recorded-second")
    with _server(folder, config, _with_blocks(data, folder / "recorded-second")) as url:
        yield url


def _with_blocks(data: Path, made: Path) -> Path:
    for block in made.iterdir():
        shutil.move(block, data / block.name)
    return data


def _second(rules: list[Path], folder: Path) -> Path:
    """Rules that ask for what other rules recorded: promtool must run them after those."""
    groups = [group for path in rules for group in yaml.safe_load(path.read_text())["groups"]]
    recording = [rule for group in groups for rule in group["rules"] if "record" in rule]
    names = {rule["record"] for rule in recording}
    second = [rule for rule in recording if any(each.name in names for each in selectors(rule["expr"]))]
    path = folder / "second.rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "second", "rules": second}]}))
    return path


def _record(tool: str, url: str, rules: list[Path], into: Path) -> None:
    """Recording rules over the seeded hours. promtool passes over alerts."""
    span = [f"--start={VIEW.start:.0f}", f"--end={VIEW.end:.0f}", f"--eval-interval={SCRAPE_S:.0f}s", f"--url={url}"]
    _run([tool, "tsdb", "create-blocks-from", "rules", *span, f"--output-dir={into}", *map(str, rules)])


@contextmanager
def _server(folder: Path, config: Path, data: Path) -> Iterator[str]:
    # Blocks have no marks of where a series ended, as a scrape makes them: a look back of less than a scrape stands in for those.
    port = free_port()
    arguments = [
        str(require_server("prometheus")), f"--config.file={config}", f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=10y", f"--query.lookback-delta={SCRAPE_S - 1:.0f}s",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with ChildServer(arguments, folder=folder, ready=answers(f"{url}/-/ready")):
        yield url


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _run(arguments: list[str]) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
