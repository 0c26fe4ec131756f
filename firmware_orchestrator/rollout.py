"""The states of a rollout, of its waves and of each device update, as tables. Decided here: which move leads where, and that
nothing leaves a terminal state; not when a move is made (reconcile.py) nor why (gate.py).

The diagrams in docs/rollouts.md are written from these tables by `diagram`, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from chargenet.errors import Conflict


class RolloutState(StrEnum):
    """How a rollout stands."""

    DRAFT = "draft"
    RUNNING = "running"
    HELD = "held"
    """Waits: for an approval, for a person where the evidence proves nothing, or for data."""
    PAUSED = "paused"
    """A person stopped it."""
    HALTED = "halted"
    """The gate stopped it."""
    FINISHED = "finished"
    ABORTED = "aborted"
    """Given up; what is installed stays."""
    ROLLED_BACK = "rolled_back"
    """Given up; another rollout installs the former image."""


class Move(StrEnum):
    """What happens to a rollout."""

    START = "start"
    HOLD = "hold"
    RELEASE = "release"
    """What it waited for is there: data came back."""
    APPROVE = "approve"
    PAUSE = "pause"
    RESUME = "resume"
    HALT = "halt"
    FINISH = "finish"
    ABORT = "abort"
    ROLL_BACK = "roll_back"


_R, _M = RolloutState, Move
ROLLOUT: Mapping[RolloutState, Mapping[Move, RolloutState]] = {
    _R.DRAFT: {_M.START: _R.RUNNING, _M.ABORT: _R.ABORTED},
    _R.RUNNING: {
        _M.HOLD: _R.HELD,
        _M.PAUSE: _R.PAUSED,
        _M.HALT: _R.HALTED,
        _M.FINISH: _R.FINISHED,
        _M.ABORT: _R.ABORTED,
        _M.ROLL_BACK: _R.ROLLED_BACK,
    },
    _R.HELD: {
        _M.RELEASE: _R.RUNNING,
        _M.APPROVE: _R.RUNNING,
        _M.PAUSE: _R.PAUSED,
        _M.HALT: _R.HALTED,
        _M.ABORT: _R.ABORTED,
        _M.ROLL_BACK: _R.ROLLED_BACK,
    },
    _R.PAUSED: {_M.RESUME: _R.RUNNING, _M.HALT: _R.HALTED, _M.ABORT: _R.ABORTED, _M.ROLL_BACK: _R.ROLLED_BACK},
    _R.HALTED: {_M.RESUME: _R.RUNNING, _M.ABORT: _R.ABORTED, _M.ROLL_BACK: _R.ROLLED_BACK},
    _R.FINISHED: {},
    _R.ABORTED: {},
    _R.ROLLED_BACK: {},
}
"""`resume` of a halted rollout is a person's override, recorded with the evidence of that moment."""
BY_PEOPLE = (_M.START, _M.PAUSE, _M.RESUME, _M.APPROVE, _M.ABORT, _M.ROLL_BACK)


class WaveState(StrEnum):
    """How a wave stands. Wave 0 is the canary."""

    PENDING = "pending"
    DISPATCHING = "dispatching"
    SOAKING = "soaking"
    """All its updates have ended or are verified; time and evidence decide."""
    PASSED = "passed"
    FAILED = "failed"


_W = WaveState
WAVE: Mapping[WaveState, frozenset[WaveState]] = {
    _W.PENDING: frozenset({_W.DISPATCHING}),
    _W.DISPATCHING: frozenset({_W.SOAKING, _W.FAILED}),
    _W.SOAKING: frozenset({_W.DISPATCHING, _W.PASSED, _W.FAILED}),
    _W.FAILED: frozenset({_W.DISPATCHING}),
    _W.PASSED: frozenset(),
}
"""A failed wave goes on only by a person's override; one that soaks dispatches again when an update of it is tried again."""


class UpdateState(StrEnum):
    """How the update of one charge point stands. `claimed` is its word, `verified` is the version it booted with, `healthy` is
    that it stayed well for the whole soak."""

    QUEUED = "queued"
    SENDING = "sending"
    """The intent is stored; whether the call left is not known yet."""
    SENT = "sent"
    DOWNLOADING = "downloading"
    DOWNLOADED = "downloaded"
    INSTALLING = "installing"
    REBOOTING = "rebooting"
    CLAIMED = "claimed"
    VERIFIED = "verified"
    HEALTHY = "healthy"
    RETRYING = "retrying"
    FAILED = "failed"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    LOST = "lost"
    """It did not come back."""
    REVERTED = "reverted"
    """It came back with the version it had."""
    MISMATCH = "mismatch"
    """It runs another version than the expected one, or than the one it claims."""
    SKIPPED = "skipped"
    WITHDRAWN = "withdrawn"
    """The rollout ended before it was sent."""
    HOLDOUT = "holdout"
    """Never to be updated by this rollout: its control group."""


