"""Short ways to say what a charge point reports about transactions. Instants are seconds after DAY."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from chargenet import events as e
from chargenet.events import Event, Fact
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.measurement import ENERGY_REGISTER, Measurement
from chargenet.model.transaction import QuarantinedReport, Transaction, TransactionChange
from chargenet.stores import Stores
from chargenet.testing import MemoryStores
from collector.projections.transactions import TransactionsProjection
from tests.support.facts import DAY

NEVER = datetime(1970, 1, 1, 0, 1, tzinfo=DAY.tzinfo)
"""A clock that was never set."""


def moment(seconds: float | datetime | None) -> datetime | None:
    """Seconds after DAY, an instant as it is, or nothing."""
    return DAY + timedelta(seconds=seconds) if isinstance(seconds, (int, float)) else seconds


def started(
    transaction_id: str,
    at: float | datetime | None,
    wh: int | None = 1000,
    *,
    plug: int | None = 1,
    token: str | None = "AA",
    **rest: Any,
) -> e.TransactionStarted:
    """A start at a connector."""
    return e.TransactionStarted(
        transaction_id=transaction_id,
        connector=ConnectorRef(plug) if plug else None,
        started_at=moment(at),
        energy_register_wh=wh,
        id_token=IdToken(token) if token else None,
        **{"token_status": "Accepted" if token else None, **rest},
    )


def updated(
    transaction_id: str, at: float | datetime | None, seq_no: int | None, *, plug: int | None = 1, **rest: Any
) -> e.TransactionUpdated:
    """An OCPP 2.x update."""
    connector = ConnectorRef(plug) if plug else None
    return e.TransactionUpdated(transaction_id=transaction_id, connector=connector, updated_at=moment(at), seq_no=seq_no, **rest)


def stopped(
    transaction_id: str | None, at: float | datetime | None, wh: int | None = 5000, *, token: str | None = None, **rest: Any
) -> e.TransactionStopped:
    """A stop; without an id it is one that named −1."""
    raw = {"raw_transaction_id": "-1"} if transaction_id is None else {}
    return e.TransactionStopped(
        transaction_id=transaction_id,
        connector=None,
        stopped_at=moment(at),
        energy_register_wh=wh,
        id_token=IdToken(token) if token else None,
        **{"reason": "Local", **raw, **rest},
    )


def reading(
    transaction_id: str | None, at: float | datetime | None, wh: float, *, plug: int = 1, context: str = "Sample.Periodic"
) -> e.MeasurementsTaken:
    """An energy register."""
    register = Measurement(measurand=ENERGY_REGISTER, value=wh, unit="Wh", context=context)
    taken_at = moment(at)
    return e.MeasurementsTaken(
        connector=ConnectorRef(plug), transaction_id=transaction_id, measured_at=taken_at, measurements=(register,)
    )


def status(word: str, at: float | datetime | None, *, plug: int | None = 1) -> e.StatusReported:
    """A connector's status."""
    connector = ConnectorRef(plug) if plug else None
    return e.StatusReported(connector=connector, status=word, raw_status=word, reported_at=moment(at))


def booted() -> e.ChargePointBooted:
    """A boot."""
    return e.ChargePointBooted(vendor="V", model="M", serial_number=None, firmware_version="1", registration="Accepted")


class Story:
    """Tells facts to a projection, one after another, and asks what became of them."""

    def __init__(self, protocol: str = "ocpp1.6", stores: Stores | None = None) -> None:
        self.stores = stores or MemoryStores()
        self.projection = TransactionsProjection(self.stores.transactions)
        self._protocol = protocol
        self.sequence = 0

    async def tell(self, *events: Event, received: float, charge_point: str = "CP1") -> int:
        """One frame, received `received` seconds after DAY; its sequence."""
        self.sequence += 1
        received_at = DAY + timedelta(seconds=received)
        fact = Fact(self.sequence, received_at, charge_point, 1, self._protocol, "Any", events)
        await self.projection.apply([fact], self.sequence)
        return self.sequence

    async def transaction(self, transaction_id: str, charge_point: str = "CP1") -> Transaction:
        """A transaction that must be there."""
        row = await self.stores.transactions.transaction(charge_point, transaction_id)
        assert row is not None, f"no transaction {transaction_id}"
        return row

    async def all(self) -> list[Transaction]:
        """All of them, oldest first."""
        return (await self.stores.transactions.transactions(limit=1000)).items[::-1]

    async def changes(self, transaction_id: str) -> list[TransactionChange]:
        """Its state changes."""
        return (await self.stores.transactions.changes("CP1", transaction_id)).items

    async def quarantine(self) -> list[QuarantinedReport]:
        """What belongs to no transaction, newest first."""
        return (await self.stores.transactions.quarantine()).items


def kinds(changes: Iterable[TransactionChange]) -> list[str]:
    """Kinds of changes, in order."""
    return [change.kind for change in changes]
