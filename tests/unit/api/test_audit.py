"""Every state-changing route leaves exactly one audit entry: who, what, before, after."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chargewatch.api.app import rules
from tests.support.alertmanager import webhook
from tests.support.api import Api

JSON: dict[str, Any] = {
    "charge-points.add": {"charge_point_id": "CP-9"},
    "charge-points.change": {"note": "moved"},
    "charge-points.set-password": {"password": "long enough"},
    "calls.send": {"action": "Reset", "payload": {"type": "Soft"}},
    "commands.send": {"command": {"type": "Reset"}},
    "sites.put": {"name": "Harbour"},
    "diagnostics.request": {},
    "tokens.add": {"value": "NEW"},
    "tokens.block": {"value": "CARD"},
    "tokens.remove": {"value": "CARD"},
    "keys.create": {"name": "wallboard"},
    "silences.add": {"matchers": ["site=harbour"], "ends_at": "2027-01-01T00:00:00Z", "comment": "known"},
    "alerts.take": webhook(),
}
NO_BODY = {
    "charge-points.approve", "charge-points.block", "sites.remove", "keys.revoke", "diagnostics.remove",
    "silences.end", "alerts.test",
}  # fmt: skip
OTHER_BODY = {"tokens.import": b"value\nA1\n", "diagnostics.upload": b"log"}
PROGRAM_AREAS = (
    *("cases", "maintenance", "silences", "alerts", "deliveries", "firmware", "rollouts"),
    *("tariffs", "cdrs", "customers", "statements", "payments", "reports", "meter-keys"),
)
OPEN_ALERTS = ("/api/v1/alerts/acknowledge", "/api/v1/alerts/resolve")
"""These need an open alert: tests/unit/api/test_alerts.py calls them."""
PROGRAMS = (*(f"/api/v1/{area}" for area in PROGRAM_AREAS), "/alerts/links", "/rollouts/links", *OPEN_ALERTS)
"""Routes that need a running program or a message behind them: tests/contract/test_program_audit.py calls those."""
CHANGING = [
    rule for rule in rules() if rule.audited is not None and "{name:path}" not in rule.path and not rule.path.startswith(PROGRAMS)
]


async def prepared(api: Api) -> str:
    """CP-1, a site, a token, a spare key (its id), a file and an upload URL (its token) to change."""
    await api.platform.register("CP-1")
    await api.operator.put("/sites/spare", json={"name": "Spare"})
    await api.operator.post("/tokens", json={"value": "CARD"})
    await api.operator.post("/charge-points/CP-1/diagnostics", json={})
    await api.raw.put(api.platform.gateway.sent[-1][1].location, content=b"log")  # type: ignore[attr-defined]
    await api.operator.post("/charge-points/CP-1/diagnostics", json={})
    ends_at = api.platform.clock.now() + timedelta(hours=1)
    await api.platform.relay.add_silence(["site=depot"], api.platform.clock.now(), ends_at, "known", "ops")
    spare: str = (await api.admin.post("/keys", json={"name": "spare", "role": "viewer"})).json()["key"]["key_id"]
    return spare


@pytest.mark.parametrize("rule", CHANGING, ids=lambda rule: f"{rule.method} {rule.path}")
async def test_a_change_is_audited_once(api: Api, rule: Any) -> None:
    """A new route without a sample here fails, and so does one that forgets to record."""
    action = rule.audited.action
    assert action in JSON or action in NO_BODY or action in OTHER_BODY, f"say here how to call {rule.method} {rule.path}"
    spare = await prepared(api)
    token = api.platform.gateway.sent[-1][1].location.rpartition("/")[2]  # type: ignore[attr-defined]
    before = len(await api.audited())
    file_id = (await api.operator.get("/diagnostics")).json()["items"][0]["file_id"]
    [silence] = (await api.operator.get("/silences")).json()["items"]
    path = rule.path.format(
        charge_point_id="CP-1", site_id="spare", key_id=spare, token=token, file_id=file_id, receiver="night",
        silence_id=silence["silence_id"],
    )  # fmt: skip
    body = {"json": JSON[action]} if action in JSON else {"content": OTHER_BODY.get(action, b"")}
    answer = await api.admin.request(rule.method, f"http://platform.test{path}", **body)
    assert answer.is_success, answer.text
    entries = await api.audited()
    assert len(entries) == before + 1 and entries[-1][0] == action
    (newest, *_) = (await api.admin.get("/audit")).json()["items"]
    assert newest["who"] and newest["target"] and newest["at"].endswith("Z")
    assert newest["before"] is not None or newest["after"] is not None


async def test_the_audit_log_is_filtered(api: Api) -> None:
    """By action, target and instant."""
    await prepared(api)
    for query, expected in (({"action": "sites.put"}, 1), ({"target": "site spare"}, 1), ({"since": "2030-01-01T00:00:00Z"}, 0)):
        assert len((await api.admin.get("/audit", params=query)).json()["items"]) == expected, query
