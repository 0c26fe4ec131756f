"""Cases and planned work over HTTP: who may take them, and that it is audited."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from alerts.case import Change
from chargenet.events import Fact, StatusReported
from chargenet.model.ids import ConnectorRef
from tests.support.api import api_over
from tests.support.cases import case


async def test_a_case_is_shown_taken_and_ended(tmp_path: Path) -> None:
    """A viewer sees it with its history; an operator takes and ends it; both are audited; twice is a conflict."""
    async with api_over(tmp_path) as api:
        now = api.platform.clock.now()
        await api.platform.alerts.store.save([Change(case=case(), what="opened", why="seen")], now)
        await api.platform.alerts.caseload.load()
        assert [each["case_id"] for each in (await api.viewer.get("/cases?open=true")).json()["items"]] == [1]
        assert (await api.viewer.post("/cases/1/acknowledge", json={})).status_code == 403
        taken = (await api.operator.post("/cases/1/acknowledge", json={"note": "on my way"})).json()
        assert (taken["state"], taken["note"]) == ("acknowledged", "on my way")
        assert (await api.operator.post("/cases/1/acknowledge", json={})).status_code == 409
        assert (await api.operator.post("/cases/1/resolve", json={"note": "done"})).json()["state"] == "resolved"
        shown = (await api.viewer.get("/cases/1")).json()
        assert [line["what"] for line in shown["history"]] == ["opened", "acknowledged", "resolved"]
        assert await api.audited() == [("cases.acknowledge", "case 1"), ("cases.resolve", "case 1")]
        assert (await api.viewer.get("/cases/2")).status_code == 404


async def test_planned_work_is_announced_and_ended(tmp_path: Path) -> None:
    """For a site or a charge point, not for both, not for a site that nobody knows."""
    async with api_over(tmp_path) as api:
        body = {"charge_point_id": "CP-1", "ends_at": "2027-01-01T00:00:00Z", "reason": "cable"}
        added = (await api.operator.post("/maintenance", json=body)).json()
        assert (added["charge_point_id"], added["window_id"]) == ("CP-1", 1)
        assert (await api.operator.post("/maintenance", json=body | {"site_id": "nowhere"})).status_code == 404
        assert (await api.operator.post("/maintenance", json={"ends_at": body["ends_at"], "reason": "x"})).status_code == 409
        assert len((await api.viewer.get("/maintenance?current=true")).json()["items"]) == 1
        assert (await api.operator.delete("/maintenance/1")).status_code == 200
        assert (await api.viewer.get("/maintenance?current=true")).json()["items"] == []
        assert (await api.operator.delete("/maintenance/1")).status_code == 409


async def test_detectors_run_when_told_and_say_what_hides_a_finding(tmp_path: Path) -> None:
    """A viewer may not; findings come with their evidence and case; what planned work hides is there, and says so."""
    async with api_over(tmp_path) as api:
        alerts, now = api.platform.alerts, api.platform.clock.now()
        for sequence, name in enumerate(("CP-1", "CP-2"), 1):
            fault = StatusReported(connector=ConnectorRef(1), status="Faulted", raw_status="Faulted", error_code="OtherError")
            alerts._knowledge.apply(Fact(sequence, now - timedelta(hours=1), name, 1, "ocpp1.6", "", (fault,)))
        body = {"charge_point_id": "CP-2", "ends_at": "2027-01-01T00:00:00Z", "reason": "cable"}
        assert (await api.operator.post("/maintenance", json=body)).status_code < 300
        assert (await api.viewer.post("/cases/judge")).status_code == 403
        judgement = (await api.operator.post("/cases/judge")).json()
        assert (judgement["charge_points"], judgement["connectors"], len(judgement["findings"])) == (2, 2, 2)
        first, second = sorted(judgement["findings"], key=lambda each: each["finding"]["charge_point_id"])
        assert (first["finding"]["kind"], first["masked_by"]) == ("faulted", None)
        assert first["finding"]["evidence"][0]["sequences"] == [1]
        assert "maintenance window 1 at charge point CP-2" in second["masked_by"]
        assert {first["case_id"], second["case_id"]} == {1, 2}
        assert ("cases.judge", "network") in await api.audited()
