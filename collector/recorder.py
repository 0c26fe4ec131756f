"""Evidence first: what came is appended to the journal, and only when it is durable does the reply leave and the fact go on.

Decided here: the order of those three, and what happens to replies whose record could not be made durable (they never leave).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from chargenet.errors import JournalUnavailable
from chargenet.events import Event, Fact, FrameRefused
from chargenet.model.record import NO_DECISION, Decision, instant
from chargenet.model.words import RecordKind
from chargenet.ports import Journal

log = logging.getLogger(__name__)


class Acknowledged(Protocol):
    """Whoever waits for a record to be durable: a connection."""

    def on_durable(self, reply: bytes) -> None:
        """The record is on disk: `reply` may leave now (empty: nothing to send)."""

    def on_lost(self) -> None:
        """The record could not be made durable: nothing may be answered."""


class Handling(Protocol):
    """Told how long calls took, for metrics."""

    def call_handled(self, protocol: str, action: str, seconds: float, error: str | None = None) -> None: ...


class Publisher(Protocol):
    """Where facts go once they are durable."""

    def publish(self, facts: Sequence[Fact], upto: int) -> None: ...


class Recorder:
    """The one writer of the journal. Memory per waiting record: the record itself, its reply and its events."""

    def __init__(self, journal: Journal, publisher: Publisher, handling: Handling, monotonic: Callable[[], float]) -> None:
        self._journal = journal
        self._publisher = publisher
        self._handling = handling
        self._monotonic = monotonic
        self._waiting: deque[tuple[Fact, Acknowledged | None, bytes, float]] = deque()
        self._lost_listeners: list[Callable[[int], None]] = []
        self.lost = 0
        """Records that could not be made durable since the start; none of them was acknowledged."""
        journal.on_durable(self._release)
        journal.on_failure(self._drop)

    @property
    def waiting(self) -> int:
        """Records not yet durable."""
        return len(self._waiting)

    def on_lost(self, listener: Callable[[int], None]) -> None:
        """Call `listener(durable_sequence)` when every record after it was dropped: what was decided for them is void."""
        self._lost_listeners.append(listener)

    def record(
        self,
        *,
        received_at_us: int,
        charge_point_id: str,
        generation: int,
        protocol: str,
        kind: RecordKind,
        frame: bytes,
        action: str,
        events: tuple[Event, ...],
        reply: bytes = b"",
        decision: Decision = NO_DECISION,
        waiter: Acknowledged | None = None,
        began: float = 0.0,
        received_at: datetime | None = None,
    ) -> int:
        """Append one record; `waiter` is told when it is durable, or lost. Returns its sequence.

        `began`: monotonic instant at which the frame of a call came, for the handling time; only used with a `waiter`.
        `received_at`: `received_at_us` as a datetime, where the caller has it already.

        Raises JournalUnavailable when the journal takes nothing at present: the caller must not answer.
        """
        try:
            sequence = self._journal.append(
                received_at_us=received_at_us,
                charge_point_id=charge_point_id,
                generation=generation,
                protocol=protocol,
                kind=kind,
                frame=frame,
                reply=reply,
                decision=decision,
            )
        except JournalUnavailable:
            self.lost += 1
            raise
        if kind is RecordKind.CONNECTED:
            generation = sequence
        at = received_at or instant(received_at_us)
        fact = Fact(sequence, at, charge_point_id, generation, protocol, action, events)
        self._waiting.append((fact, waiter, reply, began))
        return sequence

    def _release(self, watermark: int) -> None:
        waiting = self._waiting
        facts: list[Fact] = []
        now = self._monotonic()
        while waiting and waiting[0][0].sequence <= watermark:
            fact, waiter, reply, began = waiting.popleft()
            facts.append(fact)
            if waiter is not None:
                waiter.on_durable(reply)
                error = _error_code(fact) if reply.startswith(b"[4") else None
                self._handling.call_handled(fact.protocol, fact.action, now - began, error)
        if facts:
            self._publisher.publish(facts, watermark)

    def _drop(self, error: Exception) -> None:
        """A group commit failed: what is above the watermark does not exist, and nobody is told that it does."""
        durable = self._journal.durable_sequence
        self._release(durable)
        lost = len(self._waiting)
        self.lost += lost
        log.error("journal failed, %d unacknowledged records dropped: %s", lost, error)
        while self._waiting:
            _, waiter, _, _ = self._waiting.popleft()
            if waiter is not None:
                waiter.on_lost()
        for listener in self._lost_listeners:
            listener(durable)


def _error_code(fact: Fact) -> str | None:
    return next((event.error_code for event in fact.events if isinstance(event, FrameRefused)), None)
