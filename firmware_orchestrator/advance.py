"""What a verdict and the time that passed mean for a rollout and its waves. Decided here: when a wave begins, soaks, passes, and
when a rollout holds, halts and finishes. Pure; the verdict itself is gate.py's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from chargenet.model.notice import Notice
from firmware_orchestrator import tidings
from firmware_orchestrator.course import Course
from firmware_orchestrator.evidence.wording import plural
from firmware_orchestrator.gate import GateState, Moment, Outcome, Verdict, judge
from firmware_orchestrator.rollout import UNDER_WAY, WAITING, WAVE, Move, RolloutState, UpdateState, WaveState, after
from firmware_orchestrator.rows import DeviceUpdate, Entry, Rollout, WaveRow
from firmware_orchestrator.tempo import Tempo

_R, _W = RolloutState, WaveState
NO_DATA, APPROVAL, INCONCLUSIVE, OPERATOR = "no_data", "approval", "inconclusive", "operator"


class Advance(msgspec.Struct, frozen=True):
    """A rollout after a move, and what is to be kept and told of it."""

    rollout: Rollout
    entries: tuple[Entry, ...] = ()
    notices: tuple[Notice, ...] = ()


def moment(rollout: Rollout, updates: Sequence[DeviceUpdate], now: datetime) -> Moment:
    """Where the present wave stands, for the gate."""
    wave = [update for update in updates if update.wave == rollout.wave]
    pending = sum(update.state in WAITING or update.state in UNDER_WAY for update in wave)
    row = rollout.waves[rollout.wave]
    models = tuple(sorted({update.model for update in wave if update.model}))
    soaking_at = row.soaking_at if row.state in (_W.SOAKING, _W.PASSED) else None
    return Moment(now=now, wave=rollout.wave, pending=pending, models=models, soaking_at=soaking_at)


def tempo_of(rollout: Rollout, course: Course) -> Tempo:
    """How fast its network lives; before its start nothing has been measured."""
    return Tempo(rollout.started_at or rollout.created_at, course.policy.network_speed)


def judged(rollout: Rollout, course: Course, state: GateState, updates: Sequence[DeviceUpdate], now: datetime) -> Verdict:
    """The gate's verdict on the present wave."""
    tempo = tempo_of(rollout, course)
    return tempo.verdict(judge(course.policy, state, tempo.moment(moment(rollout, updates, now))))


def advance(rollout: Rollout, updates: Sequence[DeviceUpdate], verdict: Verdict, course: Course, now: datetime) -> Advance | None:
    """The next move, if any; one at a time, so that each is in the history."""
    if verdict.outcome is Outcome.FAIL and rollout.state in (_R.RUNNING, _R.HELD, _R.PAUSED):
        return _halted(rollout, verdict, now)
    if rollout.state is _R.HELD:
        return _released(rollout, verdict, now)
    if rollout.state is not _R.RUNNING:
        return None
    if verdict.outcome is Outcome.ERROR:
        return held(rollout, NO_DATA if verdict.resumes else verdict.code, verdict.sentence, now, verdict)
    return _onward(rollout, updates, verdict, course, now)


def _onward(rollout: Rollout, updates: Sequence[DeviceUpdate], verdict: Verdict, course: Course, now: datetime) -> Advance | None:
    row = rollout.waves[rollout.wave]
    pending = any(update.wave == rollout.wave and (update.state in WAITING or update.state in UNDER_WAY) for update in updates)
    if row.state in (_W.PENDING, _W.FAILED):
        if rollout.wave in course.approvals and rollout.wave not in rollout.approved_waves:
            return held(rollout, APPROVAL, f"wave {rollout.wave} waits for an approval", now)
        return _wave(rollout, _W.DISPATCHING, now, plural(row.size, "charge point"), opened_at=row.opened_at or now)
    if row.state is _W.DISPATCHING and not pending:
        ended = [update for update in updates if update.wave == rollout.wave]
        verified = [update.verified_at for update in ended if update.verified_at is not None]
        sentence = f"{len(verified)} of {len(ended)} run the new version"
        return _wave(rollout, _W.SOAKING, now, sentence, soaking_at=max(verified, default=now))
    if row.state is _W.SOAKING and pending:
        return _wave(rollout, _W.DISPATCHING, now, "an update is tried again", soaking_at=None)
    if row.state is _W.SOAKING and verdict.outcome is Outcome.PASS:
        return _passed(rollout, verdict, now)
    if row.state is _W.SOAKING and verdict.hold:
        return held(rollout, INCONCLUSIVE, verdict.sentence, now, verdict)
    return None


