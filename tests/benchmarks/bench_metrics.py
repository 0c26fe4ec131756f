"""What the fleet's metrics cost: a scrape of 300,000 series against prometheus_client, and one MeterValues in the projection."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from statistics import median

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.ids import ConnectorRef
from chargenet.model.measurement import Measurement
from chargenet.observe.fleet import FleetMetrics
from chargenet.observe.platform import PlatformMetrics
from collector.projections.fleet import FleetProjection
from tests.support.exposition import START

CONNECTORS = 50_000
NOW = START.timestamp()


def say(benchmark: str, **figures: object) -> None:
    print("\n" + json.dumps({"benchmark": benchmark, **figures}))


def network() -> tuple[FleetMetrics, list[int]]:
    """25,000 charge points with two connectors: the rows of all connectors."""
    metrics = FleetMetrics(lambda charge_point_id: f"site {int(charge_point_id[2:]) % 2500}")
    rows = []
    for number in range(CONNECTORS // 2):
        charge_point_id = f"CP{number:06d}"
        metrics.opened(charge_point_id, "ocpp1.6", NOW)
        metrics.booted(charge_point_id, f"Vendor {number % 10}", "Model", f"1.{number % 20}", NOW)
        for plug in ("1", "2"):
            metrics.reported(charge_point_id, plug, "Charging", NOW)
            rows.append(metrics.row(charge_point_id, plug))
    return metrics, rows


def say_something(metrics: FleetMetrics, rows: list[int], at: float) -> None:
    """New values for these connectors: five families, so that with the status each connector has six series."""
    current = metrics.column("Current.Import", "L1")
    assert current is not None
    for number, row in enumerate(rows):
        metrics.power.put(row, 7345.2 + number % 977 + at % 7, at)
        current.put(row, 16.02 + number % 9 + at % 3, at)
        metrics.energy.put(row, 1_000_000.0 + at % 1000 * 3 + number, at)
        metrics.soc.put(row, float((number + int(at)) % 100), at)
        metrics.last_seen.put(row, at, at)


async def worst_lag(work: Callable[[], Awaitable[bytes]]) -> tuple[float, float, int]:
    """(CPU seconds, worst lag of the event loop meanwhile in seconds, bytes) of `work`."""
    worst, running = 0.0, True

    async def probe() -> None:
        nonlocal worst
        while running:
            before = time.perf_counter()
            await asyncio.sleep(0)
            worst = max(worst, time.perf_counter() - before)

    async with asyncio.TaskGroup() as group:
        group.create_task(probe())
        await asyncio.sleep(0)
        cpu = time.process_time()
        body = await work()
        cpu = time.process_time() - cpu
        running = False
    return cpu, worst, len(body)


def gauges() -> CollectorRegistry:
    """The same number of series as prometheus_client gauges."""
    registry = CollectorRegistry()
    for family in ("status", "power", "current", "energy", "soc", "last_seen"):
        gauge = Gauge(family, family, ["site", "charge_point", "connector"], registry=registry)
        for number in range(CONNECTORS):
            gauge.labels(f"site {number % 2500}", f"CP{number // 2:06d}", str(number % 2)).set(7345.2 + number % 977)
    return registry


@pytest.mark.benchmark
@pytest.mark.timeout(300)
async def test_scrape_of_300_000_series() -> None:
    """One scrape of 50,000 connectors, with all values changed and with a tenth: CPU, worst lag of the loop, ratio to the peer."""
    metrics, rows = network()
    figures: dict[str, list[tuple[float, float, int]]] = {"all": [], "tenth": [], "peer": []}
    registry = gauges()

    async def peer() -> bytes:
        return generate_latest(registry)

    gc.freeze()
    for turn in range(5):
        at = NOW + 15 * turn
        for share, changed in (("all", rows), ("tenth", rows[::10])):
            say_something(metrics, changed, at + (share == "tenth"))
            figures[share].append(await worst_lag(lambda at=at: metrics.render(at + 2)))  # type: ignore[misc]  # bound per turn
        if turn < 3:
            figures["peer"].append(await worst_lag(peer))
    gc.unfreeze()
    cpu = {name: median(run[0] for run in runs[1:]) for name, runs in figures.items()}
    lag = {name: median(run[1] for run in runs[1:]) for name, runs in figures.items()}
    say(
        "metrics_scrape", series=metrics.series, bytes=figures["all"][-1][2],
        cpu_s_all_changed=round(cpu["all"], 3), cpu_s_tenth_changed=round(cpu["tenth"], 3), peer_cpu_s=round(cpu["peer"], 3),
        worst_lag_ms_all=round(lag["all"] * 1e3, 1), worst_lag_ms_tenth=round(lag["tenth"] * 1e3, 1),
        peer_lag_ms=round(lag["peer"] * 1e3, 1), times_peer=round(cpu["peer"] / cpu["all"], 1),
    )  # fmt: skip
    assert metrics.series >= 300_000


def meter_values(number: int, sequence: int) -> Fact:
    """An eight-value MeterValues."""
    measured = (
        Measurement("Power.Active.Import", 7345.2 + sequence % 977, "W"),
        Measurement("Energy.Active.Import.Register", 1e6 + sequence, "Wh"),
        Measurement("Voltage", 230.1, "V", "L1-N"),
        Measurement("Current.Import", 16.02, "A", "L1"),
        Measurement("Current.Import", 15.97, "A", "L2"),
        Measurement("Current.Import", 16.11, "A", "L3"),
        Measurement("SoC", float(sequence % 100), "Percent", None, "EV"),
        Measurement("Temperature", 31.5, "Celsius"),
    )
    at = START + timedelta(seconds=sequence // 1000)
    event = e.MeasurementsTaken(connector=ConnectorRef(1), transaction_id="7", measured_at=at, measurements=measured)
    return Fact(sequence, at, f"CP{number:06d}", 1, "ocpp1.6", "MeterValues", (event,))


@pytest.mark.benchmark
async def test_one_meter_values() -> None:
    """CPU per fact of eight values over 1,000 connectors, and of one counted call, against setting eight cached Gauge children."""
    projection = FleetProjection(FleetMetrics(lambda _: "site"))
    platform = PlatformMetrics("0")
    gauge = Gauge("g", "g", ["site", "charge_point", "connector", "kind"], registry=CollectorRegistry())
    children = [gauge.labels("site", "CP", "1", str(kind)) for kind in range(8)]
    best = {"fact": 9.9, "peer": 9.9, "call": 9.9}
    for turn in range(7):
        taken = [meter_values(number % 1000, turn * 20_000 + number + 1) for number in range(20_000)]
        before = time.process_time()
        await projection.apply(taken, taken[-1].sequence)
        best["fact"] = min(best["fact"], time.process_time() - before)
        before = time.process_time()
        for _ in range(20_000):
            for child in children:
                child.set(7.5)
        best["peer"] = min(best["peer"], time.process_time() - before)
        before = time.process_time()
        for _ in range(20_000):
            platform.call_handled("ocpp1.6", "MeterValues", 0.0013)
        best["call"] = min(best["call"], time.process_time() - before)
    us = {name: seconds / 20_000 * 1e6 for name, seconds in best.items()}
    say(
        "metrics_meter_values", us_per_fact=round(us["fact"], 2), us_per_8_gauge_sets=round(us["peer"], 2),
        us_per_call_counted=round(us["call"], 3),
    )  # fmt: skip
