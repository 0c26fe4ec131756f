"""Silences, deliveries, Alertmanager's webhook, tests of receivers and signed links over HTTP: who may, and what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alerts.storage.memory import MemoryAlerts
from tests.support.alertmanager import alert, webhook
from tests.support.api import Api, api_over

TOKEN = "am-token-0123456789-abcdef"


async def settle(api: Api, seconds: float = 40.0) -> None:
    """Let the relay's time pass until what waits was told."""
    api.platform.clock.advance(seconds)
    relay = api.platform.relay
    await relay.step()
    for dispatcher in relay.dispatchers.values():
        await dispatcher.step()


async def test_a_silence_is_added_listed_and_ended(api: Api) -> None:
    """A viewer sees it, an operator changes it; who ended it is kept; twice is a conflict; nonsense says what is wrong."""
    body = {"matchers": ["site=harbour", "kind~Connector*"], "ends_at": "2027-01-01T00:00:00Z", "comment": "known"}
    assert (await api.viewer.post("/silences", json=body)).status_code == 403
    added = (await api.operator.post("/silences", json=body)).json()
    assert added["matchers"] == ["site=harbour", "kind~Connector*"] and added["created_by"].endswith("operator")
    assert (await api.viewer.get("/silences?current=true")).json()["items"] == [added]
    ended = (await api.operator.delete(f"/silences/{added['silence_id']}")).json()
    assert ended["ended_by"].endswith("operator")
    assert (await api.viewer.get("/silences?current=true")).json()["items"] == []
    assert (await api.operator.delete(f"/silences/{added['silence_id']}")).status_code == 409
    assert (await api.operator.delete("/silences/nothing")).status_code == 404
    for matchers, sentence in ((["harbour"], "is no matcher"), (["site~*"], "must name what it is about")):
        refused = await api.operator.post("/silences", json=body | {"matchers": matchers})
        assert refused.status_code == 409 and sentence in refused.json()["detail"]
    assert [action for action, _ in await api.audited()] == ["silences.add", "silences.end"]


async def test_alertmanager_calls_with_a_token_or_a_key(tmp_path: Path) -> None:
    """The configured token opens its webhook and nothing else; a key needs the permission; nobody else is let in."""
    async with api_over(tmp_path, alerts__alertmanager_token=TOKEN) as api:
        caller = api.client(TOKEN)
        assert (await caller.post("/alerts/alertmanager", json=webhook())).json() == {"alerts": 1, "news": 1}
        assert (await caller.post("/alerts/alertmanager", json=webhook())).json() == {"alerts": 1, "news": 0}
        assert (await caller.get("/silences")).status_code == 401
        assert (await api.operator.post("/alerts/alertmanager", json=webhook())).status_code == 200
        assert (await api.viewer.post("/alerts/alertmanager", json=webhook())).status_code == 403
        assert (await api.client(TOKEN + "x").post("/alerts/alertmanager", json=webhook())).status_code == 401
        assert len(await api.audited()) == 1, "a repeat is no change"


async def test_without_a_token_only_keys_open_the_webhook(api: Api) -> None:
    """An empty bearer is no token."""
    for bearer in ("", "None", "x" * 20):
        answer = await api.raw.post("/api/v1/alerts/alertmanager", json=webhook(), headers={"Authorization": f"Bearer {bearer}"})
        assert answer.status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b'{"version": "3"}', b'{"version":"4"}', b"\xff\xfe"])
async def test_what_is_no_webhook_is_refused(api: Api, body: bytes) -> None:
    """422 and why; nothing is stored."""
    answer = await api.operator.post("/alerts/alertmanager", content=body)
    assert answer.status_code == 422 and "Alertmanager" in answer.json()["detail"]
    assert len(api.platform.relay.book) == 0


