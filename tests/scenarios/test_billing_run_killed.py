"""kill -9 in the middle of a billing run: when it has gone on, the statements are the same, and no number is skipped or doubled."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.billing_month import bill, fill, outcome

pytestmark = pytest.mark.timeout(300)
PEOPLE, EACH, PAGE = 120, 3, 5
KILLED_AFTER = (2, 7, 9)
"""Pages after which the process is killed, one time after another."""


def _killed(url: str, pages: int, workers: int = 1) -> None:
    """The run as a process, killed with SIGKILL once it has said `pages` times that a page is done.

    Returns when everybody has let go of its standard output: a worker that outlived it would hold it for ever."""
    command = [sys.executable, "-m", "tests.support.billing_month", url, str(PAGE), str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(pages):
            assert process.stdout.readline().strip().isdigit(), "it ended before it was killed"
        process.kill()
        process.stdout.read()


async def test_a_killed_run_ends_in_the_same_statements(tmp_path: Path) -> None:
    """Three kills at different places: the same numbers for the same customers and amounts as without them."""
    untouched, killed = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    await fill(f"sqlite:///{untouched}", PEOPLE, EACH)
    shutil.copy(untouched, killed)
    done = await bill(f"sqlite:///{untouched}", PAGE)
    assert (done.state, done.finals) == ("done", PEOPLE)
    for pages in KILLED_AFTER:
        _killed(f"sqlite:///{killed}", pages)
    went_on = await bill(f"sqlite:///{killed}", PAGE)
    assert went_on.state == "done"
    expected, found = await outcome(f"sqlite:///{untouched}"), await outcome(f"sqlite:///{killed}")
    assert found == expected
    numbers = [number for number, _, _ in found[0]]
    assert numbers == [f"ST-{ordinal:06d}" for ordinal in range(1, PEOPLE + 1)]
    assert found[1] == PEOPLE


async def test_a_run_done_again_changes_nothing(tmp_path: Path) -> None:
    """Final statements are left alone, no CDR is billed twice, no number is taken."""
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    await fill(url, 10, 2)
    await bill(url, PAGE)
    before = await outcome(url)
    again = await bill(url, PAGE)
    assert (again.state, again.drafts, await outcome(url)) == ("done", 0, before)


async def test_workers_make_the_same_statements(tmp_path: Path) -> None:
    """Stored in order: the numbers do not depend on who was faster, nor on a kill, and no worker outlives who gave it work."""
    one, two = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    await fill(f"sqlite:///{one}", 60, 2)
    shutil.copy(one, two)
    await bill(f"sqlite:///{one}", PAGE)
    _killed(f"sqlite:///{two}", 3, workers=2)
    await bill(f"sqlite:///{two}", PAGE, workers=2)
    assert await outcome(f"sqlite:///{two}") == await outcome(f"sqlite:///{one}")