def _passed(rollout: Rollout, verdict: Verdict, now: datetime) -> Advance:
    done = _wave(rollout, _W.PASSED, now, verdict.sentence, verdict, ended_at=now)
    if rollout.wave + 1 < len(rollout.waves):
        return msgspec.structs.replace(done, rollout=msgspec.structs.replace(done.rollout, wave=rollout.wave + 1))
    finished = move(done.rollout, Move.FINISH, now, reason="", sentence="every wave has passed")
    return Advance(finished.rollout, (*done.entries, *finished.entries), (tidings.finished(finished.rollout, now),))


def _halted(rollout: Rollout, verdict: Verdict, now: datetime) -> Advance:
    reason = "evidence" if verdict.code == "evidence" else f"hard_rule:{verdict.code}"
    entries: tuple[Entry, ...] = ()
    if WaveState.FAILED in WAVE[rollout.waves[rollout.wave].state]:
        failed = _wave(rollout, _W.FAILED, now, verdict.sentence, verdict, ended_at=now)
        rollout, entries = failed.rollout, failed.entries
    done = move(rollout, Move.HALT, now, reason=reason, sentence=verdict.sentence, verdict=verdict)
    return Advance(done.rollout, (*entries, *done.entries), (tidings.halted(done.rollout, verdict, now),))


def _released(rollout: Rollout, verdict: Verdict, now: datetime) -> Advance | None:
    data_is_back = rollout.reason == NO_DATA and verdict.outcome is not Outcome.ERROR
    proven = rollout.reason == INCONCLUSIVE and verdict.outcome is Outcome.PASS
    if not (data_is_back or proven):
        return None
    sentence = "data came back" if data_is_back else verdict.sentence
    done = move(rollout, Move.RELEASE, now, reason="", sentence=sentence)
    return msgspec.structs.replace(done, notices=(tidings.over(rollout, "RolloutHeld", now),))


def held(rollout: Rollout, reason: str, sentence: str, now: datetime, verdict: Verdict | None = None) -> Advance:
    """It waits, and says for what."""
    done = move(rollout, Move.HOLD, now, reason=reason, sentence=sentence, verdict=verdict)
    return msgspec.structs.replace(done, notices=(tidings.held(done.rollout, now),))


# Each argument is one part of a line of the history.
def move(
    rollout: Rollout,
    what: Move,
    now: datetime,
    *,
    reason: str,
    sentence: str,
    who: str = "",
    verdict: Verdict | None = None,
) -> Advance:
    """Along the table. Raises Conflict."""
    state = after(rollout.state, what)
    entry = Entry(
        rollout_id=rollout.rollout_id, at=now, kind="rollout", before=rollout.state, after=state, sentence=sentence, who=who,
        details=values(verdict), sequence=verdict.sequence if verdict else 0,
    )  # fmt: skip
    changes: dict[str, Any] = {"state": state, "state_at": now, "reason": reason, "sentence": sentence}
    if what is Move.START:
        changes["started_at"] = now
    if state in (_R.FINISHED, _R.ABORTED, _R.ROLLED_BACK):
        changes["ended_at"] = now
    return Advance(msgspec.structs.replace(rollout, **changes), (entry,))


def values(verdict: Verdict | None) -> dict[str, Any]:
    """What is kept of a verdict with the decision that it led to."""
    if verdict is None:
        return {}
    signals = {
        str(each.signal): {"e": each.e, "treated": each.treated, "control": each.control, "treated_days": each.treated_days,
                           "control_days": each.control_days}
        for each in verdict.signals
    }  # fmt: skip
    return {
        "outcome": str(verdict.outcome), "code": verdict.code, "e": verdict.e, "limit": verdict.limit, "proof": verdict.proof,
        "proof_limit": verdict.proof_limit, "signals": signals,
    }  # fmt: skip


def _wave(
    rollout: Rollout, state: WaveState, now: datetime, sentence: str, verdict: Verdict | None = None, **changes: Any
) -> Advance:
    row = rollout.waves[rollout.wave]
    assert state in WAVE[row.state], f"wave {row.state} never becomes {state}"
    changed: WaveRow = msgspec.structs.replace(row, state=state, **changes)
    waves = (*rollout.waves[: rollout.wave], changed, *rollout.waves[rollout.wave + 1 :])
    entry = Entry(
        rollout_id=rollout.rollout_id, at=now, kind="wave", before=row.state, after=state,
        sentence=f"wave {rollout.wave}: {sentence}", details=values(verdict),
    )  # fmt: skip
    return Advance(msgspec.structs.replace(rollout, waves=waves), (entry,))


def withdrawn(updates: Sequence[DeviceUpdate]) -> list[DeviceUpdate]:
    """Those that a rollout which ends has not sent yet."""
    return [update for update in updates if update.state in (UpdateState.QUEUED, UpdateState.RETRYING)]
