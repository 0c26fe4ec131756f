"""Metrics of the relay: what waits, what was tried, and which receiver is left alone."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from alerts.config.model import NOBODY
from alerts.relay.metrics import RelayMetrics
from alerts.relay.relay import Relay
from alerts.storage.memory import MemoryAlerts
from chargenet.testing import FrozenClock
from tests.support.relay import CONFIG, SECRET, Simulated


class Measured(Simulated):
    """A relay whose metrics are read."""

    def __init__(self, config: str = CONFIG) -> None:
        super().__init__(config)
        self.registry = CollectorRegistry()
        self.registry.register(RelayMetrics(self.relay, self.clock))

    async def value(self, name: str, **labels: str) -> float | None:
        await self.relay.keep(prune=False)
        return self.registry.get_sample_value(f"chargewatch_{name}", labels)


async def test_a_receiver_that_does_not_answer_is_left_alone_and_said_to_be() -> None:
    """After five failures it counts as unreachable, until the first answer; what waits and since when is there to be alerted on."""
    world = Measured()
    assert await world.value("alert_receiver_reachable", receiver="night") == 1
    world.night.is_down()
    await world.tell(world.notice())
    await world.wait(40)
    assert await world.value("alert_receiver_reachable", receiver="night") == 1, "one failure is no outage"
    written = world.clock.now().timestamp()
    await world.wait(600)
    assert await world.value("alert_receiver_reachable", receiver="night") == 0
    assert await world.value("alert_outbox_messages", receiver="night") == 1
    oldest = await world.value("alert_outbox_oldest_timestamp_seconds", receiver="night")
    assert oldest is not None and 0 <= written - oldest <= 20
    assert world.relay.health == (False, "no answer from night")
    heard = len(world.night.heard)
    assert await world.value("alert_attempts_total", receiver="night", outcome="retry") == heard < 10
    world.night.is_up()
    await world.wait(700)
    assert await world.value("alert_receiver_reachable", receiver="night") == 1
    well, _ = world.relay.health
    assert well
    assert await world.value("alert_outbox_messages", receiver="night") == 0
    assert await world.value("alert_outbox_oldest_timestamp_seconds", receiver="night") is None
    assert await world.value("alert_attempts_total", receiver="night", outcome="delivered") == 1
    assert await world.value("alert_attempt_seconds_count", receiver="night") == heard + 1


async def test_one_receiver_that_is_down_does_not_hold_up_another() -> None:
    """Each has its own breaker, back-off and order."""
    other = f'\n[receivers.day]\ntype = "webhook"\nurl = "http://127.0.0.1:9/day"\nsecret = "{SECRET}"\n'
    world = Measured(CONFIG.replace('receivers = ["night"]', 'receivers = ["night", "day"]') + other)
    world.night.is_down()
    await world.tell(world.notice())
    await world.wait(40)
    assert len(world.listeners["day"].taken) == 1 and world.night.taken == []
    assert await world.value("alert_outbox_messages", receiver="day") == 0


async def test_without_receivers_nothing_piles_up() -> None:
    """What is open is kept, for the day on which somebody is named; what is over is forgotten."""
    world = Simulated()
    relay = Relay(NOBODY, MemoryAlerts(), FrozenClock(), {})
    await relay.tell([world.notice(f"case-{number}") for number in range(3)])
    await relay.tell([world.over(world.notice("case-1")), world.over(world.notice("case-9"))])
    assert sorted(relay.book.alerts) == ["case-0", "case-2"]
    held = await relay.store.load(world.clock.now())
    assert sorted(alert.key for alert in held.alerts) == ["case-0", "case-2"]
