"""The verifier: what is checked at once, what in a thread, what is remembered and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from chargenet.testing import FrozenClock
from collector import credentials
from collector.credentials import Pepper
from collector.verifier import Busy, Verifier

PEPPER = Pepper(b"p" * 32)
CHOSEN = credentials.hash_chosen("chosen")
GENERATED = credentials.hash_generated("ab" * 20, PEPPER)


@pytest.fixture
def verifier() -> Iterator[Verifier]:
    """Small, so that its bounds are reached."""
    made = Verifier(PEPPER, threads=1, max_waiting=3, remember_s=60.0, max_remembered=2)
    yield made
    made.close()


async def test_a_fast_hash_is_checked_at_once(verifier: Verifier) -> None:
    """No thread, no waiting."""
    assert verifier.verify("CP1", b"ab" * 20, GENERATED, 0.0) is True
    assert verifier.verify("CP1", b"cd" * 20, GENERATED, 0.0) is False
    assert verifier.waiting == 0


async def test_no_password_known(verifier: Verifier) -> None:
    """A charge point without a password fits none."""
    assert verifier.verify("CP1", b"", None, 0.0) is False


async def test_a_right_password_is_remembered_until_its_time_is_up(verifier: Verifier) -> None:
    """scrypt once, then at once; after the time scrypt again; for another charge point, password or hash too."""
    clock = FrozenClock()
    first = verifier.verify("CP1", b"chosen", CHOSEN, clock.monotonic())
    assert not isinstance(first, bool)
    assert await first is True
    assert verifier.verify("CP1", b"chosen", CHOSEN, clock.monotonic()) is True
    others = (("CP2", b"chosen", CHOSEN), ("CP1", b"wrong", CHOSEN), ("CP1", b"chosen", credentials.hash_chosen("changed")))
    assert [await _checked(verifier, *other, clock.monotonic()) for other in others] == [True, False, False]
    clock.advance(60.0)
    assert not isinstance(again := verifier.verify("CP1", b"chosen", CHOSEN, clock.monotonic()), bool)
    assert await again is True


async def _checked(verifier: Verifier, charge_point_id: str, password: bytes, stored: str, now: float) -> bool:
    answer = verifier.verify(charge_point_id, password, stored, now)
    assert not isinstance(answer, bool), "must not be remembered"
    return await answer


async def test_a_wrong_password_is_not_remembered(verifier: Verifier) -> None:
    """Nothing is kept for it: a guesser fills no memory."""
    assert await _checked(verifier, "CP1", b"wrong", CHOSEN, 0.0) is False
    assert await _checked(verifier, "CP1", b"wrong", CHOSEN, 0.0) is False


async def test_what_is_remembered_is_bounded(verifier: Verifier) -> None:
    """The oldest goes first; `forget` empties it."""
    for name in ("CP1", "CP2", "CP3"):
        assert await _checked(verifier, name, b"chosen", CHOSEN, 0.0) is True
    assert verifier.verify("CP3", b"chosen", CHOSEN, 0.0) is True
    assert await _checked(verifier, "CP1", b"chosen", CHOSEN, 0.0) is True
    verifier.forget()
    assert await _checked(verifier, "CP3", b"chosen", CHOSEN, 0.0) is True


async def test_the_queue_is_bounded_and_the_same_question_waits_once(verifier: Verifier) -> None:
    """Repeated questions share one check, which outlives a caller that gives up; beyond the bound: Busy."""
    answers = [verifier.verify("CP1", b"chosen", CHOSEN, 0.0) for _ in range(10)]
    assert verifier.waiting == 1
    waiting = [answer for answer in answers if not isinstance(answer, bool)]
    waiting[0].cancel()
    verifier.verify("CP2", b"chosen", CHOSEN, 0.0)
    verifier.verify("CP3", b"chosen", CHOSEN, 0.0)
    with pytest.raises(Busy, match="3 passwords are waiting"):
        verifier.verify("CP4", b"chosen", CHOSEN, 0.0)
    assert await asyncio.gather(*waiting[1:]) == [True] * 9
    assert verifier.verify("CP1", b"chosen", CHOSEN, 0.0) is True