async def test_what_cannot_be_stored_is_503(api: Api) -> None:
    """Alertmanager repeats a 5xx; once the store is back the repeat is taken."""
    store = api.platform.relay.store
    assert isinstance(store, MemoryAlerts)
    store.problem = "disk full"
    answer = await api.operator.post("/alerts/alertmanager", json=webhook())
    assert answer.status_code == 503 and answer.headers["retry-after"]
    store.problem = None
    assert (await api.operator.post("/alerts/alertmanager", json=webhook())).json()["news"] == 1


async def test_a_delivery_is_shown_without_secrets(api: Api) -> None:
    """State, attempts, last error; the attempts of one message; no URL, no secret, no text of the receiver's config."""
    await api.operator.post("/alerts/alertmanager", json=webhook())
    relay = api.platform.relay
    listener: Any = relay.dispatchers["night"]._notifier
    listener.is_down()
    await settle(api)
    (row,) = (await api.viewer.get("/deliveries?state=waiting")).json()["items"]
    assert (row["receiver"], row["attempts"], row["last_error"], row["http_status"]) == ("night", 1, "down", 503)
    listener.is_up()
    await settle(api, 1200)
    assert (await api.viewer.get("/deliveries?state=waiting")).json()["items"] == []
    shown = (await api.viewer.get(f"/deliveries/{row['message_id']}")).json()
    assert shown["delivery"]["state"] == "delivered" and shown["delivery"]["next_attempt_at"] is None
    assert [each["outcome"] for each in shown["attempts"]] == ["retry", "delivered"]
    assert (await api.viewer.get("/deliveries/nothing")).status_code == 404
    assert (await api.viewer.get("/deliveries?state=lost")).status_code == 422


async def test_a_receiver_is_tried(api: Api) -> None:
    """A marked test goes out at once, on the way of alerts; a receiver that nobody defined is not known."""
    made = await api.operator.post("/alerts/test/night")
    assert made.status_code == 202
    await settle(api, 0)
    shown = (await api.viewer.get(f"/deliveries/{made.json()['message_id']}")).json()["delivery"]
    assert (shown["state"], shown["status"]) == ("delivered", "test")
    unknown = await api.operator.post("/alerts/test/day")
    assert unknown.status_code == 404 and "night" in unknown.json()["detail"]
    assert (await api.viewer.post("/alerts/test/night")).status_code == 403


async def told_links(api: Api) -> dict[str, str]:
    """Title → path of the links in the first message."""
    await api.operator.post("/alerts/alertmanager", json=webhook(alert(charge_point="<CP & 7>")))
    await settle(api)
    listener: Any = api.platform.relay.dispatchers["night"]._notifier
    return {link.title: link.url.removeprefix("https://charge.example") for link in listener.taken[0].links}


async def test_looking_at_a_link_changes_nothing(api: Api) -> None:
    """Whoever opens it, however often: a page with a button, and nothing that a browser would run or load."""
    links = await told_links(api)
    before = await api.audited()
    for _ in range(3):
        page = await api.raw.get(links["Acknowledge"])
        assert page.status_code == 200 and "<button" in page.text and "A connector is faulted" in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and page.headers["referrer-policy"] == "no-referrer"
    assert "<script" not in page.text and "noindex" in page.text
    assert await api.audited() == before
    assert not next(iter(api.platform.relay.book.alerts.values())).is_acknowledged


async def test_the_button_acknowledges_and_is_audited_as_link(api: Api) -> None:
    """POST does it; the message after it says so; a second press finds it done."""
    links = await told_links(api)
    done = await api.raw.post(links["Acknowledge"])
    assert done.status_code == 200 and "in hand" in done.text
    (newest, *_) = (await api.admin.get("/audit")).json()["items"]
    assert (newest["action"], newest["who"]) == ("link", "link sent to night")
    assert newest["after"]["purpose"] == "acknowledge"
    await settle(api)
    listener: Any = api.platform.relay.dispatchers["night"]._notifier
    assert listener.taken[-1].status == "acknowledged"
    await api.operator.post("/alerts/alertmanager", json=webhook(alert(charge_point="<CP & 7>")))
    assert next(iter(api.platform.relay.book.alerts.values())).is_acknowledged, "Alertmanager's repeat does not undo it"


