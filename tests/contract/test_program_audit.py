"""Every route that changes something in a program (cases, firmware, rollouts …) leaves one audit entry. These routes need the
running programs behind them, so this is one story against a running platform; tests/unit/api/test_audit.py has the others.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.sync.client import connect

from chargenet.clock import SystemClock
from chargewatch.api.app import rules
from tests.support.platform import RunningPlatform
from tests.unit.api.test_audit import PROGRAMS

IMAGE = b"firmware 2.0.0\n"
MANIFEST = (
    "name: eve-{version}\nvendor: Alfen\nmodels: [Eve]\nversion: {version}\nrelease: 2\ndowngrade_allowed: true\n"
    f"sha256: {hashlib.sha256(IMAGE).hexdigest()}\n"
)
SPEC = "name: new\nartifact: eve-2.0.0\ntarget: {all: true}\nwaves: {sizes: ['1', rest], holdout: '0'}\napprove_before: [canary]\n"
TARIFF = {"id": "day", "currency": "EUR", "elements": [{"price_components": [{"type": "ENERGY", "price": 0.4, "vat": 19}]}]}
SERIES = {
    "name": "spot", "currency": "EUR",
    "intervals": [{"start_at": "2026-01-01T00:00:00Z", "end_at": "2026-01-01T01:00:00Z", "price": "-0.01"}],
}  # fmt: skip
DER, FORM = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
PUBLIC_KEY = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(DER, FORM).hex()
LATER = "2100-01-01T00:00:00Z"
SOON = (SystemClock().now() + timedelta(hours=1)).isoformat()
SESSION = {
    "source": "old", "session_id": "1", "charge_point_id": "CP-1", "began_at": "2026-01-01T00:00:00Z",
    "ended_at": "2026-01-01T01:00:00Z", "energy_wh": 1000,
}  # fmt: skip
EXCLUSION = {
    "charge_point_id": "CP-1", "reason": "vandalism", "began_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-02T00:00:00Z",
    "evidence": "police report 12/26",
}  # fmt: skip


def form(version: str) -> dict[str, Any]:
    """A firmware file and its manifest."""
    return {"manifest": ("m.yaml", MANIFEST.format(version=version).encode()), "file": ("eve.bin", IMAGE)}


LABELS = {"alertname": "ChargePointOffline", "severity": "critical", "charge_point": "CP-9"}
GROUP = {
    "version": "4",
    "groupKey": "g",
    "status": "firing",
    "receiver": "relay",
    "groupLabels": {},
    "commonLabels": LABELS,
    "commonAnnotations": {},
    "externalURL": "",
    "alerts": [
        {
            "status": "firing", "labels": LABELS, "annotations": {}, "startsAt": "2026-01-01T00:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "1f",
        }
    ],
}  # fmt: skip
STORY: list[tuple[str, str, dict[str, Any]]] = [
    ("cases.acknowledge", "POST /cases/{case}/acknowledge", {"json": {"note": "on my way"}}),
    ("cases.resolve", "POST /cases/{case}/resolve", {"json": {"note": "a new cable"}}),
    ("cases.judge", "POST /cases/judge", {}),
    ("silences.add", "POST /silences", {"json": {"matchers": ["site=harbour"], "ends_at": SOON, "comment": "known"}}),
    ("silences.end", "DELETE /silences/{silence}", {}),
    ("alerts.take", "POST /alerts/alertmanager", {"json": GROUP}),
    ("maintenance.add", "POST /maintenance", {"json": {"charge_point_id": "CP-1", "ends_at": LATER, "reason": "New cables"}}),
    ("maintenance.end", "DELETE /maintenance/1", {}),
    ("firmware.add", "POST /firmware", {"files": form("2.0.0")}),
    ("firmware.approve", "POST /firmware/eve-2.0.0/approvals", {"json": {}}),
    ("rollouts.plan", "POST /rollouts/plan", {"json": {"spec": SPEC}}),
    ("rollouts.create", "POST /rollouts", {"json": {"spec": SPEC}}),
    ("rollouts.start", "POST /rollouts/new/start", {}),
    ("rollouts.approve", "POST /rollouts/new/approve", {"json": {"why": "seen"}}),
    ("rollouts.pause", "POST /rollouts/new/pause", {"json": {"why": "lunch"}}),
    ("rollouts.resume", "POST /rollouts/new/resume", {"json": {"why": "after lunch"}}),
    ("rollouts.abort", "POST /rollouts/new/abort", {"json": {"why": "enough"}}),
    ("tariffs.add", "POST /tariffs", {"json": {"tariff": TARIFF}}),
    ("tariffs.assign", "POST /tariffs/day/assignments", {"json": {"scope": "site", "place": "harbour"}}),
    ("tariffs.unassign", "POST /tariffs/day/unassign", {"json": {"key": "site:harbour:day:"}}),
    ("tariffs.plan", "PUT /tariffs/plans/gold", {"json": {"currency": "EUR", "monthly_fee": "9.90", "vat": "19"}}),
    ("tariffs.series", "POST /tariffs/series", {"json": SERIES}),
    ("customers.put", "PUT /customers/anna", {"json": {"party": {"name": "Anna"}}}),
    ("customers.contract", "PUT /customers/anna/contracts/k1", {"json": {"first_day": "2026-01-01", "plan_id": "gold"}}),
    ("customers.tokens", "POST /customers/anna/contracts/k1/tokens", {"json": {"tokens": ["AA"]}}),
    ("customers.import", "POST /customers/import", {"json": {"customers": [{"customer_id": "bo", "party": {"name": "Bo"}}]}}),
    ("statements.run", "POST /statements/runs", {"json": {"month": "2026-01"}}),
    ("tariffs.remove", "DELETE /tariffs/day", {}),
    ("meter-keys.put", "POST /meter-keys", {"json": {"scope": "connector", "place": "CP-1/1", "public_key": PUBLIC_KEY}}),
    ("meter-keys.remove", "DELETE /meter-keys/{key}", {}),
    ("reports.import", "POST /reports/import", {"json": {"sessions": [SESSION]}}),
    ("reports.forget", "DELETE /reports/import/old", {}),
    ("reports.ports", "PUT /reports/ports", {"json": [{"charge_point_id": "CP-1", "port_id": "P1", "rated_w": 22_000}]}),
    ("reports.exclude", "POST /reports/exclusions", {"json": EXCLUSION}),
    ("reports.withdraw", "DELETE /reports/exclusions/1", {}),
    ("reports.schedule", "PUT /reports/schedules/monthly", {"json": {"kind": "utilization", "format": "csv"}}),
    ("reports.deliver", "POST /reports/schedules/monthly/deliver", {}),
    ("reports.unschedule", "DELETE /reports/schedules/monthly", {}),
]
"""Action, route and body, in an order in which each can be done."""


ELSEWHERE = {
    **dict.fromkeys(
        ("cdrs.credit", "cdrs.dismiss", "statements.finalize", "statements.credit"),
        "need transactions with CDRs: tests/scenarios/test_billing.py",
    ),
    **dict.fromkeys(
        ("link", "alerts.test", "alerts.acknowledge", "alerts.resolve"),
        "need a message, a receiver or an alert's key: tests/unit/api/test_alerts.py",
    ),
    **dict.fromkeys(
        ("payments.hold", "payments.method", "payments.forget", "payments.webhook", "payments.refund", "payments.retry"),
        "need a payment gateway: tests/scenarios/test_payments.py",
    ),
    "rollouts.rollback": "needs charge points that run the new version: tests/scenarios/test_rollout_bad_image.py",
    "rollouts.link": "needs a signed link: tests/unit/api/test_rollout_links.py",
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """CP-1 is connected and has a ground fault."""
    boot = {"chargePointVendor": "Alfen", "chargePointModel": "Eve", "firmwareVersion": "1.0.0"}
    fault = {"connectorId": 1, "errorCode": "GroundFailure", "status": "Faulted"}
    with (
        RunningPlatform(tmp_path_factory.mktemp("audit")) as running,
        connect(f"{running.url}/CP-1", subprotocols=["ocpp1.6"]) as socket,  # type: ignore[list-item]  # a NewType of str
    ):
        for action, payload in (("BootNotification", boot), ("StatusNotification", fault)):
            socket.send(json.dumps([2, action, action, payload]))
            socket.recv(10)
        yield running


def open_case(platform: RunningPlatform) -> int:
    """The number of the first case, once there is one."""
    for _ in range(200):
        if cases := platform.api("GET", "/api/v1/cases")["items"]:
            return int(cases[0]["case_id"])
        time.sleep(0.1)
    raise AssertionError("the fault became no case")


def held(platform: RunningPlatform) -> None:
    """Until the rollout waits for its approval."""
    for _ in range(200):
        if platform.api("GET", "/api/v1/rollouts/new")["state"] == "held":
            return
        time.sleep(0.1)
    raise AssertionError("the rollout did not stop for its approval")


def trail(platform: RunningPlatform) -> list[dict[str, Any]]:
    """The audit log, newest first."""
    entries: list[dict[str, Any]] = platform.api("GET", "/api/v1/audit?limit=1000")["items"]
    return entries


def test_every_change_of_a_program_is_audited_once(platform: RunningPlatform) -> None:
    """Who, what, and what it was or became."""
    names: dict[str, Any] = {"case": open_case(platform)}
    platform.lists("Alfen")
    for action, route, body in STORY:
        if action == "rollouts.approve":
            held(platform)
        before = len(trail(platform))
        method, _, path = route.partition(" ")
        answer = platform.api(method, "/api/v1" + path.format(**names), **body)
        given = answer if isinstance(answer, dict) else {}
        names |= {name: given[f"{name}_id"] for name in ("silence", "key") if f"{name}_id" in given}
        newest, *older = trail(platform)
        assert (newest["action"], len(older)) == (action, before)
        assert newest["who"] and newest["target"] and newest["at"].endswith("Z")
        assert newest["before"] is not None or newest["after"] is not None, action


def test_no_route_is_forgotten() -> None:
    """A new route of a program that changes something needs a line in STORY."""
    told = {action for action, _, _ in STORY} | ELSEWHERE.keys()
    routes = {rule.audited.action for rule in rules() if rule.audited is not None and rule.path.startswith(PROGRAMS)}
    assert routes - told == set()
