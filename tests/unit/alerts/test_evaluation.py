"""The evaluation of detectors: sessions in, faults put into them, and figures that cannot flatter."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest

from alerts.attempt_fold import AttemptFold
from alerts.detectors.statistics.settings import DEFAULTS
from alerts.evaluation import fit, generator, intervals, methods, overlay, sick
from alerts.evaluation.faults import FAULTS
from alerts.evaluation.hard_faults import HARD_FAULTS
from alerts.evaluation.hard_run import hard_rows
from alerts.evaluation.plan import Plan, base_attempts, make
from alerts.evaluation.run import Look, Runner
from alerts.evaluation.sessions import Session, read
from alerts.evaluation.story import day_to_day, facts
from alerts.kinds import KINDS
from chargenet.errors import InvalidFile

DAY_S = 86_400.0
HEADER = "charge_point_id,connector_id,started_at,stopped_at,energy_kwh,site,model\n"


@cache
def plan() -> Plan:
    """A small made-up network, one fault for each kind, severity and rate of traffic."""
    return make(generator.generate(2, connectors=12, days=260), seed=1, per_cell=1)


def session(began: float, energy_wh: float = 9000.0, hours: float = 1.0, connector: str = "1") -> Session:
    """One session; `began` in days."""
    at = began * DAY_S
    return Session(charge_point_id="CP", connector=connector, began=at, ended=at + hours * 3600, energy_wh=energy_wh)


def ordinary(days: int = 300) -> list[Session]:
    """Two sessions a day, each a little later than a day before."""
    return [session(day + hour / 24 + 0.0001 * day) for day in range(days) for hour in (9, 15)]


def test_a_session_file_is_read(tmp_path: Path) -> None:
    """Local times are taken as they are in the zone; a line that cannot be used is counted, a missing end is the begin."""
    file = tmp_path / "sessions.csv"
    lines = ["50994,1,2016-09-01 07:21:00,2016-09-01 07:27:00,2.084,Car Park,Rapid", "1,1,2016-01-01 07:00,,1,,", "1,1,never,,1,,"]
    file.write_text(HEADER + "\n".join(lines))
    found = read(file, "Europe/London")
    assert found.unusable == 1 and [each.charge_point_id for each in found.sessions] == ["1", "50994"]
    first, second = found.sessions
    assert first.ended == first.began and second.energy_wh == 2084.0
    assert second.began == datetime(2016, 9, 1, 6, 21, tzinfo=UTC).timestamp()


def test_home_charging_files_are_read_too(tmp_path: Path) -> None:
    """Semicolons, decimal commas and other names of columns."""
    file = tmp_path / "garage.csv"
    file.write_text(
        '"location";"user_id";"session_id";"plugin_time";"plugout_time";"connection_time";"energy_session"\n'
        '"ASK";"ASK_1";"s";2019-11-28 19:08:00;2019-11-29 08:20:00;13,2;19,96\n'
    )
    found = read(file).sessions[0]
    assert (found.charge_point_id, found.connector, found.site, found.energy_wh) == ("ASK_1", "1", "ASK", 19_960.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n", "line 1: the header has no column charge_point_id, connector_id, started_at, energy_kwh"),
        (HEADER, "holds no session that can be used"),
    ],
)
def test_a_file_that_is_none_says_why(tmp_path: Path, text: str, sentence: str) -> None:
    """Whose fault it is, and what is missing."""
    file = tmp_path / "s.csv"
    file.write_text(text)
    with pytest.raises(InvalidFile) as raised:
        read(file)
    assert str(raised.value) == f"{file}: {sentence}"


def test_an_ordinary_connector_is_healthy() -> None:
    """Nothing is set aside."""
    sessions = ordinary()
    assert sick.health(sessions, sessions) == sick.Health(None, ())


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("four failures in a row", lambda at, each: msgspec.structs.replace(each, energy_wh=0.0) if 300 <= at < 304 else each),
        (
            "five failures of ten",
            lambda at, each: msgspec.structs.replace(each, energy_wh=0.0) if at in range(300, 310, 2) else each,
        ),
        (
            "weak for twenty sessions",
            lambda at, each: msgspec.structs.replace(each, energy_wh=3000.0) if 290 <= at < 320 else each,
        ),
        ("nobody for twelve days", lambda at, each: None if 300 <= at < 324 else each),
    ],
)
def test_what_is_already_sick_is_set_aside(name: str, change: object) -> None:
    """The stretch and two weeks to either side, and no more than that."""
    assert callable(change)
    sessions = [changed for at, each in enumerate(ordinary()) if (changed := change(at, each)) is not None]
    health = sick.health(sessions, sessions)
    assert health.always is None and len(health.spans) == 1, name
    start, end = health.spans[0]
    assert 125 * DAY_S < start < 150 * DAY_S + 10 and 150 * DAY_S < end < 185 * DAY_S
    assert not health.healthy(150.5 * DAY_S, 151 * DAY_S) and health.healthy(0, 120 * DAY_S)


@pytest.mark.parametrize(
    ("sessions", "why"),
    [
        (ordinary(40), "fewer than 100 attempts"),
        ([session(10 * day) for day in range(120)], "fewer than 0.2 attempts a day"),
        ([session(day / 2, 0.0 if day % 5 == 0 else 9000.0) for day in range(200)], "more than 15% of all attempts failed"),
    ],
)
def test_some_connectors_never_count(sessions: list[Session], why: str) -> None:
    """Too little is known, or too much fails."""
    assert sick.health(sessions, sessions).always == why


def test_intervals_say_what_is_not_known() -> None:
    """All found of ten is no certainty, and none in thirty months no zero."""
    all_found = intervals.share([(1, True)] * 10, 1)
    assert all_found is not None and (all_found.value, all_found.high) == (1.0, 1.0) and all_found.low == pytest.approx(0.7)
    none_heard = intervals.rate([(0, 10.0), (0, 20.0)], 1)
    assert (none_heard.value, none_heard.low) == (0.0, 0.0) and none_heard.high == pytest.approx(0.1)
    found = intervals.share([(connector, connector % 3 > 0) for connector in range(30)], 1)
    assert found is not None and found.low < found.value < found.high and found.value == pytest.approx(2 / 3)
    assert intervals.share([], 1) is None


def test_the_fitted_and_the_reported_part_share_nothing() -> None:
    """Neither a connector nor an instant; faults are put only into what is reported, and only where all is well."""
    made = plan()
    first, second = fit.parts(made)
    assert not set(first.connectors) & set(second.connectors) and first.end <= second.start
    assert {event.fault.name for event in made.events} == {fault.name for fault in FAULTS}
    for event in made.events:
        connector = made.connectors[event.connector]
        assert event.connector in second.connectors and event.began >= made.cut - DAY_S
        assert connector.health.healthy(event.began - 28 * DAY_S, event.ended)
        assert all(each.ended_at.timestamp() > event.began for each in event.attempts)


def test_ten_kinds_of_faults_in_two_severities() -> None:
    """Each with findings that name it rightly, the worse severity first."""
    assert len(FAULTS) >= 10 and all(len(fault.severities) >= 2 and fault.right <= set(KINDS) for fault in FAULTS)
    assert all(fault.right <= set(KINDS) for fault in HARD_FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_injection_is_the_same_for_the_same_seed(fault: object) -> None:
    """And does something."""
    found = next(each for each in FAULTS if each is fault)
    sessions = [(at, each) for at, each in enumerate(ordinary(40))]
    strength = found.severities[0][1]
    one, other = (found.inject(sessions, strength, 1, np.random.default_rng(5)) for _ in range(2))
    assert one == other != [overlay.attempt_of(each, at, 1) for at, each in sessions]


def test_the_runner_never_looks_ahead() -> None:
    """What it says of a day is the same when the recording ends there."""
    whole = plan()
    whole = msgspec.structs.replace(whole, end=whole.start + 34 * DAY_S)
    short = msgspec.structs.replace(
        whole,
        end=whole.start + 28 * DAY_S,
        connectors=[
            msgspec.structs.replace(each, sessions=[row for row in each.sessions if row[1].began < whole.start + 28 * DAY_S])
            for each in whole.connectors
        ],
    )
    until = (short.end // DAY_S - 1) * DAY_S
    first, second = (_until(Runner(each, DEFAULTS).run().looks(), until) for each in (whole, short))
    assert first == second and sum(map(len, first.values())) > 50


def _until(looks: dict[str, dict[int, Look]], until: float) -> dict[tuple[str, int], list[tuple[float, float]]]:
    return {
        (test, subject): [(at, level) for at, level in zip(look.at.tolist(), look.level.tolist(), strict=True) if at < until]
        for test, subjects in looks.items()
        for subject, look in subjects.items()
        if (look.at < until).any()
    }


def test_the_story_of_a_session_is_that_session() -> None:
    """Facts told for sessions fold to attempts with their energy and end; nobody's clock is off."""
    told = [(at, session(20 + at / 4, energy)) for at, energy in enumerate((9000.0, 0.0, 300.0, 25_000.0))]
    fold = AttemptFold("CP")
    attempts = [each for fact in facts("CP", day_to_day(told, 1)) for each in fold.apply(fact)]
    assert [each.energy_wh for each in attempts] == [9000.0, 0.0, 300.0, 25_000.0]
    assert [each.ended_at.timestamp() for each in attempts] == [each.ended for _, each in told]


