"""One simulated rollout from its first wave to its end. Decided here: how waves follow each other, as the orchestrator has them."""

from __future__ import annotations

import msgspec
import numpy as np

from firmware_orchestrator.gate import GatePolicy
from firmware_orchestrator.simulation.judges import STEP_DAYS, Answer, InstallsOnly, Judge, ShareRule, ShippedGate
from firmware_orchestrator.simulation.world import Fleet, World

INSTALL_DAYS = 0.25
_FAILING = 0.01
_WATCH_STEP_DAYS = 0.5
"""Long, because the gate's evidence has the instant of every event; a rule that only looks needs short steps."""
_LIMIT_DAYS = 120.0
JUDGES = ("gate", "share > 10 %", "installs only")


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What is tried. `waves` are sizes; who is left over is control group to the end."""

    fleet: Fleet
    waves: tuple[int, ...]
    worse: float = 1.0
    judge: str = "gate"
    whole_sites: bool = False
    """The waves are whole sites, one after the other, instead of random charge points with at most one canary per site."""
    watch_days: float | None = None
    """Only the first wave, watched for so long, whatever is proven."""


class Ending(msgspec.Struct, frozen=True):
    """How one ended: halted, held or done; when; how many charge points got the new firmware."""

    how: str
    day: float
    exposed: int


def run(trial: Trial, seed: int) -> Ending:
    """One trial. The same seed, the same ending."""
    world = World(trial.fleet, seed)
    judge = _judge(trial, world)
    order = _order(trial, world)
    step = _WATCH_STEP_DAYS if trial.watch_days is not None and trial.judge == "gate" else STEP_DAYS
    treated = np.zeros(trial.fleet.size, dtype=bool)
    exposed = 0
    for wave, size in enumerate(trial.waves):
        numbers, order = order[:size], order[size:]
        exposed += size
        judge.dispatched(numbers, wave, world.day)
        _pass(world, judge, treated, trial.worse, INSTALL_DAYS)
        failed = [number for number in numbers if world.random.random() < _FAILING]
        installed = [number for number in numbers if number not in failed]
        judge.installed(installed, failed, wave, world.day)
        began = world.day
        treated[installed] = True
        while True:
            said, at = judge.answer(wave, world.day)
            if said is Answer.HALT:
                return Ending("halted", at if trial.watch_days is None else at - began, exposed)
            if trial.watch_days is not None:
                if world.day - began >= trial.watch_days:
                    return Ending("done", world.day - began, exposed)
            elif said is Answer.GO:
                break
            elif said is Answer.HOLD or world.day > _LIMIT_DAYS:
                return Ending("held", world.day, exposed)
            _pass(world, judge, treated, trial.worse, step)
    return Ending("done", world.day, exposed)


def _pass(world: World, judge: Judge, treated: np.ndarray, worse: float, days: float) -> None:
    facts, troubled = world.step(days, treated, worse)
    judge.see(facts, troubled, world.day)


def _judge(trial: Trial, world: World) -> Judge:
    if trial.judge == "gate":
        return ShippedGate(world, GatePolicy(good_sessions=0))
    return ShareRule() if trial.judge == "share > 10 %" else InstallsOnly()


def _order(trial: Trial, world: World) -> list[int]:
    """Random, with at most one charge point of a site among the canaries as long as there are enough sites."""
    numbers = [int(number) for number in world.random.permutation(trial.fleet.size)]
    if trial.whole_sites:
        rank = world.random.permutation(int(world.site[-1]) + 1)
        return sorted(numbers, key=lambda number: int(rank[world.site[number]]))
    seen: set[int] = set()
    first: list[int] = []
    rest: list[int] = []
    for number in numbers:
        fresh = int(world.site[number]) not in seen and len(first) < trial.waves[0]
        (first if fresh else rest).append(number)
        seen.add(int(world.site[number]))
    return first + rest
