"""InfluxDB away, busy, or refusing points: nothing is lost, nothing is doubled, only what is bad is set aside. A real server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from chargenet.clock import SystemClock
from chargenet.errors import StoreUnavailable
from chargenet.events import Fact, StatusReported
from chargenet.model.measurement import Measurement
from chargenet.ports import ConnectorHour, TelemetryQuery
from chargenet.storage import influx as influx_module
from chargenet.storage.hours import COUNTS
from chargenet.storage.influx import InfluxTarget, InfluxTelemetry
from chargenet.testing import FrozenClock
from collector.projections.telemetry import TelemetryProjection
from tests.support.facts import DAY, at, fact, measured, register
from tests.support.influx import Influx, influxd
from tests.support.influx_v2_shim import ShimLog, shim

pytestmark = pytest.mark.server("influxdb")

EVERYTHING = TelemetryQuery(start=DAY, end=DAY + timedelta(days=1), limit=100_000)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Influx]:
    """An InfluxDB that this test may stop and start."""
    folder = tmp_path / "influxd"
    folder.mkdir()
    with influxd(folder) as running:
        running.make("cw")
        yield running


@pytest.fixture
def front(server: Influx) -> Iterator[ShimLog]:
    """Its v2 write endpoint."""
    with shim(server) as log:
        yield log


class Naps:
    """Sleeps of the adapter, which do not sleep."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def telemetry(server: Influx, front: ShimLog, tmp_path: Path, naps: Naps) -> InfluxTelemetry:
    """The adapter; its files are in the test's folder."""
    return adapter(server, front, tmp_path, naps)


def adapter(server: Influx, front: ShimLog, folder: Path, naps: Naps) -> InfluxTelemetry:
    """A new adapter, as after a restart."""
    target = server.target(front.url, "cw", connect_timeout_s=2, read_timeout_s=10)
    return InfluxTelemetry(target, folder, FrozenClock(), lambda: 0.0, sleep=naps)


def readings(first: int, last: int) -> list[Fact]:
    """One register a second, of sequences first to last."""
    return [fact(n, measured([register(n)], n)) for n in range(first, last + 1)]


async def values(telemetry: InfluxTelemetry) -> list[float]:
    """All values, in time order."""
    return [sample.value for series in await telemetry.query(EVERYTHING) for sample in series.samples]


async def test_after_an_outage_the_projection_catches_up_without_loss_or_duplicates(
    server: Influx, front: ShimLog, tmp_path: Path, naps: Naps, telemetry: InfluxTelemetry
) -> None:
    """While the server is stopped each try fails and the position stays; started again, everything is there exactly once."""
    projection = TelemetryProjection(telemetry)
    await projection.apply(readings(1, 100), 100)
    server.server.stop()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await projection.apply(readings(101, 200), 200)
        assert await projection.position() == 100
    server.server.start()
    await projection.apply(readings(101, 200), 200)
    await telemetry.close()

    restarted = adapter(server, front, tmp_path, naps)
    projection = TelemetryProjection(restarted)
    assert await projection.position() == 200
    await projection.apply(readings(150, 250), 250)
    assert await values(restarted) == list(range(1, 251))
    [result] = server.ask("SELECT count(energy_active_import_register_wh) FROM meter", "cw")
    assert result["series"][0]["values"][0][1] == 250
    await restarted.close()


async def test_an_outage_between_two_batches_repeats_no_point(
    monkeypatch: pytest.MonkeyPatch, front: ShimLog, telemetry: InfluxTelemetry
) -> None:
    """The first batches of a write are written again after a failure of a later one, and are the same points."""
    monkeypatch.setattr(influx_module, "BATCH_LINES", 10)
    await telemetry.write(readings(1, 1), 1)
    before = front.writes
    front.failing_from = front.writes + 2
    with pytest.raises(StoreUnavailable, match="down"):
        await telemetry.write(readings(2, 31), 31)
    assert await telemetry.position() == 1
    assert await values(telemetry) == list(range(1, 12))
    front.failing_from = None
    await telemetry.write(readings(2, 31), 31)
    assert await values(telemetry) == list(range(1, 32))
    assert front.writes - before == (1 + 3) + 3
    await telemetry.close()


