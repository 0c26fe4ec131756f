"""What the relay keeps: the same on SQLite, on PostgreSQL and in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alerts.message import Message, message_id
from alerts.relay.rows import AlertStore, Delivery, Flush, Outcome, State, Waiting
from alerts.relay.silences import new_silence
from alerts.stages.alert import Alert
from alerts.stages.dedup import Told
from alerts.stages.group import Place
from alerts.storage.memory import MemoryAlerts
from alerts.storage.sql import SqlAlerts
from chargenet.errors import Conflict, NotFound
from chargenet.model.notice import Attachment, Link, Notice
from chargenet.storage.relational import SqlStores
from tests.contract.test_sql import all_pages
from tests.support.postgres import postgres
from tests.support.relay import NOW
from tests.support.stores import KINDS, open_stores

__all__ = ["postgres"]

SECOND = timedelta(seconds=1)


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AlertStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryAlerts()
        return
    stores = open_stores(request, request.param, tmp_path)
    assert isinstance(stores, SqlStores)
    yield SqlAlerts(stores.database)
    await stores.close()


def alert(key: str = "case-1", **fields: Any) -> Alert:
    """Everything that a notice can have."""
    notice = Notice(
        key=key, source="alerts", kind="ConnectorFaulted", severity="critical", title="It’s faulted ⚡", text="Line\nline",
        labels={"site": "harbour"}, links=(Link("Board", "https://grafana.example/d/x"),),
        attachments=(Attachment("a.pdf", "application/pdf", "/tmp/a.pdf"),), details={"case_id": 17, "score": 0.5}, began_at=NOW,
    )  # fmt: skip
    values: dict[str, Any] = {"notice": notice, "taken_at": NOW, "heard_at": NOW + SECOND}
    return Alert(**(values | fields))


def message(change: int = 1, group: str = "g", receiver: str = "night", after_s: float = 0.0) -> Message:
    created_at = NOW + timedelta(seconds=after_s)
    return Message(
        message_id=message_id(Place(receiver, group), change, created_at), receiver=receiver, group_key=group, change=change,
        status="firing", reason="first", severity="critical", title=f"change {change} of {group}", text="text",
        labels={"site": "a"}, began_at=NOW, created_at=created_at, items=(),
    )  # fmt: skip


def attempt(waiting: Waiting, outcome: Outcome, **fields: Any) -> Delivery:
    """How one attempt ended."""
    sent = waiting.message
    values: dict[str, Any] = {
        "outbox_id": waiting.outbox_id, "message_id": sent.message_id, "receiver": sent.receiver, "group_key": sent.group_key,
        "change": sent.change, "status": sent.status, "reason": sent.reason, "title": sent.title, "attempt": waiting.attempts + 1,
        "at": NOW, "outcome": outcome.value, "http_status": 503, "duration_ms": 12, "detail": "it answered 503",
    }  # fmt: skip
    return Delivery(**(values | fields))


async def put(store: AlertStore, *messages: Message) -> None:
    await store.flush(Flush(messages=messages, groups=[], forgotten=[]))


async def test_what_is_open_comes_back_as_it_was(store: AlertStore) -> None:
    """Alerts with all of their notice, what was told, and the silences that have not ended; a later one replaces."""
    silence = new_silence(["site=harbour"], NOW, NOW + 60 * SECOND, "works", "ops", NOW)
    over = new_silence(["site=depot"], NOW, NOW + 2 * SECOND, "works", "ops", NOW)
    told = Told(change=3, told_at=NOW, status="firing", severity="critical", told={"case-1": "m"}, news=("n",))
    await store.take([alert(), alert("case-2", origin="alertmanager", given_group="g")])
    await store.take([alert(heard_at=NOW + 5 * SECOND)])
    await store.add_silence(silence)
    await store.add_silence(over)
    await store.flush(Flush(messages=[], groups=[(Place("night", "g"), told)], forgotten=["case-2"]))
    held = await store.load(NOW + 10 * SECOND)
    assert held.alerts == [alert(heard_at=NOW + 5 * SECOND)]
    assert held.groups == [(Place("night", "g"), told)]
    assert held.silences == [silence]


async def test_only_the_oldest_of_each_group_is_offered(store: AlertStore) -> None:
    """In order per group; a head that is not due yet holds back what is behind it, and nothing else."""
    await put(store, message(1, "a"), message(2, "a", after_s=1), message(1, "b", after_s=2), message(1, "a", "day"))
    first, other = await store.heads("night", NOW + 10 * SECOND, 10)
    assert [(each.message.group_key, each.message.change) for each in (first, other)] == [("a", 1), ("b", 1)]
    assert [each.message.group_key for each in await store.heads("night", NOW + 10 * SECOND, 1)] == ["a"]
    await store.attempted(attempt(first, Outcome.RETRY), State.WAITING, NOW + 60 * SECOND)
    assert [each.message.group_key for each in await store.heads("night", NOW + 10 * SECOND, 10)] == ["b"]
    assert await store.next_due("night") == NOW + 2 * SECOND
    await store.attempted(attempt(other, Outcome.DELIVERED), State.DELIVERED, NOW)
    assert await store.next_due("night") == NOW + 60 * SECOND
    await store.hurry("night", NOW + 10 * SECOND)
    (again,) = await store.heads("night", NOW + 10 * SECOND, 10)
    assert (again.attempts, again.message.change) == (1, 1)
    await store.attempted(attempt(again, Outcome.REFUSED), State.REFUSED, NOW)
    assert [each.message.change for each in await store.heads("night", NOW + 10 * SECOND, 10)] == [2]
    assert await store.next_due("nobody") is None


async def test_what_waits_is_counted_and_given_up_for_receivers_that_are_gone(store: AlertStore) -> None:
    """By receiver, with the oldest; what waits for a receiver that nobody names any more ends."""
    await put(store, message(1, "a"), message(1, "b", after_s=3), message(1, "a", "day", after_s=5))
    backlog = await store.backlog()
    assert {name: (each.waiting, each.oldest_at) for name, each in backlog.items()} == {
        "night": (2, NOW), "day": (1, NOW + 5 * SECOND),
    }  # fmt: skip
    assert await store.abandon(["night"], NOW) == 1
    assert set(await store.backlog()) == {"night"}
    assert [row.state for row in (await store.sent(receiver="day")).items] == ["given_up"]
    assert await store.abandon(["night"], NOW) == 0


async def test_the_outbox_is_listed_with_the_last_attempt(store: AlertStore) -> None:
    """Newest first, by receiver and state, page by page; the last error stands beside it, the log has every attempt."""
    await put(store, *(message(change, "a", after_s=change) for change in range(1, 6)))
    (head,) = await store.heads("night", NOW + 60 * SECOND, 10)
    await store.attempted(attempt(head, Outcome.RETRY), State.WAITING, NOW + 60 * SECOND)
    (head,) = await store.heads("night", NOW + 60 * SECOND, 10)
    await store.attempted(attempt(head, Outcome.DELIVERED, http_status=200, detail=""), State.DELIVERED, NOW)
    (head,) = await store.heads("night", NOW + 60 * SECOND, 10)
    await store.attempted(attempt(head, Outcome.RETRY), State.WAITING, NOW + 90 * SECOND)
    rows = await all_pages(store.sent, 2, receiver="night")
    assert [(row.change, row.state, row.attempts, row.http_status, row.last_error) for row in rows] == [
        (5, "waiting", 0, None, ""), (4, "waiting", 0, None, ""), (3, "waiting", 0, None, ""),
        (2, "waiting", 1, 503, "it answered 503"), (1, "delivered", 2, 200, ""),
    ]  # fmt: skip
    assert rows[-1].next_attempt_at is None and rows[-2].next_attempt_at == NOW + 90 * SECOND
    assert (rows[0].status, rows[0].severity, rows[0].title) == ("firing", "critical", "change 5 of a")
    assert [row.change for row in (await store.sent(state="delivered")).items] == [1]
    assert [row.change for row in (await store.sent(message_id=rows[1].message_id)).items] == [4]
    log = await all_pages(store.deliveries, 2, message_id=rows[-1].message_id)
    assert [(each.attempt, each.outcome) for each in log] == [(2, "delivered"), (1, "retry")]
    assert [each.change for each in (await store.deliveries(outcome="retry")).items] == [2, 1]


async def test_silences_are_listed_and_ended(store: AlertStore) -> None:
    """Newest first; one that has ended, or that nobody made, cannot be ended."""
    made = [new_silence([f"site=s{n}"], NOW, NOW + 60 * SECOND, "", "ops", NOW + n * SECOND) for n in range(5)]
    for silence in made:
        await store.add_silence(silence)
    assert await all_pages(store.silences, 2) == made[::-1]
    before, after = await store.end_silence(made[0].silence_id, NOW + 9 * SECOND, "ola")
    assert before == made[0] and after == msgspec.structs.replace(before, ends_at=NOW + 9 * SECOND, ended_by="ola")
    assert len((await store.silences(in_force_at=NOW + 10 * SECOND)).items) == 4
    with pytest.raises(Conflict):
        await store.end_silence(made[0].silence_id, NOW + 10 * SECOND, "ola")
    with pytest.raises(NotFound):
        await store.end_silence("nothing", NOW, "ola")


async def test_old_things_go_and_what_waits_stays(store: AlertStore) -> None:
    """By the age of their end: attempts, rows, silences, settled groups; never a message that still waits."""
    await put(store, message(1, "a"), message(1, "b"))
    head, _ = await store.heads("night", NOW, 10)
    await store.attempted(attempt(head, Outcome.DELIVERED), State.DELIVERED, NOW)
    await store.add_silence(new_silence(["site=a"], NOW, NOW + SECOND, "", "ops", NOW))
    settled = Told(change=2, told_at=NOW, status="resolved", severity="critical", told={})
    standing = Told(change=1, told_at=NOW, status="firing", severity="critical", told={"k": "m"})
    groups = [(Place("night", "a"), settled), (Place("night", "b"), standing)]
    await store.flush(Flush(messages=[], groups=groups, forgotten=[]))
    assert await store.prune(NOW - SECOND) == 0
    assert await store.prune(NOW + timedelta(days=1)) == 4
    assert [row.group_key for row in (await store.sent()).items] == ["b"]
    assert (await store.load(NOW)).groups == [groups[1]]


async def test_a_message_is_in_the_outbox_once(store: AlertStore) -> None:
    """A test belongs to no group; ids of rows never come again, and a large message comes back whole."""
    await store.put_out(message(1, "test:1"))
    large = msgspec.structs.replace(message(1, "test:2"), text="⚡\u0000" * 20_000)
    await store.put_out(large)
    heads = await store.heads("night", NOW, 10)
    assert len({head.outbox_id for head in heads}) == 2
    assert msgspec.structs.replace(heads[1].message, text="") == msgspec.structs.replace(large, text="")
    assert len(heads[1].message.text) == len(large.text)
