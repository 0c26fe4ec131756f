"""Signed links in messages about rollouts: one tap does one thing to the rollout as it stood, and looking does nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from alerts.links import BadLink
from chargenet.model.notice import Notice
from chargenet.settings import load
from chargewatch.api import rollout_links as routes
from chargewatch.rollout_links import LinkedNotices, RolloutLinks
from firmware_orchestrator import tidings
from firmware_orchestrator.rollout import RolloutState
from firmware_orchestrator.rows import Change
from firmware_orchestrator.storage.rollout_memory import MemoryRollouts
from tests.support.api import FakePlatform
from tests.support.rollout_world import START, World

KEY = b"k" * 32
SPEC = "artifact: acme-2.4.1\nname: new\ntarget: {all: true}\nwaves: {sizes: ['1', rest], holdout: '1'}\napprove_before: [canary]\n"


class Site:
    """A platform with one rollout that waits for an approval, and a browser."""

    def __init__(self, platform: Any, world: World, browser: httpx.AsyncClient) -> None:
        self.platform, self.world, self.browser = platform, world, browser

    async def link(self, title: str) -> str:
        """The path of this link in the newest message."""
        [found] = [each.url for each in self.world.told[-1].links if each.title == title]
        return found.removeprefix("https://ops.example")

    async def state(self) -> RolloutState:
        return (await self.world.kept.rollout("new")).state


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    fake = FakePlatform(load(None, {}, {"data_dir": tmp_path}))
    world = World(MemoryRollouts(), ("CP-1", "CP-2", "CP-3", "CP-4"), SPEC)
    links = RolloutLinks(KEY, lambda: "https://ops.example", 3600)
    world.loop._notices = LinkedNotices(world, links, world.clock)
    fake.rollouts, fake.rollout_links, fake.clock = world.desk, links, world.clock  # type: ignore[attr-defined]
    app = FastAPI()
    app.state.platform = fake
    app.include_router(routes.router)
    await world.started("new")
    for _ in range(3):
        await world.tick()
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://ops.example") as browser:
        yield Site(fake, world, browser)


async def test_looking_changes_nothing_and_the_button_approves(site: Site) -> None:
    """GET shows what would be done, POST lets the wave begin; a second tap finds that it has moved on."""
    assert await site.state() is RolloutState.HELD
    path = await site.link("Let it go on")
    seen = await site.browser.get(path)
    assert seen.status_code == 200 and "Let it go on?" in seen.text and "<form" in seen.text
    assert await site.state() is RolloutState.HELD
    assert (await site.browser.post(path)).status_code == 200
    assert await site.state() is RolloutState.RUNNING
    again = await site.browser.post(path)
    assert again.status_code == 409 and "has moved on" in again.text
    [line] = [each for each in (await site.world.kept.history("new")).items if each.who == routes.WHO]
    assert line.after == "running"


async def test_abort_works_until_the_end(site: Site) -> None:
    """The rollout is aborted, by a link in a message; afterwards the page says that this is final."""
    path = await site.link("Abort")
    assert (await site.browser.post(path)).status_code == 200
    assert await site.state() is RolloutState.ABORTED
    assert (await site.browser.get(path)).status_code == 409


async def test_going_on_after_a_halt_needs_a_reason(site: Site) -> None:
    """The page asks why; without an answer nothing is done; with one the override is on record."""
    rollout = msgspec.structs.replace(await site.world.kept.rollout("new"), state=RolloutState.HALTED, reason="evidence")
    await site.world.kept.change(Change(rollouts=(rollout,)))
    told = msgspec.structs.replace(notice(tidings.HALTED), labels={"rollout": "new"}, began_at=rollout.state_at)
    [url] = [each.url for each in site.platform.rollout_links.links(told, START) if each.title == "Go on all the same"]
    path = url.removeprefix("https://ops.example")
    shown = await site.browser.get(path)
    assert "required" in shown.text and "overrides" in shown.text
    refused = await site.browser.post(path)
    assert refused.status_code == 409 and "say why" in refused.text and await site.state() is RolloutState.HALTED
    assert (await site.browser.post(path, data={"why": "a known defect of two of them"})).status_code == 200
    assert await site.state() is RolloutState.RUNNING
    [line] = [each for each in (await site.world.kept.history("new")).items if each.kind == "override"]
    assert (line.who, line.sentence) == (routes.WHO, "a known defect of two of them") and "signals" in line.details


async def test_forged_cut_off_and_expired_links_do_nothing(site: Site) -> None:
    """404 for what is not ours, 410 for what has expired, and the state stays."""
    path = await site.link("Abort")
    assert (await site.browser.post(path[:-4])).status_code == 404
    assert (await site.browser.post("/rollouts/links/WzFd.AAAA")).status_code == 404
    site.world.clock.advance(3601)
    assert (await site.browser.post(path)).status_code == 410
    assert await site.state() is RolloutState.HELD


def notice(kind: str, *, over: bool = False, **details: object) -> Notice:
    return Notice(
        key="k", source="firmware", kind=kind, severity="critical", title="t", text="t", labels={"rollout": "r"}, details=details,
        began_at=START, resolved_at=START + timedelta(hours=1) if over else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "titles"),
    [
        (notice(tidings.HALTED), ["Abort", "Go on all the same"]),
        (notice(tidings.HELD, reason="approval"), ["Let it go on", "Abort"]),
        (notice(tidings.HELD, reason="no_data"), ["Abort"]),
        (notice(tidings.LOST), ["Abort"]),
        (notice(tidings.FINISHED), []),
        (notice(tidings.HALTED, over=True), []),
    ],
)
def test_a_message_offers_what_can_be_done(told: Notice, titles: list[str]) -> None:
    """Data cannot be approved, and what is over needs nothing."""
    assert [each.title for each in RolloutLinks(KEY, lambda: "https://ops.example", 60).links(told, START)] == titles


def test_without_an_address_of_ours_there_are_no_links() -> None:
    """And a key of the wrong length makes none."""
    assert RolloutLinks(KEY, lambda: "", 60).links(notice(tidings.HALTED), START) == ()
    with pytest.raises(ValueError, match="32 bytes"):
        RolloutLinks(b"short", lambda: "", 60)


def test_a_link_of_alerts_is_none_of_rollouts() -> None:
    """The same key signs both; what is signed says for what."""
    made = RolloutLinks(KEY, lambda: "", 60)
    with pytest.raises(BadLink):
        made.check("WyJhY2tub3dsZWRnZSIsIm4iLCJnIiwxXQ.AAAA", START)
