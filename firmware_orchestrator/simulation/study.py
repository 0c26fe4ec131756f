"""The questions that docs/gate.md answers by simulation. Decided here: which fleets and firmwares are tried, and what is told."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from statistics import mean, median

import msgspec

from chargenet.workers import pool
from firmware_orchestrator.simulation.trial import JUDGES, Ending, Trial, run
from firmware_orchestrator.simulation.world import Fleet

CANARIES = (10, 50)
CONTROL = 200
WATCH_DAYS = 14.0
WAVES = (10, 50, 250, 640)
NETWORK = 1000
_ROLLOUTS_ARE_DEARER = 3


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table. Shares are of `runs`. `days`: median until it was halted; None where none was."""

    table: str
    """false halts, detection or rollouts."""
    case: str
    judge: str
    canary: int
    runs: int
    halted: float
    held: float
    exposed: float
    """Charge points that got the new firmware, on average."""
    days: float | None


class Case(msgspec.Struct, frozen=True):
    """What a cell is made of."""

    table: str
    case: str
    trial: Trial
    runs: int


def cases(runs: int) -> Iterator[Case]:
    """Every cell that is tried. `runs`: of single canaries; whole rollouts are dearer and get a third."""
    for canary in CANARIES:
        size = canary + CONTROL
        yield from _false_halts(size, canary, runs)
        for worse in (2.0, 5.0, 18.0):
            trial = Trial(fleet=Fleet(size=size), waves=(canary,), worse=worse, watch_days=WATCH_DAYS)
            yield from _each_judge("detection", f"{worse:g} times worse", trial, runs, JUDGES[:2])
    for worse in (1.0, 2.0, 5.0, 18.0):
        trial = Trial(fleet=Fleet(size=NETWORK, site_size=4), waves=WAVES, worse=worse)
        name = "fine" if worse == 1 else f"{worse:g} times worse"
        yield from _each_judge("rollouts", name, trial, max(1, runs // _ROLLOUTS_ARE_DEARER), JUDGES)


def _false_halts(size: int, canary: int, runs: int) -> Iterator[Case]:
    fleets = {
        "0.5 % a day": Fleet(size=size, rate=0.005),
        "2 % a day": Fleet(size=size),
        "5 % a day": Fleet(size=size, rate=0.05),
        "really 4 %, history says 2 %": Fleet(size=size, now_times=2.0),
        "incident of the whole network": Fleet(size=size, incident_day=2.0),
        "unequal charge points": Fleet(size=size, variation=2.0),
        "whole sites go dark": Fleet(size=size, site_size=4, site_outages=0.01),
        "charge points break for days": Fleet(size=size, breakdowns=0.002),
    }
    for case, fleet in fleets.items():
        trial = Trial(fleet=fleet, waves=(canary,), watch_days=WATCH_DAYS)
        yield from _each_judge("false halts", case, trial, runs, JUDGES[:2])


def _each_judge(table: str, case: str, trial: Trial, runs: int, judges: tuple[str, ...]) -> Iterator[Case]:
    for judge in judges:
        yield Case(table, case, msgspec.structs.replace(trial, judge=judge), runs)


def study(runs: int, seed: int, workers: int) -> Iterator[Cell]:
    """Every cell, in order. The same runs and seed give the same figures, however many workers there are."""
    wanted = list(cases(runs))
    if workers <= 1:
        yield from (_cell(case, seed) for case in wanted)
        return
    with pool(workers) as processes:
        yield from processes.map(partial(_cell, seed=seed), wanted)


def _cell(case: Case, seed: int) -> Cell:
    endings: list[Ending] = [run(case.trial, seed * 1_000_000 + number) for number in range(case.runs)]
    halts = [ending.day for ending in endings if ending.how == "halted"]
    return Cell(
        table=case.table,
        case=case.case,
        judge=case.trial.judge,
        canary=case.trial.waves[0],
        runs=case.runs,
        halted=len(halts) / case.runs,
        held=sum(ending.how == "held" for ending in endings) / case.runs,
        exposed=mean(ending.exposed for ending in endings),
        days=median(halts) if halts else None,
    )
