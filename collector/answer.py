"""A call from a charge point → what is decided, answered and told. Decided here: when a call is refused, repaired or repeated.

The live connection and the replay of the journal (interpret.py) both come through here: live with a `Desk` that decides, replay
with the decision that was kept. So what a rebuild tells is what was told, by construction.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import msgspec

from chargenet.events import Event, FrameDeviated, FrameRefused, FrameRepeated
from chargenet.model.record import NO_DECISION, Decision
from chargenet.model.words import Protocol, RecordKind
from collector.context import Context, Desk, Route
from collector.ocpp.duplicates import first_repeated_key, repeated_key
from collector.ocpp.errors import Fault, error_code
from collector.ocpp.frames import (
    CallFrame,
    ErrorFrame,
    ResultErrorFrame,
    ResultFrame,
    SendFrame,
    Unparsable,
    error,
    refusal,
    result,
)
from collector.ocpp.repair import mend
from collector.ocpp.salvage import lenient
from collector.ocpp.schemas import Schema, SchemaViolation, actions, schema_for
from collector.routing import ROUTES

log = logging.getLogger(__name__)


class Processed(msgspec.Struct, frozen=True, gc=False):
    """What became of one frame. `reply` is the whole text to send, empty where nothing is to be answered."""

    kind: RecordKind
    action: str
    reply: bytes
    events: tuple[Event, ...]
    decision: Decision = NO_DECISION
    journaled: bool = True
    """False: a Heartbeat in order, which only touches liveness: answer it at once, keep no record, publish no event."""


class _Refused(Exception):
    """A call that is answered with an error."""

    def __init__(self, problem: str, code: str) -> None:
        super().__init__(problem)
        self.problem, self.code = problem, code


def process_call(frame: CallFrame, context: Context, desk: Desk | None) -> Processed:
    """`desk` None replays `context.decision`. Never raises for what the charge point said."""
    entry = _entries(context.protocol).get(frame.action)
    try:
        if entry is None:
            raise _not_ours(frame.action, context.protocol)
        route, schema = entry
        events, reply, decision = _handle(route, schema, frame, context, desk)
    except _Refused as refused:
        reply = error(frame.id, refused.code, refused.problem)
        return Processed(RecordKind.CALL, frame.action, reply, (_refusal(refused, frame.action), *_named(frame)))
    journaled = route.journaled or bool(events)
    return Processed(RecordKind.CALL, frame.action, result(frame.id, reply), events, decision, journaled)


def process_send(frame: SendFrame, context: Context, desk: Desk | None) -> Processed:
    """An OCPP 2.1 SEND: the same, never answered."""
    entry = _entries(context.protocol).get(frame.action)
    try:
        if entry is None:
            raise _not_ours(frame.action, context.protocol)
        events, _, decision = _handle(*entry, frame, context, desk)
    except _Refused as refused:
        return Processed(RecordKind.SEND, frame.action, b"", (_refusal(refused, frame.action), *_named(frame)))
    return Processed(RecordKind.SEND, frame.action, b"", events, decision)


def told(frame: CallFrame | SendFrame, context: Context) -> tuple[Event, ...]:
    """The events of a call or SEND by the decision that was kept: those of `process_call` and `process_send`, without a reply."""
    entry = _entries(context.protocol).get(frame.action)
    try:
        if entry is None:
            raise _not_ours(frame.action, context.protocol)
        return _handle(*entry, frame, context, None)[0]
    except _Refused as refused:
        return (_refusal(refused, frame.action), *_named(frame))


def process_refused(frame: Unparsable) -> Processed:
    """A text that is no frame: answered where OCPP-J has an answer."""
    event = FrameRefused(problem=frame.problem, error_code=frame.error_code, action=frame.action)
    return Processed(RecordKind.REFUSED, frame.action or "", refusal(frame), (event,))


def process_stray(frame: ResultFrame | ErrorFrame | ResultErrorFrame) -> Processed:
    """An answer to no call of ours (late, or an id that nobody knows), or word that our answer was not understood."""
    ident = frame.message_id[:64]
    if isinstance(frame, ResultErrorFrame):
        problem = f"our answer {ident} was refused: {frame.code} {frame.description}".rstrip()
    else:
        problem = f"an answer to no call of ours: message id {ident}"
    return Processed(RecordKind.REFUSED, "", b"", (FrameRefused(problem=problem), *frame.deviations))


def prepare() -> None:
    """Build every decoder now, so that no charge point waits for one."""
    for protocol in Protocol:
        _entries(protocol)


@cache
def _entries(protocol: str) -> dict[str, tuple[Route, Schema]]:
    """Per action its route and schema, looked up once per call."""
    version = Protocol(protocol)
    return {action: (route, schema_for(version, action)) for action, route in ROUTES[version].items()}


def _handle(
    route: Route, schema: Schema, frame: CallFrame | SendFrame, context: Context, desk: Desk | None
) -> tuple[tuple[Event, ...], Any, Decision]:
    """(events, reply payload, decision) of a call that is ours to answer."""
    deviations = frame.deviations
    raw = bytes(frame.payload)
    try:
        call = schema.decode(raw)
        repeated = repeated_key(raw, call)
    except SchemaViolation as violation:
        call, repaired = _repair(route, schema, raw, violation)
        deviations += repaired
    else:
        if repeated is not None:
            deviations = (*deviations, repeated)
    decision = context.decision
    if desk is not None and route.decide is not None:
        try:
            decision = route.decide(call, context, desk)
        # Whatever a handler or the desk raises is a bug here, not in the frame: logged with its trace, and shown by the event.
        except Exception as problem:
            raise _failed(frame.action, context, problem) from problem
        context = Context(context.charge_point_id, context.protocol, context.received_at, decision)
    try:
        handled = route.handle(call, context)
    except Exception as problem:  # as above
        raise _failed(frame.action, context, problem) from problem
    if decision.duplicate_of is not None:
        return (FrameRepeated(duplicate_of=decision.duplicate_of, action=frame.action),), handled.reply, decision
    events = (*handled.events, *deviations) if deviations else handled.events
    return _with_action(events, frame.action), handled.reply, decision


def _failed(action: str, context: Context, problem: Exception) -> _Refused:
    """A fault of ours in one handler must not cost the connection, nor the evidence: it is answered InternalError and kept."""
    log.error("%s of charge point %s could not be handled", action, context.charge_point_id, exc_info=problem)
    return _Refused(f"internal error: {type(problem).__name__}", error_code(Protocol(context.protocol), Fault.INTERNAL))


def _repair(route: Route, schema: Schema, raw: bytes, violation: SchemaViolation) -> tuple[Any, tuple[FrameDeviated, ...]]:
    """What is usable of a payload that breaks its schema; a request (not a report) needs all that its schema requires."""
    try:
        payload, corrected = lenient(raw)
    except (ValueError, RecursionError) as problem:
        raise _Refused(str(problem), error_code(schema.protocol, Fault.FORMAT)) from None
    if not isinstance(payload, dict) and payload not in (None, []):
        raise _Refused("the payload is not an object", error_code(schema.protocol, Fault.FORMAT))
    mended = mend(schema.protocol, schema.action, payload)
    if not route.report and not mended.complete:
        raise _Refused(violation.problem, violation.error_code)
    repeated = first_repeated_key(raw)
    return mended.call, (*corrected, *mended.deviations, *((repeated,) if repeated else ()))


def _not_ours(action: str, protocol: str) -> _Refused:
    version = Protocol(protocol)
    if action in actions(version):
        return _Refused(f"{action[:64]} is a call to a charge point", error_code(version, Fault.NOT_SUPPORTED))
    return _Refused(f"{action[:64]} is not an action of {version.value}", error_code(version, Fault.NOT_IMPLEMENTED))


def _refusal(refused: _Refused, action: str) -> FrameRefused:
    return FrameRefused(problem=refused.problem, error_code=refused.code, action=action)


def _named(frame: CallFrame | SendFrame) -> tuple[Event, ...]:
    return _with_action(frame.deviations, frame.action) if frame.deviations else ()


def _with_action(events: tuple[Event, ...], action: str) -> tuple[Event, ...]:
    """Deviations found below the handlers do not know their action yet."""
    for event in events:
        if type(event) is FrameDeviated and event.action is None:
            return tuple(
                msgspec.structs.replace(event, action=action) if type(event) is FrameDeviated and event.action is None else event
                for event in events
            )
    return events
