"""Our instants are integers of microseconds; nothing is lost on the way to a datetime and back."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from chargenet.model.record import instant, microseconds


@given(st.integers(-60_000_000_000_000_000, 200_000_000_000_000_000))
@example(3_999_999_999_999_999)
@example(4_000_000_000_000_000)
@example(1_900_000_000_000_001)
def test_microseconds_survive_the_way_to_an_instant_and_back(us: int) -> None:
    """Exact over the whole range, whichever of the two ways is taken."""
    assert microseconds(instant(us)) == us
