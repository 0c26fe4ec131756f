"""What passes between the processes. Decided here: the shapes, in MessagePack, and the one header that opens every door.

Positions are journal sequences and nothing else: whoever asks says where it stands, so that neither side remembers the other.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from chargenet.commands import Call, CommandOutcome
from chargenet.model.record import Record
from chargenet.ports import StateChange
from chargewatch.api.calls import Typed

TOKEN_HEADER = "Chargewatch-Programs"  # noqa: S105 - the name of a header
CLIENT_HEADER = "Chargewatch-Client"
KEY_HEADER = "Chargewatch-Key"
MEDIA_TYPE = "application/msgpack"
DOOR = "/internal"
MAX_RECORDS, MAX_BYTES = 2_000, 16 << 20
"""Of one answer: the next one begins where it ends."""
NO_BEATS = -1
Shape = TypeVar("Shape")


class News(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the collector has that the asker has not."""

    first: int
    """The oldest record that is kept."""
    durable: int
    """The last durable one."""
    records: list[Record]
    beats: list[tuple[str, float]]
    """(charge point, seconds since the epoch): heartbeats, which leave no record."""
    beats_upto: int
    registrations: int
    """Grows when the registration or the site of a charge point changes: read them again."""


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A command of a program."""

    charge_point_id: str
    command: Typed | Call
    timeout_s: float


class Ended(msgspec.Struct, frozen=True, array_like=True):
    """How it ended, or why it was never sent: `refused` is (action, problem) of an InvalidCall."""

    outcome: CommandOutcome | None = None
    refused: tuple[str, str] | None = None


Records = list[Record]
States = list[StateChange]
encode = msgspec.msgpack.encode


def decode(data: bytes, shape: type[Shape]) -> Shape:
    """Raises msgspec.DecodeError."""
    return msgspec.msgpack.decode(data, type=shape)


def bounded(records: list[Record]) -> list[Record]:
    """As many of the first as one answer may hold; at least one, so that whoever asks gets on."""
    size = 0
    for at, record in enumerate(records):
        size += len(record.frame) + len(record.reply)
        if size > MAX_BYTES and at:
            return records[:at]
    return records