_U = UpdateState
_ENDINGS = frozenset({_U.FAILED, _U.TIMED_OUT, _U.LOST, _U.REVERTED, _U.MISMATCH, _U.RETRYING})
_PROGRESS = (_U.SENT, _U.DOWNLOADING, _U.DOWNLOADED, _U.INSTALLING, _U.REBOOTING, _U.CLAIMED, _U.VERIFIED)
UPDATE: Mapping[UpdateState, frozenset[UpdateState]] = {
    _U.QUEUED: frozenset({_U.SENDING, _U.SKIPPED, _U.WITHDRAWN}),
    _U.SENDING: frozenset({_U.QUEUED, _U.REJECTED, _U.SKIPPED, *_PROGRESS, *_ENDINGS}),
    _U.SENT: frozenset({_U.QUEUED, _U.REJECTED, *_PROGRESS[1:], *_ENDINGS}),
    _U.DOWNLOADING: frozenset({_U.QUEUED, *_PROGRESS[2:], *_ENDINGS}),
    _U.DOWNLOADED: frozenset({_U.QUEUED, *_PROGRESS[3:], *_ENDINGS}),
    _U.INSTALLING: frozenset({*_PROGRESS[4:], *_ENDINGS}),
    _U.REBOOTING: frozenset({*_PROGRESS[5:], *_ENDINGS}),
    _U.CLAIMED: frozenset({_U.VERIFIED, _U.FAILED, _U.TIMED_OUT, _U.LOST, _U.REVERTED, _U.MISMATCH}),
    _U.VERIFIED: frozenset({_U.HEALTHY, _U.LOST, _U.REVERTED, _U.MISMATCH}),
    _U.RETRYING: frozenset({_U.SENDING, _U.SKIPPED, _U.WITHDRAWN, *_PROGRESS[1:], *_ENDINGS} - {_U.RETRYING}),
    _U.HEALTHY: frozenset(),
    _U.FAILED: frozenset(),
    _U.REJECTED: frozenset(),
    _U.TIMED_OUT: frozenset(),
    _U.LOST: frozenset(),
    _U.REVERTED: frozenset(),
    _U.MISMATCH: frozenset(),
    _U.SKIPPED: frozenset(),
    _U.WITHDRAWN: frozenset(),
    _U.HOLDOUT: frozenset(),
}
"""Forward by any evidence, however many steps were left out; back to `queued` only while nothing can have been installed."""

ORDER: tuple[UpdateState, ...] = (_U.QUEUED, _U.SENDING, *_PROGRESS, _U.HEALTHY)
"""The way of an update that goes well."""
ROLLOUT_ENDS = frozenset(state for state, moves in ROLLOUT.items() if not moves)
UPDATE_ENDS = frozenset(state for state, targets in UPDATE.items() if not targets)
WAITING = frozenset({_U.QUEUED, _U.RETRYING})
"""Nothing of it is under way at the charge point."""
UNDER_WAY = frozenset(_PROGRESS[:-1]) | {_U.SENDING}
"""The charge point has, or may have, an order of ours that it has not ended."""
FREE = UPDATE_ENDS - {_U.HEALTHY, _U.HOLDOUT}
"""No part of the evidence any more: while the rollout goes on, others may have such charge points, and no others."""
INSTALL_FAILURES = frozenset({_U.FAILED, _U.TIMED_OUT, _U.LOST, _U.REVERTED, _U.MISMATCH})


def after(state: RolloutState, move: Move) -> RolloutState:
    """Where `move` leads from `state`. Raises Conflict, with what a person can do instead."""
    moves = ROLLOUT[state]
    if move in moves:
        return moves[move]
    if not moves:
        raise Conflict(f"the rollout is {state}: that is final")
    known = ", ".join(each.replace("_", " ") for each in moves if each in BY_PEOPLE)
    raise Conflict(f"the rollout is {state}: it does not wait for `{move.replace('_', ' ')}`; what can be done is {known}")


def may(state: UpdateState, target: UpdateState) -> bool:
    """Does the table know this way?"""
    return target in UPDATE[state]


def diagram(name: str) -> str:
    """A Mermaid state diagram of the table `rollout`, `wave` or `update`."""
    lines = ["stateDiagram-v2"]
    if name == "rollout":
        lines += [f"    {state} --> {target}: {move}" for state, moves in ROLLOUT.items() for move, target in moves.items()]
        lines += [f"    {state} --> [*]" for state in sorted(ROLLOUT_ENDS)]
        return "\n".join(lines)
    for state, targets in _rows(name):
        lines += [f"    {state} --> {target}" for target in targets] or [f"    {state} --> [*]"]
    return "\n".join(lines)


def _rows(name: str) -> list[tuple[str, list[str]]]:
    if name == "wave":
        return [(state, sorted(targets)) for state, targets in WAVE.items()]
    return [(state, sorted(targets)) for state, targets in UPDATE.items()]
