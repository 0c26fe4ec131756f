"""What a rollout tells people. Decided here: which of its steps a person must hear of, how urgent each is, and its sentences. Pure.

Links to act (approve, abort) are added where notices are told: this program does not know how they are signed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chargenet.model.notice import Notice, Severity
from firmware_orchestrator.artifacts import Artifact
from firmware_orchestrator.gate import Verdict
from firmware_orchestrator.rows import DeviceUpdate, Rollout

DAMAGED = "FirmwareFileDamaged"
HALTED, HELD, LOST, FINISHED, CLOSED = (
    "RolloutHalted",
    "RolloutHeld",
    "ChargePointLost",
    "RolloutFinished",
    "AvailabilityNotRestored",
)
SOURCE = "firmware"


def halted(rollout: Rollout, verdict: Verdict, now: datetime) -> Notice:
    """The gate stopped it."""
    where = "in the canary" if rollout.wave == 0 else f"in wave {rollout.wave}"
    text = (
        f"The gate halted the rollout of {rollout.version} {where}: {verdict.sentence}. Nothing more is sent. "
        f"Look at `chargewatch rollout status {rollout.rollout_id}`, then abort it, roll it back, or resume it if you know better."
    )
    details: dict[str, Any] = {"e": verdict.e, "limit": verdict.limit, "wave": rollout.wave, "code": verdict.code}
    return _notice(rollout, HALTED, Severity.CRITICAL, f"rollout {rollout.name} halted {where}", text, now, details)


def held(rollout: Rollout, now: datetime) -> Notice:
    """It waits for a person or for data."""
    act = "It goes on by itself when data comes back." if rollout.reason == "no_data" else (
        f"`chargewatch rollout approve {rollout.rollout_id}` lets it go on, `abort` ends it."
    )  # fmt: skip
    severity = Severity.WARNING
    title, details = f"rollout {rollout.name} waits: {rollout.reason}", {"reason": rollout.reason, "wave": rollout.wave}
    return _notice(rollout, HELD, severity, title, f"{rollout.sentence}. {act}", now, details)


def finished(rollout: Rollout, now: datetime) -> Notice:
    """Every wave has passed."""
    text = f"{rollout.version} is installed and every wave has passed."
    return _notice(rollout, FINISHED, Severity.INFO, f"rollout {rollout.name} finished", text, now)


def lost(rollout: Rollout, update: DeviceUpdate, now: datetime) -> Notice:
    """A charge point did not come back."""
    text = (
        f"{update.charge_point_id} has not come back from its update to {rollout.version}: {update.reason}. Somebody must go there."
    )
    title = f"{update.charge_point_id} is lost in rollout {rollout.name}"
    return _notice(rollout, LOST, Severity.CRITICAL, title, text, now, update=update)


def not_restored(rollout: Rollout, update: DeviceUpdate, now: datetime) -> Notice:
    """It is still out of service, by our own hand."""
    text = (
        f"connectors {', '.join(update.availability_before)} of {update.charge_point_id} were closed for its update and could not "
        "be opened again. They stay closed over restarts until a ChangeAvailability reaches the charge point; it is tried on."
    )
    title = f"{update.charge_point_id} is still closed after its update"
    return _notice(rollout, CLOSED, Severity.WARNING, title, text, now, update=update)


def over(rollout: Rollout, kind: str, now: datetime) -> Notice:
    """What was told before has ended."""
    began_at = rollout.state_at or now
    text = f"The rollout of {rollout.version} goes on or has ended."
    found = _notice(rollout, kind, Severity.INFO, f"rollout {rollout.name}: over", text, began_at)
    return Notice(
        key=found.key, source=SOURCE, kind=kind, severity=found.severity, title=found.title, text=text, labels=found.labels,
        began_at=began_at, resolved_at=now,
    )  # fmt: skip


def damaged(artifact: Artifact, problem: str, since: datetime, until: datetime | None = None) -> Notice:
    """The bytes on the disk are not those that were added and approved; `until`: they are again."""
    text = (
        f"The file of firmware {artifact.artifact_id} ({artifact.version}) on the platform's disk is not the one that was added: "
        f"{problem}. It is served to nobody, and rollouts of it cannot go on. Look at the disk, then add the file again."
    )
    return Notice(
        key=f"firmware/{artifact.artifact_id}/{DAMAGED}", source=SOURCE, kind=DAMAGED, severity=Severity.CRITICAL,
        title=f"firmware file {artifact.artifact_id} is damaged", text=text, labels={"firmware": artifact.artifact_id},
        began_at=since, resolved_at=until,
    )  # fmt: skip


# Each argument is one part of a notice.
def _notice(
    rollout: Rollout,
    kind: str,
    severity: str,
    title: str,
    text: str,
    now: datetime,
    details: dict[str, Any] | None = None,
    *,
    update: DeviceUpdate | None = None,
) -> Notice:
    labels = {"rollout": rollout.rollout_id}
    key = f"firmware/{rollout.rollout_id}/{kind}"
    if update is not None:
        labels["charge_point"] = update.charge_point_id
        if update.site_id is not None:
            labels["site"] = update.site_id
        key += f"/{update.charge_point_id}"
    return Notice(
        key=key, source=SOURCE, kind=kind, severity=severity, title=title, text=text, labels=labels, details=details or {},
        began_at=now,
    )  # fmt: skip
