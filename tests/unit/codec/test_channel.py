"""The channel: one call in flight, others in order, time as an argument, nothing lost without a word."""

from __future__ import annotations

import pytest

from chargenet.model.words import Protocol
from collector.ocpp.channel import TRANSITIONS, Channel, End, Ended, Input, Outgoing, Repeats, State, Stray
from collector.ocpp.frames import ErrorFrame, ResultFrame, parse


def _call(message_id: str, deadline: float = 30.0) -> Outgoing:
    return Outgoing(message_id, "Reset", f'[2,"{message_id}","Reset",{{}}]'.encode(), deadline)


def _answer(message_id: str) -> ResultFrame | ErrorFrame:
    frame = parse(f'[3,"{message_id}",{{"status":"Accepted"}}]'.encode(), Protocol.OCPP16)
    assert isinstance(frame, ResultFrame)
    return frame


def test_one_call_is_in_flight_and_the_next_follows_its_answer() -> None:
    """First in, first out; each text is handed out once."""
    channel = Channel()
    assert channel.submit(_call("a"))
    assert channel.submit(_call("b"))
    assert channel.take_text() == _call("a").text
    assert channel.take_text() is None
    ended = channel.receive(_answer("a"))
    assert isinstance(ended, Ended)
    assert (ended.call.message_id, ended.end) == ("a", End.ANSWERED)
    assert channel.take_text() == _call("b").text
    channel.receive(_answer("b"))
    assert (channel.state, channel.deadline, channel.in_flight) == (State.IDLE, None, None)


def test_a_call_error_ends_a_call() -> None:
    """As REFUSED, with the frame."""
    channel = Channel()
    channel.submit(_call("a"))
    frame = parse(b'[4,"a","NotSupported","",{}]', Protocol.OCPP16)
    assert isinstance(frame, ErrorFrame)
    assert channel.receive(frame) == Ended(_call("a"), End.REFUSED, frame)


def test_the_queue_is_bounded() -> None:
    """A call beyond it is not taken; the others are untouched."""
    channel = Channel(max_waiting=2)
    assert [channel.submit(_call(name)) for name in "abcd"] == [True, True, True, False]
    assert channel.waiting == 2


def test_a_deadline_ends_the_call_in_flight_and_starts_the_next() -> None:
    """A late answer afterwards is told from one that nobody knows."""
    channel = Channel()
    channel.submit(_call("a", 10))
    channel.submit(_call("b", 20))
    channel.take_text()
    assert channel.deadline == 10
    assert channel.expire(9.9) == []
    assert channel.expire(10) == [Ended(_call("a", 10), End.TIMED_OUT)]
    assert channel.take_text() == _call("b").text
    assert channel.receive(_answer("a")) == Stray("a", late=True)
    assert channel.receive(_answer("zzz")) == Stray("zzz", late=False)
    assert channel.in_flight == _call("b", 20)


def test_a_waiting_call_can_time_out_before_it_was_sent() -> None:
    """Then it never left, and never will."""
    channel = Channel()
    channel.submit(_call("a", 100))
    channel.submit(_call("b", 5))
    channel.take_text()
    assert channel.deadline == 5
    assert channel.expire(5) == [Ended(_call("b", 5), End.NEVER_SENT)]
    channel.receive(_answer("a"))
    assert channel.take_text() is None


def test_a_call_whose_text_was_never_taken_was_never_sent() -> None:
    """Neither at its deadline nor when the connection closes."""
    for finish in ("expire", "close"):
        channel = Channel()
        channel.submit(_call("a", 5))
        ended = channel.expire(5) if finish == "expire" else channel.close()
        assert ended == [Ended(_call("a", 5), End.NEVER_SENT)]


def test_a_close_ends_everything_in_order() -> None:
    """What was in flight is uncertain, what waited was never sent; after it nothing is taken."""
    channel = Channel()
    for name in "abc":
        channel.submit(_call(name))
    channel.take_text()
    assert [(ended.call.message_id, ended.end) for ended in channel.close()] == [
        ("a", End.CLOSED),
        ("b", End.NEVER_SENT),
        ("c", End.NEVER_SENT),
    ]
    assert channel.close() == []
    assert not channel.submit(_call("d"))
    assert channel.take_text() is None
    assert channel.receive(_answer("a")) == Stray("a", late=False)


def test_ids_are_unique_and_short_enough() -> None:
    """At most 36 characters, also for the longest connection number."""
    channel = Channel(str(2**63))
    ids = [channel.next_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert max(map(len, ids)) <= 36
    assert Channel("8").next_id() != Channel("7").next_id()


def test_nothing_leads_out_of_closed() -> None:
    """The table of transitions has no way back."""
    assert {to for (state, _), to in TRANSITIONS.items() if state is State.CLOSED} == {State.CLOSED}
    assert (State.CLOSED, Input.SUBMIT) not in TRANSITIONS


TIMED = b'[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-03-01T12:00:00Z","sampledValue":[]}]}]'


def test_a_repeated_call_is_recognised() -> None:
    """Same id and same text: the first answer and its record."""
    repeats = Repeats()
    assert repeats.find(b'"1"', TIMED) is None
    repeats.remember(b'"1"', TIMED, b'[3,"1",{}]', 17)
    found = repeats.find(b'"1"', TIMED)
    assert found is not None
    assert (found.reply, found.sequence) == (b'[3,"1",{}]', 17)
    assert repeats.find(b'"1"', TIMED.replace(b"12:00:00", b"12:00:01")) is None
    assert repeats.find(b'"2"', TIMED) is None


@pytest.mark.parametrize(
    "text", [b'[2,"1","BootNotification",{"chargePointVendor":"A"}]', b'[2,"1","StatusNotification",{"connectorId":1}]']
)
def test_what_carries_no_time_is_never_a_repeat(text: bytes) -> None:
    """Charge points that count their ids from 1 after each boot say the same words about two different boots."""
    repeats = Repeats()
    repeats.remember(b'"1"', text, b'[3,"1",{}]', 17)
    assert repeats.find(b'"1"', text) is None


def test_only_the_last_few_are_remembered() -> None:
    """Memory is bounded; the oldest goes first."""
    repeats = Repeats(limit=3)
    texts = [TIMED.replace(b"12:00:00", b"12:00:%02d" % second) for second in range(5)]
    for at, text in enumerate(texts):
        repeats.remember(b'"1"', text, b"x", at)
    assert [repeats.find(b'"1"', text) is not None for text in texts] == [False, False, True, True, True]
