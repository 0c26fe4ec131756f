"""The token table over HTTP."""

from __future__ import annotations

from tests.support.api import Api


async def test_tokens_are_added_blocked_and_removed(api: Api) -> None:
    """Each change is in the table, the collector hears of it, and the audit log has the token's hash, never the token."""
    card = {"value": "04A2B3C4", "kind": "ISO14443", "expires_at": "2027-01-01T00:00:00+01:00"}
    added = (await api.operator.post("/tokens", json=card)).json()
    assert (added["status"], added["expires_at"]) == ("Accepted", "2026-12-31T23:00:00Z")
    assert (await api.billing.post("/tokens/block", json={"value": "04a2b3c4"})).json()["status"] == "Blocked"
    assert [row["value"] for row in (await api.billing.get("/tokens", params={"status": "Blocked"})).json()["items"]] == [
        "04A2B3C4"
    ]
    assert (await api.operator.post("/tokens/remove", json={"value": "04a2b3c4"})).status_code == 200
    assert (await api.operator.post("/tokens/remove", json={"value": "04a2b3c4"})).status_code == 404
    assert api.platform.changed == ["tokens"] * 3
    assert "04a2b3c4" not in (await api.admin.get("/audit")).text.lower()
    assert [action for action, _ in await api.audited()] == ["tokens.add", "tokens.block", "tokens.remove"]


async def test_blocking_an_unknown_token_adds_it_blocked(api: Api) -> None:
    """A lost card is blocked before anybody ever saw it."""
    assert (await api.operator.post("/tokens/block", json={"value": "NEW"})).json()["status"] == "Blocked"


async def test_an_import_says_what_it_did_not_take(api: Api) -> None:
    """Good lines are taken, the others named; a dry run takes none."""
    csv = b"value,kind,status\nA1,ISO14443,Accepted\nB2,Pigeon,Accepted\n,,\nC3,,Blocked\n"
    headers = {"Content-Type": "text/csv"}
    dry = (await api.operator.post("/tokens/import", content=csv, headers=headers, params={"dry_run": "true"})).json()
    assert (dry["taken"], (await api.operator.get("/tokens")).json()["items"]) == (2, [])
    done = (await api.operator.post("/tokens/import", content=csv, headers=headers)).json()
    assert (done["taken"], done["new"], [reject["line"] for reject in done["rejects"]]) == (2, 2, [3])
    again = (await api.operator.post("/tokens/import", content=csv, headers=headers)).json()
    assert (again["taken"], again["new"]) == (2, 0)
    latin = await api.operator.post("/tokens/import", content=b"value\n\xe9\n", headers=headers)
    assert latin.status_code == 422 and "UTF-8" in latin.json()["detail"]
