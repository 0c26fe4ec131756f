"""Records and headers on disk, byte by byte."""

from __future__ import annotations

import msgspec
import pytest

from chargenet.journal.cursors import State, decode_state, encode_state
from chargenet.journal.format import (
    HEAD_SIZE,
    MAGIC,
    MAX_PAYLOAD,
    SEGMENT_HEAD,
    SegmentHeader,
    decode_header,
    decode_outline,
    decode_record,
    encode_header,
    encode_record,
    payload_at,
)
from chargenet.journal.index import SegmentIndex, decode_summary
from chargenet.model.record import Decision, Record
from chargenet.model.words import RecordKind

SALT = 0xC0FFEE
RECORD = Record(7, 1_767_225_600_000_000, "CP-1", 3, "ocpp1.6", RecordKind.CALL, b"[2,..]", b"[3,..]", Decision(transaction_id=5))


def test_a_record_survives_its_encoding() -> None:
    """What `encode_record` wrote, `payload_at` finds and `decode_record` turns into an equal record."""
    payload = payload_at(memoryview(encode_record(RECORD, SALT)), 0, SALT)
    assert payload is not None
    assert decode_record(payload) == RECORD


def test_an_outline_is_the_beginning_of_the_same_record() -> None:
    """The index reads sequence, instant, charge point and transaction id without the frame."""
    payload = payload_at(memoryview(encode_record(RECORD, SALT)), 0, SALT)
    assert payload is not None
    outline = decode_outline(payload)
    assert (outline.sequence, outline.received_at_us, outline.charge_point_id) == (7, RECORD.received_at_us, "CP-1")
    assert outline.decision.transaction_id == 5


def test_the_layout_is_what_the_format_says() -> None:
    """Magic, little-endian length, checksum, then a MessagePack array of nine fields: other tools may rely on it."""
    data = encode_record(RECORD, SALT)
    assert data[:4] == MAGIC
    assert int.from_bytes(data[4:8], "little") == len(data) - HEAD_SIZE
    fields = msgspec.msgpack.decode(data[HEAD_SIZE:])
    assert fields == [7, RECORD.received_at_us, "CP-1", 3, "ocpp1.6", 1, b"[2,..]", b"[3,..]", {"transaction_id": 5}]


def test_no_text_contains_the_magic() -> None:
    """Each of its unusual bytes alone is refused by UTF-8, so no text frame can look like a record."""
    for byte in (0xFF, 0xFE, 0xC1):
        assert byte in MAGIC
        with pytest.raises(UnicodeDecodeError):
            bytes([byte]).decode("utf-8")


def test_a_record_of_another_journal_is_none() -> None:
    """The salt is part of the checksum: a whole record written under another salt is not accepted."""
    assert payload_at(memoryview(encode_record(RECORD, SALT + 1)), 0, SALT) is None


def test_every_single_bit_is_checked() -> None:
    """Any one flipped bit, in the head or in the payload, makes the record invalid."""
    data = encode_record(RECORD, SALT)
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        assert payload_at(memoryview(flipped), 0, SALT) is None, f"bit {bit}"


def test_every_truncation_is_seen() -> None:
    """A record that is not wholly there is not there."""
    data = encode_record(RECORD, SALT)
    assert all(payload_at(memoryview(data[:size]), 0, SALT) is None for size in range(len(data)))


def test_a_record_beyond_the_limit_is_refused() -> None:
    """A frame that no reader would accept is not written either."""
    with pytest.raises(ValueError, match="is longer than"):
        encode_record(msgspec.structs.replace(RECORD, frame=bytes(MAX_PAYLOAD)), SALT)


def test_a_segment_header_survives_and_is_checked() -> None:
    """64 bytes; any one flipped bit in the used part, or a missing byte, and it is no header."""
    header = SegmentHeader(SALT, 1001, 77, 1_767_225_600_000_000)
    data = encode_header(header)
    assert len(data) == 64 and decode_header(data) == header
    assert decode_header(data[:63]) is None
    for bit in range(SEGMENT_HEAD.size * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        assert decode_header(bytes(flipped)) is None, f"bit {bit}"


def test_the_state_file_survives_and_is_checked() -> None:
    """Cursors come back as saved; a changed digit is noticed."""
    state = State(SALT, 900, 77, {"telemetry": 850, "transactions": 900})
    data = encode_state(state)
    assert decode_state(data) == state
    assert decode_state(data.replace(b"850", b"851")) is None
    assert decode_state(b"") is None and decode_state(data[:20]) is None


def test_an_index_survives_and_is_checked() -> None:
    """An index file gives back offsets, marks and summary; any one flipped byte is noticed."""
    index = SegmentIndex(first=1, size=64)
    names = [f"CP-{number % 3}" for number in range(200)]
    index.extend(1, names[:100], [10] * 100, list(range(100)))
    index.extend(101, names[100:], [20] * 100, list(range(100, 200)))
    data = index.encode()
    again = SegmentIndex.decode(data)
    assert again is not None and decode_summary(data) == index.summary == again.summary
    assert (again.last, again.size, again.oldest_us, again.newest_us) == (200, 64 + 1000 + 2000, 0, 199)
    assert list(again.of("CP-0"))[:3] == [64, 94, 124] and len(again.of("CP-1")) == 67 and not again.of("CP-9")
    assert again.before(150) == (101, 1064) and again.before(100) == (1, 64) and again.before(0) is None
    for at in range(0, len(data), 3):
        flipped = bytearray(data)
        flipped[at] ^= 0x10
        assert SegmentIndex.decode(bytes(flipped)) is None, f"byte {at}"
