"""Who must wait: failed log-ins, connections of one address, frames of one connection. Pure; `now` is a monotonic instant.

Decided here: a guesser is slowed down without shutting out the charge points that share its address (a site behind one router), and
without letting a stranger lock a charge point out by failing in its name: what a pair of address and charge point did weighs most.
Memory is bounded: the oldest rows go first.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict

import msgspec


def address_key(remote: str) -> str:
    """What is limited: one IPv4 address; a /64 of IPv6, since one host owns all of it."""
    if ":" not in remote:
        return remote
    try:
        address = ipaddress.IPv6Address(remote.partition("%")[0])
    except ValueError:
        return remote
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


class _Failures(msgspec.Struct):
    count: int
    last_at: float
    wait_until: float


class _Table:
    """Failures by key. After `tries` of them, each further one doubles the wait, from `delay_s` to `max_delay_s`."""

    def __init__(self, tries: int, window_s: float, delay_s: float, max_delay_s: float, capacity: int) -> None:
        self._tries, self._window_s, self._delay_s, self._max_delay_s = tries, window_s, delay_s, max_delay_s
        self._capacity = capacity
        self._rows: OrderedDict[tuple[str, ...], _Failures] = OrderedDict()

    def wait_s(self, key: tuple[str, ...], now: float) -> float:
        row = self._rows.get(key)
        return 0.0 if row is None else max(0.0, row.wait_until - now)

    def failed(self, key: tuple[str, ...], now: float) -> None:
        row = self._rows.get(key)
        if row is None or now - max(row.last_at, row.wait_until) > self._window_s:
            row = self._rows[key] = _Failures(0, now, now)
        row.count, row.last_at = row.count + 1, now
        over = row.count - self._tries
        if over >= 0:
            row.wait_until = now + min(self._max_delay_s, self._delay_s * 2.0 ** min(over, 32))
        self._rows.move_to_end(key)
        if len(self._rows) > self._capacity:
            self._rows.popitem(last=False)

    def succeeded(self, key: tuple[str, ...]) -> None:
        self._rows.pop(key, None)

    def __len__(self) -> int:
        return len(self._rows)


class FailedLogins:
    """How long a peer must wait before it may try to log in again. A refused try (429) is not a failure: do not report it."""

    def __init__(self, *, tries: int = 10, window_s: float = 60.0, delay_s: float = 1.0, capacity: int = 20_000) -> None:
        """`tries`: failures of one charge point from one address within `window_s` that cost nothing; `delay_s`: the first wait."""
        self._pairs = _Table(tries, window_s, delay_s, 300.0, capacity)
        self._addresses = _Table(10 * tries, window_s, delay_s, 60.0, capacity)
        self._charge_points = _Table(10 * tries, window_s, delay_s, 15.0, capacity)

    def wait_s(self, remote: str, charge_point_id: str, now: float) -> float:
        """Seconds until this peer may try; 0: now. For the Retry-After of a 429, rounded up."""
        if not len(self):
            return 0.0
        address = address_key(remote)
        return max(
            self._pairs.wait_s((address, charge_point_id), now),
            self._addresses.wait_s((address,), now),
            self._charge_points.wait_s((charge_point_id,), now),
        )

    def failed(self, remote: str, charge_point_id: str, now: float) -> None:
        """A wrong password, an unknown charge point, a user name that is not its own."""
        address = address_key(remote)
        self._pairs.failed((address, charge_point_id), now)
        self._addresses.failed((address,), now)
        self._charge_points.failed((charge_point_id,), now)

    def succeeded(self, remote: str, charge_point_id: str) -> None:
        """A right password: nothing is held against this peer any more."""
        if not len(self):
            return
        address = address_key(remote)
        self._pairs.succeeded((address, charge_point_id))
        self._addresses.succeeded((address,))
        self._charge_points.succeeded((charge_point_id,))

    def __len__(self) -> int:
        """Rows kept."""
        return len(self._pairs) + len(self._addresses) + len(self._charge_points)


class ConnectionsPerAddress:
    """Counts open connections; one `leave` for every `enter` that said yes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[str, int] = {}

    def enter(self, remote: str) -> bool:
        """Count one more; False, and nothing counted, when the address is at its limit."""
        key = address_key(remote)
        count = self._open.get(key, 0)
        if count >= self._limit:
            return False
        self._open[key] = count + 1
        return True

    def leave(self, remote: str) -> None:
        """One fewer."""
        key = address_key(remote)
        if (count := self._open[key]) == 1:
            del self._open[key]
        else:
            self._open[key] = count - 1

    def count(self, remote: str) -> int:
        """Open now."""
        return self._open.get(address_key(remote), 0)


class Pace:
    """A token bucket: `rate` frames a second in the long run, `burst` at once. One per connection, asked for each frame.

    A connection that is ahead of it stops reading for the delay, and TCP holds the peer back; no frame is refused.
    """

    __slots__ = ("_burst_s", "_earned_at", "_frame_s")

    def __init__(self, rate: float, burst: float) -> None:
        self._frame_s, self._burst_s = 1.0 / rate, (burst - 1.0) / rate
        self._earned_at = 0.0
        """When all that was read has been earned (the "theoretical arrival time" of GCRA)."""

    def take(self, now: float) -> float:
        """One more frame was read at `now`; seconds to pause before the next, 0: none."""
        earned = self._earned_at
        self._earned_at = earned = (earned if earned > now else now) + self._frame_s
        ahead = earned - now - self._burst_s
        return ahead if ahead > 0.0 else 0.0

    def ahead_s(self, now: float) -> float:
        """Seconds to go on pausing; not above 0: none. Frames that were in a buffer already have made it longer meanwhile."""
        return self._earned_at - now - self._burst_s