def test_every_hard_fault_is_found_by_the_rules() -> None:
    """Three events each, with the right kind first, not before the rule may speak, and soon after."""
    rows = hard_rows(plan(), lambda _: None, 3)
    assert {row.fault for row in rows} == {fault.name for fault in HARD_FAULTS}
    for row in rows:
        assert row.events == 3 and row.recall is not None and row.recall.value == 1.0, row
        assert row.first_right == 1.0 and row.hours is not None, row
        assert row.hours >= row.waits_hours - 1e-3, row


def test_an_episode_is_counted_once() -> None:
    """Two weeks of quiet make the next alarm another one."""
    assert fit.episodes([0.0, DAY_S, 10 * DAY_S, 23 * DAY_S, 40 * DAY_S]) == [0.0, 40 * DAY_S]


def test_the_random_method_keeps_to_the_budget() -> None:
    """It raises what the whole budget allows, no matter what happens."""
    months = 5000
    count = sum(
        len(methods.alarms(methods.RANDOM, False, {}, {}, subject, 0.0, fit.MONTH_S * 10, seed=1))
        for subject in range(months // 10)
    )
    assert count == pytest.approx(fit.TICKET_BUDGET * months, rel=0.3)


def test_the_generator_makes_sessions_like_the_recorded_ones() -> None:
    """A few percent fail, failures come in bursts, connectors differ tenfold in traffic, and no two sessions of one overlap."""
    made = generator.generate(1, connectors=40, days=200)
    failed = np.mean([each.energy_wh is not None and each.energy_wh <= 500 for each in made])
    assert 0.02 < failed < 0.10
    traffic = sorted(Counter(each.charge_point_id + each.connector for each in made).values())
    assert len(traffic) == 40 and traffic[-1] > 10 * traffic[0]
    last: dict[str, float] = {}
    for each in made:
        name = each.charge_point_id + each.connector
        assert each.began >= last.get(name, 0.0) and each.ended > each.began
        last[name] = each.ended


def test_attempts_of_the_recording_come_in_order_of_their_end() -> None:
    """As the platform would see them."""
    ends = [each.ended_at for _, each in base_attempts(plan())]
    assert ends == sorted(ends)
