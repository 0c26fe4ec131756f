"""The channel under any interleaving: one in flight, in order, every call ends exactly once, nothing blocks."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chargenet.model.words import Protocol
from collector.ocpp.channel import Channel, End, Ended, Outgoing, State, Stray
from collector.ocpp.frames import ErrorFrame, ResultFrame, parse

LIMIT = 3


class ChannelMachine(RuleBasedStateMachine):
    """Submits, answers (right, late, unknown), lets time pass, closes, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.channel = Channel("9", max_waiting=LIMIT)
        self.now = 0.0
        self.taken: list[str] = []
        self.accepted: list[str] = []
        self.ended: dict[str, End] = {}

    def _write(self) -> None:
        text = self.channel.take_text()
        if text is not None:
            assert self.channel.in_flight is not None
            assert text == self.channel.in_flight.text
            self.taken.append(self.channel.in_flight.message_id)

    def _end(self, endings: list[Ended]) -> None:
        for ending in endings:
            assert ending.call.message_id not in self.ended, "a call ends once"
            self.ended[ending.call.message_id] = ending.end

    @rule(patience=st.integers(1, 20), write=st.booleans())
    def submit(self, patience: int, write: bool) -> None:
        message_id = self.channel.next_id()
        call = Outgoing(message_id, "Reset", message_id.encode(), self.now + patience)
        room = self.channel.state is not State.CLOSED and self.channel.waiting < LIMIT
        assert self.channel.submit(call) is room
        if room:
            self.accepted.append(message_id)
        if write:
            self._write()

    @rule()
    def write(self) -> None:
        self._write()

    def _frame(self, message_id: str, error: bool) -> ResultFrame | ErrorFrame:
        text = f'[4,"{message_id}","X","",{{}}]' if error else f'[3,"{message_id}",{{}}]'
        frame = parse(text.encode(), Protocol.OCPP16)
        assert isinstance(frame, ResultFrame | ErrorFrame)
        return frame

    @precondition(lambda self: self.channel.in_flight is not None)
    @rule(error=st.booleans())
    def answer(self, error: bool) -> None:
        assert self.channel.in_flight is not None
        received = self.channel.receive(self._frame(self.channel.in_flight.message_id, error))
        assert isinstance(received, Ended)
        assert received.end is (End.REFUSED if error else End.ANSWERED)
        self._end([received])

    @rule(pick=st.integers(0, 100))
    def answer_something_else(self, pick: int) -> None:
        others = [*self.ended, "unknown"]
        name = others[pick % len(others)]
        received = self.channel.receive(self._frame(name, False))
        assert isinstance(received, Stray)
        if received.late:
            assert self.ended[name] in (End.TIMED_OUT, End.NEVER_SENT)

    @rule(seconds=st.integers(1, 15))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        before = self.channel.deadline
        endings = self.channel.expire(self.now)
        assert bool(endings) == (before is not None and before <= self.now)
        self._end(endings)

    @rule()
    def close(self) -> None:
        self._end(self.channel.close())

    @invariant()
    def calls_leave_in_order_and_once(self) -> None:
        assert self.taken == [name for name in self.accepted if name in set(self.taken)]
        assert len(set(self.taken)) == len(self.taken)

    @invariant()
    def every_accepted_call_is_somewhere(self) -> None:
        open_calls = (self.channel.in_flight is not None) + self.channel.waiting
        assert len(self.accepted) == len(self.ended) + open_calls

    @invariant()
    def the_queue_moves_whenever_it_can(self) -> None:
        assert self.channel.waiting <= LIMIT
        if self.channel.in_flight is None:
            assert self.channel.waiting == 0
            assert self.channel.deadline is None
        assert (self.channel.state is State.IN_FLIGHT) == (self.channel.in_flight is not None)

    @invariant()
    def what_was_never_sent_never_left(self) -> None:
        assert not any(end is End.NEVER_SENT and name in self.taken for name, end in self.ended.items())


TestChannel = ChannelMachine.TestCase
TestChannel.settings = settings(max_examples=60, stateful_step_count=30)
