"""A journal record: the evidence itself. Decided here: what is kept of each exchange, and in which order on disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from chargenet.model.words import RecordKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Decision(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the server decided for one call and could not be derived from its frame again.

    Handlers are pure functions of (call, context with this decision): replaying a record gives the same reply and events.
    """

    transaction_id: int | None = None
    """OCPP 1.6 transaction id assigned by us (StartTransaction), or matched by us (StopTransaction)."""
    duplicate_of: int | None = None
    """Sequence of the earlier record that this one repeats; its first answer is given again and no event is raised twice."""
    token_status: str | None = None
    """A TokenStatus, for calls that carry an ID token."""
    token_parent: str | None = None
    token_expires_at: datetime | None = None
    registration: str | None = None
    """A Registration, for BootNotification."""
    interval_s: int | None = None
    """Heartbeat (or boot retry) interval given to the charge point."""
    connector: str | None = None
    """Label of the connector that a TransactionEvent (2.x names it once) or a StopTransaction (never names it) means."""


NO_DECISION = Decision()


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One durable record. `sequence` is dense, starts at 1, is never reused. Instants are UTC microseconds."""

    sequence: int
    received_at_us: int
    charge_point_id: str
    generation: int
    """Connection generation: the sequence of the CONNECTED record that opened the connection, so it only grows; 0 where there
    is none and in CONNECTED itself (whose Fact carries its own sequence as generation)."""
    protocol: str
    kind: RecordKind
    frame: bytes
    """As it came from the charge point (or as we sent it), byte for byte."""
    reply: bytes = b""
    """As we answered it, byte for byte; empty where nothing was answered."""
    decision: Decision = NO_DECISION

    @property
    def received_at(self) -> datetime:
        return instant(self.received_at_us)


_EXACT_US = 4_000_000_000_000_000
"""Below this (the year 2096) seconds as a float are exact to the microsecond, and four times faster than adding a timedelta."""


def instant(us: int) -> datetime:
    """UTC microseconds since the epoch → aware datetime."""
    if 0 <= us < _EXACT_US:
        return datetime.fromtimestamp(us / 1e6, UTC)
    return _EPOCH + timedelta(microseconds=us)


def microseconds(at: datetime) -> int:
    """Aware datetime → UTC microseconds since the epoch."""
    since = at - _EPOCH  # three times faster than dividing by a timedelta, and as exact
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
