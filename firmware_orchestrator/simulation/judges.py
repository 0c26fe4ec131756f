"""Who decides in a simulated rollout: the gate that ships, and the rules that it is compared with. Decided here: those rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

import numpy as np

from chargenet.events import Fact
from firmware_orchestrator import gate
from firmware_orchestrator.exposure import Exposure, Mark, MarkKind
from firmware_orchestrator.simulation.world import START, World, instant

SOAK_DAYS = 1.0
STEP_DAYS = 0.125


class Answer(StrEnum):
    """What a judge says of the wave under way."""

    WAIT = "wait"
    GO = "go"
    HALT = "halt"
    HOLD = "hold"


class Judge(Protocol):
    """Sees what the orchestrator would see."""

    def dispatched(self, numbers: Sequence[int], wave: int, day: float) -> None:
        """These were sent the image."""

    def installed(self, numbers: Sequence[int], failed: Sequence[int], wave: int, day: float) -> None:
        """These came back with it; of `failed` the installation failed."""

    def see(self, facts: list[Fact], troubled: np.ndarray, day: float) -> None:
        """What was said up to `day`."""

    def answer(self, wave: int, day: float) -> tuple[Answer, float]:
        """What now, and since which day the evidence was enough for it."""


class ShippedGate:
    """exposure.py, evidence/ and gate.py, as they are used by the orchestrator."""

    def __init__(self, world: World, policy: gate.GatePolicy) -> None:
        self._policy, self._world = policy, world
        self._exposure = Exposure(policy, world.members(), START)
        self._state = gate.GateState()
        self._soaking: datetime | None = None

    def dispatched(self, numbers: Sequence[int], wave: int, day: float) -> None:
        self._soaking = None
        self._mark(numbers, MarkKind.DISPATCHED, wave, day)

    def installed(self, numbers: Sequence[int], failed: Sequence[int], wave: int, day: float) -> None:
        self._soaking = instant(day)
        self._mark(numbers, MarkKind.VERIFIED, wave, day)
        self._mark(failed, MarkKind.ENDED, wave, day)

    def _mark(self, numbers: Sequence[int], kind: MarkKind, wave: int, day: float) -> None:
        for number in numbers:
            self._exposure.mark(Mark(charge_point_id=self._world.ids[number], at=instant(day), kind=kind, wave=wave))

    def see(self, facts: list[Fact], troubled: np.ndarray, day: float) -> None:
        self._exposure.apply(facts)
        self._exposure.advance(instant(day))
        self._state = gate.fold(self._policy, self._state, self._exposure.observed())

    def answer(self, wave: int, day: float) -> tuple[Answer, float]:
        moment = gate.Moment(now=instant(day), wave=wave, pending=int(self._soaking is None), soaking_at=self._soaking)
        verdict = gate.judge(self._policy, self._state, moment)
        if verdict.outcome is gate.Outcome.FAIL:
            enough = datetime.fromtimestamp(self._state.peak.at_us / 1e6, UTC)
            return Answer.HALT, (enough - START).total_seconds() / 86_400
        if verdict.outcome is gate.Outcome.PASS:
            return Answer.GO, day
        return (Answer.HOLD if verdict.hold else Answer.WAIT), day


class ShareRule:
    """Halts when more than a tenth of the wave had trouble; passes after a day of soak. The common rule."""

    def __init__(self, limit: float = 0.10) -> None:
        self._limit = limit
        self._wave: np.ndarray = np.array([], dtype=int)
        self._bad: set[int] = set()
        self._since: float | None = None

    def dispatched(self, numbers: Sequence[int], wave: int, day: float) -> None:
        self._since, self._bad = None, set()

    def installed(self, numbers: Sequence[int], failed: Sequence[int], wave: int, day: float) -> None:
        self._since, self._wave, self._bad = day, np.array([*numbers, *failed]), set(failed)

    def see(self, facts: list[Fact], troubled: np.ndarray, day: float) -> None:
        if self._since is not None:
            self._bad.update(int(number) for number in self._wave[troubled[self._wave]])

    def answer(self, wave: int, day: float) -> tuple[Answer, float]:
        if self._since is None:
            return Answer.WAIT, day
        if len(self._bad) > self._limit * len(self._wave):
            return Answer.HALT, day
        return (Answer.GO if day - self._since >= SOAK_DAYS else Answer.WAIT), day


class InstallsOnly(ShareRule):
    """Halts when more than a tenth of the wave's installations failed; passes at once otherwise."""

    def see(self, facts: list[Fact], troubled: np.ndarray, day: float) -> None:
        return

    def answer(self, wave: int, day: float) -> tuple[Answer, float]:
        said, at = super().answer(wave, day)
        return (Answer.GO if said is Answer.WAIT and self._since is not None else said), at
