"""Does what was decided: sends, asks, closes and opens connectors. Decided here: the order of storing and doing.

Always the intent first, then the call, then its outcome; each is one stored step. Killed between two of them, the next start finds
the intent, and the journal tells whether the call left (reconcile.py). Nothing waits in memory, and nothing is sent twice.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from chargenet.commands import ChangeAvailability, Command, CommandOutcome, TriggerMessage, UpdateFirmware
from chargenet.errors import Conflict, InvalidCall, Unavailable
from chargenet.model.ids import parse_label
from chargenet.model.words import OutcomeStatus
from chargenet.model.words import Protocol as Ocpp
from chargenet.ports import Clock, CommandGateway
from firmware_orchestrator.answers import PLAIN, SIGNED, answered, next_form
from firmware_orchestrator.course import Course
from firmware_orchestrator.intake import Live
from firmware_orchestrator.rollout import UpdateState
from firmware_orchestrator.rows import CLOSED, CLOSING, RESTORED, RESTORING, Change, DeviceUpdate, Entry, Rollout
from firmware_orchestrator.steps import Step, moved
from firmware_orchestrator.store import RolloutStore

log = logging.getLogger(__name__)

CALL_TIMEOUT_S = 30.0
CALLS_AT_ONCE = 32


class Addresses(Protocol):
    """Where charge points fetch from."""

    async def issue(self, artifact_id: str, charge_point_id: str) -> str:
        """A one-time address. Raises Conflict when the artifact may not be served, StoreUnavailable when it cannot be kept."""


class Executor:
    """Implements the steps over a store and a gateway."""

    def __init__(self, store: RolloutStore, gateway: CommandGateway, addresses: Addresses, clock: Clock) -> None:
        self._store, self._gateway, self._addresses, self._clock = store, gateway, addresses, clock

    async def dispatch(self, rollout: Rollout, course: Course, ready: Sequence[tuple[DeviceUpdate, Live]]) -> None:
        """Send the orders of those that are ready now, side by side."""
        await self._side_by_side([lambda each=each: self._dispatch(rollout, course, *each) for each in ready])  # type: ignore[misc]

    async def ask(self, asks: Sequence[tuple[str, str]]) -> None:
        """(charge point, message): ask it to say something now. Whether it does is heard in the journal, or not at all."""
        await self._side_by_side([lambda each=each: self._ask(*each) for each in asks])  # type: ignore[misc]

    async def restore(self, updates: Sequence[DeviceUpdate]) -> list[DeviceUpdate]:
        """Put connectors back that were closed for an update; those that stayed closed."""
        failed: list[DeviceUpdate] = []
        await self._side_by_side([lambda each=each: self._restore(each, failed) for each in updates])  # type: ignore[misc]
        return failed

    async def recall(self, rollout: Rollout, updates: Sequence[DeviceUpdate], nowhere: str) -> list[str]:
        """Take back orders that are under way, where the protocol can (L01.FR.24): the charge points that agreed."""
        taken: list[str] = []
        await self._side_by_side([lambda each=each: self._recall(rollout, each, nowhere, taken) for each in updates])  # type: ignore[misc]
        return sorted(taken)

    async def _side_by_side(self, works: Sequence[Callable[[], Any]]) -> None:
        turns = asyncio.Semaphore(CALLS_AT_ONCE)

        async def one(work: Callable[[], Any]) -> None:
            async with turns:
                try:
                    await work()
                except Conflict as conflict:
                    log.info("left alone, it has changed meanwhile: %s", conflict)
                except Unavailable as problem:
                    log.warning("a step of a rollout waits: %s", problem)

        async with asyncio.TaskGroup() as tasks:
            for work in works:
                tasks.create_task(one(work))

    # -- the order itself

    async def _dispatch(self, rollout: Rollout, course: Course, update: DeviceUpdate, live: Live) -> None:
        form = next_form(update.refused_forms, course.manifest.signed)
        if form is None:
            await self._give_up(update, "form", "refuses every form of the order that we can send")
            return
        if course.close and update.availability != CLOSED:
            closed = await self._close(rollout, update, live)
            if closed is None or live.busy is not None:
                return  # it is out of service once its sessions have ended; then it is sent the order
            update = closed
        location = await self._addresses.issue(course.artifact_id, update.charge_point_id)
        step = self._intent(update, live, form, location)
        guards = ((rollout.rollout_id, rollout.revision),)
        await self._save(Change(updates=(step.update,), entries=step.entries, guards=guards))
        intent = step.update
        intent = msgspec.structs.replace(intent, revision=intent.revision + 1)
        try:
            outcome = await self._send(intent.charge_point_id, order(intent, course, self._clock))
        except InvalidCall as problem:
            await self._give_up(intent, "call", f"the order cannot be said in its protocol: {problem}")
            return
        await self._outcome(intent, outcome, course)

    def _intent(self, update: DeviceUpdate, live: Live, form: str, location: str) -> Step:
        now, attempt = self._clock.now(), update.attempt + 1
        step = moved(update, UpdateState.SENDING, now, f"attempt {attempt}, {form} form")
        intent = msgspec.structs.replace(
            step.update,
            attempt=attempt,
            request_id=request_id(update.rollout_id, update.charge_point_id, attempt),
            location=location,
            form=form,
            intent_at=now,
            generation=live.generation,
            from_version=live.firmware_version or update.from_version,
            message_id=None,
            sent_at=None,
            offline_since=None,
            old_version_at=None,
            heard=(),
            probed_at=None,
            claimed_at=None,
            retry_at=None,
            code="",
        )
        return msgspec.structs.replace(step, update=intent)

    async def _outcome(self, intent: DeviceUpdate, outcome: CommandOutcome, course: Course) -> None:
        step = answered(
            intent,
            outcome.status,
            outcome.error_code,
            outcome.detail,
            left=left(outcome),
            at=self._clock.now(),
            sequence=outcome.sequence,
            terms=course.terms(intent),
        )
        if step is not None:
            update = msgspec.structs.replace(step.update, message_id=outcome.message_id or step.update.message_id)
            await self._save(Change(updates=(update,), entries=step.entries))

    async def _give_up(self, update: DeviceUpdate, code: str, sentence: str) -> None:
        step = moved(update, UpdateState.SKIPPED, self._clock.now(), sentence)
        await self._save(Change(updates=(msgspec.structs.replace(step.update, code=code),), entries=step.entries))

    async def _recall(self, rollout: Rollout, update: DeviceUpdate, nowhere: str, taken: list[str]) -> None:
        """A new order that fetches nothing; what it says of it afterwards belongs to no order of ours."""
        now = self._clock.now()
        command = UpdateFirmware(location=nowhere, request_id=(update.request_id or 0) ^ 0x40000000, retrieve_at=now)
        try:
            outcome = await self._send(update.charge_point_id, command)
        except InvalidCall:
            return
        if outcome.status == OutcomeStatus.ACCEPTED:
            step = moved(update, UpdateState.QUEUED, self._clock.now(), "taken back before it was installed")
            changed = msgspec.structs.replace(step.update, code="recalled")
            await self._save(Change(updates=(changed,), entries=step.entries))
            taken.append(update.charge_point_id)

    # -- availability, where it was asked for

    async def _close(self, rollout: Rollout, update: DeviceUpdate, live: Live) -> DeviceUpdate | None:
        """Out of service, what was in service stored first; None when the charge point would not."""
        before = update.availability_before if update.availability == CLOSING else live.operative
        closing = msgspec.structs.replace(update, availability=CLOSING, availability_before=before)
        await self._save(Change(updates=(closing,), guards=((rollout.rollout_id, rollout.revision),)))
        closing = msgspec.structs.replace(closing, revision=closing.revision + 1)
        if not await self._set_operative(closing, operative=False):
            restoring = msgspec.structs.replace(closing, availability=RESTORING, reason="it could not be taken out of service")
            await self._save(Change(updates=(restoring,)))
            return None
        closed = msgspec.structs.replace(closing, availability=CLOSED, closed_at=self._clock.now())
        await self._save(Change(updates=(closed,), entries=(self._connectors(closed, "are out of service until it is updated"),)))
        return msgspec.structs.replace(closed, revision=closed.revision + 1)

    async def _restore(self, update: DeviceUpdate, failed: list[DeviceUpdate]) -> None:
        if update.availability != RESTORING:
            update = msgspec.structs.replace(update, availability=RESTORING)
            await self._save(Change(updates=(update,)))
            update = msgspec.structs.replace(update, revision=update.revision + 1)
        if not await self._set_operative(update, operative=True):
            failed.append(update)
            return
        entry = self._connectors(update, "are in service again")
        restored = msgspec.structs.replace(update, availability=RESTORED, availability_before=(), closed_at=None)
        await self._save(Change(updates=(restored,), entries=(entry,)))

    def _connectors(self, update: DeviceUpdate, what: str) -> Entry:
        return Entry(
            rollout_id=update.rollout_id, at=self._clock.now(), kind="update", charge_point_id=update.charge_point_id,
            sentence=f"connectors {', '.join(update.availability_before) or 'none'} {what}",
        )  # fmt: skip

    async def _set_operative(self, update: DeviceUpdate, *, operative: bool) -> bool:
        for label in update.availability_before:
            command = ChangeAvailability(operative=operative, connector=parse_label(label))
            outcome = await self._send(update.charge_point_id, command)
            if outcome.status != OutcomeStatus.ACCEPTED:
                return False
        return True

    async def _ask(self, charge_point_id: str, message: str) -> None:
        try:
            outcome = await self._send(charge_point_id, TriggerMessage(message=message))
        except InvalidCall as problem:
            log.info("charge point %s cannot be asked for %s: %s", charge_point_id, message, problem)
            return
        if outcome.status != OutcomeStatus.ACCEPTED:
            log.info("charge point %s was asked for %s: %s", charge_point_id, message, outcome.status)

    async def _send(self, charge_point_id: str, command: Command) -> CommandOutcome:
        return await self._gateway.send(charge_point_id, command, timeout_s=CALL_TIMEOUT_S)

    async def _save(self, change: Change) -> None:
        await self._store.change(change)


def order(intent: DeviceUpdate, course: Course, clock: Clock) -> UpdateFirmware:
    """The call of an intent. Signature and certificate go out as the maker gave them."""
    assert intent.location is not None and intent.request_id is not None
    signed = intent.form == SIGNED
    return UpdateFirmware(
        location=intent.location,
        request_id=intent.request_id,
        retrieve_at=clock.now(),
        signing_certificate=course.manifest.signing_certificate if signed else None,
        signature=course.manifest.signature if signed else None,
    )


def left(outcome: CommandOutcome) -> bool:
    """Was the call written to the connection? Its record in the journal says so, or else an answer to it."""
    answered_it = outcome.status in (OutcomeStatus.ACCEPTED, OutcomeStatus.REJECTED) or outcome.error_code is not None
    return outcome.sequence > 0 or answered_it


def request_id(rollout_id: str, charge_point_id: str, attempt: int) -> int:
    """The same attempt has the same number after any restart; 30 bits, never 0."""
    return (zlib.crc32(f"{rollout_id}/{charge_point_id}/{attempt}".encode()) & 0x3FFFFFFF) or 1


def can_recall(update: DeviceUpdate) -> bool:
    """Only where orders have numbers: 1.6 plain knows no taking back, and what installs must not be disturbed."""
    early = update.state in (UpdateState.SENT, UpdateState.DOWNLOADING, UpdateState.DOWNLOADED)
    return early and (update.protocol in (Ocpp.OCPP201, Ocpp.OCPP21) or (update.form == SIGNED and update.form != PLAIN))
