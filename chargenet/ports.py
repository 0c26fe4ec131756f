"""The seams between judgement and the outside. Each port has a fake in chargenet.testing and one contract suite for every adapter.

Async methods may touch a disk or a network and never block the event loop; sync methods are memory only. Every adapter raises
`chargenet.errors.Unavailable` (or a child) when the outside does not answer, and nothing else on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol, runtime_checkable

import msgspec

from chargenet.commands import Command, CommandOutcome
from chargenet.events import Fact
from chargenet.model.ids import IdToken
from chargenet.model.notice import Notice
from chargenet.model.record import Decision, Record
from chargenet.model.words import RecordKind


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> datetime:
        """Aware UTC."""

    def now_us(self) -> int:
        """UTC microseconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds that only grow."""


class Journal(Protocol):
    """The spine: an append-only log, durable by group commit, local to its collector.

    `append` is called on the event loop only, returns at once and gives the record's sequence; the record is durable when the
    listener was called (on the event loop) with a watermark ≥ that sequence. Readers never see a record above the watermark.
    """

    def append(
        self,
        *,
        received_at_us: int,
        charge_point_id: str,
        generation: int,
        protocol: str,
        kind: RecordKind,
        frame: bytes,
        reply: bytes = b"",
        decision: Decision = ...,
    ) -> int:
        """Queue one record; raises JournalUnavailable when it cannot be made durable (disk full, closed)."""

    def on_durable(self, listener: Callable[[int], None]) -> None:
        """Call `listener(watermark)` on the event loop after each group commit."""

    def on_failure(self, listener: Callable[[Exception], None]) -> None:
        """Call `listener(error)` on the event loop when a group commit failed: the records after the watermark are not durable."""

    @property
    def durable_sequence(self) -> int:
        """Watermark: the last durable sequence, 0 when empty."""

    @property
    def first_sequence(self) -> int:
        """The oldest record still kept (retention); durable_sequence + 1 when empty."""

    @property
    def last_transaction_id(self) -> int:
        """The highest `decision.transaction_id` ever appended, kept through retention and restart; 0 when there was none."""

    @property
    def pending(self) -> int:
        """Records appended but not yet durable. Bounded by the callers: above their limit they stop reading from sockets."""

    @property
    def healthy(self) -> bool:
        """False while appends fail (disk full, I/O error)."""

    def read(self, after: int, limit: int = 1000) -> list[Record]:
        """Up to `limit` durable records with sequence > `after`, in order. Blocking: call it in a worker thread.

        Damaged records are skipped and listed in `damage()`; a result shorter than `limit` means the end was reached.
        """

    def read_charge_point(
        self, charge_point_id: str, *, since_us: int = 0, before: int | None = None, limit: int = 100
    ) -> list[Record]:
        """Newest first, the durable records of one charge point with received_at ≥ since and sequence < `before`. Blocking."""

    def damage(self) -> list[str]:
        """One sentence, with its position, for each damaged stretch found so far."""

    def cursor(self, name: str) -> int:
        """The last sequence that the consumer `name` has finished with; 0 when unknown."""

    def set_cursor(self, name: str, sequence: int) -> None:
        """Advance (or, for a rebuild, rewind) a consumer's cursor. Retention never removes records above the slowest cursor."""

    def drop_cursor(self, name: str) -> None:
        """Forget a consumer that no longer exists, so that it does not hold retention back."""

    def close(self) -> None:
        """Make everything appended durable, then refuse further appends. Called on the event loop, or after it ended."""


class Feed(Protocol):
    """Facts in journal order for consumers with their own cursor; from memory when near the head, from the journal when behind."""

    async def next(self, after: int, limit: int = 2000) -> Sequence[Fact]:
        """Facts of sequence > `after`, in order; waits until there is at least one."""

    @property
    def head(self) -> int:
        """The last sequence that can be read now."""


class Projection(Protocol):
    """A read model: facts in, a store changed. Applying the same facts again changes nothing (its cursor guards it)."""

    name: str

    async def position(self) -> int:
        """The last sequence that is already in the store."""

    async def apply(self, facts: Sequence[Fact], upto: int) -> None:
        """Apply facts in order and remember `upto` with them, atomically where the store can."""

    async def reset(self) -> None:
        """Drop everything derived, position 0."""


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One telemetry value as it is queried."""

    measured_at: datetime
    value: float
    sequence: int = 0


class SeriesSamples(msgspec.Struct, frozen=True):
    """One series of an answer.

    Labels: charge_point, connector ("" for the charge point), measurand, phase, location, context, unit.
    """

    labels: dict[str, str]
    samples: list[Sample]


class TelemetryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What to read. Empty filters match all; `step_s` None gives raw samples, else `aggregate` over steps aligned to the epoch."""

    charge_points: tuple[str, ...] = ()
    connector: str | None = None
    measurand: str | None = None
    start: datetime
    end: datetime
    step_s: int | None = None
    aggregate: str = "mean"  # mean | min | max | first | last | sum | count
    limit: int = 10_000


