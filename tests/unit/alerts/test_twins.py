"""Where cases go through Alertmanager: it says when, the case says what; and whoever takes the case has the alert in hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from alerts.links import Purpose
from chargenet.model.notice import Link, Notice
from tests.support.alertmanager import alert, webhook
from tests.support.relay import Simulated

PLACE = {"case_kind": "faulted", "site": "harbour", "charge_point": "CP-7", "connector": "1"}


def world() -> Simulated:
    return Simulated(through_alertmanager=True)


def case(here: Simulated, **fields: Any) -> Notice:
    """The case that `alert()` is about."""
    return here.notice(
        labels=PLACE, text="What to do: Reset it.", details={"case_id": 17}, links=(Link("Board", "https://g.example/d"),), **fields
    )


async def calls(here: Simulated, *alerts: Any, **fields: Any) -> None:
    """Alertmanager calls."""
    await here.relay.intake_alertmanager(msgspec.json.encode(webhook(*alerts, **fields)))
    await here.turn()


async def test_a_case_alone_is_kept_and_not_told() -> None:
    """Alertmanager decides when; a case that ends before anybody heard of it leaves nothing behind."""
    here = world()
    await here.tell(case(here))
    await here.wait(3600, every_s=60)
    assert here.night.heard == [] and len(here.relay.book) == 1
    await here.tell(here.over(case(here)))
    assert len(here.relay.book) == 0 and (await here.store.load(here.clock.now())).alerts == []


async def test_alertmanager_speaks_in_the_words_of_the_case() -> None:
    """Title, text, figures and links of the case, beside its own; told at once, because Alertmanager has waited already."""
    here = world()
    await here.tell(case(here))
    await calls(here, alert())
    (message,) = here.night.taken
    (item,) = message.items
    assert (message.title, item.kind, item.details) == ("case-1 is faulted", "EvConnectorFaulted", {"case_id": 17})
    assert "What to do: Reset it." in message.text
    titles = [link.title for link in message.links]
    assert {"Runbook", "Board", "Prometheus", "API", "Acknowledge"} <= set(titles)


async def test_another_connector_is_another_case() -> None:
    """The same kind elsewhere keeps its own words; what sums up several has no case."""
    here = world()
    await here.tell(case(here))
    await calls(here, alert(connector="2"), group="a")
    await calls(here, alert("EvManyFaulted", connector="", charge_point=""), group="b")
    assert [message.title for message in here.night.taken] == ["A connector is faulted", "A connector is faulted"]


async def test_what_moves_in_the_case_is_no_news() -> None:
    """Neither a case that comes late, nor its end, nor a figure in Alertmanager's annotations sends a message."""
    here = world()
    await calls(here, alert())
    await here.tell(case(here))
    figure = alert()
    figure["annotations"]["summary"] = "A connector is faulted (0.97)"
    await calls(here, figure)
    await here.tell(here.over(case(here)))
    await here.wait(3600, every_s=60)
    assert len(here.night.taken) == 1


async def test_the_end_is_told_with_why_and_both_are_forgotten() -> None:
    """The case has ended first; its last words go with Alertmanager's end."""
    here = world()
    await here.tell(case(here))
    await calls(here, alert())
    ended = msgspec.structs.replace(here.over(case(here)), text="Why it is over: two good sessions.")
    await here.tell(ended)
    assert len(here.relay.book) == 2, "it still lends its words"
    await calls(here, alert(ended_at=here.clock.now() + timedelta(minutes=1)))
    assert here.night.taken[-1].status == "resolved" and "two good sessions" in here.night.taken[-1].text
    assert len(here.relay.book) == 0 and (await here.store.load(here.clock.now())).alerts == []


async def test_who_takes_the_case_has_the_alert_in_hand() -> None:
    """However the case was acknowledged: told once as such, and not repeated any more."""
    here = world()
    await here.tell(case(here))
    await calls(here, alert())
    await here.tell(case(here, acknowledged_at=here.clock.now(), acknowledged_by="Ola"))
    await here.turn()
    assert [message.status for message in here.night.taken] == ["firing", "acknowledged"] and "Ola" in here.night.taken[-1].text
    here.clock.advance(5 * 3600)
    await calls(here, alert())
    assert len(here.night.taken) == 2


async def test_a_link_acts_on_the_case() -> None:
    """Acknowledge and resolve go to the program that the case is from; without a case, the alert itself is marked."""
    here, asked = world(), list[tuple[str, ...]]()

    async def owner(purpose: Purpose, notice: Notice, who: str, note: str) -> None:
        asked.append((purpose, notice.key, who, note))

    here.relay.actions.owners["alerts"] = owner
    await here.tell(case(here))
    await calls(here, alert())
    token = next(link.url for link in here.night.taken[0].links if link.title == "Acknowledge").rpartition("/")[2]
    await here.relay.actions.act(token)
    assert asked == [(Purpose.ACKNOWLEDGE, "case-1", "link sent to night", "by a link in a message")]
    await here.relay.actions.act_on(here.night.taken[0].items[0].key, Purpose.RESOLVE, "3 Ola", "cable changed")
    assert asked[1:] == [(Purpose.RESOLVE, "case-1", "3 Ola", "cable changed")]


async def test_a_restart_knows_both() -> None:
    """The case's words and Alertmanager's alert are read again from the store."""
    here = world()
    await here.tell(case(here))
    again = Simulated(store=here.store, clock=here.clock, through_alertmanager=True)
    await calls(again, alert())
    assert [message.title for message in again.night.taken] == ["case-1 is faulted"]


async def test_without_the_setting_cases_are_told_directly() -> None:
    """And an alert of Alertmanager keeps its own words."""
    here = Simulated()
    await here.tell(case(here))
    await here.wait(40)
    await calls(here, alert())
    assert [message.title for message in here.night.taken] == ["case-1 is faulted", "A connector is faulted"]