async def test_a_link_ends_and_silences(api: Api) -> None:
    """Resolve closes what has no case behind it; silence covers just that; afterwards there is nothing to do."""
    links = await told_links(api)
    assert "site=harbour" in (await api.raw.post(links["Silence for 4 hours"])).text
    assert len((await api.viewer.get("/silences?current=true")).json()["items"]) == 1
    assert (await api.raw.post(links["Resolve"])).status_code == 200
    await settle(api, 400)
    assert "Nothing is open any more" in (await api.raw.get(links["Resolve"])).text
    assert "Nothing is open any more" in (await api.raw.post(links["Resolve"])).text


async def test_links_expire_and_cannot_be_made(api: Api) -> None:
    """Neither a changed token nor an old one does anything; the page says which it is."""
    links = await told_links(api)
    path = links["Resolve"]
    for wrong in (path[:-2], path.replace(path[20], "A" if path[20] != "A" else "B", 1), "/alerts/links/x", "/alerts/links/x.y"):
        for method in ("GET", "POST"):
            answer = await api.raw.request(method, wrong)
            assert answer.status_code == 404 and "not one of ours" in answer.text, wrong
    api.platform.clock.advance(4000)
    for method in ("GET", "POST"):
        assert (await api.raw.request(method, path)).status_code == 410
    assert len(api.platform.relay.book) == 1


async def test_a_link_is_not_done_while_the_store_is_away(api: Api) -> None:
    """503 and a page that says so: the button can be pressed again."""
    links = await told_links(api)
    store = api.platform.relay.store
    assert isinstance(store, MemoryAlerts)
    store.problem = "no answer"
    answer = await api.raw.post(links["Acknowledge"])
    assert answer.status_code == 503 and "no answer" in answer.text
    store.problem = None
    assert (await api.raw.post(links["Acknowledge"])).status_code == 200


async def test_what_is_open_is_listed_with_who_was_told(api: Api) -> None:
    """Told to whom, or quiet because of what; page by page; taken and ended by its key, which is audited."""
    await api.operator.post("/alerts/alertmanager", json=webhook(*(alert(connector=str(number)) for number in range(5))))
    waiting = (await api.viewer.get("/alerts?limit=2")).json()
    assert len(waiting["items"]) == 2 and waiting["items"][0]["told_to"] == [] and waiting["items"][0]["muted_by"] is None
    await settle(api)
    rows: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await api.viewer.get(f"/alerts?limit=2{cursor and '&cursor=' + cursor}")).json()
        rows, cursor = rows + page["items"], page["next_cursor"]
    assert len({row["key"] for row in rows}) == len(rows) == 5
    assert [told["receiver"] for told in rows[0]["told_to"]] == ["night"]
    key = rows[0]["key"]
    assert (await api.viewer.post("/alerts/acknowledge", json={"key": key})).status_code == 403
    taken = (await api.operator.post("/alerts/acknowledge", json={"key": key, "note": "on my way"})).json()
    assert taken["acknowledged_by"].endswith("operator")
    assert (await api.operator.post("/alerts/acknowledge", json={"key": key})).status_code == 409
    assert (await api.operator.post("/alerts/resolve", json={"key": key})).status_code == 200
    assert (await api.operator.post("/alerts/resolve", json={"key": "nothing"})).status_code == 404
    assert [action for action, _ in await api.audited()] == ["alerts.take", "alerts.acknowledge", "alerts.resolve"]
    left = rows[1]["labels"]["connector"]
    body = {"matchers": [f"connector={left}"], "ends_at": "2027-01-01T00:00:00Z", "comment": "known"}
    silence = (await api.operator.post("/silences", json=body)).json()["silence_id"]
    quiet = [row["muted_by"] for row in (await api.viewer.get("/alerts")).json()["items"] if row["labels"]["connector"] == left]
    assert quiet == [f"silence {silence}"]
    assert (await api.viewer.get("/alerts?severity=info")).json()["items"] == []
    assert (await api.viewer.get("/alerts?source=alertmanager")).json()["items"] != []
