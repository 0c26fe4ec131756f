"""Ends of connections that the journal did not keep: recorded again, once, and never for a connection that it does not know."""

from __future__ import annotations

from collector.endings import End, Endings


def end(name: str, generation: int, sequence: int) -> End:
    return End(name, generation, "ocpp1.6", b"{}", sequence)


def test_what_is_durable_is_forgotten() -> None:
    """An end in the journal needs nothing more."""
    endings = Endings()
    endings.keep(end("A", 1, 5))
    assert endings.due(4) == [] and len(endings) == 1, "still on its way"
    assert endings.due(5) == [] and len(endings) == 0


def test_what_was_refused_is_due_until_it_is_durable() -> None:
    """The journal took nothing when the connection ended."""
    endings = Endings()
    endings.keep(end("A", 1, 0))
    (due,) = endings.due(9)
    due.sequence = 10
    assert endings.due(9) == []
    assert endings.due(10) == [] and len(endings) == 0


def test_what_was_lost_is_due_again() -> None:
    """Appended, but the group commit failed: as if it had been refused."""
    endings = Endings()
    endings.keep(end("A", 1, 5))
    endings.lost_after(4)
    assert [each.charge_point_id for each in endings.due(4)] == ["A"]


def test_a_connection_that_never_began_has_no_end() -> None:
    """Its beginning was lost too: an end of it in the journal would be an end of somebody else's generation."""
    endings = Endings()
    endings.keep(end("A", 5, 6))
    endings.lost_after(4)
    assert endings.due(4) == [] and len(endings) == 0


def test_the_newest_connection_counts() -> None:
    """Of two that ended meanwhile, the newer one's end tells that the charge point is offline."""
    endings = Endings()
    endings.keep(end("A", 7, 0))
    endings.keep(end("A", 3, 0))
    assert [each.generation for each in endings.due(9)] == [7]
