"""What the relay keeps, row by row, and the port of its store. Adapters: alerts/storage/sql.py, and memory.py for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from alerts.message import Message
from alerts.stages.alert import Alert
from alerts.stages.dedup import Told
from alerts.stages.group import Place
from alerts.stages.silence import Silence
from chargenet.stores import Page


class State(StrEnum):
    """Where a row of the outbox stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REFUSED = "refused"
    """The receiver said that it will not take this, ever."""
    GIVEN_UP = "given_up"
    """Tried for as long as the settings say."""


class Outcome(StrEnum):
    """How one attempt ended."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"
    GIVEN_UP = "given_up"


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the outbox that is not done. The oldest one of each group goes first."""

    outbox_id: int
    message: Message
    attempts: int
    created_at: datetime
    next_attempt_at: datetime


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt, as the log keeps it. `detail` says what the receiver, or the network, said; never a secret."""

    delivery_id: int = 0
    outbox_id: int
    message_id: str
    receiver: str
    group_key: str
    change: int
    status: str
    reason: str
    title: str
    attempt: int
    at: datetime
    outcome: str
    http_status: int | None
    duration_ms: int
    detail: str


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the outbox as people ask for it: what of a message to one receiver has become."""

    outbox_id: int
    message_id: str
    receiver: str
    group_key: str
    change: int
    status: str
    """What the message says: firing, acknowledged, resolved, news or test."""
    reason: str
    severity: str
    title: str
    state: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    """None once it is done."""
    ended_at: datetime | None
    http_status: int | None = None
    last_error: str = ""
    """What the receiver, or the network, said at the last attempt; never a secret. Empty: nothing was wrong with it."""


class Flush(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at the groups changes, all or nothing."""

    messages: Sequence[Message]
    groups: Sequence[tuple[Place, Told]]
    forgotten: Sequence[str]
    """Keys of alerts that everybody has heard the end of."""


class Held(msgspec.Struct, frozen=True):
    """Everything that the relay begins with."""

    alerts: list[Alert]
    groups: list[tuple[Place, Told]]
    silences: list[Silence]


class Backlog(msgspec.Struct, frozen=True):
    """How much waits for one receiver, and since when."""

    waiting: int
    oldest_at: datetime | None


class AlertStore(Protocol):
    """One writer: the relay. Every method raises StoreUnavailable when the store does not answer."""

    async def load(self, now: datetime) -> Held:
        """What is open, what was told, and the silences that have not ended."""

    async def take(self, alerts: Sequence[Alert]) -> None:
        """Keep alerts, each replacing the one of the same key; durable on return."""

    async def flush(self, flush: Flush) -> None:
        """Messages into the outbox, what was told into the groups, forgotten alerts away: one transaction."""

    async def put_out(self, message: Message) -> None:
        """One message into the outbox that belongs to no group (a test)."""

    async def heads(self, receiver: str, now: datetime, limit: int) -> list[Waiting]:
        """The oldest waiting row of each group, of those whose next attempt is due, oldest first."""

    async def next_due(self, receiver: str) -> datetime | None:
        """When the next head is due; None when nothing waits."""

    async def attempted(self, delivery: Delivery, state: State, next_attempt_at: datetime) -> None:
        """Log one attempt and move its row, together."""

    async def hurry(self, receiver: str, now: datetime) -> None:
        """Everything that waits for this receiver is due now."""

    async def backlog(self) -> dict[str, Backlog]:
        """By receiver, for those for whom something waits."""

    async def abandon(self, receivers: Sequence[str], now: datetime) -> int:
        """End what waits for receivers that are not among these; how many rows that were."""

    async def deliveries(
        self,
        *,
        receiver: str | None = None,
        outcome: str | None = None,
        message_id: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Delivery]:
        """The log, newest first."""  # fmt: skip

    async def sent(
        self,
        *,
        receiver: str | None = None,
        state: str | None = None,
        message_id: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Sent]:  # fmt: skip
        """The outbox, newest first, each row with its last attempt."""

    async def add_silence(self, silence: Silence) -> None:
        """Keep one."""

    async def end_silence(self, silence_id: str, at: datetime, who: str) -> tuple[Silence, Silence]:
        """(before, after): it ends at `at`. Raises NotFound; Conflict when it has ended already."""

    async def silences(self, *, in_force_at: datetime | None = None, cursor: str | None = None, limit: int = 100) -> Page[Silence]:
        """Newest first; only those that have not ended at an instant."""

    async def prune(self, before: datetime) -> int:
        """Remove attempts, ended outbox rows, silences and settled groups of before; how many rows."""
