"""Facts become intervals, energy and sessions."""

from __future__ import annotations

from chargenet import events as e
from tests.support.reports import POINT, Folded, Story, minute


def test_a_charging_session_leaves_its_intervals() -> None:
    """Connection, statuses and the transaction, each from its begin to its end."""
    story = Story().opened(0).status(0, "Available").status(10, "Charging").start(10, "7", 100)
    story.reading(40, "7", 5100).stop(50, "7", 6100).status(51, "Available")
    folded = Folded(story.facts)
    assert folded.spans("link", "") == [("connected", 0, None)]
    assert folded.spans("status") == [("Available", 0, 10), ("Charging", 10, 51), ("Available", 51, None)]
    assert folded.spans("transaction") == [("7", 10, 50)]
    [hour] = folded.emitted.amounts()
    assert (hour.hour, hour.energy_wh, hour.sessions) == (minute(0), 6000, 1)


def test_energy_is_spread_over_the_hours_it_flowed_in() -> None:
    """Between two readings it is linear; whole Wh that add up to the register's rise."""
    story = Story().opened(0).start(30, "7", 1000).stop(150, "7", 8001)
    amounts = {each.hour: each for each in Folded(story.facts).emitted.amounts()}
    assert [amounts[minute(at)].energy_wh for at in (0, 60, 120)] == [1750, 3500, 1751]
    assert [amounts[minute(at)].sessions for at in (0, 60, 120)] == [1, 0, 0]


def test_a_register_that_dips_is_not_counted_twice() -> None:
    """100, 101, 100.5, 102 kWh are 2 kWh: the running maximum counts."""
    story = Story().opened(0).start(0, "7", 100_000)
    for at, wh in ((1, 101_000), (2, 100_500), (3, 102_000)):
        story.reading(at, "7", wh)
    assert sum(each.energy_wh for each in Folded(story.facts).emitted.amounts()) == 2000


def test_another_meter_is_not_energy() -> None:
    """A rise of more than any vehicle takes only sets the register anew."""
    story = Story().opened(0).start(0, "7", 100).reading(5, "7", 50_000_000).stop(10, "7", 50_001_000)
    assert sum(each.energy_wh for each in Folded(story.facts).emitted.amounts()) == 1000


def test_what_was_queued_offline_lands_where_it_happened() -> None:
    """Two statuses and a transaction told an hour later, by the device's clock; the earliest hour is made again."""
    story = Story().opened(0).status(0, "Available", 0).closed(55).opened(130)
    story.status(131, "Faulted", 60, error="GroundFailure").status(131, "Available", 90)
    story.start(132, "7", 0, said_at=95).stop(132, "7", 4000, said_at=125)
    folded = Folded(story.facts)
    assert folded.spans("status") == [("Available", 0, 60), ("Faulted", 60, 90), ("Available", 90, None)]
    assert folded.spans("transaction") == [("7", 95, 125)]
    assert folded.spans("link", "") == [("connected", 0, 55), ("disconnected", 55, 130), ("connected", 130, None)]
    assert {each.hour: each.energy_wh for each in folded.emitted.amounts()} == {minute(60): 3333, minute(120): 667}
    assert folded.emitted.dirty[POINT] == minute(0)


def test_a_status_told_after_a_later_one_is_put_between() -> None:
    """The order in which they came does not matter."""
    story = Story().opened(0).status(0, "Available", 0).status(30, "Available", 25).status(31, "Faulted", 10)
    story.status(32, "Preparing", 20)
    assert Folded(story.facts).spans("status") == [("Available", 0, 10), ("Faulted", 10, 20), ("Preparing", 20, None)]


def test_the_same_status_again_changes_nothing() -> None:
    """Floods of repeated statuses cost no rows."""
    story = Story().opened(0)
    for at in range(20):
        story.status(at, "Available", at)
    assert Folded(story.facts).spans("status") == [("Available", 0, None)]


