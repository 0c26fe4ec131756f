"""The bytes on disk: how one record and one segment header look, and how to tell a true record from anything else. Pure.

    segment = header (64 bytes) record*
    record  = magic (4) length (u32) checksum (u32) payload (MessagePack array of the fields of `Record`, in their order)

All integers are little-endian. The checksum is the CRC-32 of the payload, begun at `salt ^ length`. The salt is random and belongs
to one journal: bytes that a charge point sends cannot pass for a record when a reader looks for the next valid one behind damage.
The magic holds bytes that no UTF-8 text has, so that frames do not even look like one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from zlib import crc32

import msgspec

from chargenet.model.record import NO_DECISION, Decision, Record
from chargenet.model.words import RecordKind

MAGIC = b"\xffR\xfe\xc1"
"""First bytes of each record; 0xFF, 0xFE and 0xC1 occur in no UTF-8 text."""
RECORD_HEAD = struct.Struct("<4sII")
HEAD_SIZE = RECORD_HEAD.size
MAX_PAYLOAD = 16 * 1024 * 1024
"""No record is longer: a length above it is damage. Transports limit frames far below."""

SEGMENT_MAGIC = b"cwjrnl\x00\x01"
SEGMENT_HEAD = struct.Struct("<8sIIQQqI")
SEGMENT_HEAD_SIZE = 64
FORMAT_VERSION = 1

_encode = msgspec.msgpack.Encoder().encode
_pack = RECORD_HEAD.pack

Encode = Callable[[int, int, str, int, str, RecordKind, bytes, bytes, Decision], bytes]


class Outline(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The leading fields of a record: enough to index it. Decoding stops caring there."""

    sequence: int
    received_at_us: int
    charge_point_id: str
    generation: int
    protocol: str
    kind: int
    frame: msgspec.Raw
    reply: msgspec.Raw = msgspec.Raw()
    decision: Decision = NO_DECISION


decode_record = msgspec.msgpack.Decoder(Record).decode
decode_outline = msgspec.msgpack.Decoder(Outline).decode


def record_encoder(salt: int) -> Encode:
    """A function from the fields of a record, in order, to its bytes on disk. Raises ValueError when it is too long."""

    def encode(*fields: object) -> bytes:
        payload = _encode(fields)
        length = len(payload)
        if length > MAX_PAYLOAD:
            raise ValueError(f"a record of {length} bytes is longer than {MAX_PAYLOAD}")
        return _pack(MAGIC, length, crc32(payload, salt ^ length)) + payload

    return encode


def encode_record(record: Record, salt: int) -> bytes:
    """The bytes on disk of one record."""
    return record_encoder(salt)(
        record.sequence,
        record.received_at_us,
        record.charge_point_id,
        record.generation,
        record.protocol,
        record.kind,
        record.frame,
        record.reply,
        record.decision,
    )


def payload_at(buffer: memoryview, position: int, salt: int) -> memoryview | None:
    """The payload of the valid record that begins at `position`; None when there is none, or not all of it."""
    start = position + HEAD_SIZE
    if start > len(buffer):
        return None
    magic, length, checksum = RECORD_HEAD.unpack_from(buffer, position)
    if magic != MAGIC or length > MAX_PAYLOAD or start + length > len(buffer):
        return None
    payload = buffer[start : start + length]
    return payload if crc32(payload, salt ^ length) == checksum else None


class SegmentHeader(msgspec.Struct, frozen=True):
    """What a segment says of itself. `transaction_floor` is the highest transaction id in all segments before it."""

    salt: int
    first: int
    transaction_floor: int
    created_at_us: int


def encode_header(header: SegmentHeader) -> bytes:
    """64 bytes, checksummed."""
    body = SEGMENT_HEAD.pack(
        SEGMENT_MAGIC, FORMAT_VERSION, header.salt, header.first, header.transaction_floor, header.created_at_us, 0
    )[:-4]
    return (body + struct.pack("<I", crc32(body))).ljust(SEGMENT_HEAD_SIZE, b"\0")


def decode_header(data: bytes) -> SegmentHeader | None:
    """None when these bytes are not a whole, undamaged header of this format version."""
    if len(data) < SEGMENT_HEAD_SIZE:
        return None
    magic, version, salt, first, floor, created_at_us, checksum = SEGMENT_HEAD.unpack_from(data)
    if magic != SEGMENT_MAGIC or version != FORMAT_VERSION or checksum != crc32(data[: SEGMENT_HEAD.size - 4]):
        return None
    return SegmentHeader(salt, first, floor, created_at_us)
