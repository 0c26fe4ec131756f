"""Reports of a running platform: history imported, a fault suffered, files for managers and authorities."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from chargewatch.cli import run
from tests.support.platform import RunningPlatform

MAP = """
source = "old-system"
[columns]
charge_point = "cp"
began = "from"
ended = "to"
energy = "kWh"
site = "place"
[constants]
connector = "1"
"""
ROWS = [
    "cp,from,to,kWh,place",
    "OLD-1,2026-01-05 08:00,2026-01-05 12:00,20,Market",
    "OLD-1,2026-01-06 08:00,,20,Market",
    "OLD-2,2026-01-07 18:00,2026-01-08 06:00,44,Depot",
]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """CP-1 said Available, was Faulted, and is Available again."""
    boot = {"chargePointVendor": "Alfen", "chargePointModel": "Eve"}
    words = ("Available", "Faulted", "Available")
    with (
        RunningPlatform(tmp_path_factory.mktemp("reports")) as running,
        connect(f"{running.url}/CP-1", subprotocols=["ocpp1.6"]) as socket,  # type: ignore[list-item]  # a NewType of str
    ):
        socket.send(json.dumps([2, "b", "BootNotification", boot]))
        socket.recv(10)
        for number, word in enumerate(words):
            error = "GroundFailure" if word == "Faulted" else "NoError"
            socket.send(json.dumps([2, f"s{number}", "StatusNotification", {"connectorId": 1, "errorCode": error, "status": word}]))
            socket.recv(10)
            time.sleep(0.3)
        yield running


def chargewatch(platform: RunningPlatform, *words: str, code: int = 0) -> tuple[str, str]:
    """What a command writes to standard output and to standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        ended = run([*words, "--data", str(platform.data)])
    assert ended == code, err.getvalue()
    return out.getvalue(), err.getvalue()


def test_history_is_imported_and_reported(platform: RunningPlatform, tmp_path: Path) -> None:
    """A dry run stores nothing, the second import brings nothing new, the report has the sessions, a PDF is one."""
    file, map_ = tmp_path / "old.csv", tmp_path / "map.toml"
    file.write_text("\n".join(ROWS))
    map_.write_text(MAP)
    words = ("import", "sessions", str(file), "--map", str(map_))
    dry = json.loads(chargewatch(platform, *words, "--dry-run", "--json")[0])
    assert (dry["usable"], dry["rejected"], dry["new"], dry["reasons"]) == (2, 1, 0, {"ended is missing": 1})
    first = json.loads(chargewatch(platform, *words, "--json")[0])
    shown, said = chargewatch(platform, *words, "--rejects", str(tmp_path / "rejects.csv"))
    assert first["new"] == 2
    assert "2 of 3 sessions imported, 0 of them new" in said
    assert "3" in shown and "ended is missing" in shown
    assert (tmp_path / "rejects.csv").read_text().splitlines() == ["line,reason", "3,ended is missing"]
    period = ("--from", "2026-01-01", "--to", "2026-01-31")
    report = json.loads(chargewatch(platform, "report", "utilization", *period, "--json")[0])
    assert (report["network"]["sessions"], report["network"]["energy_wh"]) == (2, 64_000)
    assert [site["name"] for site in report["sites"]] == ["Depot", "Market"]
    assert report["network"]["occupied_s"] == 16 * 3600
    out = tmp_path / "use.pdf"
    chargewatch(platform, "report", "utilization", *period, "--format", "pdf", "--output", str(out))
    assert out.read_bytes().startswith(b"%PDF")
    offline, _ = chargewatch(platform, "report", "utilization", "--file", str(file), "--map", str(map_), *period, "--json")
    assert json.loads(offline)["network"]["energy_wh"] == 64_000


def eventually(platform: RunningPlatform, today: str) -> dict[str, Any]:
    """The uptime report once the fault is in it."""
    for _ in range(150):
        found: dict[str, Any] = platform.api("GET", f"/api/v1/reports/uptime?from={today}&to={today}")
        if any("faulted" in outage["causes"] for port in found["ports"] for outage in port["outages"]):
            return found
        time.sleep(0.2)
    raise AssertionError("the fault is in no report")


