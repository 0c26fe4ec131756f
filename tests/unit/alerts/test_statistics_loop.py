"""The statistical tests in the loop: drivers who get nothing are a case with its records, and good sessions end it."""

from __future__ import annotations

import pytest

from alerts.app import Alerts, AlertSettings
from alerts.case import State
from alerts.detectors.statistics import take
from tests.support.night import Night

FLEET = [f"CP-{number}" for number in range(1, 9)]


def ordinary_day(night: Night) -> None:
    """Eight charge points of one model at one site, each of which served its drivers."""
    for name in FLEET:
        night.boot(name)
    for _ in range(6):
        for name in FLEET:
            night.session(name, 12_000, minutes=5)


@pytest.mark.timeout(60)
async def test_drivers_who_get_nothing_are_a_case_that_good_sessions_end() -> None:
    """Four drivers without energy: a case with the records of their stops; three good sessions end it; it may come back."""
    night = Night()
    ordinary_day(night)
    async with night.running():
        await night.judged()
        assert await night.cases() == []
        stops = [night.session("CP-3", 0) for _ in range(4)]
        await night.judged()
        [case] = await night.cases()
        assert (case.kind, case.thing) == ("zero_energy", "CP-3/1")
        assert case.evidence[0].sequences == tuple(stops) and "of its peers" in case.evidence[0].what
        assert "4 of the last 4 attempts gave no energy, by 4 drivers" in case.summary

        night.session("CP-3", 9_000)
        await night.judged()
        assert [each.state for each in await night.cases()] == [State.OPEN]
        for _ in range(2):
            last = night.session("CP-3", 9_000)
        await night.judged()
        [case] = await night.cases()
        assert case.state == State.RESOLVED
        assert (
            case.resolution is not None and "confirmed by a good session" in case.resolution and f"record {last}" in case.resolution
        )

        for _ in range(6):
            night.session("CP-3", 0)
        await night.judged()
        [case] = await night.cases()
        assert (case.state, case.times_reopened) == (State.REOPENED, 1)
        told = [(each.kind, each.resolved_at is not None) for each in night.relay.notices]
        assert told == [("ConnectorZeroEnergy", False), ("ConnectorZeroEnergy", True), ("ConnectorZeroEnergy", False)]


def knowledge(alerts: Alerts) -> dict[str, bytes | None]:
    """All that the detectors know, as it would be stored."""
    inside = alerts._knowledge
    inside.statistics.history.changed.update(inside.signals.points)
    signals = {name: inside.signals.snapshot(name) for name in inside.signals.points}
    return {**signals, **take(inside.statistics.history)}


@pytest.mark.timeout(60)
async def test_a_killed_process_knows_the_same_again() -> None:
    """Killed after more was said than stored: the next process knows what one that never died knows, and goes on from there."""
    night, lived = Night(), Night()
    for each in (night, lived):
        ordinary_day(each)
    async with night.running():
        await night.judged()
        night.session("CP-2", 0)
        night.say("CP-2", *night.feed.facts[-2].events[:1])
        await night.taken_in()
    async with lived.running():
        await lived.judged()
        lived.session("CP-2", 0)
        lived.say("CP-2", *lived.feed.facts[-2].events[:1])
        await lived.taken_in()
        async with night.running() as restarted:
            await night.taken_in()
            assert knowledge(restarted) == knowledge(lived.alerts)
            assert restarted._knowledge.sites == lived.alerts._knowledge.sites
        for _ in range(3):
            lived.session("CP-2", 0)
        await lived.judged()
    async with night.running():
        for _ in range(3):
            night.session("CP-2", 0)
        await night.judged()
    assert [(each.kind, each.summary, each.evidence) for each in await night.cases()] == [
        (each.kind, each.summary, each.evidence) for each in await lived.cases()
    ]
    assert len(await night.cases()) == 1


@pytest.mark.timeout(60)
async def test_a_good_session_just_before_a_kill_is_still_a_proof() -> None:
    """The proof is stored with what the detectors know; the next process resolves the case."""
    night = Night()
    ordinary_day(night)
    async with night.running():
        for _ in range(4):
            night.session("CP-3", 0)
        await night.judged()
        for _ in range(3):
            night.session("CP-3", 9_000)
        await night.taken_in()
        await night.alerts.loop._checkpoint()
    async with night.running():
        await night.judged()
        [case] = await night.cases()
        assert case.state == State.RESOLVED and "confirmed by a good session" in str(case.resolution)


@pytest.mark.timeout(60)
async def test_heartbeats_are_known_and_bounded() -> None:
    """They come at any time, wait for the loop's turn, and are stored with the charge point."""
    night = Night()
    night.boot("CP-1")
    async with night.running() as alerts:
        for _ in range(60):
            alerts.heartbeat("CP-1", night.clock.now())
            night.clock.advance(60)
        await night.judged()
        pulse = alerts._knowledge.statistics.history.heartbeats.pulses["CP-1"]
        assert sum(pulse.beats) == 59 and sum(pulse.late) == 0
    async with night.running() as alerts:
        await night.taken_in()
        assert "CP-1" in alerts._knowledge.statistics.history.heartbeats.pulses


@pytest.mark.timeout(60)
async def test_judging_by_hand_shows_what_is_found_with_its_case() -> None:
    """`judge_now` gives every finding with its case, and says of masked ones why they are."""
    night = Night(AlertSettings())
    ordinary_day(night)
    async with night.running() as alerts:
        for _ in range(4):
            night.session("CP-3", 0)
        await night.taken_in()
        judgement = await alerts.judge_now()
        [shown] = judgement.findings
        assert (shown.finding.kind, shown.case_id, shown.state, shown.masked_by) == ("zero_energy", 1, State.OPEN, None)
        assert (judgement.charge_points, shown.finding.evidence[0].sequences != ()) == (8, True)
