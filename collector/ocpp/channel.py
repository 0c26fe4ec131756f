"""One connection's calls, as a state machine without I/O. Decided here: what may leave now, whose answer this is, what repeats.

Fed with calls to send and frames that came; asked for the text to write (`take_text`) and the next `deadline`; told what ended.
Time is an argument. One call of ours is in flight (OCPP-J 1.6 §4.1.1, 2.0.1 part 4 §4.1.1), further ones wait in a bounded queue.
Calls *from* the charge point never wait for ours: they do not come here at all, except to be recognised as repeats. That is why
nothing can deadlock.

    state       event    → state
    IDLE        SUBMIT   → IN_FLIGHT
    IN_FLIGHT   SUBMIT   → IN_FLIGHT    (waits in the queue, or is refused when that is full)
    IN_FLIGHT   SETTLE   → IDLE         (answered, or its deadline passed; the next one in the queue starts at once)
    any         CLOSE    → CLOSED       (everything unsettled ends)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum, auto
from typing import TypeAlias

import msgspec

from collector.ocpp.frames import ErrorFrame, ResultFrame


class State(Enum):
    """Of the outgoing half."""

    IDLE = auto()
    IN_FLIGHT = auto()
    CLOSED = auto()


class Input(Enum):
    """What can happen to it."""

    SUBMIT = auto()
    SETTLE = auto()
    CLOSE = auto()


TRANSITIONS: Mapping[tuple[State, Input], State] = {
    (State.IDLE, Input.SUBMIT): State.IN_FLIGHT,
    (State.IN_FLIGHT, Input.SUBMIT): State.IN_FLIGHT,
    (State.IN_FLIGHT, Input.SETTLE): State.IDLE,
    (State.IDLE, Input.CLOSE): State.CLOSED,
    (State.IN_FLIGHT, Input.CLOSE): State.CLOSED,
    (State.CLOSED, Input.CLOSE): State.CLOSED,
}


class End(Enum):
    """How a call of ours ended."""

    ANSWERED = auto()
    REFUSED = auto()
    """A call error came."""
    TIMED_OUT = auto()
    NEVER_SENT = auto()
    """Its deadline passed, or the connection closed, while it waited."""
    CLOSED = auto()
    """The connection closed while it was in flight: whether it was carried out is unknown."""


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """A call of ours. `deadline` on the monotonic clock, waiting time included."""

    message_id: str
    action: str
    text: bytes
    deadline: float


class Ended(msgspec.Struct, frozen=True):
    """A call of ours is over; `frame` is what answered it, if anything did."""

    call: Outgoing
    end: End
    frame: ResultFrame | ErrorFrame | None = None


class Stray(msgspec.Struct, frozen=True):
    """An answer to nothing: `late` when its call timed out before, else nobody knows its id."""

    message_id: str
    late: bool


Received: TypeAlias = Ended | Stray


class Channel:
    """The outgoing half of one connection. `name` makes message ids unique across connections (its generation)."""

    __slots__ = ("_given_up", "_in_flight", "_last", "_limit", "_name", "_text", "_waiting", "state")

    def __init__(self, name: str = "0", *, max_waiting: int = 64) -> None:
        self.state = State.IDLE
        self._name, self._limit, self._last = name, max_waiting, 0
        self._in_flight: Outgoing | None = None
        self._text: bytes | None = None
        # Most connections never carry a call of ours: nothing is allocated before the first.
        self._waiting: deque[Outgoing] | None = None
        self._given_up: deque[str] | None = None

    def next_id(self) -> str:
        """A message id that this connection has not used; at most 36 characters."""
        self._last += 1
        return f"{self._name}-{self._last}"[-36:]

    @property
    def waiting(self) -> int:
        """Calls in the queue, the one in flight not counted."""
        return len(self._waiting) if self._waiting else 0

    @property
    def in_flight(self) -> Outgoing | None:
        return self._in_flight

    @property
    def deadline(self) -> float | None:
        """When `expire` has something to do at the latest; None when there is nothing to wait for."""
        if self._in_flight is None:
            return None
        return min([self._in_flight.deadline, *(call.deadline for call in self._waiting or ())])

    def submit(self, call: Outgoing) -> bool:
        """False when the channel is closed or its queue full: the call was not taken."""
        if self.state is State.CLOSED or self.waiting >= self._limit:
            return False
        self.state = TRANSITIONS[self.state, Input.SUBMIT]
        if self._in_flight is None:
            self._start(call)
            return True
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(call)
        return True

    def take_text(self) -> bytes | None:
        """The text to write now, once; None when there is none."""
        text, self._text = self._text, None
        return text

    def receive(self, frame: ResultFrame | ErrorFrame) -> Received:
        """An answer came. The next call in the queue starts; its text is ready."""
        call = self._in_flight
        if call is None or frame.message_id != call.message_id:
            return Stray(frame.message_id, frame.message_id in (self._given_up or ()))
        self._settle()
        return Ended(call, End.ANSWERED if isinstance(frame, ResultFrame) else End.REFUSED, frame)

    def expire(self, now: float) -> list[Ended]:
        """End every call whose deadline has passed, waiting ones too."""
        ended = []
        if self._waiting and any(call.deadline <= now for call in self._waiting):
            ended = [Ended(call, End.NEVER_SENT) for call in self._waiting if call.deadline <= now]
            self._waiting = deque(call for call in self._waiting if call.deadline > now)
        call = self._in_flight
        if call is not None and call.deadline <= now:
            if self._given_up is None:
                self._given_up = deque(maxlen=16)
            self._given_up.append(call.message_id)
            ended.insert(0, Ended(call, End.TIMED_OUT if self._text is None else End.NEVER_SENT))
            self._settle()
        return ended

    def close(self) -> list[Ended]:
        """The connection is gone: everything unsettled ends, in order."""
        self.state = TRANSITIONS[self.state, Input.CLOSE]
        call, waiting = self._in_flight, self._waiting or ()
        unsent = call is not None and self._text is not None
        self._in_flight, self._waiting, self._text = None, None, None
        first = [] if call is None else [Ended(call, End.NEVER_SENT if unsent else End.CLOSED)]
        return first + [Ended(call, End.NEVER_SENT) for call in waiting]

    def _start(self, call: Outgoing) -> None:
        self._in_flight, self._text = call, call.text

    def _settle(self) -> None:
        self.state = TRANSITIONS[self.state, Input.SETTLE]
        self._in_flight, self._text = None, None
        if self._waiting:
            self.state = TRANSITIONS[self.state, Input.SUBMIT]
            self._start(self._waiting.popleft())


class Answered(msgspec.Struct, frozen=True, gc=False):
    """How a call from the charge point was answered, and in which journal record that is kept."""

    id: bytes
    reply: bytes
    sequence: int


class Repeats:
    """The last few answered calls from a charge point: a repeated one gets its first answer again.

    A repeat has the same message id and the same text, and the text carries the device's own timestamp: some charge points use one
    id for everything or count from 1 after each boot, so that two equal texts without a time may be two things that happened.
    Texts are compared by their keyed 64-bit hash, which keeps this small enough for every connection to have one.
    """

    __slots__ = ("_answered", "_limit")

    def __init__(self, limit: int = 16) -> None:
        self._limit = limit
        self._answered: dict[int, Answered] | None = None

    def find(self, ident: bytes, text: bytes) -> Answered | None:
        """The first answer, when this call repeats an earlier one."""
        if not self._answered:
            return None
        found = self._answered.get(hash(text))
        return found if found is not None and found.id == ident else None

    def forget(self) -> None:
        """None of these answers counts any more."""
        self._answered = None

    def remember(self, ident: bytes, text: bytes, reply: bytes, sequence: int) -> None:
        """A call was answered; forgets the oldest beyond the limit."""
        # `in` would first try to read the words as a number, which costs four times the search.
        if text.find(b'"timestamp"') < 0 and text.find(b'"generatedAt"') < 0:
            return
        if self._answered is None:
            self._answered = {}
        self._answered[hash(text)] = Answered(ident, reply, sequence)
        if len(self._answered) > self._limit:
            del self._answered[next(iter(self._answered))]