def test_a_fault_is_an_outage_and_can_be_excluded(platform: RunningPlatform, tmp_path: Path) -> None:
    """With the record that said it; an exclusion with evidence takes it out; the authority's files say both."""
    now = datetime.now(UTC)
    found = eventually(platform, f"{now:%Y-%m-%d}")
    [port] = [each for each in found["ports"] if each["port"]["charge_point_id"] == "CP-1"]
    [fault] = [each for each in port["outages"] if "faulted" in each["causes"]]
    assert fault["sequences"]
    body = {
        "charge_point_id": "CP-1", "reason": "vandalism", "began_at": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        "ended_at": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", "evidence": "police report 12/26",
    }  # fmt: skip
    platform.api("POST", "/api/v1/reports/exclusions", json=body)
    again = eventually(platform, f"{now:%Y-%m-%d}")
    [port] = [each for each in again["ports"] if each["port"]["charge_point_id"] == "CP-1"]
    assert port["months"][-1]["excluded"] > 0
    assert port["outages"][0]["excluded"][0]["evidence"] == "police report 12/26"
    quarter = f"{now.year}Q{(now.month + 2) // 3}"
    chargewatch(platform, "report", "nevi", quarter, "--output", str(tmp_path))
    [file] = tmp_path.glob("*module4-outages.csv")
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    period = ("--from", f"{now:%Y-%m}-01", "--to", f"{now:%Y-%m-%d}")
    for form in ("pdf", "html", "json", "csv"):
        out = tmp_path / form
        chargewatch(platform, "report", "nevi", *period, "--format", form, "--output", str(out))
        assert len(list(out.glob("*.csv"))) == 3 if form == "csv" else out.stat().st_size > 500
    found = json.loads((tmp_path / "json").read_text())
    assert found["uptime"]["months"] == [f"{now:%Y-%m}-01"] and "police report" in found["outages_csv"]
    _, said = chargewatch(platform, "report", "nevi", quarter, *period, code=2)
    assert "say a quarter, or --from and --to" in said
    assert any(row["excluded_outage"] == "TRUE" and "police report" in row["excluded_outage_notes"] for row in rows)


def test_who_may_read_and_who_may_change(platform: RunningPlatform) -> None:
    """A viewer reads reports and changes nothing."""
    made = platform.api("POST", "/api/v1/keys", json={"name": "board", "role": "viewer"})
    headers = {"Authorization": f"Bearer {made['secret']}"}
    base = f"http://127.0.0.1:{platform.http_port}/api/v1/reports"
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert httpx.get(f"{base}/utilization?from={today}&to={today}", headers=headers, timeout=30).status_code == 200
    assert httpx.delete(f"{base}/import/old-system", headers=headers, timeout=30).status_code == 403


def test_wrong_periods_are_named(platform: RunningPlatform) -> None:
    """One sentence and an exit code."""
    _, said = chargewatch(platform, "report", "uptime", "--from", "2026-02-01", "--to", "2026-01-01", code=2)
    assert "--from 2026-02-01 is after --to 2026-01-01" in said
    _, said = chargewatch(platform, "report", "uptime", "--time-zone", "Oslo", code=2)
    assert "'Oslo' is no IANA time zone" in said


def test_hours_are_served(platform: RunningPlatform) -> None:
    """Rollups over HTTP, and their metrics at /metrics."""
    now = datetime.now(UTC)
    window = f"from={now - timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}&to={now:%Y-%m-%dT%H:%M:%SZ}"
    page = platform.api("GET", f"/api/v1/reports/rollups?{window}")
    assert page["next_cursor"] is None
    text = httpx.get(f"http://127.0.0.1:{platform.http_port}/metrics", timeout=30).text
    assert "chargewatch_rollups_working 1.0" in text
