"""The network's life and the clock: simulated networks live faster, real ones exactly as fast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chargenet.events import Fact, TransactionStopped
from firmware_orchestrator.gate import Moment
from firmware_orchestrator.tempo import Tempo

START = datetime(2026, 3, 1, tzinfo=UTC)


def stopped(at: datetime) -> Fact:
    """A transaction that ended, by its own clock, when we heard of it."""
    event = TransactionStopped(transaction_id="1", connector=None, stopped_at=at, energy_register_wh=100)
    return Fact(1, at, "CP-1", 1, "ocpp1.6", "StopTransaction", (event,))


def test_a_real_network_is_not_touched() -> None:
    """At speed 1 instants, facts and moments are what they were."""
    tempo, fact = Tempo(START), stopped(START + timedelta(hours=1))
    assert tempo.fact(fact) is fact
    moment = Moment(now=START, wave=0, pending=0, soaking_at=START)
    assert tempo.moment(moment) == moment


def test_a_minute_of_the_clock_is_an_hour_of_a_network_that_lives_sixty_times_faster() -> None:
    """Instants, the clocks of transactions and the soak are all in the network's life; and it goes back to the clock."""
    tempo, later = Tempo(START, 60), START + timedelta(minutes=1)
    lived = START + timedelta(hours=1)
    fact = tempo.fact(stopped(later))
    assert fact.received_at == lived
    [event] = fact.events
    assert isinstance(event, TransactionStopped) and event.stopped_at == lived
    assert tempo.moment(Moment(now=later, wave=0, pending=0, soaking_at=START)).now == lived
    assert tempo.clock(lived) == later
    assert tempo.at(START - timedelta(minutes=1)) == START - timedelta(hours=1)
