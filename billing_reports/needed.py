"""Which records of the journal billing still needs. Decided here: how long a transaction may hold up retention.

A transaction is judged from its frames when it has ended, so they must still be there then. One that never ends would keep them for
ever: after HOLD it holds up nothing, and is billed from the registers that are known, marked as incomplete.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from billing_reports.store import Key, LedgerStore
from chargenet.ports import Clock
from chargenet.stores import Transactions

HOLD = timedelta(days=7)
EVERY_S = 60.0
"""How often it is worked out again. In between nothing is released, which costs nothing."""
_EVERY = 500
_MOST_WAITING = 100_000


class Needed:
    """One per loop."""

    def __init__(self, ledger: LedgerStore, transactions: Transactions, clock: Clock) -> None:
        self._ledger, self._transactions, self._clock = ledger, transactions, clock
        self._known: int | None = None
        self._at = 0.0

    async def released(self, position: int, running: Collection[Key]) -> int:
        """The last record that may be removed. `position`: how far everything is taken in; `running`: transactions that run."""
        now = self._clock.monotonic()
        if self._known is None or now - self._at >= EVERY_S:
            self._known, self._at = await self._oldest(position, running), now
        return min(position, self._known)

    async def _oldest(self, position: int, running: Collection[Key]) -> int:
        since = self._clock.now() - HOLD
        waiting = await self._ledger.due(self._clock.now() + 2 * HOLD, _MOST_WAITING)
        keys = [*running, *((each.charge_point_id, each.subject) for each in waiting)]
        found = position
        for start in range(0, len(keys), _EVERY):
            for row in (await self._transactions.find_many(keys[start : start + _EVERY])).transactions:
                if _held(row.began_at, since):
                    found = min(found, row.first_sequence - 1)
        return max(found, 0)


def _held(began_at: datetime | None, since: datetime) -> bool:
    """One whose begin nobody knows holds nothing: it cannot be billed by its frames."""
    return began_at is not None and began_at >= since
