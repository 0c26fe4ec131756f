"""The weekly look of the forest: when it is due, that another process does it, and what becomes of its findings."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from alerts.case import State
from alerts.detectors.forest import FEATURES, Week
from alerts.weeks import Weeks
from chargenet.model.notice import Severity
from tests.support.facts import at
from tests.support.night import Night

WEEK = timedelta(days=7)
ROWS = 200


def week(odd: int) -> Week:
    """Two hundred connectors of one model, one of which had an odd week."""
    features = np.random.default_rng(1).normal(size=(ROWS, len(FEATURES)))
    features[odd] = 9.0
    keys = [(f"CP-{number}", "1") for number in range(ROWS)]
    return Week(keys, features, np.zeros(ROWS, np.int32), np.ones(ROWS, np.bool_))


def test_it_is_due_once_a_week_also_across_restarts() -> None:
    """The first week begins with the first fact; a restart knows when the last look was."""
    weeks = Weeks(WEEK.total_seconds())
    assert not weeks.due(at(0)) and not weeks.due(at(0) + WEEK - timedelta(seconds=1)) and weeks.due(at(0) + WEEK)
    [piece] = weeks.take()
    assert weeks.take() == []
    again = Weeks(WEEK.total_seconds())
    again.restore(piece.state or b"")
    assert not again.due(at(100)) and again.due(at(0) + WEEK)


@pytest.mark.timeout(120)
async def test_an_odd_week_is_a_ticket_until_an_ordinary_one() -> None:
    """Found in a process of its own, told as a ticket with the features that stand out, over when the next week is ordinary."""
    night = Night()
    nobody = Week([], np.zeros((0, len(FEATURES))), np.zeros(0, np.int32), np.zeros(0, np.bool_))
    async with night.running() as alerts:
        weeks, looks = alerts._knowledge.weeks, [week(7), nobody]
        weeks.look = lambda statistics, now: looks.pop(0)  # type: ignore[method-assign]  # the features of a network of 200
        assert not weeks.due(night.clock.now())
        night.clock.advance(WEEK.total_seconds())
        await alerts.loop._weeks()
        [case] = await night.cases("unusual")
        assert (case.thing, case.severity, case.state) == ("CP-7/1", Severity.WARNING, State.OPEN)
        assert case.evidence[0].value == 9.0 and "first of all" in case.summary
        await alerts.loop._sweep()
        assert [each.state for each in await night.cases("unusual")] == [State.OPEN]
        night.clock.advance(WEEK.total_seconds())
        await alerts.loop._weeks()
        assert [each.state for each in await night.cases("unusual")] == [State.RESOLVED]