async def test_a_busy_server_is_given_the_time_it_asks_for(front: ShimLog, naps: Naps, telemetry: InfluxTelemetry) -> None:
    """429 and 503 are tried again after Retry-After, or after a growing delay; then the batch is in."""
    front.refusals += [(429, {"Retry-After": "7"}, "slow down"), (503, {}, "later")]
    await telemetry.write(readings(1, 3), 3)
    assert naps.taken == [7.0, pytest.approx(0.2)]
    assert await values(telemetry) == [1, 2, 3]
    await telemetry.close()


@pytest.mark.parametrize("status", [401, 404, 500])
async def test_what_is_not_about_the_points_never_drops_them(front: ShimLog, telemetry: InfluxTelemetry, status: int) -> None:
    """A wrong token, a missing bucket or a broken server: the write fails as a whole and can be repeated."""
    front.refusals += [(status, {}, "no")] * 3
    with pytest.raises(StoreUnavailable):
        await telemetry.write(readings(1, 3), 3)
    assert (await telemetry.position(), telemetry.rejected) == (0, 0)
    await telemetry.write(readings(1, 3), 3)
    assert await values(telemetry) == [1, 2, 3]
    await telemetry.close()


async def test_a_field_of_another_type_costs_that_field_alone(server: Influx, tmp_path: Path, telemetry: InfluxTelemetry) -> None:
    """Someone wrote `soc_percent` as a text before us: our SoC is set aside with the reason; what it came with is kept."""
    [created] = server.ask("SELECT * FROM meter", "cw")
    assert "series" not in created
    write_directly(server, 'meter,charge_point=X soc_percent="high" 1772323200000000000')
    both = [register(5), Measurement(measurand="SoC", value=40.0, unit="Percent")]
    facts = [*readings(1, 50), fact(51, measured(both, 51)), *readings(52, 100)]
    await telemetry.write(facts, 100)
    registers = TelemetryQuery(start=DAY, end=at(86_400), measurand="Energy.Active.Import.Register")
    [series] = await telemetry.query(registers)
    assert [sample.value for sample in series.samples] == [*range(1, 51), 5, *range(52, 101)]
    assert telemetry.rejected == 1
    [entry] = entries(tmp_path)
    assert "soc_percent=40.0" in entry["line"]
    assert "field type conflict" in entry["reason"]
    assert await telemetry.position() == 100
    await telemetry.close()


async def test_a_point_that_the_server_cannot_take_is_set_aside_alone(tmp_path: Path, telemetry: InfluxTelemetry) -> None:
    """A tag set beyond the server's key limit (64 KiB) is refused; its neighbours are stored and the cursor moves on."""
    huge = StatusReported(connector=None, status="Available", raw_status="Available", reported_at=at(5))
    facts = [*readings(1, 20), fact(21, huge, charge_point="x" * 70_000), *readings(22, 40)]
    await telemetry.write(facts, 40)
    assert await values(telemetry) == [*range(1, 21), *range(22, 41)]
    assert telemetry.rejected == 1
    [entry] = entries(tmp_path)
    assert "max key length exceeded" in entry["reason"]
    await telemetry.close()


