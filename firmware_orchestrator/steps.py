"""How a device update is changed: one value in, one value and its line of history out. Decided here: that no change goes around
the table of states, and what a failed attempt leads to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from chargenet.events import Fact
from firmware_orchestrator.retry import Failure, Retries, end_of, next_attempt
from firmware_orchestrator.rollout import UpdateState, may
from firmware_orchestrator.rows import DeviceUpdate, Entry


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """Patience per stage of an update, in seconds; see Terms."""

    answer_s: float = 120.0
    download_s: float = 7200.0
    scheduled_s: float = 43_200.0
    install_s: float = 3600.0
    boot_s: float = 600.0
    verify_s: float = 3600.0
    lost_s: float = 3600.0
    reach_s: float = 604_800.0
    """After so long a wave no longer waits for charge points that could not be reached."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a rollout asks of its updates. `is_expected` and `same` know how the model writes its versions. Times in seconds."""

    is_expected: Callable[[str], bool]
    same: Callable[[str, str], bool] = lambda one, other: one.strip().casefold() == other.strip().casefold()
    can_sign: bool = False
    """The artifact has a signature: the signed form can be sent."""
    answer_s: float = 120.0
    download_s: float = 7200.0
    scheduled_s: float = 43_200.0
    """How long a downloaded image may wait for a session to end."""
    install_s: float = 3600.0
    boot_s: float = 600.0
    """After this long it is asked for a BootNotification."""
    verify_s: float = 3600.0
    lost_s: float = 3600.0
    reach_s: float = 604_800.0
    soak_s: float = 86_400.0
    retries: Retries = Retries()


class Step(msgspec.Struct, frozen=True):
    """What becomes of an update; `ask`: the message to trigger, so that doubt ends."""

    update: DeviceUpdate
    entries: tuple[Entry, ...] = ()
    ask: str | None = None


def moved(update: DeviceUpdate, target: UpdateState, at: datetime, sentence: str, *, sequence: int = 0, who: str = "") -> Step:
    """Along the table. Raises AssertionError for a way that it does not have: a fault of ours."""
    assert may(update.state, target), f"{update.state} never becomes {target}"
    entry = Entry(
        rollout_id=update.rollout_id, at=at, kind="update", charge_point_id=update.charge_point_id,
        before=update.state, after=target, sentence=sentence, sequence=sequence, who=who,
    )  # fmt: skip
    probed_at = None if target is not update.state else update.probed_at
    after = msgspec.structs.replace(update, state=target, state_at=at, reason=sentence, probed_at=probed_at)
    return Step(after, (entry,))


def noted(update: DeviceUpdate, fact: Fact, kind: str, sentence: str) -> Step:
    """Nothing changes; the history says why."""
    entry = Entry(
        rollout_id=update.rollout_id, at=fact.received_at, kind=kind, charge_point_id=update.charge_point_id,
        sentence=sentence, sequence=fact.sequence,
    )  # fmt: skip
    return Step(update, (entry,))


def failed(
    update: DeviceUpdate,
    failure: Failure,
    sentence: str,
    at: datetime,
    terms: Terms,
    *,
    sequence: int = 0,
    final: bool = False,
) -> Step:
    """Another attempt later, where its class allows one; else the end."""
    update = msgspec.structs.replace(update, code=str(failure))
    key = f"{update.rollout_id}/{update.charge_point_id}"
    retry_at = None if final else next_attempt(failure, update.attempt, key, at, terms.retries)
    if retry_at is not None and may(update.state, UpdateState.RETRYING):
        step = moved(update, UpdateState.RETRYING, at, sentence, sequence=sequence)
        return msgspec.structs.replace(step, update=msgspec.structs.replace(step.update, retry_at=retry_at))
    return moved(update, end_of(failure), at, sentence, sequence=sequence)


def span(seconds: float) -> str:
    """A length of time for people: 45 s, 10 min, 1.5 h."""
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
