"""Our calls on one connection: the channel's shell. Decided here: what is recorded of a call, and how each ending is reported.

The channel (ocpp/channel.py) judges; this writes its texts, sets its timer and completes the caller's future.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any
from typing import Protocol as Port

import msgspec

from chargenet.commands import CommandOutcome
from chargenet.errors import JournalUnavailable
from chargenet.model.record import Record
from chargenet.model.words import OutcomeStatus, Protocol, RecordKind
from collector.answer import process_stray
from collector.commands import outcome
from collector.interpret import interpret
from collector.ocpp.channel import Channel, End, Ended, Outgoing, State, Stray
from collector.ocpp.frames import ErrorFrame, ResultFrame, call
from collector.services import Services

log = logging.getLogger(__name__)

_SILENCE: Mapping[End, tuple[OutcomeStatus, str]] = {
    End.TIMED_OUT: (OutcomeStatus.TIMED_OUT, "the charge point did not answer in time"),
    End.NEVER_SENT: (OutcomeStatus.TIMED_OUT, "never sent: earlier calls were not answered in time"),
    End.CLOSED: (OutcomeStatus.NOT_CONNECTED, "the connection ended before the answer; whether it was carried out is unknown"),
}
_CUT_OFF = (OutcomeStatus.NOT_CONNECTED, "never sent: the connection ended before its turn")


class Line(Port):
    """The connection under it."""

    charge_point_id: str
    protocol: str
    generation: int

    def send(self, text: bytes) -> None: ...


class _Gone:
    """What is left of a line: its name in what is still recorded."""

    __slots__ = ("charge_point_id", "generation", "protocol")

    def __init__(self, line: Line) -> None:
        self.charge_point_id, self.protocol, self.generation = line.charge_point_id, line.protocol, line.generation

    def send(self, text: bytes) -> None: ...


class Outbound:
    """Calls of ours on one connection."""

    __slots__ = ("_began", "_channel", "_line", "_replies", "_sequences", "_services", "_timer")

    def __init__(self, line: Line, services: Services) -> None:
        self._line, self._services = line, services
        self._channel: Channel | None = None
        self._replies: dict[str, asyncio.Future[CommandOutcome]] = {}
        self._sequences: dict[str, int] = {}
        self._began: dict[str, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def call(self, action: str, payload: dict[str, Any], timeout_s: float) -> CommandOutcome:
        """Send one call, or queue it, and wait for its end. The payload is valid already."""
        channel = self._channel
        if channel is None:  # most connections never carry a call of ours
            channel = self._channel = Channel(str(self._line.generation), max_waiting=self._services.limits.max_waiting_calls)
        message_id = channel.next_id()
        now = self._services.clock.monotonic()
        outgoing = Outgoing(message_id, action, call(message_id, action, payload), now + timeout_s)
        reply = self._services.loop.create_future()
        self._replies[message_id], self._began[message_id] = reply, now
        if not channel.submit(outgoing):
            self._forget(message_id)
            return CommandOutcome(
                status=OutcomeStatus.ERROR, action=action, detail=f"{channel.waiting} calls wait for this charge point already"
            )
        self._pump()
        result: CommandOutcome = await reply
        return result

    def answered(self, frame: ResultFrame | ErrorFrame, text: bytes, now_us: int) -> None:
        """An answer came: to one of ours, or a stray one that is kept and noted."""
        received = self._channel.receive(frame) if self._channel is not None else Stray(frame.message_id, late=False)
        if isinstance(received, Stray):
            self._keep(RecordKind.REFUSED, text, b"", now_us, process_stray(frame).events)
            self._services.metrics.frame_refused(None)
            return
        self._end(received, text, now_us)
        self._pump()

    def closed(self) -> None:
        """The connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._channel is not None:
            for ended in self._channel.close():
                self._end(ended, b"", self._services.clock.now_us())
        self._line = _Gone(self._line)  # the line knows us: together they would wait for a garbage collection

    def _expire(self) -> None:
        self._timer = None
        assert self._channel is not None
        for ended in self._channel.expire(self._services.clock.monotonic()):
            self._end(ended, b"", self._services.clock.now_us())
        self._pump()

    def _pump(self) -> None:
        """Write what may leave now, and wake at the next deadline."""
        channel = self._channel
        assert channel is not None
        text, in_flight = channel.take_text(), channel.in_flight
        if text is not None and in_flight is not None:
            sequence = self._keep(RecordKind.COMMAND, text, b"", self._services.clock.now_us(), None)
            self._sequences[in_flight.message_id] = sequence
            self._line.send(text)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if channel.deadline is not None:
            delay_s = max(0.0, channel.deadline - self._services.clock.monotonic())
            self._timer = self._services.loop.call_later(delay_s, self._expire)

    def _end(self, ended: Ended, text: bytes, now_us: int) -> None:
        result = self._outcome(ended)
        message_id = ended.call.message_id
        sent = message_id in self._sequences
        note = {"message_id": message_id, "action": ended.call.action, "status": result.status, "detail": result.detail}
        if sent:  # what never left needs no record of its end
            self._keep(RecordKind.RESULT, text, msgspec.json.encode(note), now_us, None)
        result = msgspec.structs.replace(result, sequence=self._sequences.pop(message_id, 0))
        seconds = self._services.clock.monotonic() - self._began[message_id]
        self._services.metrics.command_ended(ended.call.action, result.status, seconds)
        reply = self._forget(message_id)
        if not reply.done():  # the caller may have given up
            reply.set_result(result)

    def _outcome(self, ended: Ended) -> CommandOutcome:
        action, message_id, frame = ended.call.action, ended.call.message_id, ended.frame
        if isinstance(frame, ErrorFrame):
            return CommandOutcome(
                status=OutcomeStatus.ERROR,
                action=action,
                error_code=frame.code,
                detail=frame.description or None,
                message_id=message_id,
            )
        if isinstance(frame, ResultFrame):
            return self._read_result(frame, action, message_id)
        assert self._channel is not None
        cut_off = ended.end is End.NEVER_SENT and self._channel.state is State.CLOSED
        status, detail = _CUT_OFF if cut_off else _SILENCE[ended.end]
        return CommandOutcome(status=status, action=action, detail=detail, message_id=message_id)

    def _read_result(self, frame: ResultFrame, action: str, message_id: str) -> CommandOutcome:
        try:
            result = msgspec.json.decode(frame.payload)
        except (msgspec.DecodeError, RecursionError) as problem:
            detail = f"the answer is not readable: {problem}"
            return CommandOutcome(status=OutcomeStatus.ERROR, action=action, detail=detail, message_id=message_id)
        payload = result if isinstance(result, dict) else {}
        status, detail_or_none = outcome(action, Protocol(self._line.protocol), payload)
        return CommandOutcome(status=status, action=action, result=payload, detail=detail_or_none, message_id=message_id)

    def _keep(self, kind: RecordKind, frame: bytes, reply: bytes, now_us: int, events: tuple[Any, ...] | None) -> int:
        """Record it; 0 when the journal takes nothing (a call of ours is not held up by that, only what we acknowledge is)."""
        line = self._line
        record = Record(0, now_us, line.charge_point_id, line.generation, line.protocol, kind, frame, reply)
        fact = interpret(record)
        try:
            return self._services.recorder.record(
                received_at_us=now_us, charge_point_id=line.charge_point_id, generation=line.generation, protocol=line.protocol,
                kind=kind, frame=frame, reply=reply, action=fact.action, events=fact.events if events is None else events,
            )  # fmt: skip
        except JournalUnavailable as error:
            log.warning("a %s of charge point %s is not recorded: %s", kind.name.lower(), line.charge_point_id, error)
            return 0

    def _forget(self, message_id: str) -> asyncio.Future[CommandOutcome]:
        del self._began[message_id]
        return self._replies.pop(message_id)
