"""Intervals become seconds of hours."""

from __future__ import annotations

from chargenet.model.ids import ConnectorRef
from tests.support.reports import Story, hours_of


def test_an_hour_adds_up() -> None:
    """Occupied is charging and idle; what nobody can hear is offline."""
    story = Story().opened(0).status(0, "Available").status(10, "Charging").start(10, "7", 0)
    story.status(40, "SuspendedEV").stop(50, "7", 9000).status(50, "Available").closed(90)
    first, second = hours_of(story.facts, 2)
    assert (first.total_s, first.occupied_s, first.charging_s, first.idle_s) == (3600, 2400, 1800, 600)
    assert (first.faulted_s, first.offline_s, first.unknown_s) == (0, 0, 0)
    assert (second.total_s, second.occupied_s, second.offline_s) == (3600, 0, 1800)


def test_a_connector_counts_from_when_it_was_heard_of() -> None:
    """Not from the beginning of the hour."""
    [row] = hours_of(Story().opened(0).status(15, "Available").facts, 1)
    assert (row.total_s, row.unknown_s) == (2700, 0)


def test_a_fault_of_the_charge_point_is_one_of_its_connectors() -> None:
    """Status of connector 0 reaches them only where it is Faulted or Unavailable."""
    story = Story().opened(0).status(0, "Available").status(10, "Faulted", connector=None).status(20, "Unavailable", connector=None)
    story.status(30, "Available", connector=None)
    [row] = hours_of(story.facts, 1)
    assert (row.faulted_s, row.unavailable_s, row.unknown_s) == (600, 600, 0)


def test_connected_without_a_status_is_unknown() -> None:
    """A connector first heard of by its transaction has no status."""
    story = Story().opened(0).start(0, "7", 0).stop(20, "7", 100)
    [row] = hours_of(story.facts, 1)
    assert (row.occupied_s, row.unknown_s) == (1200, 3600)


def test_an_offline_transaction_is_occupied() -> None:
    """It is proven by the device's clock, though we heard nothing meanwhile."""
    story = Story().opened(0).status(0, "Available").closed(10).opened(100)
    story.start(101, "7", 0, said_at=70).stop(101, "7", 2000, said_at=95)
    first, second = hours_of(story.facts, 2)
    assert (first.offline_s, second.offline_s, second.occupied_s) == (3000, 2400, 1500)


def test_each_connector_has_its_own_rows() -> None:
    """A second plug is not the first."""
    story = Story().opened(0).status(0, "Available").status(0, "Faulted", connector=ConnectorRef(2))
    assert [(row.connector, row.faulted_s) for row in hours_of(story.facts, 1)] == [("1", 0), ("2", 3600)]
