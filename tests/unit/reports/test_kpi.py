"""ChargeX indicators: counts that can be checked by hand."""

from __future__ import annotations

from billing_reports.kpi import KpiCount, kpis
from chargenet import events as e
from chargenet.model.ids import ConnectorRef, IdToken
from tests.support.reports import Story, minute

ONE = ConnectorRef(1)


def asked(story: Story, at: float, token: str = "T1") -> Story:
    """An accepted Authorize."""
    return story.fact(at, e.TokenPresented(id_token=IdToken(token), token_status="Accepted"))


def began(story: Story, at: float, key: str, token: str | None = "T1", state: str | None = None) -> Story:
    """A start."""
    event = e.TransactionStarted(
        transaction_id=key, connector=ONE, started_at=minute(at), energy_register_wh=0,
        id_token=None if token is None else IdToken(token), token_status=None if token is None else "Accepted",
        charging_state=state,
    )  # fmt: skip
    return story.fact(at, event)


def updated(story: Story, at: float, key: str, state: str) -> Story:
    """A charging state."""
    return story.fact(
        at, e.TransactionUpdated(transaction_id=key, connector=None, updated_at=minute(at), seq_no=1, charging_state=state)
    )


def ended(story: Story, at: float, key: str, reason: str | None, wh: int | None = None) -> Story:
    """A stop."""
    event = e.TransactionStopped(transaction_id=key, connector=None, stopped_at=minute(at), energy_register_wh=wh, reason=reason)
    return story.fact(at, event)


def test_a_good_session() -> None:
    """Plugged in, authorized, charging half a minute later, ended by the driver."""
    story = Story().status(0, "Preparing", 0)
    asked(story, 1)
    began(story, 1.1, "a")
    updated(story, 1.5, "a", "Charging")
    ended(story, 40, "a", "EVDisconnected")
    count = kpis(story.facts)
    assert (count.start_attempts, count.orphans, count.deliveries, count.valid_stops) == (1, 0, 1, 1)
    assert (count.start_success, count.end_success, count.session_success) == (1, 1, 1)
    assert count.start_times_s == [30]


def test_an_authorization_that_leads_nowhere_is_an_attempt() -> None:
    """After 300 s it is an orphan, and it stays in the denominator."""
    story = Story()
    asked(story, 0, "T9")
    story.status(10, "Available")
    count = kpis(story.facts)
    assert (count.start_attempts, count.orphans, count.start_success) == (1, 1, 0)


def test_a_session_without_power_failed_to_start() -> None:
    """It is a start attempt and nothing else."""
    story = Story()
    began(story, 0, "a")
    ended(story, 3, "a", "Local", 0)
    count = kpis(story.facts)
    assert (count.start_attempts, count.deliveries, count.valid_stops, count.end_success) == (1, 0, 0, None)


def test_a_fault_is_no_valid_end() -> None:
    """Power was delivered, and lost."""
    story = Story()
    began(story, 0, "a", state="Charging")
    ended(story, 3, "a", "GroundFault")
    count = kpis(story.facts)
    assert (count.deliveries, count.valid_stops, count.session_success) == (1, 0, 0)


def test_energy_proves_delivery_where_no_state_says_it() -> None:
    """OCPP 1.6 with registers only; no start time can be told from it."""
    story = Story()
    began(story, 0, "a", token=None)
    story.reading(5, "a", 100)
    ended(story, 9, "a", None, 900)
    count = kpis(story.facts)
    assert (count.deliveries, count.valid_stops, count.start_times_s) == (1, 1, [])


def test_a_status_of_16_is_a_charging_state() -> None:
    """The time runs from the start with its token."""
    story = Story()
    began(story, 0, "7")
    story.status(0.25, "Charging", 0.25)
    assert kpis(story.facts).start_times_s == [15]


def test_a_repeated_start_is_one_attempt() -> None:
    """Whatever the charge point repeats."""
    story = Story()
    began(story, 0, "a")
    began(story, 1, "a")
    assert kpis(story.facts).start_attempts == 1


def test_counts_add_up_and_percentiles_are_by_rank() -> None:
    """Ratios come from sums; start times stay few."""
    whole = KpiCount()
    for number in range(1000):
        whole.add(KpiCount(start_attempts=1, deliveries=1, start_times_s=[float(number)]))
    assert whole.start_attempts == 1000
    assert len(whole.start_times_s) <= 200
    few = KpiCount(start_times_s=[4.0, 1.0, 3.0, 2.0])
    assert (few.start_time_s(0.5), few.start_time_s(0.95), KpiCount().start_time_s(0.5)) == (2.0, 4.0, None)