def test_an_absurd_clock_is_not_believed() -> None:
    """1970 and the far future count from when we received them."""
    story = Story().opened(0).status(5, "Available", -60 * 24 * 365 * 56).status(9, "Faulted", 60 * 24 * 365)
    assert Folded(story.facts).spans("status") == [("Available", 5, 9), ("Faulted", 9, None)]


def test_after_a_boot_nothing_is_known_until_it_is_said() -> None:
    """A reboot ends what was reported before; a boot notification that comes long after connecting is not one."""
    boot = e.ChargePointBooted(vendor="V", model="M", serial_number=None, firmware_version=None, registration="Accepted")
    story = Story().opened(0).status(0, "Available").closed(30).opened(40, generation=5).fact(41, boot, generation=5)
    story.status(45, "Available").fact(90, boot, generation=5)
    assert Folded(story.facts).spans("status") == [("Available", 0, 41), ("Unknown", 41, 45), ("Available", 45, None)]


def test_a_start_ends_what_ran_before_on_the_connector() -> None:
    """And so does Available; a stop that comes later corrects it."""
    story = Story().opened(0).start(0, "1", 0).start(30, "2", 0).status(50, "Available", 50)
    assert Folded(story.facts).spans("transaction") == [("1", 0, 30), ("2", 30, 50)]
    story.stop(52, "2", 900, said_at=48)
    assert Folded(story.facts).spans("transaction") == [("1", 0, 30), ("2", 30, 48)]


def test_a_transaction_is_counted_once() -> None:
    """However often its start is repeated."""
    story = Story().opened(0).start(0, "1", 0).start(1, "1", 0, said_at=0).stop(9, "1", 500).start(10, "1", 0, said_at=0)
    assert sum(each.sessions for each in Folded(story.facts).emitted.amounts()) == 1


def test_charging_states_of_ocpp_2() -> None:
    """They are a layer of their own and end with the transaction."""
    story = Story().opened(0).start(0, "a", 0, flow="EVConnected")
    story.fact(
        5, e.TransactionUpdated(transaction_id="a", connector=None, updated_at=minute(5), seq_no=1, charging_state="Charging")
    )
    story.fact(
        25, e.TransactionUpdated(transaction_id="a", connector=None, updated_at=minute(25), seq_no=2, charging_state="SuspendedEV")
    )
    story.stop(40, "a", 100)
    assert Folded(story.facts).spans("flow") == [("EVConnected", 0, 5), ("Charging", 5, 25), ("SuspendedEV", 25, 40)]


def test_a_killed_collector_was_not_listening() -> None:
    """Its connections are closed at the next start: the journal's silence before is time without connection."""
    story = Story().opened(0).status(10, "Available").opened(10, point="CP-2")
    story.closed(45, "the collector ended").opened(46, generation=9)
    assert Folded(story.facts).spans("link", "") == [("connected", 0, 10), ("disconnected", 10, 46), ("connected", 46, None)]


def test_a_charge_point_that_came_back_before_that_was_recorded() -> None:
    """The end of the old connection comes after the begin of the new one."""
    story = Story().opened(0).status(10, "Available").opened(45, generation=9).closed(45.05, "the collector ended", generation=1)
    assert Folded(story.facts).spans("link", "") == [("connected", 0, 10), ("disconnected", 10, 45), ("connected", 45, None)]


def test_a_connection_taken_over_is_no_interruption() -> None:
    """The old socket's end changes nothing."""
    story = Story().opened(0).opened(20, generation=7)
    story.fact(21, e.ConnectionClosed(code=1001, reason="", lost=False, superseded=True), generation=1).closed(60, generation=7)
    assert Folded(story.facts).spans("link", "") == [("connected", 0, 60), ("disconnected", 60, None)]


def test_a_frame_proves_a_connection() -> None:
    """Where its begin was never seen (retention), the first frame is it."""
    assert Folded(Story().status(3, "Available").facts).spans("link", "") == [("connected", 3, None)]
