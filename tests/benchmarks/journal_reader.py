"""Reads a damaged journal in a process of its own, since it may not survive: prints how many records were right and wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from chargenet.journal import SegmentJournal


def segments(path: Path) -> Iterator[tuple[int, bytes]]:
    """Sequence and frame of each record served."""
    journal, after = SegmentJournal.open(path, read_only=True), 0
    while records := journal.read(after, 1000):
        yield from ((record.sequence, record.frame) for record in records)
        after = records[-1].sequence


def lmdb(path: Path) -> Iterator[tuple[int, bytes]]:
    """The same from LMDB."""
    import lmdb

    environment: Any = lmdb.open(str(path), readonly=True, lock=False, map_size=8 << 30)
    with environment.begin() as transaction, transaction.cursor() as cursor:
        for key, value in cursor:
            try:
                yield int.from_bytes(key, "big"), msgspec.msgpack.decode(value)[6]
            except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError):
                yield 0, b""


if __name__ == "__main__":
    right = wrong = 0
    for number, frame in {"segments": segments, "lmdb": lmdb}[sys.argv[1]](Path(sys.argv[2])):
        whole = 1 <= number <= 20_000 and frame == b"x" * 430
        right, wrong = right + whole, wrong + (not whole)
    print(right, wrong)
