"""Ports of the SQL stores: charge points, transactions, tokens, keys, audit. Rows are plain values; adapters are in storage/.

Every method raises StoreUnavailable("sql", …) when the database does not answer in time. Listings are pages in a stable order:
`cursor` is the opaque `next_cursor` of the page before (a wrong one raises Conflict), `limit` is cut to 1…1000.
Sequences are journal sequences. Read models (`*Model`) are written by their projection alone, everything else is primary data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import msgspec

from chargenet.model.audit import AuditEntry
from chargenet.model.key import Key, NewKey, StoredKey
from chargenet.model.station import (
    ChargePoint,
    ChargePointEvent,
    ChargePointRegistration,
    ChargePointState,
    ConnectorState,
    Site,
    Upload,
)
from chargenet.model.token import TokenRow
from chargenet.model.transaction import QuarantinedReport, Transaction, TransactionAlias, TransactionChange

Row = TypeVar("Row")

MAX_LIMIT = 1000


class Page(msgspec.Struct, Generic[Row], frozen=True):
    """Rows, and the cursor of the next page (None: this was the last)."""

    items: list[Row]
    next_cursor: str | None = None


class StationChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What the stations projection changed: whole rows, keyed as their tables are."""

    charge_points: Sequence[ChargePointState] = ()
    changed: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Charge point → the fields of its row that changed, where a row is stored already: a store need not write the others."""
    connectors: Sequence[ConnectorState] = ()
    events: Sequence[ChargePointEvent] = ()
    uploads: Sequence[Upload] = ()


class StationModel(Protocol):
    """The stations read model, for its projection."""

    async def position(self) -> int:
        """The sequence up to which this model is built."""

    async def load(self, charge_point_ids: Iterable[str]) -> tuple[list[ChargePointState], list[ConnectorState]]:
        """Present rows of these charge points."""

    async def save(self, changes: StationChanges, after: int, upto: int) -> None:
        """Store rows and move the position from `after` to `upto` in one SQL transaction.

        Raises StoreUnavailable, changing nothing, when the position is not `after` (an earlier save that seemed lost arrived).
        """

    async def reset(self) -> None:
        """Drop the read model, position 0."""


class Stations(StationModel, Protocol):
    """Charge points, connectors and their history, for readers."""

    async def charge_points(
        self,
        *,
        site_id: str | None = None,
        registration: str | None = None,
        connected: bool | None = None,
        search: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[ChargePoint]:
        """By charge point id. Known by registration or by having connected. `search`: part of id, vendor, model or serial."""

    async def charge_point(self, charge_point_id: str) -> ChargePoint | None:
        """One of them."""

    async def connectors(
        self,
        *,
        charge_point_id: str | None = None,
        site_id: str | None = None,
        status: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[ConnectorState]:
        """By charge point, EVSE and connector."""

    async def events(
        self,
        *,
        charge_point_id: str | None = None,
        kind: str | None = None,
        since: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[ChargePointEvent]:
        """History, newest first."""

    async def uploads(self, *, charge_point_id: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[Upload]:
        """Diagnostics files, newest first."""

    async def upload(self, file_id: str) -> Upload | None:
        """One of them."""


class TransactionsLoaded(msgspec.Struct, frozen=True):
    """What the fold must know of some charge points before it goes on."""

    transactions: list[Transaction]
    aliases: list[TransactionAlias]
    stops: list[QuarantinedReport]


class TransactionChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What the transactions projection changed: whole rows, keyed as their tables are."""

    transactions: Sequence[Transaction] = ()
    changes: Sequence[TransactionChange] = ()
    aliases: Sequence[TransactionAlias] = ()
    quarantine: Sequence[QuarantinedReport] = ()
    highest_id: int = 0
    """Highest id of ours seen (1.6); the floor `transaction_id` rises to it in the same SQL transaction."""


class TransactionModel(Protocol):
    """The transactions read model, for its projection."""

    async def position(self) -> int:
        """The sequence up to which this model is built."""

    async def load(self, charge_point_ids: Iterable[str], recent: int, stops: int) -> TransactionsLoaded:
        """Per charge point: all open transactions, the `recent` newest by first_sequence, the `stops` newest quarantined
        reports (resolved or not), and the aliases of those transactions."""

    async def find_many(self, keys: Iterable[tuple[str, str]]) -> TransactionsLoaded:
        """Transactions by (charge_point_id, transaction_id or alias)."""

    async def save(self, changes: TransactionChanges, after: int, upto: int) -> None:
        """As StationModel.save."""

    async def reset(self) -> None:
        """Drop the read model, position 0. Floors stay."""


