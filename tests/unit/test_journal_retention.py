"""Which segments retention lets go."""

from __future__ import annotations

import pytest

from chargenet.journal.retention import Policy, Sealed, retired

SEGMENTS = [Sealed(100, 10, 1_000), Sealed(100, 20, 2_000), Sealed(100, 30, 3_000)]
NOW = 4_000


@pytest.mark.parametrize(
    ("policy", "cursors", "expected", "why"),
    [
        (Policy(), [], 0, "no limit: everything stays"),
        (Policy(max_bytes=350), [], 0, "350 bytes with the active segment are allowed"),
        (Policy(max_bytes=349), [], 1, "one segment too much"),
        (Policy(max_bytes=0), [], 3, "all sealed ones go, the active one always stays"),
        (Policy(max_bytes=0), [20, 99], 2, "the slowest cursor has finished with record 20"),
        (Policy(max_bytes=0), [19], 1, "record 20 is still to be consumed"),
        (Policy(max_bytes=0), [0], 0, "a consumer that has not begun holds everything"),
        (Policy(max_age_us=1_500), [], 2, "newest record 2,500 ago in the first, 2,000 in the second, 1,000 in the third"),
        (Policy(max_age_us=3_000), [], 0, "exactly as old as allowed is not too old"),
        (Policy(max_age_us=1_500), [10], 1, "the cursor holds what is too old"),
        (Policy(max_bytes=249, max_age_us=2_500), [], 2, "age takes the first, size the second"),
    ],
)
def test_retired(policy: Policy, cursors: list[int], expected: int, why: str) -> None:
    """Age and size remove whole segments from the oldest on, and never one that a cursor still needs."""
    assert retired(SEGMENTS, 50, policy, NOW, cursors) == expected, why


def test_an_unknown_age_keeps_a_segment() -> None:
    """A segment whose index is lost is not taken for old, and keeps those behind it too: removal is from the oldest on."""
    segments = [Sealed(100, 10, None), Sealed(100, 20, 1)]
    assert retired(segments, 50, Policy(max_age_us=10), NOW, []) == 0
    assert retired(segments, 50, Policy(max_bytes=150), NOW, []) == 1
