"""Charge points over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

from chargenet.model.station import ChargePointState, ConnectorState
from chargenet.stores import StationChanges
from tests.support.api import Api


async def seen(api: Api, *names: str) -> None:
    states = [ChargePointState(charge_point_id=name, connected=True, vendor="Volt", sequence=1) for name in names]
    connectors = [
        ConnectorState(charge_point_id=name, connector="1", evse_id=1, connector_id=1, status="Faulted") for name in names
    ]
    await api.platform.stores.stations.save(StationChanges(charge_points=states, connectors=connectors), 0, 1)


async def test_a_charge_point_is_added_shown_and_listed(api: Api) -> None:
    """What is added is shown alone and in the list, and adding it twice is a conflict."""
    added = await api.operator.post("/charge-points", json={"charge_point_id": "CP 1/ö", "note": "by the gate"})
    assert added.status_code == 201, added.text
    assert (added.json()["registration"], added.json()["note"]) == ("Accepted", "by the gate")
    assert (await api.operator.post("/charge-points", json={"charge_point_id": "CP 1/ö"})).status_code == 409
    assert [each["charge_point_id"] for each in (await api.viewer.get("/charge-points")).json()["items"]] == ["CP 1/ö"]
    assert api.platform.changed == ["CP 1/ö"]


async def test_pages_follow_the_cursor(api: Api) -> None:
    """Following next_cursor gives every charge point once."""
    await api.platform.register(*(f"CP-{number:02}" for number in range(25)))
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = (await api.viewer.get("/charge-points", params={"limit": 10} | ({"cursor": cursor} if cursor else {}))).json()
        found += [each["charge_point_id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == [f"CP-{number:02}" for number in range(25)]
    assert (await api.viewer.get("/charge-points", params={"cursor": "not a cursor"})).status_code == 409


async def test_filters_reach_the_store(api: Api) -> None:
    """Connected, registration and search narrow the list."""
    await seen(api, "CP-1")
    await api.platform.register("CP-2")
    for query, expected in (
        ({"connected": "true"}, ["CP-1"]),
        ({"registration": "Accepted"}, ["CP-2"]),
        ({"search": "volt"}, ["CP-1"]),
    ):
        items = (await api.viewer.get("/charge-points", params=query)).json()["items"]
        assert [each["charge_point_id"] for each in items] == expected, query


async def test_block_and_approve_tell_the_collector(api: Api) -> None:
    """A charge point that only connected is blocked and approved; the collector hears of it, the trail has both rows."""
    await seen(api, "CP-1")
    assert (await api.operator.post("/charge-points/CP-1/block")).json()["registration"] == "Rejected"
    assert (await api.operator.post("/charge-points/CP-1/approve")).json()["registration"] == "Accepted"
    assert api.platform.changed == ["CP-1", "CP-1"]
    entry = (await api.admin.get("/audit")).json()["items"][0]
    assert (entry["action"], entry["before"]["registration"], entry["after"]["registration"]) == (
        "charge-points.approve",
        "Rejected",
        "Accepted",
    )
    assert entry["who"].endswith(" operator")


async def test_a_generated_password_is_shown_once_and_stored_hashed(api: Api) -> None:
    """Without a password one of 40 hexadecimal digits comes back; neither it nor its hash is in the audit log."""
    await api.platform.register("CP-1")
    made = (await api.operator.post("/charge-points/CP-1/password", json={})).json()["password"]
    assert len(bytes.fromhex(made)) == 20
    chosen = await api.operator.post("/charge-points/CP-1/password", json={"password": "correct horse battery"})
    assert chosen.json()["password"] is None
    row = await api.platform.stores.registrations.get("CP-1")
    assert row is not None and row.password_hash == "slow$21"
    trail = (await api.admin.get("/audit")).text
    assert made not in trail and "slow$21" not in trail and "fast$40" not in trail
    assert (await api.viewer.get("/charge-points/CP-1")).json()["has_password"] is True


async def test_changing_keeps_what_is_not_given(api: Api) -> None:
    """PATCH changes what it names and nothing else; an unknown site is refused."""
    await api.operator.post("/charge-points", json={"charge_point_id": "CP-1", "note": "old"})
    await api.operator.put("/sites/harbour", json={"name": "Harbour", "time_zone": "Europe/Oslo"})
    changed = (await api.operator.patch("/charge-points/CP-1", json={"site_id": "harbour"})).json()
    assert (changed["site_id"], changed["note"]) == ("harbour", "old")
    assert (await api.operator.patch("/charge-points/CP-1", json={"site_id": "nowhere"})).status_code == 404
    assert (await api.operator.delete("/sites/harbour")).status_code == 409


async def test_an_unknown_charge_point_is_a_problem(api: Api) -> None:
    """404 is an RFC 9457 problem that names what is missing."""
    for answer in (await api.viewer.get("/charge-points/nobody"), await api.operator.post("/charge-points/nobody/block")):
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
        assert answer.json()["detail"] == "charge point 'nobody' is not known"
        assert answer.json()["type"] == "urn:chargewatch:problem:not-found"


async def test_connectors_filter_by_status(api: Api) -> None:
    """Faulted connectors are found without listing the others."""
    await seen(api, "CP-1", "CP-2")
    assert len((await api.viewer.get("/connectors", params={"status": "Faulted"})).json()["items"]) == 2
    assert (await api.viewer.get("/connectors", params={"status": "Available"})).json()["items"] == []


async def test_a_misspelt_filter_is_refused(api: Api) -> None:
    """A parameter that the route does not know is named, with the nearest one that it does."""
    refused = await api.viewer.get("/charge-points", params={"conected": "false"})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"location": "query.conected", "problem": "is no parameter; did you mean connected?"}]
    assert "known are none" in (await api.viewer.get("/health", params={"x": "1"})).json()["detail"]


async def test_instants_need_a_zone(api: Api) -> None:
    """A query instant without a zone is refused by name; one with a zone is taken."""
    await api.platform.register("CP-1")
    refused = await api.viewer.get("/charge-points/CP-1/history", params={"since": "2026-01-01T00:00:00"})
    assert refused.status_code == 422 and refused.json()["errors"][0]["location"] == "query.since"
    taken = await api.viewer.get("/charge-points/CP-1/history", params={"since": datetime(2026, 1, 1, tzinfo=UTC).isoformat()})
    assert taken.json() == {"items": [], "next_cursor": None}


async def test_a_heartbeat_counts_as_seen(api: Api) -> None:
    """Heartbeats leave no record; the later of the last record and the last heartbeat is when it was seen, alone and in lists."""
    said_at, beat_at = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 5, tzinfo=UTC)
    states = [ChargePointState(charge_point_id=name, last_seen_at=said_at, sequence=1) for name in ("CP-1", "CP-2", "CP-3")]
    await api.platform.stores.stations.save(StationChanges(charge_points=states), 0, 1)
    api.platform.heard = {"CP-1": beat_at, "CP-2": datetime(2025, 12, 31, tzinfo=UTC)}
    items = (await api.viewer.get("/charge-points")).json()["items"]
    seen_at = [datetime.fromisoformat(each["state"]["last_seen_at"]) for each in items]
    assert seen_at == [beat_at, said_at, said_at]
    shown = (await api.viewer.get("/charge-points/CP-1")).json()
    assert datetime.fromisoformat(shown["state"]["last_seen_at"]) == beat_at
