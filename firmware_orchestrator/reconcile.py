"""What one fact, or the time that passed, means for one device update. Decided here: every state change of an update that does not
come from our own sending; pure, so that the same journal gives the same states.

States are reached by any evidence, not by order. A status is a hint, the version in a BootNotification is the fact: `Installed`
makes an update CLAIMED, only a boot with the expected version makes it VERIFIED (OCPP 2.0.1 L01.FR.32 lets `Installed` be sent
before the restart). What contradicts the state is written into the history and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from chargenet import events as e
from firmware_orchestrator.answers import answered
from firmware_orchestrator.retry import ADDRESS_S, Failure
from firmware_orchestrator.rollout import ORDER, UNDER_WAY, UPDATE_ENDS, WAITING, UpdateState, may
from firmware_orchestrator.rows import DeviceUpdate, Entry
from firmware_orchestrator.steps import Step, Terms, failed, moved, noted, span

_U = UpdateState
UPDATE_ACTIONS = frozenset({"UpdateFirmware", "SignedUpdateFirmware"})
PROGRESS: Mapping[str, UpdateState] = {
    "DownloadScheduled": _U.DOWNLOADING,
    "Downloading": _U.DOWNLOADING,
    "DownloadPaused": _U.DOWNLOADING,
    "Downloaded": _U.DOWNLOADED,
    "SignatureVerified": _U.DOWNLOADED,
    "InstallScheduled": _U.DOWNLOADED,
    "Installing": _U.INSTALLING,
    "InstallRebooting": _U.REBOOTING,
    "Installed": _U.CLAIMED,
}
"""FirmwareStatusEnumType of 2.x, of which 1.6 knows some; InstallScheduled waits for a session, nothing is installed yet."""
FAILURES: Mapping[str, Failure] = {
    "DownloadFailed": Failure.DOWNLOAD,
    "InvalidSignature": Failure.SIGNATURE,
    "InstallVerificationFailed": Failure.SIGNATURE,
    "InstallationFailed": Failure.INSTALL,
}
_SECURITY = {"FirmwareUpdated": "Installed", "InvalidFirmwareSignature": "InvalidSignature"}
_BEGUN = (_U.INSTALLING, _U.REBOOTING, _U.CLAIMED)


def hear(update: DeviceUpdate, fact: e.Fact, event: e.Event, terms: Terms) -> Step | None:
    """What `event` of `fact` means for `update`; None: nothing."""
    handler = _HANDLERS.get(type(event))
    if update.state is _U.HOLDOUT or handler is None or fact.charge_point_id != update.charge_point_id:
        return None
    return handler(update, fact, event, terms)


# -- our own calls, as the journal has them


def _sent(update: DeviceUpdate, fact: e.Fact, event: e.CommandSent, terms: Terms) -> Step | None:
    """The order left. Known by its one-time address, whatever the protocol."""
    if event.action not in UPDATE_ACTIONS or update.location is None or location_of(event.payload) != update.location:
        return None
    if update.state is not _U.SENDING or update.message_id is not None:
        return None
    left = msgspec.structs.replace(
        update, message_id=event.message_id, sent_at=fact.received_at, generation=fact.generation, offline_since=None
    )
    return Step(left)


def location_of(payload: Mapping[str, Any]) -> object:
    """The address in a call of ours, in any of its forms."""
    firmware = payload.get("firmware")
    return firmware.get("location") if isinstance(firmware, Mapping) else payload.get("location")


def _answered(update: DeviceUpdate, fact: e.Fact, event: e.CommandAnswered, terms: Terms) -> Step | None:
    if update.message_id is None or event.message_id != update.message_id:
        return None
    return answered(
        update, event.status, event.error_code, event.detail, left=True, at=fact.received_at, sequence=fact.sequence, terms=terms
    )


# -- what it says of the update


def _reported(update: DeviceUpdate, fact: e.Fact, event: e.FirmwareStatusReported, terms: Terms) -> Step | None:
    if event.status == "Idle":
        return _idle(update, fact)
    # 1.6 gives no id in the plain form, and some send 0 or −1 for "none".
    if event.request_id is not None and event.request_id > 0 and event.request_id != update.request_id:
        return noted(update, fact, "ignored", f"{event.status} of order {event.request_id}, which is not the present one")
    if update.state in UPDATE_ENDS:
        return noted(update, fact, "late", f"{event.status} came after the update had ended")
    if update.state is _U.QUEUED or (update.state is _U.RETRYING and update.code not in (Failure.SILENT, Failure.RESTARTED)):
        known = update.attempt > 0 and event.status in update.heard
        return None if known else noted(update, fact, "unsolicited", f"{event.status} without an order of ours")
    if event.status in FAILURES:
        return _failure(update, fact, event, terms)
    return _progress(update, fact, event.status)


def _idle(update: DeviceUpdate, fact: e.Fact) -> Step | None:
    """Asked for its status, it knows of no update: an order whose sending was cut off by our own end never arrived."""
    asked = update.probed_at is not None and fact.received_at >= update.probed_at
    if update.state is _U.SENDING and update.message_id is None and asked:
        queued = msgspec.structs.replace(update, attempt=update.attempt - 1, probed_at=None)
        return moved(queued, _U.QUEUED, fact.received_at, "it knows of no order: the call never left", sequence=fact.sequence)
    return None


def _failure(update: DeviceUpdate, fact: e.Fact, event: e.FirmwareStatusReported, terms: Terms) -> Step | None:
    failure = FAILURES[event.status]
    if update.state is _U.VERIFIED or (update.state is _U.CLAIMED and failure is Failure.DOWNLOAD):
        return noted(update, fact, "ignored", f"{event.status} after {update.state}")
    sentence = f"{event.status}: {event.info}" if event.info else event.status
    if failure is Failure.DOWNLOAD and update.sent_at is not None:
        seconds = (fact.received_at - update.sent_at).total_seconds()
        if seconds <= ADDRESS_S:
            failure = Failure.ADDRESS
            sentence += f" after {seconds:.1f} s: the address, its protocol or its credentials, not the line"
    return failed(update, failure, sentence, fact.received_at, terms, sequence=fact.sequence)


def _progress(update: DeviceUpdate, fact: e.Fact, status: str) -> Step | None:
    target = PROGRESS.get(status)
    if target is None:
        return noted(update, fact, "ignored", f"the status {status!r} means nothing to us")
    repeated = status in update.heard
    if not repeated:
        update = msgspec.structs.replace(update, heard=(*update.heard, status))
    if target is _U.CLAIMED and update.claimed_at is None:
        update = msgspec.structs.replace(update, claimed_at=fact.received_at)
    if target is update.state or repeated or (target is _U.CLAIMED and update.state is _U.VERIFIED):
        return Step(update)
    if may(update.state, target):
        return moved(update, target, fact.received_at, status, sequence=fact.sequence)
    return noted(update, fact, "ignored", f"{status} came after {update.state}")


def _security(update: DeviceUpdate, fact: e.Fact, event: e.SecurityEventReported, terms: Terms) -> Step | None:
    """FirmwareUpdated and InvalidFirmwareSignature say what a status says; some charge points send only one of the two."""
    status = _SECURITY.get(event.type)
    if status is None or update.state not in UNDER_WAY or status in update.heard:
        return None
    return _reported(update, fact, e.FirmwareStatusReported(status=status, request_id=update.request_id), terms)


# -- what it runs


def _booted(update: DeviceUpdate, fact: e.Fact, event: e.ChargePointBooted, terms: Terms) -> Step | None:
    version = event.firmware_version
    if version is None:
        return None
    update = msgspec.structs.replace(update, version=version, offline_since=None)
    if terms.is_expected(version):
        return _new_version(update, fact, version)
    if update.from_version is None:
        return (
            Step(msgspec.structs.replace(update, from_version=version))
            if update.state in WAITING
            else _third(update, fact, version)
        )
    if terms.same(version, update.from_version):
        return _old_version(update, fact, version, terms)
    return _third(update, fact, version)


def _new_version(update: DeviceUpdate, fact: e.Fact, version: str) -> Step | None:
    at = fact.received_at
    if update.state is _U.QUEUED:
        update = msgspec.structs.replace(update, code="already")
        return moved(update, _U.SKIPPED, at, f"runs {version} already, and not by us", sequence=fact.sequence)
    if may(update.state, _U.VERIFIED):
        said = "" if update.claimed_at else ", without a word of having installed it"
        update = msgspec.structs.replace(update, verified_at=at, code="", old_version_at=None)
        return moved(update, _U.VERIFIED, at, f"booted with {version}{said}", sequence=fact.sequence)
    if update.state in UPDATE_ENDS and update.state not in (_U.HEALTHY, _U.SKIPPED):
        step = noted(update, fact, "late", f"booted with {version} after the update had ended as {update.state}")
        return msgspec.structs.replace(step, update=update)
    return Step(update)


def _old_version(update: DeviceUpdate, fact: e.Fact, version: str, terms: Terms) -> Step | None:
    at, again = fact.received_at, fact.generation > update.generation
    if update.state is _U.CLAIMED and again:
        sentence = f"says Installed, and booted with {version}, the version it had"
        return moved(update, _U.MISMATCH, at, sentence, sequence=fact.sequence)
    if update.state is _U.VERIFIED or (update.state is _U.REBOOTING and again):
        return moved(update, _U.REVERTED, at, f"came back with {version}, the version it had", sequence=fact.sequence)
    if update.state is _U.CLAIMED and update.probed_at is not None and at >= update.probed_at:
        return moved(update, _U.MISMATCH, at, f"says Installed, and says that it runs {version}", sequence=fact.sequence)
    if update.state is _U.INSTALLING and again:
        return Step(msgspec.structs.replace(update, old_version_at=at))
    if update.state in (_U.SENT, _U.DOWNLOADING, _U.DOWNLOADED) and again:
        sentence = f"restarted with {version} before it installed anything"
        return failed(update, Failure.RESTARTED, sentence, at, terms, sequence=fact.sequence)
    return Step(update)


def _third(update: DeviceUpdate, fact: e.Fact, version: str) -> Step | None:
    if update.state in WAITING:
        sentence = f"runs {version} now instead of {update.from_version}: somebody else updates it"
        changed = msgspec.structs.replace(update, from_version=version)
        return msgspec.structs.replace(noted(update, fact, "unsolicited", sentence), update=changed)
    if may(update.state, _U.MISMATCH):
        sentence = f"booted with {version}, which is neither the version it had nor the expected one"
        return moved(update, _U.MISMATCH, fact.received_at, sentence, sequence=fact.sequence)
    return Step(update)


# -- whether it is there


def _opened(update: DeviceUpdate, fact: e.Fact, event: e.ConnectionOpened, terms: Terms) -> Step | None:
    return None if update.offline_since is None else Step(msgspec.structs.replace(update, offline_since=None))


def _closed(update: DeviceUpdate, fact: e.Fact, event: e.ConnectionClosed, terms: Terms) -> Step | None:
    watched = update.state in UNDER_WAY or update.state is _U.VERIFIED
    if event.superseded or not watched or update.offline_since is not None:
        return None
    return Step(msgspec.structs.replace(update, offline_since=fact.received_at))


_HANDLERS: Mapping[type[e.Event], Callable[[DeviceUpdate, e.Fact, Any, Terms], Step | None]] = {
    e.CommandSent: _sent,
    e.CommandAnswered: _answered,
    e.FirmwareStatusReported: _reported,
    e.SecurityEventReported: _security,
    e.ChargePointBooted: _booted,
    e.ConnectionOpened: _opened,
    e.ConnectionClosed: _closed,
}


# -- what time means


def elapse(update: DeviceUpdate, now: datetime, terms: Terms, *, well: bool) -> Step | None:
    """What the time that passed means. `well`: connected now, and no connector in a fault."""
    if update.state is _U.VERIFIED:
        return _soaked(update, now, terms, well=well)
    if update.state not in UNDER_WAY:
        return None
    if update.state is _U.SENDING:
        return _unanswered(update, now, terms)
    if update.offline_since is not None:
        return _away(update, now, terms)
    if update.old_version_at is not None and _over(update.old_version_at, terms.boot_s, now):
        return moved(update, _U.REVERTED, now, f"came back with {update.version}, the version it had")
    if update.state in _BEGUN:
        return _unproven(update, now, terms)
    limit_s = terms.scheduled_s if update.state is _U.DOWNLOADED else terms.download_s
    if _over(update.state_at, limit_s, now):
        return failed(update, Failure.SILENT, f"{update.state} for more than {span(limit_s)}", now, terms)
    return None


def _over(since: datetime, seconds: float, now: datetime) -> bool:
    return (now - since).total_seconds() >= seconds


def _soaked(update: DeviceUpdate, now: datetime, terms: Terms, *, well: bool) -> Step | None:
    """One that goes away for as long as it should have been well is lost. Short of that, its absence is an event for the gate."""
    since, patience_s = update.verified_at or update.state_at, max(terms.soak_s, terms.lost_s)
    if update.offline_since is not None and _over(update.offline_since, patience_s, now):
        return moved(update, _U.LOST, now, f"gone since {update.offline_since:%Y-%m-%d %H:%M} UTC, after it had come back well")
    if well and _over(since, terms.soak_s, now):
        return moved(update, _U.HEALTHY, now, f"well for {span(terms.soak_s)}")
    return None


def _unanswered(update: DeviceUpdate, now: datetime, terms: Terms) -> Step | None:
    """An order whose end we do not know. It is never sent again on a guess: the charge point is asked first."""
    since = update.sent_at or update.intent_at or update.state_at
    if not _over(since, terms.answer_s, now):
        return None
    if update.message_id is not None:
        return moved(update, _U.SENT, now, "it left; whether it was accepted is not known")
    if update.probed_at is None:
        return Step(msgspec.structs.replace(update, probed_at=now), ask="FirmwareStatusNotification")
    if update.offline_since is None and _over(update.probed_at, terms.answer_s, now):
        return moved(update, _U.SENT, now, "whether it left is not known, and it does not say")
    return None


def _away(update: DeviceUpdate, now: datetime, terms: Terms) -> Step | None:
    assert update.offline_since is not None
    if not _over(update.offline_since, terms.lost_s, now):
        return None
    return moved(update, _U.LOST, now, f"gone since {update.offline_since:%Y-%m-%d %H:%M} UTC while {update.state}")


def _unproven(update: DeviceUpdate, now: datetime, terms: Terms) -> Step | None:
    """It should have come back by now: ask what it runs, then give up."""
    since = update.state_at
    limit_s = terms.install_s if update.state is _U.INSTALLING else terms.verify_s
    if _over(since, limit_s, now):
        if update.state is _U.CLAIMED:
            return moved(update, _U.MISMATCH, now, "says Installed, and has not shown the version since")
        return failed(update, Failure.SILENT, f"{update.state} for more than {span(limit_s)}", now, terms, final=True)
    if update.state is not _U.INSTALLING and update.probed_at is None and _over(since, terms.boot_s, now):
        return Step(msgspec.structs.replace(update, probed_at=now), ask="BootNotification")
    return None


def further(one: UpdateState, other: UpdateState) -> bool:
    """Is `one` further on the good way than `other`?"""
    return one in ORDER and other in ORDER and ORDER.index(one) > ORDER.index(other)


def entries_of(steps: list[Step]) -> list[Entry]:
    """What goes into the history."""
    return [entry for step in steps for entry in step.entries]
