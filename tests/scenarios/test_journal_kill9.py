"""kill -9 at any moment, again and again: nothing that was said to be durable is missing, and nothing else is served."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

from chargenet.clock import SystemClock
from chargenet.journal import SegmentJournal
from tests.support.journal import expected_frame
from tests.support.journal_child import OPTIONS

KILLS = 8
ROOT = Path(__file__).resolve().parents[2]


def run_and_kill(path: Path, commits: int) -> int:
    """Let a child append, kill it after it has printed `commits` watermarks, give back the last one it could print."""
    command = [sys.executable, "-m", "tests.support.journal_child", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        printed = [child.stdout.readline() for _ in range(commits)]
        child.send_signal(signal.SIGKILL)
        printed += child.stdout.readlines()
    whole = [line for line in printed if line.endswith("\n")]
    assert len(whole) >= commits, "the child ended before it was killed"
    return int(whole[-1])


async def test_no_printed_watermark_is_ever_taken_back(tmp_path: Path) -> None:
    """After each kill all records up to the last printed watermark are there, dense and unchanged, and the journal goes on."""
    path, chance, promised = tmp_path / "journal", random.Random(9), 0
    for _ in range(KILLS):
        watermark = run_and_kill(path, chance.randint(1, 150))
        assert watermark > promised
        promised = watermark
        journal = SegmentJournal.open(path, clock=SystemClock(), options=OPTIONS)
        last = journal.durable_sequence
        assert last >= promised and journal.last_transaction_id == last
        assert journal.cursor("consumer") <= promised
        after = 0
        while records := journal.read(after, 1000):
            assert [record.sequence for record in records] == list(range(after + 1, after + 1 + len(records)))
            assert all(record.frame == expected_frame(record.sequence, record.sequence % 700) for record in records)
            after = records[-1].sequence
        assert after == last and journal.damage() == []
        newest = journal.read_charge_point("CP-0", limit=3)
        assert [record.sequence for record in newest] == [last - last % 5 - 5 * n for n in range(3)]
        journal.close()
        promised = last
