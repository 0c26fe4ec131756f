"""The relay over simulated time: told once, in order, again after a while, and not at all when it need not be."""

from __future__ import annotations

import random
from datetime import timedelta

import msgspec
import pytest

from alerts.notifiers.port import Result
from alerts.relay.rows import Outcome
from alerts.storage.memory import MemoryAlerts
from chargenet.errors import Conflict, StoreUnavailable
from chargenet.model.notice import Severity
from tests.support.relay import CONFIG, Simulated


async def test_a_fault_is_told_once_and_its_end_once() -> None:
    """After the group's wait one message, then silence, then one that it is over."""
    world = Simulated()
    fault = world.notice()
    await world.tell(fault)
    assert world.night.taken == []
    await world.wait(40)
    assert world.night.said == [("firing", "case-1 is faulted")]
    await world.tell(fault)
    await world.wait(600)
    assert len(world.night.taken) == 1
    await world.tell(world.over(fault))
    await world.wait(600)
    assert world.night.said[1:] == [("resolved", "Over: case-1 is faulted")]
    assert len(world.relay.book) == 0


async def test_what_came_and_went_within_the_wait_is_not_told() -> None:
    """Nobody is woken for what is over before the group was told."""
    world = Simulated()
    fault = world.notice()
    await world.tell(fault)
    await world.tell(world.over(fault))
    await world.wait(600)
    assert world.night.heard == [] and len(world.relay.book) == 0


async def test_a_site_full_of_faults_is_one_message() -> None:
    """Forty connectors of one site are one group."""
    world = Simulated()
    await world.tell(*(world.notice(f"case-{number}") for number in range(40)))
    await world.wait(600)
    (message,) = world.night.taken
    assert message.title == "40 × ConnectorFaulted at CP-7" and message.more == 20


async def test_it_is_repeated_until_somebody_has_it_in_hand() -> None:
    """Every four hours; an acknowledgement is told at once and ends the repeats."""
    world = Simulated()
    fault = world.notice()
    await world.tell(fault)
    await world.wait(5 * 3600, every_s=60)
    assert [message.reason for message in world.night.taken] == ["first", "repeated"]
    await world.tell(msgspec.structs.replace(fault, acknowledged_at=world.clock.now(), acknowledged_by="Ola"))
    assert world.night.taken[-1].status == "acknowledged" and "Ola" in world.night.taken[-1].text
    await world.wait(24 * 3600, every_s=600)
    assert len(world.night.taken) == 3


async def test_a_silence_keeps_it_quiet_until_it_ends() -> None:
    """Nothing is told while the silence is in force; what is still wrong then is told."""
    world = Simulated()
    now = world.clock.now()
    silence = await world.relay.add_silence(["site=harbour"], now, now + timedelta(hours=1), "works", "Ola")
    await world.tell(world.notice())
    await world.wait(3000, every_s=30)
    assert world.night.heard == []
    await world.wait(700, every_s=30)
    assert len(world.night.taken) == 1
    with pytest.raises(Conflict, match="ended already"):
        await world.relay.end_silence(silence.silence_id, "Ola")


async def test_children_are_hushed_by_the_site() -> None:
    """While the site is offline, its connectors are not told; afterwards, what is still wrong is."""
    world = Simulated(CONFIG + '\n[[inhibit]]\nsource = ["kind=SiteOffline"]\ntarget = ["connector!="]\nequal = ["site"]\n')
    site = world.notice("site", kind="SiteOffline", labels={"connector": "", "charge_point": ""})
    await world.tell(site, *(world.notice(f"case-{number}") for number in range(40)))
    await world.wait(600)
    assert [message.items[0].kind for message in world.night.taken] == ["SiteOffline"]
    await world.tell(world.over(site))
    await world.wait(600)
    assert [message.status for message in world.night.taken].count("resolved") == 1
    assert [message.more for message in world.night.taken if message.title.startswith("40 ×")] == [20]


async def test_a_receiver_that_is_down_for_a_day_gets_everything_in_order() -> None:
    """Nothing is lost or told twice; each group's messages come in the order in which they were said."""
    world = Simulated()
    world.night.is_down()
    for hour in range(24):
        one, two = world.notice(f"a-{hour}"), world.notice(f"b-{hour}", kind="Offline")
        await world.tell(one, two)
        await world.wait(1800, every_s=30)
        await world.tell(world.over(one), world.over(two))
        await world.wait(1800, every_s=30)
    assert world.night.taken == []
    assert len(world.night.heard) < 400, "a receiver that is down is left alone"
    world.night.is_up()
    await world.wait(1200, every_s=30)
    for kind in ("ConnectorFaulted", "Offline"):
        changes = [message.change for message in world.night.taken if message.group_key.endswith(f"kind={kind}}}")]
        assert changes == list(range(1, 49))
    ids = [message.message_id for message in world.night.taken]
    assert len(set(ids)) == len(ids) == 96


async def test_retries_keep_the_id_and_obey_retry_after() -> None:
    """Two 503, then it is taken once; nothing is tried before the instant that the receiver asked for."""
    world = Simulated()
    world.night.is_down(retry_after_s=120.0)
    await world.tell(world.notice())
    await world.wait(140)
    assert len(world.night.heard) == 1
    await world.wait(30)
    assert len(world.night.heard) == 2
    world.night.is_up()
    await world.wait(200)
    assert len(world.night.taken) == 1 and len({message.message_id for message in world.night.heard}) == 1


