"""Facts → what billing must look at. Decided here: which reports can change what a transaction costs. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable

import msgspec

from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.text import storable_text

Key = tuple[str, str]


class Touched(msgspec.Struct, frozen=True):
    """What a batch of facts touches."""

    named: frozenset[Key]
    """(charge point, transaction id or alias) of transactions that it names, running ones' readings left out."""
    places: frozenset[str]
    """Charge points whose running or just ended transactions may be over: a status, a boot, a start."""
    stops: frozenset[str]
    """Charge points whose quarantine may have changed."""


def touched(facts: Iterable[Fact], running: Container[Key]) -> Touched:
    """`running`: transactions known to be open; a reading of those changes nothing yet."""
    named: set[Key] = set()
    places: set[str] = set()
    stops: set[str] = set()
    for fact in facts:
        for event in fact.events:
            if isinstance(event, e.StatusReported | e.ChargePointBooted):
                places.add(fact.charge_point_id)
            elif isinstance(event, e.MeasurementsTaken | e.TransactionUpdated):
                key = _key(fact, event.transaction_id)
                if key is not None and key not in running:
                    named.add(key)
            elif isinstance(event, e.TransactionStarted | e.TransactionStopped):
                places.add(fact.charge_point_id)
                stops.add(fact.charge_point_id)
                if (key := _key(fact, event.transaction_id)) is not None:
                    named.add(key)
    return Touched(frozenset(named), frozenset(places), frozenset(stops))


def _key(fact: Fact, transaction_id: str | None) -> Key | None:
    return None if transaction_id is None else (fact.charge_point_id, storable_text(transaction_id))
