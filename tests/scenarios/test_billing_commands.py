"""An operator bills a month by the command line alone: tariff, customers from CSV, CDRs with their trace, statements as files."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chargewatch.cli import run
from tests.support.billing import TARIFF, Plug, cdrs, config
from tests.support.platform import RunningPlatform

pytestmark = pytest.mark.timeout(300)
NOW = datetime.now(UTC).replace(microsecond=0)
MONTH = f"{NOW:%Y-%m}"


def _printed(capsys: pytest.CaptureFixture[str], platform: RunningPlatform, *arguments: str) -> str:
    """What a person sees; in this process, which is quicker than one for each command."""
    assert run([*arguments, "--data", str(platform.data)]) == 0, capsys.readouterr().err
    said = capsys.readouterr()
    return said.out + said.err


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
        said = _printed(capsys, platform, "statement", "run", "--month", MONTH, "--finalize", "--unfinished-month")
        assert "1 customers, 1 statements, 1 of them issued" in said
        out = tmp_path / "out"
        export = ("statement", "export", "--month", MONTH, "--to", str(out), "--format", "csv", "--workers", "1")
        assert "1 files written" in _printed(capsys, platform, *export)
        assert row["id"] in (out / "ST-000001.csv").read_text("utf-8-sig")
        assert "0 files written" in _printed(capsys, platform, *export)
        assert "payable 2.25 EUR" in _printed(capsys, platform, "statement", "show", "ST-000001")