class Transactions(TransactionModel, Protocol):
    """Transactions, for readers."""

    async def transaction(self, charge_point_id: str, transaction_id: str) -> Transaction | None:
        """By id or alias."""

    async def transactions(
        self,
        *,
        charge_point_id: str | None = None,
        site_id: str | None = None,
        connector: str | None = None,
        state: str | None = None,
        flag: str | None = None,
        id_token: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Transaction]:
        """Newest first by the record that made them known; `since` ≤ began_at < `until`."""

    async def changes(
        self, charge_point_id: str, transaction_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[TransactionChange]:
        """State changes in journal order."""

    async def quarantine(
        self, *, charge_point_id: str | None = None, resolved: bool | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[QuarantinedReport]:
        """Reports that belong to no transaction, newest first."""

    async def recent(self, per_charge_point: int) -> list[Transaction]:
        """All open transactions and the newest few of every charge point, oldest first: what the ledger starts with."""


class Sites(Protocol):
    """Places. Primary data."""

    async def put(self, site: Site) -> Site | None:
        """Create or replace; the row before, if any."""

    async def get(self, site_id: str) -> Site | None: ...

    async def remove(self, site_id: str) -> Site:
        """Raises NotFound, and Conflict while charge points are registered there."""

    async def page(self, *, cursor: str | None = None, limit: int = 100) -> Page[Site]:
        """By site id."""


class Registrations(Protocol):
    """What was decided about charge points. Primary data."""

    async def put(self, row: ChargePointRegistration) -> ChargePointRegistration | None:
        """Create or replace; the row before, if any. Raises NotFound when its site is not known."""

    async def get(self, charge_point_id: str) -> ChargePointRegistration | None: ...

    async def remove(self, charge_point_id: str) -> ChargePointRegistration:
        """Raises NotFound."""

    async def everything(self) -> list[ChargePointRegistration]:
        """For the directory's cache."""


class Tokens(Protocol):
    """The token table. Primary data, keyed by the case-folded value."""

    async def put(self, rows: Sequence[TokenRow]) -> int:
        """Create or replace; how many were new. `created_at` of an existing row stays."""

    async def get(self, value: str) -> TokenRow | None: ...

    async def remove(self, value: str) -> TokenRow:
        """Raises NotFound."""

    async def page(
        self, *, status: str | None = None, search: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[TokenRow]:
        """By key. `search`: part of the value."""

    async def everything(self) -> list[TokenRow]:
        """For the cache."""


class Keys(Protocol):
    """Stored API keys; `KeyRing` is what the API uses."""

    async def add(self, row: StoredKey) -> None:
        """Raises Conflict when the id exists."""

    async def revoke(self, key_id: str, at: datetime) -> Key:
        """Raises NotFound; a key revoked before keeps its first instant."""

    async def touch(self, used: dict[str, datetime]) -> None:
        """Remember last uses; never moves one back."""

    async def page(self, *, cursor: str | None = None, limit: int = 100) -> Page[Key]:
        """By creation, oldest first."""

    async def everything(self) -> list[StoredKey]:
        """For the key ring."""


class KeyRing(Protocol):
    """API keys as the API checks them: in memory, no SQL per request."""

    def authenticate(self, secret: str, now: datetime) -> Key | None:
        """The key whose secret this is (constant-time); None when unknown or revoked."""

    async def create(self, name: str, role: str, now: datetime) -> NewKey:
        """Make a key; its secret is in the answer and nowhere else. Raises Conflict on an unknown role or an empty name."""

    async def revoke(self, key_id: str, now: datetime) -> Key:
        """Effective at once. Raises NotFound."""

    async def refresh(self) -> None:
        """Read all keys again, and write last uses."""

    @property
    def empty(self) -> bool:
        """True when there is no key that works: a first start."""


class Audit(Protocol):
    """The audit log. Append-only."""

    async def append(self, entry: AuditEntry) -> AuditEntry:
        """The entry with its `audit_id`."""

    async def page(
        self,
        *,
        who: str | None = None,
        action: str | None = None,
        target: str | None = None,
        since: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[AuditEntry]:
        """Newest first."""


class Floors(Protocol):
    """Numbers that only rise and survive a rebuild, e.g. `transaction_id`."""

    async def get(self, name: str) -> int:
        """0 when never set."""

    async def raise_to(self, name: str, value: int) -> int:
        """The floor after it: never lower than before."""


class Stores(Protocol):
    """All SQL stores of one database."""

    stations: Stations
    transactions: Transactions
    sites: Sites
    registrations: Registrations
    tokens: Tokens
    keys: Keys
    audit: Audit
    floors: Floors

    async def check(self) -> None:
        """A short query: raises StoreUnavailable when the database does not answer (for /readyz)."""

    async def close(self) -> None:
        """Let go of threads and connections."""