async def test_points_older_than_the_bucket_keeps_cost_one_request(
    server: Influx, front: ShimLog, tmp_path: Path, telemetry: InfluxTelemetry
) -> None:
    """As a rebuild from an old journal writes them: passed over together, not searched for one by one; the others are stored."""
    server.keep("cw", 90)
    now_s = round((SystemClock().now() - DAY).total_seconds())
    old, new = readings(1, 500), [fact(500 + n, measured([register(n)], None), received=now_s - n) for n in range(1, 101)]
    mixed = [each for pair in zip(old, new, strict=False) for each in pair]
    facts = [msgspec.structs.replace(each, sequence=n) for n, each in enumerate(mixed, 1)]
    await telemetry.write(facts, len(facts))
    assert front.writes == 1
    assert (telemetry.written, telemetry.expired, telemetry.rejected) == (100, 100, 0)
    recent = TelemetryQuery(start=at(now_s - 3600), end=at(now_s + 1), limit=1000)
    [series] = await telemetry.query(recent)
    assert len(series.samples) == 100
    write_directly(server, 'meter,charge_point=X soc_percent="high"')
    percent = Measurement(measurand="SoC", value=40.0, unit="Percent")
    bad = fact(len(facts) + 3, measured([percent], None), received=now_s)
    rest = [fact(len(facts) + n, measured([register(n)], n)) for n in (1, 2)]
    await telemetry.write([*rest, bad], len(facts) + 3)
    assert (telemetry.written, telemetry.expired, telemetry.rejected) == (100, 102, 1)
    assert await telemetry.position() == len(facts) + 3
    await telemetry.close()


async def test_the_token_is_in_the_header_and_nowhere_else(
    caplog: pytest.LogCaptureFixture, server: Influx, front: ShimLog, telemetry: InfluxTelemetry
) -> None:
    """Not in a URL, not in a log line, not in an error."""
    caplog.set_level("DEBUG")
    front.refusals += [(401, {}, "unauthorized")] * 3
    with pytest.raises(StoreUnavailable) as failure:
        await telemetry.write(readings(1, 1), 1)
    await telemetry.query(EVERYTHING)
    assert set(front.authorizations) == {f"Token {server.token}"}
    assert not any(server.token in text for text in (*front.paths, caplog.text, str(failure.value), repr(failure.value.__cause__)))
    await telemetry.close()


async def test_a_server_that_never_was_there_is_unavailable(tmp_path: Path, naps: Naps) -> None:
    """Nobody listens: writing and asking both say so, and name the address."""
    target = InfluxTarget(url="http://127.0.0.1:1", bucket="cw")
    telemetry = InfluxTelemetry(target, tmp_path, FrozenClock(), lambda: 0.0, sleep=naps)
    with pytest.raises(StoreUnavailable, match=r"http://127\.0\.0\.1:1"):
        await telemetry.write(readings(1, 1), 1)
    with pytest.raises(StoreUnavailable):
        await telemetry.query(EVERYTHING)
    await telemetry.close()


def entries(folder: Path) -> Sequence[dict[str, str]]:
    """What was set aside."""
    return [json.loads(line) for line in (folder / "telemetry-influx.rejected.jsonl").read_text().splitlines()]


def write_directly(server: Influx, line: str) -> None:
    """Line protocol past the product."""
    with server.open("/write?db=cw", line.encode()) as response:
        assert response.status == 204


async def test_an_hour_that_is_restated_overwrites_itself(server: Influx, front: ShimLog, telemetry: InfluxTelemetry) -> None:
    """Written twice, restated, its charge point at another site meanwhile: one point, as it was told last; `reset` drops it."""
    counts = dict.fromkeys(COUNTS, 1)
    paid = {"EUR": Decimal(12)}
    hour = ConnectorHour(charge_point="CP 1,a=b", connector="1", site="harbour", hour=DAY, revenue=paid, **counts)
    later = msgspec.structs.replace(hour, hour=DAY + timedelta(hours=1), site='"\\')
    await telemetry.write_hours([hour, later])
    restated = msgspec.structs.replace(hour, site="airport", energy_wh=7000, revision=2, revenue={"EUR": Decimal("0.5")})
    await telemetry.write_hours([restated])
    [result] = server.ask('SELECT "energy_wh", "revision", "site", "charge_point", "revenue_EUR" FROM connector_hour', "cw")
    assert [row[1:] for row in result["series"][0]["values"]] == [
        [7000, 2, "airport", "CP 1,a=b", 0.5], [1, 1, '"\\', "CP 1,a=b", 12.0],
    ]  # fmt: skip
    await telemetry.reset()
    assert server.ask("SELECT * FROM connector_hour", "cw")[0].get("series") is None
    server.server.stop()
    with pytest.raises(StoreUnavailable):
        await telemetry.write_hours([hour])
    await telemetry.close()