async def test_a_refusal_is_final_and_in_the_log() -> None:
    """A 400 is not repeated; the next message of the group goes out all the same."""
    world = Simulated()
    world.night.answer = lambda _: Result(outcome=Outcome.REFUSED, http_status=400, detail="no")
    fault = world.notice()
    await world.tell(fault)
    await world.wait(400)
    assert len(world.night.heard) == 1
    world.night.is_up()
    await world.tell(world.over(fault))
    await world.wait(400)
    assert [message.status for message in world.night.taken] == ["resolved"]
    log = await world.store.deliveries()
    assert [(each.outcome, each.http_status) for each in log.items] == [("delivered", 200), ("refused", 400)]


async def test_it_is_given_up_after_the_stated_time() -> None:
    """The last word is in the log; later messages of the group are tried on their own."""
    world = Simulated(give_up_after_s=3600.0)
    world.night.is_down()
    await world.tell(world.notice())
    await world.wait(2 * 3600, every_s=60)
    log = await world.store.deliveries(outcome="given_up")
    assert len(log.items) == 1 and (await world.store.backlog()) == {}


async def test_a_restart_goes_on_where_it_was() -> None:
    """What was told is not told again; what was taken and not yet told is told."""
    world = Simulated()
    await world.tell(world.notice())
    await world.wait(40)
    await world.relay.tell([world.notice("late", kind="Offline")])
    again = Simulated(store=world.store, clock=world.clock)
    await again.wait(600)
    assert [message.items[0].key for message in again.night.taken] == ["late"]


async def test_what_cannot_be_stored_is_not_taken() -> None:
    """The caller hears of it and tells again; nothing is told from memory alone."""
    world = Simulated()
    store = world.store
    assert isinstance(store, MemoryAlerts)
    await world.turn()
    store.problem = "disk full"
    with pytest.raises(StoreUnavailable):
        await world.relay.tell([world.notice()])
    assert len(world.relay.book) == 0
    store.problem = None
    await world.tell(world.notice())
    await world.wait(40)
    assert len(world.night.taken) == 1


async def test_what_gets_worse_does_not_wait() -> None:
    """A warning that turns critical is told at once; a further warning waits for the group's interval."""
    world = Simulated()
    await world.tell(world.notice(severity=Severity.WARNING))
    await world.wait(40)
    await world.tell(world.notice("case-2", severity=Severity.WARNING))
    assert len(world.night.taken) == 1
    await world.wait(40)
    assert len(world.night.taken) == 1
    await world.tell(world.notice("case-1", severity=Severity.CRITICAL))
    assert world.night.taken[-1].reason == "worse"


async def test_news_is_told_once_and_never_resolved() -> None:
    """A moment has no end to wait for."""
    world = Simulated()
    at = world.clock.now()
    news = world.notice("statement-4", kind="StatementReady", severity=Severity.INFO, resolved_at=at, began_at=at)
    await world.tell(news)
    await world.wait(24 * 3600, every_s=600)
    assert [message.status for message in world.night.taken] == ["news"] and len(world.relay.book) == 0


async def test_a_link_acts_once_on_what_is_open() -> None:
    """The acknowledge link of a message ends the repeats; its silence link makes a silence of exactly that."""
    world = Simulated()
    await world.tell(world.notice(source="firmware"))
    await world.wait(40)
    links = {link.title: link.url.rpartition("/")[2] for link in world.night.taken[0].links}
    seen = await world.relay.actions.act(links["Acknowledge"])
    assert [alert.key for alert in seen.alerts] == ["case-1"]
    await world.turn()
    assert world.night.taken[-1].status == "acknowledged"
    for _ in range(2):
        await world.relay.actions.act(links["Silence for 4 hours"])
    (silence,) = (await world.store.silences()).items
    assert silence.matchers == ("site=harbour", "charge_point=CP-7", "connector=1", "kind=ConnectorFaulted")


async def test_the_watchdog_is_missed() -> None:
    """When Alertmanager stops calling, that is told; when it calls again, that it is over."""
    world = Simulated(CONFIG + "\n[watchdog]\nexpect_within_s = 300\n")
    await world.wait(290)
    assert world.night.heard == []
    await world.wait(100)
    assert world.night.said == [("firing", "Alertmanager has gone silent")]
    world.relay.expected.heard(world.clock.now())
    await world.wait(300)
    assert world.night.said[-1] == ("resolved", "Over: Alertmanager has gone silent")


async def test_any_order_of_ends_and_beginnings_ends_in_the_truth() -> None:
    """Whatever happens, and however often the receiver fails, it believes in the end exactly what is so."""
    for seed in range(20):
        chance = random.Random(seed)
        world = Simulated()
        state = {f"case-{number}": False for number in range(4)}
        for _ in range(40):
            key = chance.choice(list(state))
            fault = world.notice(key, began_at=world.clock.now() - timedelta(seconds=5))
            state[key] = not state[key]
            await world.tell(fault if state[key] else world.over(fault))
            world.night.is_down() if chance.random() < 0.3 else world.night.is_up()
            await world.wait(chance.choice([10, 100, 1000]), every_s=20)
        world.night.is_up()
        await world.wait(3000, every_s=30)
        told = next(iter(world.relay.book.told.values()))
        assert sorted(told.told) == sorted(key for key, is_open in state.items() if is_open), seed
        last = world.night.taken[-1]
        assert (last.status == "resolved") == (not any(state.values())), seed
