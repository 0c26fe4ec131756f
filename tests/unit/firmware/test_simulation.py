"""The simulation of docs/gate.md, in small: its figures are those of the gate that ships, and hold what the page promises."""

from __future__ import annotations

from statistics import mean

import msgspec

from firmware_orchestrator.simulation.study import Case, cases, study
from firmware_orchestrator.simulation.trial import Ending, run

SEED = 4_000_000


def endings(case: str, canary: int, runs: int, judge: str = "gate", table: str = "false halts") -> list[Ending]:
    """How so many rollouts of one row of a table end. The same each time."""
    [row] = [each for each in cases(runs) if is_row(each, table, case, canary, judge)]
    return [run(row.trial, SEED + number) for number in range(runs)]


def is_row(each: Case, table: str, case: str, canary: int, judge: str) -> bool:
    return (each.table, each.case, each.trial.waves[0], each.trial.judge) == (table, case, canary, judge)


def test_a_firmware_that_is_fine_is_seldom_halted() -> None:
    """In worlds that are hard on other rules: at most 5 in 100 by the theory, so of 40 more than 5 would be a fault of ours."""
    worlds = ("incident of the whole network", "whole sites go dark", "really 4 %, history says 2 %", "unequal charge points")
    halted = [each.how == "halted" for world in worlds for each in endings(world, 10, 10)]
    assert sum(halted) <= 5, halted


def test_the_common_rule_halts_what_is_fine() -> None:
    """A tenth of the updated ones had trouble: an incident of the whole network is enough for that."""
    ended = endings("incident of the whole network", 10, 20, "share > 10 %")
    assert sum(each.how == "halted" for each in ended) >= 10


def test_five_times_worse_reaches_few() -> None:
    """Of 1,000 charge points at most 20 on average, and it never gets through."""
    ended = endings("5 times worse", 10, 12, table="rollouts")
    assert mean(each.exposed for each in ended) <= 20 and {each.how for each in ended} <= {"halted", "held"}


def test_the_study_has_every_row_and_is_the_same_again() -> None:
    """Every row of the three tables, and nothing but the seed decides."""
    cells = list(study(1, 3, 1))
    assert [(each.table, each.case, each.judge) for each in cells] == [
        (each.table, each.case, each.trial.judge) for each in cases(1)
    ]
    assert {each.table for each in cells} == {"false halts", "detection", "rollouts"}
    again = next(iter(study(1, 3, 1)))
    assert msgspec.json.encode(again) == msgspec.json.encode(cells[0])
