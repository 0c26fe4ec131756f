"""A session is billed: from frames over a real socket to CDRs, statements and credit notes, and across kill -9."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.billing import TARIFF, Plug, cdrs, config, done, eventually
from tests.support.platform import RunningPlatform

pytestmark = pytest.mark.timeout(300)
NOW = datetime.now(ZoneInfo("Europe/Oslo")).replace(microsecond=0)
TURNED = (NOW - timedelta(hours=3)).month != NOW.month
BEGAN = (NOW - timedelta(hours=6 if TURNED else 3)).astimezone(UTC)
"""Three hours ago; in the first hours of a month well inside the month before."""
MONTH = f"{NOW - timedelta(hours=6 if TURNED else 3):%Y-%m}"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """A seller, a site with a tariff, and Anna, who pays for the token AA."""
    folder = tmp_path_factory.mktemp("billing")
    with RunningPlatform(folder / "data", "--config", str(config(folder))) as running:
        running.api("PUT", "/api/v1/sites/harbour", json={"name": "Harbour", "time_zone": "Europe/Oslo"})
        running.api("POST", "/api/v1/charge-points", json={"charge_point_id": "CP-1", "site_id": "harbour"})
        assignments = [{"scope": "site", "place": "harbour"}]
        running.api("POST", "/api/v1/tariffs", json={"tariff": TARIFF, "assignments": assignments})
        party = {"name": "Anna Berg", "street": "Storgata 2", "city": "Oslo", "country": "NO"}
        running.api("PUT", "/api/v1/customers/anna", json={"party": party, "time_zone": "Europe/Oslo", "language": "en"})
        running.api("PUT", "/api/v1/customers/anna/contracts/k1", json={"first_day": "2020-01-01"})
        running.api("POST", "/api/v1/customers/anna/contracts/k1/tokens", json={"tokens": ["AA"]})
        yield running


def _audited(platform: RunningPlatform, action: str) -> int:
    return len(platform.api("GET", "/api/v1/audit", params={"action": action, "limit": 1000})["items"])


def _lines(cdr: dict[str, Any]) -> list[tuple[str, float, str]]:
    return [
        (line["dimension"], line["billed"], line["before_taxes"])
        for period in cdr["priced"]["charging_periods"]
        for line in period["lines"]
    ]


def a_session_becomes_a_cdr_that_can_be_traced(platform: RunningPlatform) -> None:
    """10,000 Wh at 0.45 are 4.50 before and 5.625 after 25 % tax; each figure leads to the frames, the registers are in them."""
    with Plug(platform) as plug:
        plug.charge("AA", BEGAN, 30, 5_000, 10_000)
    [row] = cdrs(platform, 1)
    assert (row["energy_wh"], row["customer_id"], row["site_id"]) == (10_000, "anna", "harbour")
    assert (row["before_taxes"], row["after_taxes"]["amount"]) == ({"amount": "4.50", "currency": "EUR"}, "5.625")
    cdr = platform.api("GET", f"/api/v1/cdrs/{row['id']}")
    assert _lines(cdr)[0] == ("ENERGY", 10_000, "4.50")
    assert cdr["meter_id"] == "MTR-7" and not cdr["estimated"]
    trace = platform.api("GET", f"/api/v1/cdrs/{row['id']}/trace")
    energy = trace["lines"][0]
    frames = {each["sequence"]: each["frame"] for each in trace["frames"]}
    named = "".join(frames[sequence] for sequence in energy["sequences"])
    assert '"meterStart": 5000' in named and '"meterStop": 15000' in named
    assert energy["how"].startswith("10000 Wh (register 15000 Wh in record")
    points = [point for point in trace["points"] if point.get("energy_wh") is not None]
    assert [point["energy_wh"] for point in points] == [0, 5_000, 10_000]


def kill_9_neither_loses_nor_doubles(platform: RunningPlatform) -> None:
    """Killed right after the stop was acknowledged, the platform has exactly one CDR of it when it is back."""
    with Plug(platform) as plug:
        plug.charge("AA", BEGAN + timedelta(hours=1), 20, 15_000, 2_000)
    platform.kill()
    platform.start()
    found = cdrs(platform, 2)
    assert [row["energy_wh"] for row in found] == [2_000, 10_000]


def what_cannot_be_billed_is_listed_and_dismissed(platform: RunningPlatform) -> None:
    """A register that ran backwards is an issue with its reason; a person ends it, and the audit log knows."""
    with Plug(platform) as plug:
        transaction = plug.start("AA", BEGAN + timedelta(hours=2), 90_000)
        plug.stop(transaction, BEGAN + timedelta(hours=2, minutes=10), 80_000)

    def listed() -> dict[str, Any] | None:
        items = platform.api("GET", "/api/v1/cdrs/unbilled")["items"]
        return items[0] if items else None

    found = eventually(listed, "the issue")
    assert found["issue"]["reason"] == "register_backwards"
    assert "90000 Wh down to 80000 Wh" in found["issue"]["sentence"]
    subject = {"charge_point_id": found["charge_point_id"], "subject": found["subject"], "remark": "meter was broken"}
    platform.api("POST", "/api/v1/cdrs/unbilled/dismiss", json=subject)
    assert platform.api("GET", "/api/v1/cdrs/unbilled")["items"] == []
    assert _audited(platform, "cdrs.dismiss") == 1


def a_cdr_is_corrected_by_credit_and_a_new_one(platform: RunningPlatform) -> None:
    """With `rebill` the tariff of now is used: the sum of the three CDRs is the new price, and nothing was edited."""
    first = cdrs(platform, 2)[0]
    dearer = TARIFF | {"elements": [{"price_components": [{"type": "ENERGY", "price": 1, "vat": 25}]}]}
    platform.api("POST", "/api/v1/tariffs", json={"tariff": dearer, "effective_from": "2020-01-01T00:00:00Z"})
    made = platform.api("POST", f"/api/v1/cdrs/{first['id']}/credit", json={"remark": "price was wrong", "rebill": True})
    assert [each["before_taxes"]["amount"] for each in made] == ["-0.90", "2.00"]
    assert made[0]["credit_reference_id"] == first["id"]
    assert platform.api("GET", f"/api/v1/cdrs/{first['id']}")["cdr"]["credited_by"] == made[0]["id"]
    assert _audited(platform, "cdrs.credit") == 1


def a_month_becomes_a_statement_with_a_number(platform: RunningPlatform) -> None:
    """Draft, final, credit note: a credited pair is not on it, numbers follow each other, a credited month can be billed anew."""
    run = done(platform, platform.api("POST", "/api/v1/statements/runs", json={"month": MONTH}))
    assert (run["state"], run["drafts"]) == ("done", 1)
    [draft] = platform.api("GET", "/api/v1/statements", params={"month": MONTH})["items"]
    assert (draft["state"], draft["lines"], draft["payable"]) == ("draft", 2, {"amount": "8.13", "currency": "EUR"})
    [final] = platform.api("POST", "/api/v1/statements/finalize", json={"month": MONTH})
    assert (final["number"], final["state"]) == ("ST-000001", "final")
    whole = platform.api("GET", "/api/v1/statements/ST-000001", params={"whole": True})
    assert [line["net"]["amount"] for line in whole["lines"]] == ["4.50", "2.00"]
    assert [line["cdr"]["id"] for line in whole["lines"]] == [line["cdr_id"] for line in whole["lines"]]
    assert whole["taxes"][0]["tax"]["amount"] == "1.63"
    note = platform.api("POST", f"/api/v1/statements/{final['id']}/credit", json={"remark": "wrong address"})
    assert (note["number"], note["totals"]["payable"]["amount"]) == ("CN-000001", "-8.13")
    body = {"month": MONTH, "finalize": True, "unfinished_month": True}
    again = done(platform, platform.api("POST", "/api/v1/statements/runs", json=body))
    assert (again["state"], again["finals"]) == ("done", 1)
    numbers = {each["number"]: each["state"] for each in platform.api("GET", "/api/v1/statements")["items"]}
    assert numbers == {"ST-000001": "credited", "CN-000001": "final", "ST-000002": "final"}
    assert (_audited(platform, "statements.finalize"), _audited(platform, "statements.credit")) == (1, 1)


def the_hours_of_the_connector_earned_what_its_cdrs_come_to(platform: RunningPlatform) -> None:
    """Each in the hour in which its session ended; what was credited is taken back, what was billed anew is there."""
    expected: dict[str, Decimal] = {}
    for row in cdrs(platform, 4):
        hour = datetime.fromisoformat(row["ended_at"]).replace(minute=0, second=0).isoformat()
        expected[hour] = expected.get(hour, Decimal(0)) + Decimal(row["before_taxes"]["amount"])
    window = {"from": f"{BEGAN - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", "to": f"{BEGAN + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"}

    def hours() -> dict[str, Decimal] | None:
        rows = [row for row in platform.api("GET", "/api/v1/reports/rollups", params=window)["items"] if row["revenue"]]
        assert all((row["charge_point_id"], row["connector"], [*row["revenue"]]) == ("CP-1", "1", ["EUR"]) for row in rows)
        found = {datetime.fromisoformat(row["hour"]).isoformat(): Decimal(row["revenue"]["EUR"]) for row in rows}
        return found if sum(found.values()) == Decimal("6.50") else None

    assert eventually(hours, "revenue of the CDRs in the hours", 90) == expected


def test_a_session_is_billed_credited_and_stated(platform: RunningPlatform) -> None:
    """One story, each part on what the one before it left."""
    a_session_becomes_a_cdr_that_can_be_traced(platform)
    kill_9_neither_loses_nor_doubles(platform)
    what_cannot_be_billed_is_listed_and_dismissed(platform)
    a_cdr_is_corrected_by_credit_and_a_new_one(platform)
    a_month_becomes_a_statement_with_a_number(platform)
    the_hours_of_the_connector_earned_what_its_cdrs_come_to(platform)
