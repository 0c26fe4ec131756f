"""The limiters, with time as an argument."""

from __future__ import annotations

import pytest

from chargenet.testing import FrozenClock
from collector.limiters import ConnectionsPerAddress, FailedLogins, Pace, address_key


def test_a_few_failures_cost_nothing_then_the_wait_doubles() -> None:
    """Under `tries` no wait; from there 1, 2, 4, ... seconds, at most five minutes."""
    clock, limiter = FrozenClock(), FailedLogins(tries=3, window_s=60.0, delay_s=1.0)
    waits = []
    for _ in range(12):
        limiter.failed("192.0.2.1", "CP1", clock.monotonic())
        waits.append(limiter.wait_s("192.0.2.1", "CP1", clock.monotonic()))
        clock.advance(waits[-1])
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300]


def test_a_wait_ends_and_the_past_is_forgotten_after_the_window() -> None:
    """After the wait a try is free; after a quiet window the count begins again."""
    clock, limiter = FrozenClock(), FailedLogins(tries=2, window_s=60.0, delay_s=1.0)
    for _ in range(4):
        limiter.failed("192.0.2.1", "CP1", clock.monotonic())
    assert limiter.wait_s("192.0.2.1", "CP1", clock.monotonic()) == 4.0
    clock.advance(4.0)
    assert limiter.wait_s("192.0.2.1", "CP1", clock.monotonic()) == 0.0
    clock.advance(60.5)
    limiter.failed("192.0.2.1", "CP1", clock.monotonic())
    assert limiter.wait_s("192.0.2.1", "CP1", clock.monotonic()) == 0.0


def test_a_success_resets() -> None:
    """A right password holds nothing against anybody any more."""
    limiter = FailedLogins(tries=1)
    for _ in range(9):
        limiter.failed("192.0.2.1", "CP1", 0.0)
    assert limiter.wait_s("192.0.2.1", "CP1", 0.0) > 0
    limiter.succeeded("192.0.2.1", "CP1")
    assert limiter.wait_s("192.0.2.1", "CP1", 0.0) == 0
    assert len(limiter) == 0


def test_one_broken_charge_point_does_not_shut_out_its_site() -> None:
    """Others behind the same router get in while one with a wrong password waits."""
    limiter = FailedLogins(tries=5)
    for _ in range(12):
        limiter.failed("192.0.2.1", "CP1", 0.0)
    assert limiter.wait_s("192.0.2.1", "CP1", 0.0) > 60
    assert limiter.wait_s("192.0.2.1", "CP2", 0.0) == 0


def test_a_guesser_over_many_names_waits() -> None:
    """Failures of one address add up over charge points, to a minute at most."""
    limiter = FailedLogins(tries=5)
    for number in range(200):
        limiter.failed("192.0.2.1", f"CP{number}", 0.0)
    assert limiter.wait_s("192.0.2.1", "CP-new", 0.0) == 60.0
    assert limiter.wait_s("192.0.2.2", "CP-new", 0.0) == 0.0


def test_a_guesser_from_many_addresses_cannot_lock_a_charge_point_out_for_long() -> None:
    """Failures in the name of one charge point add up over addresses, but the charge point itself never waits over 15 s."""
    limiter = FailedLogins(tries=5)
    for number in range(10_000):
        limiter.failed(f"198.51.{number // 250}.{number % 250}", "CP1", 0.0)
    assert limiter.wait_s("192.0.2.1", "CP1", 0.0) == 15.0


def test_memory_is_bounded() -> None:
    """The oldest rows go first; those of the present guesser stay."""
    limiter = FailedLogins(tries=1, capacity=100)
    for number in range(5_000):
        limiter.failed(f"198.51.{number // 250}.{number % 250}", f"CP{number}", 0.0)
    assert len(limiter) <= 300
    assert limiter.wait_s("198.51.19.249", "CP4999", 0.0) > 0
    assert limiter.wait_s("198.51.0.0", "CP0", 0.0) == 0


@pytest.mark.parametrize(
    ("remote", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not:an:address", "not:an:address"),
        ("", ""),
    ],
)
def test_what_one_address_is(remote: str, key: str) -> None:
    """One IPv4 address, or the /64 that one IPv6 host can fill."""
    assert address_key(remote) == key


def test_connections_per_address() -> None:
    """Up to the limit and no further; a refused one is not counted; leaving makes room; nothing is kept for nobody."""
    limiter = ConnectionsPerAddress(2)
    assert [limiter.enter("192.0.2.1") for _ in range(4)] == [True, True, False, False]
    assert limiter.enter("192.0.2.2")
    limiter.leave("192.0.2.1")
    assert limiter.count("192.0.2.1") == 1
    assert limiter.enter("192.0.2.1")
    for _ in range(2):
        limiter.leave("192.0.2.1")
    assert limiter.count("192.0.2.1") == 0
    with pytest.raises(KeyError):
        limiter.leave("192.0.2.1")


def test_a_pace_allows_a_burst_then_the_rate() -> None:
    """Ten at once are free; the eleventh waits its tenth of a second; a quiet second earns the burst again."""
    pace = Pace(rate=10.0, burst=10.0)
    assert [pace.take(5.0) for _ in range(9)] == [0.0] * 9
    assert pace.take(5.0) == pytest.approx(0.1), "the tenth is read, the eleventh must wait"
    assert pace.take(5.1) == pytest.approx(0.1)
    assert [pace.take(6.2) for _ in range(9)] == [0.0] * 9
    assert pace.take(6.2) == pytest.approx(0.1)