class StateChange(msgspec.Struct, frozen=True, gc=False):
    """A change of state kept as telemetry: kind is status, connection, error, security or diagnostics."""

    at: datetime
    received_at: datetime
    charge_point: str
    connector: str
    kind: str
    value: str
    detail: str
    sequence: int


class EnergyHour(msgspec.Struct, frozen=True):
    """Energy taken at one connector in one UTC hour, by register difference."""

    charge_point: str
    connector: str
    hour: datetime
    energy_wh: float


class States(Protocol):
    """State changes, queryable by range."""

    async def states(
        self, charge_point: str, start: datetime, end: datetime, *, kind: str | None = None, limit: int = 1000
    ) -> list[StateChange]:
        """State changes in time order."""


class Telemetry(States, Protocol):
    """Every measurement and state change, queryable by range. Written by the telemetry projection only."""

    name: str

    @property
    def written(self) -> int:
        """Values and state changes stored since the start."""

    @property
    def rejected(self) -> int:
        """Values set aside since the start, because the store would not take them."""

    @property
    def expired(self) -> int:
        """Values passed over since the start, because they were older than the store keeps when they came."""

    async def write(self, facts: Sequence[Fact], upto: int) -> None:
        """Store all measurements and state changes of `facts` and the position `upto`, all or nothing from the caller's view.

        Raises StoreUnavailable when nothing could be stored; single bad points are set aside and counted, never their batch.
        Writing the same facts again changes nothing.
        """

    async def position(self) -> int:
        """The last `upto` stored, 0 when empty."""

    async def reset(self) -> None:
        """Drop everything."""

    async def query(self, query: TelemetryQuery) -> list[SeriesSamples]:
        """Samples per series in time order."""

    async def hourly_energy(self, start: datetime, end: datetime, charge_points: Sequence[str] = ()) -> list[EnergyHour]:
        """Energy per connector and hour."""

    async def close(self) -> None:
        """Flush and let go."""


class ConnectorHour(msgspec.Struct, frozen=True, kw_only=True):
    """What one connector did in one complete UTC hour, for boards. Seconds of states that go together overlap."""

    charge_point: str
    connector: str
    site: str
    hour: datetime
    revision: int
    """How often it changed after it was complete."""
    total_s: int
    occupied_s: int
    charging_s: int
    idle_s: int
    faulted_s: int
    unavailable_s: int
    offline_s: int
    unknown_s: int
    energy_wh: int
    sessions: int
    revenue: Mapping[str, Decimal] = {}
    """By currency, before taxes; a currency with CDRs that come to nothing is there with 0."""


@runtime_checkable
class HourSink(Protocol):
    """Hours of connectors beside telemetry, where a store keeps them for boards. Written by the rollups only."""

    async def write_hours(self, hours: Sequence[ConnectorHour]) -> None:
        """Store hours; one that is there already is replaced. Raises StoreUnavailable: write them again later.

        Single hours that the store refuses are set aside and counted, never their batch.
        """


class CommandGateway(Protocol):
    """Sends calls to charge points. One call in flight per charge point; further ones wait their turn."""

    async def send(self, charge_point_id: str, command: Command, *, timeout_s: float = 30.0) -> CommandOutcome:
        """Never raises for what the charge point does; raises InvalidCall when the payload breaks its schema."""


class TokenAnswer(msgspec.Struct, frozen=True):
    """What the token table says: TokenStatus, parent or group, expiry."""

    status: str
    parent: str | None = None
    expires_at: datetime | None = None


class TokenTable(Protocol):
    """The token table, in memory (kept fresh from SQL): the answer must not wait for a database."""

    def authorize(self, token: IdToken, now: datetime) -> TokenAnswer:
        """Expired by `expires_at` < now; unknown tokens by policy (accept or Invalid)."""


class ChargePointEntry(msgspec.Struct, frozen=True):
    """What must be known of a charge point before it may connect."""

    charge_point_id: str
    registration: str
    """A Registration: Accepted, Pending (await approval) or Rejected (blocked)."""
    password_hash: str | None = None
    vendor: str | None = None
    site_id: str | None = None


class Directory(Protocol):
    """Known charge points, in memory (kept fresh from SQL)."""

    def find(self, charge_point_id: str) -> ChargePointEntry | None:
        """None when unknown."""


class Notices(Protocol):
    """Where programs say what a person should hear. The relay of `alerts` is behind it: durable, grouped, retried."""

    async def tell(self, notices: Sequence[Notice]) -> None:
        """Returns once they are durable. Raises StoreUnavailable when they could not be stored: tell them again later."""


class Program(Protocol):
    """What runs beside the collector: reads facts from its own cursors, keeps its own state, acts through the ports."""

    name: str

    async def run(self) -> None:
        """All that it does, until cancelled. Owns its tasks; waits, and says so, while a store is unavailable."""
