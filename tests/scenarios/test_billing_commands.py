"""An operator bills a month by the command line alone: tariff, customers from CSV, CDRs with their trace, statements as files."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chargewatch.cli import run
from tests.support.billing import TARIFF, Plug, cdrs, config
from tests.support.platform import RunningPlatform

pytestmark = pytest.mark.timeout(300)
NOW = datetime.now(UTC).replace(microsecond=0)
ENDED = (NOW - timedelta(minutes=20)).astimezone(ZoneInfo("Europe/Oslo"))
"""Where the charge point and its customer are, it may be tomorrow already."""
MONTH = f"{ENDED:%Y-%m}"


def _printed(capsys: pytest.CaptureFixture[str], platform: RunningPlatform, *arguments: str) -> str:
    """What a person sees; in this process, which is quicker than one for each command."""
    assert run([*arguments, "--data", str(platform.data)]) == 0, capsys.readouterr().err
    said = capsys.readouterr()
    return said.out + said.err


def _compare(capsys: pytest.CaptureFixture[str], platform: RunningPlatform, file: Path, cdr_id: str) -> None:
    """4 kWh at 0.60 instead of 0.45, 25 % tax; in another currency it is said who was left out."""
    component = {"type": "ENERGY", "price": 0.60, "vat": 25, "step_size": 1}
    file.write_text(json.dumps({"id": "dear", "currency": "EUR", "elements": [{"price_components": [component]}]}))
    asked = (
        "tariff",
        "compare",
        str(file),
        "--from",
        str((NOW - timedelta(days=1)).date()),
        "--to",
        str((NOW + timedelta(days=1)).date()),
    )
    said = _printed(capsys, platform, *asked)
    assert "1.80 then, 2.40 now: +0.60 EUR" in said and "2.25 then, 3.00 now: +0.75 EUR" in said and "+33.3" in said
    found = json.loads(_printed(capsys, platform, *asked, "--time-zone", "UTC", "--json"))
    assert found["total"]["difference"]["before_taxes"] == {"amount": "0.60", "currency": "EUR"}
    assert (found["in_columns"], found["one_by_one"], found["left_out"], found["taken_back"]) == (1, {}, [], 0)
    file.write_text(file.read_text().replace("EUR", "NOK"))
    said = _printed(capsys, platform, *asked)
    assert "no session of these days could be priced" in said and cdr_id in said and "billed in EUR, the tariff is in NOK" in said
    assert "came to 1.80 EUR before taxes (other_currency)" in said
    assert run([*asked[:3], "--from", "2026-02-02", "--to", "2026-02-01", "--data", str(platform.data)]) == 2
    assert "is after --to" in capsys.readouterr().err


def test_a_month_by_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command says what it did; and the file of the statement is there."""
    tariff, people = tmp_path / "day.json", tmp_path / "people.csv"
    tariff.write_text(json.dumps(TARIFF))
    people.write_text("customer_id;name;city;country;token;first_day\nbo;Bo Dahl;Oslo;NO;BB;2020-01-01\n")
    with RunningPlatform(tmp_path / "data", "--config", str(config(tmp_path))) as platform:
        assert "holds at network" in _printed(capsys, platform, "tariff", "add", str(tariff), "--network")
        assert "day" in _printed(capsys, platform, "tariff", "list")
        assert "with 1 tokens" in _printed(capsys, platform, "import", "customers", str(people))
        with Plug(platform) as plug:
            plug.charge("BB", NOW - timedelta(minutes=40), 20, 1_000, 4_000)
        [row] = cdrs(platform, 1)
        shown = _printed(capsys, platform, "cdr", "show", row["id"], "--trace")
        assert "4000 Wh (register 5000 Wh in record" in shown and '"meterStop": 5000' in shown
        _compare(capsys, platform, tmp_path / "dear.json", row["id"])
        said = _printed(capsys, platform, "statement", "run", "--month", MONTH, "--finalize", "--unfinished-month")
        assert "1 customers, 1 statements, 1 of them issued" in said
        out = tmp_path / "out"
        export = ("statement", "export", "--month", MONTH, "--to", str(out), "--format", "csv", "--workers", "1")
        assert "1 files written" in _printed(capsys, platform, *export)
        assert row["id"] in (out / "ST-000001.csv").read_text("utf-8-sig")
        assert "0 files written" in _printed(capsys, platform, *export)
        assert "payable 2.25 EUR" in _printed(capsys, platform, "statement", "show", "ST-000001")
