"""One connection of a charge point: text in, stamped, understood, recorded; the reply out once its record is durable.

Decided here: the order of those steps, when a socket is not read, and what the end of a connection means. Not decided here: what a
frame means (answer.py), what becomes of our own calls (channel.py, outbound.py), who may connect (admission.py).
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Protocol as Port

import msgspec

from chargenet.errors import JournalUnavailable
from chargenet.events import (
    ChargePointBooted,
    ConnectionClosed,
    ConnectionOpened,
    FrameDeviated,
    FrameRefused,
    FrameRepeated,
    SecurityEventReported,
)
from chargenet.model.record import Decision, instant
from chargenet.model.words import RecordKind
from collector.admission import Admitted
from collector.answer import Processed, process_call, process_refused, process_send, process_stray
from collector.context import Context
from collector.limiters import Pace
from collector.ocpp.channel import Repeats
from collector.ocpp.frames import CallFrame, ErrorFrame, ResultErrorFrame, ResultFrame, SendFrame, Unparsable, parse
from collector.outbound import Outbound
from collector.pressure import Pressure, Reason
from collector.services import Services
from collector.transport.closing import TOO_SLOW
from collector.transport.port import Socket

log = logging.getLogger(__name__)

PROTOCOL_ERROR, GOING_AWAY, POLICY, INTERNAL_ERROR = 1002, 1001, 1008, 1011


class Owner(Port):
    """Whoever keeps the connections: the collector."""

    def opened(self, connection: Connection) -> None: ...
    def closed(self, connection: Connection, cause: str) -> bool:
        """`cause`: closed, lost or slow. True when the charge point is offline now; False when a newer connection took over."""

    def gone(self, connection: Connection) -> None:
        """Its socket is closed, whether it was ever recorded or not."""

    def ended(self, connection: Connection, note: bytes, sequence: int) -> None:
        """Its end is on its way into the journal as `sequence`, or (0) could not be appended."""

    def repeats_of(self, charge_point_id: str) -> Repeats:
        """What this charge point was answered lately, on earlier connections too: some repeat it after each reconnect."""

    def forget_repeats(self, charge_point_id: str) -> None:
        """Records were lost: what they were to be answered was never said."""


class Connection:
    """Implements `transport.port.Listener`, `recorder.Acknowledged` and `registry.Registered`."""

    __slots__ = (
        "_owner", "_services", "admitted", "charge_point_id", "generation", "last_heard", "last_ping", "outbound", "pace",
        "pressure", "protocol", "repeats", "socket", "undurable", "vendor",
    )  # fmt: skip

    def __init__(self, admitted: Admitted, services: Services, owner: Owner) -> None:
        self.admitted, self._services, self._owner = admitted, services, owner
        self.charge_point_id, self.protocol = admitted.charge_point_id, admitted.protocol.value
        self.generation = 0
        self.last_heard = self.last_ping = services.clock.monotonic()
        limits = services.limits
        self.pace = Pace(limits.max_frames_per_s, limits.burst_frames)
        self.outbound = Outbound(self, services)
        self.repeats = owner.repeats_of(self.charge_point_id)
        self.undurable = 0
        self.vendor = admitted.vendor
        self.socket: Socket | None = None
        self.pressure: Pressure | None = None

    # -- the transport's side

    def on_open(self, socket: Socket) -> None:
        """Record the connection; its sequence is the generation that tells it from earlier ones."""
        self.socket, self.pressure = socket, Pressure(socket)
        admitted = self.admitted
        if not admitted.spoken:
            socket.close(PROTOCOL_ERROR, "no common subprotocol")
            return
        opened = ConnectionOpened(
            remote=admitted.remote,
            security_profile=admitted.security_profile,
            subprotocol_missing=admitted.subprotocol_missing,
        )
        try:
            self.generation = self.note(RecordKind.CONNECTED, opened)
        except JournalUnavailable as error:
            log.warning("charge point %s cannot be served: %s", self.charge_point_id, error)
            socket.close(INTERNAL_ERROR, "the server cannot keep records now")
            return
        self._owner.opened(self)

    def on_text(self, text: bytes) -> None:
        """One message. Never raises for what is in it."""
        services = self._services
        now_us, now = services.clock.now_us(), services.clock.monotonic()
        self.last_heard = now
        if not self.generation:
            return  # refused in on_open; what comes before the close is not a charge point's word
        if (delay_s := self.pace.take(now)) > 0:
            self._slow_down(delay_s)
        frame = parse(text, self.admitted.protocol)
        if type(frame) is CallFrame:
            self._on_call(frame, text, now_us, now)
        elif isinstance(frame, ResultFrame | ErrorFrame):
            self.outbound.answered(frame, text, now_us)
        elif isinstance(frame, SendFrame):
            context = Context(self.charge_point_id, self.protocol, instant(now_us))
            self._record(process_send(frame, context, services.desk), text, now_us, now)
        elif isinstance(frame, ResultErrorFrame):
            log.warning("charge point %s did not understand our answer: %s %s", self.charge_point_id, frame.code, frame.description)
            self._record(process_stray(frame), text, now_us, now)
        else:
            assert isinstance(frame, Unparsable)
            self._record(process_refused(frame), text, now_us, now)

    def on_binary(self, size: int) -> None:
        """OCPP-J has no binary messages: noted, not answered."""
        services = self._services
        self.last_heard = now = services.clock.monotonic()
        event = FrameRefused(problem="refused when it came")
        processed = Processed(RecordKind.REFUSED, "", b"", (event,))
        self._record(processed, b"<binary message of %d bytes>" % size, services.clock.now_us(), now)

    def on_pong(self) -> None:
        """Alive."""
        self.last_heard = self._services.clock.monotonic()

    def on_close(self, code: int, reason: str, lost: bool) -> None:
        """The end, exactly once."""
        self.outbound.closed()
        self._owner.gone(self)
        if not self.generation:
            return
        offline = self._owner.closed(self, "slow" if reason == TOO_SLOW else "lost" if lost else "closed")
        closed = ConnectionClosed(code=code, reason=reason[:123], lost=lost, superseded=not offline)
        try:
            sequence = self.note(RecordKind.DISCONNECTED, closed)
        except JournalUnavailable as error:
            log.warning("the end of a connection of %s is not recorded yet: %s", self.charge_point_id, error)
            sequence = 0
        self._owner.ended(self, _noted(closed), sequence)

    # -- calls

    def _on_call(self, frame: CallFrame, text: bytes, now_us: int, now: float) -> None:
        first = self.repeats.find(frame.id, text)
        if first is not None:
            event = FrameRepeated(duplicate_of=first.sequence, action=frame.action)
            decision = Decision(duplicate_of=first.sequence)
            processed = Processed(RecordKind.CALL, frame.action, first.reply, (event,), decision)
            self._record(processed, text, now_us, now)
            return
        received_at = instant(now_us)
        processed = process_call(frame, Context(self.charge_point_id, self.protocol, received_at), self._services.desk)
        if processed.journaled:
            sequence = self._record(processed, text, now_us, now, received_at)
            if sequence:
                self.repeats.remember(frame.id, text, processed.reply, sequence)
        else:
            self._send(processed.reply)
            services = self._services
            services.touched(self.charge_point_id, now_us / 1e6)
            services.metrics.call_handled(self.protocol, frame.action, services.clock.monotonic() - now)

    def _record(self, processed: Processed, text: bytes, now_us: int, now: float, received_at: datetime | None = None) -> int:
        """Append to the journal; the reply leaves in `on_durable`. Returns 0 when the journal takes nothing."""
        services = self._services
        try:
            sequence = services.recorder.record(
                received_at_us=now_us, charge_point_id=self.charge_point_id, generation=self.generation, protocol=self.protocol,
                kind=processed.kind, frame=text, reply=processed.reply, action=processed.action, events=processed.events,
                decision=processed.decision, waiter=self, began=now, received_at=received_at,
            )  # fmt: skip
        except JournalUnavailable:
            services.ledger.void()
            self._stall()
            return 0
        services.ledger.bind(sequence)
        self.undurable += 1
        limits = services.limits
        if self.pressure is not None and (
            self.undurable >= limits.max_undurable or services.recorder.waiting >= limits.max_journal_pending
        ):
            self.pressure.add(Reason.UNDURABLE)
        for event in processed.events:
            if type(event) in _COUNTED:
                self._count(event)
        return sequence

    def _count(self, event: object) -> None:
        metrics = self._services.metrics
        if isinstance(event, FrameDeviated):
            metrics.frame_deviated(event.quirk)
        elif isinstance(event, FrameRefused):
            metrics.frame_refused(event.error_code)
        elif isinstance(event, FrameRepeated):
            metrics.frame_repeated(event.action)
        elif isinstance(event, SecurityEventReported):
            metrics.security_event(event.type)
        elif isinstance(event, ChargePointBooted):
            self.vendor = event.vendor

    def on_durable(self, reply: bytes) -> None:
        """The record is on disk: its reply may leave."""
        self.undurable -= 1
        if reply and self.socket is not None:
            self.socket.send(reply)
        if (pressure := self.pressure) is not None and pressure.pressed:
            self._relieve(pressure)

    def on_lost(self) -> None:
        """The record could not be made durable: no answer, and nothing more is read until the journal works again."""
        self.undurable -= 1
        self._owner.forget_repeats(self.charge_point_id)
        self._stall()
        if self.pressure is not None:
            self._relieve(self.pressure)

    def _relieve(self, pressure: Pressure) -> None:
        if self.undurable * 2 <= self._services.limits.max_undurable:
            pressure.remove(Reason.UNDURABLE)

    def _stall(self) -> None:
        if self.pressure is not None:
            self.pressure.add(Reason.JOURNAL)

    def journal_healthy(self) -> None:
        """The journal takes records again."""
        if self.pressure is not None:
            self.pressure.remove(Reason.JOURNAL)

    def _slow_down(self, delay_s: float) -> None:
        """More frames than the limit: TCP holds the peer back for a while."""
        if self.pressure is not None and Reason.PACE not in self.pressure.reasons:
            self.pressure.add(Reason.PACE)
            self._services.loop.call_later(delay_s, self._go_on, self.pressure)

    def _go_on(self, pressure: Pressure) -> None:
        ahead_s = self.pace.ahead_s(self._services.clock.monotonic())
        if ahead_s > _BREATH_S:
            self._services.loop.call_later(ahead_s, self._go_on, pressure)
        else:
            pressure.remove(Reason.PACE)

    # -- what the collector and the outbound side do with it

    def _send(self, text: bytes) -> None:
        if self.socket is not None:
            self.socket.send(text)

    def send(self, text: bytes) -> None:
        """Send a call of ours."""
        self._send(text)

    def note(self, kind: RecordKind, event: ConnectionOpened | ConnectionClosed) -> int:
        """Append a record of our own making about this connection: what interpret.py reads from its frame is this event again."""
        services = self._services
        return services.recorder.record(
            received_at_us=services.clock.now_us(), charge_point_id=self.charge_point_id, generation=self.generation,
            protocol=self.protocol, kind=kind, frame=_noted(event), action="", events=(event,),
        )  # fmt: skip

    def ping(self, now: float) -> None:
        """Ask for a sign of life."""
        self.last_ping = now
        if self.socket is not None:
            self.socket.ping()

    def supersede(self) -> None:
        """A newer connection took over."""
        self.drop("superseded by a newer connection")

    def void(self) -> None:
        """The record of its beginning was lost: for the journal it never was, so the charge point must connect again."""
        self._owner.closed(self, "lost")
        self.generation = 0
        self.drop("the journal lost the record of it")

    def drop(self, reason: str) -> None:
        """Cut TCP without a goodbye."""
        log.info("connection of %s dropped: %s", self.charge_point_id, reason)
        if self.socket is not None:
            self.socket.abort()

    def close(self, code: int, reason: str) -> None:
        """Close with a goodbye."""
        if self.socket is not None:
            self.socket.close(code, reason)


def _noted(event: ConnectionOpened | ConnectionClosed) -> bytes:
    """The frame of its record: the event's fields, without its name."""
    return msgspec.json.encode(msgspec.structs.asdict(event))


_BREATH_S = 0.001
"""A pause that is not worth a timer."""

_COUNTED = frozenset({ChargePointBooted, FrameDeviated, FrameRefused, FrameRepeated, SecurityEventReported})
