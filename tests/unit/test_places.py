"""Where a 2.x transaction is, when its charge point says so only once."""

from __future__ import annotations

import msgspec
import pytest

from chargenet.model.ids import ConnectorRef
from collector.ledger import Ledger
from collector.places import OPEN, Places
from tests.support.facts import fact
from tests.support.transactions import Story, started, stopped, updated


def test_what_was_said_once_holds_for_the_transaction() -> None:
    """An event without evse is where the transaction is; another transaction is elsewhere, and another charge point too."""
    places = Places()
    assert places.place("A", "t", None, None) is None
    assert places.place("A", "t", 1, 2) == ConnectorRef(1, 2)
    assert places.place("A", "t", None, None) == ConnectorRef(1, 2)
    assert places.place("A", "other", None, None) is None
    assert places.place("B", "t", None, None) is None


@pytest.mark.parametrize("connector_id", [None, 0])
def test_an_evse_alone_does_not_move_a_transaction_to_its_first_plug(connector_id: int | None) -> None:
    """EVSE 1 after EVSE 1 connector 2 is still connector 2; another EVSE is another place."""
    places = Places()
    places.place("A", "t", 1, 2)
    assert places.place("A", "t", 1, connector_id) == ConnectorRef(1, 2)
    assert places.place("A", "t", 3, connector_id) == ConnectorRef(3)
    assert places.place("A", "t", None, None) == ConnectorRef(3)


def test_a_better_place_replaces_a_vaguer_one() -> None:
    """The cable's event names the connector after a start that named the EVSE alone."""
    places = Places()
    assert places.place("A", "t", 1, None) == ConnectorRef(1)
    assert places.place("A", "t", 1, 2) == ConnectorRef(1, 2)
    assert places.place("A", "t", 0, 0) == ConnectorRef(1, 2)


def test_an_ended_transaction_is_forgotten() -> None:
    """Ending what is not known changes nothing."""
    places = Places()
    places.ended("A", "t")
    places.place("A", "t", 1, 1)
    places.place("A", "u", 2, 1)
    places.ended("A", "t")
    assert places.place("A", "t", None, None) is None
    assert places.place("A", "u", None, None) == ConnectorRef(2)


def test_memory_is_bounded() -> None:
    """Of transactions that never end, the oldest are forgotten."""
    places = Places()
    for number in range(OPEN + 1):
        places.place("A", str(number), 1, 1)
    assert places.place("A", "0", None, None) is None
    assert places.place("A", "1", None, None) == ConnectorRef(1)


async def test_places_are_known_again_after_a_restart() -> None:
    """From the open transactions of the SQL store, then from the journal's tail, in which some ended and others began."""
    story = Story("ocpp2.0.1")
    for number in (1, 2, 3):
        await story.tell(started(f"t{number}", number, seq_no=0, plug=number), received=number)
    await story.tell(stopped("t3", 30, seq_no=1), received=30)
    ledger = Ledger()
    ledger.restore(await story.stores.transactions.recent(64))
    for sequence, event in enumerate((stopped("t2", 60, seq_no=1), updated("t4", 70, 0, plug=4)), 5):
        ledger.apply(msgspec.structs.replace(fact(sequence, event), protocol="ocpp2.0.1"))
    known = {f"t{number}": ledger.places.place("CP1", f"t{number}", None, None) for number in (1, 2, 3, 4)}
    assert known == {"t1": ConnectorRef(1), "t2": None, "t3": None, "t4": ConnectorRef(4)}
