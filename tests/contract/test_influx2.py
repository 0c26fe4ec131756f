"""Rights in an InfluxDB 2.x, as docs/deploy.md gives them: what each token opens, and what the product says to one that does not.

Run where somebody has one (tests/conftest.py, tests/support/influx.py).
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargenet.errors import StoreUnavailable
from chargenet.ports import TelemetryQuery
from chargenet.storage.influx import InfluxTelemetry
from chargenet.testing import FrozenClock
from tests.support.facts import DAY, at, fact, measured, register
from tests.support.influx2 import Influx2, influxd2

EVERYTHING = TelemetryQuery(start=DAY, end=at(86_400))
FACTS = [fact(1, measured([register(5)], 60))]
READER = {"Authorization": "Basic " + base64.b64encode(b"grafana:readers-password").decode()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx2]:
    """With two buckets; `token` is for the second, `cw`."""
    with influxd2(tmp_path_factory.mktemp("influxd2")) as running:
        running.make("another")
        running.make("cw")
        running.let_read("cw", "grafana", "readers-password")
        yield running


def store(server: Influx2, folder: Path, **changes: Any) -> InfluxTelemetry:
    """The product's store; `changes` are wrong settings."""
    target = msgspec.structs.replace(server.target(server.url, "cw"), **changes)
    return InfluxTelemetry(target, folder, FrozenClock(), lambda: 0.0, sleep=_no_nap)


async def _no_nap(seconds: float) -> None:
    """A sleep that is over at once."""


def asked(server: Influx2, question: str, headers: dict[str, str], database: str = "cw") -> dict[str, Any]:
    """One answer of /query to POST, as Grafana asks."""
    parameters = urllib.parse.urlencode({"db": database, "q": question})
    request = urllib.request.Request(f"{server.url}/query?{parameters}", data=b"", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        [result] = json.load(response)["results"]
        found: dict[str, Any] = result
        return found


def put(server: Influx2, headers: dict[str, str]) -> None:
    """Write a point."""
    request = urllib.request.Request(f"{server.url}/write?db=cw", data=b"meter x=1", headers=headers)
    urllib.request.urlopen(request, timeout=30).close()


async def test_the_platforms_token_is_enough_and_no_more(server: Influx2, tmp_path: Path) -> None:
    """It writes, reads and drops in its bucket; another bucket stays closed to it."""
    telemetry = store(server, tmp_path)
    await telemetry.write(FACTS, 1)
    assert len(await telemetry.query(EVERYTHING)) == 1
    await telemetry.reset()
    assert await telemetry.query(EVERYTHING) == []
    await telemetry.write(FACTS, 1)
    other = store(server, tmp_path / "other", bucket="another")
    with pytest.raises(StoreUnavailable):
        await other.write(FACTS, 1)
    with pytest.raises(StoreUnavailable):
        await other.query(EVERYTHING)
    await telemetry.close()
    await other.close()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"token": "wrong"}, "unauthorized"),
        ({"bucket": "nowhere"}, 'bucket "nowhere" not found'),
        ({"org": "nobody"}, 'organization name "nobody" not found'),
    ],
    ids=["token", "bucket", "organization"],
)
async def test_a_wrong_setting_is_named(server: Influx2, tmp_path: Path, changes: dict[str, str], sentence: str) -> None:
    """In InfluxDB's own words; nothing is given up, and the token is not told."""
    telemetry = store(server, tmp_path, **changes)
    with pytest.raises(StoreUnavailable, match=sentence) as failure:
        await telemetry.write(FACTS, 1)
    assert server.token not in str(failure.value)
    assert (await telemetry.position(), telemetry.rejected) == (0, 0)
    await telemetry.close()


async def test_grafanas_reader_reads_and_changes_nothing(server: Influx2, tmp_path: Path) -> None:
    """By name and password; it may not drop, write, or look into another bucket, and a wrong password opens nothing."""
    telemetry = store(server, tmp_path)
    await telemetry.write(FACTS, 1)
    await telemetry.close()
    assert asked(server, "SELECT * FROM meter", READER)["series"]
    assert asked(server, "DROP MEASUREMENT meter", READER)["error"] == "insufficient permissions"
    assert "series" not in asked(server, "SELECT * FROM meter", READER, "another")
    assert asked(server, "SELECT * FROM meter", READER)["series"]
    wrong = {"Authorization": "Basic " + base64.b64encode(b"grafana:wrong").decode()}
    with pytest.raises(urllib.error.HTTPError, match="401"):
        asked(server, "SELECT * FROM meter", wrong)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        put(server, READER)
