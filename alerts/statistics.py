"""What the statistical detectors know, kept and judged. Decided here: when a connector is judged again, and how heartbeats come in.

Facts are observed on the event loop; judgements read only, and may run in a thread while nobody observes. Heartbeats come at any
time (they leave no record), so they wait in a bounded queue until somebody who holds the loop's turn takes them in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from alerts.attempts import LIMITS, Attempt
from alerts.case import Case
from alerts.detectors.statistics import History, StatisticsSettings, judge, restore, take
from alerts.detectors.statistics.history import Key
from alerts.detectors.statistics.judge import JUDGED_KINDS
from alerts.detectors.statistics.peers import Peers
from alerts.finding import Finding
from alerts.store import Piece
from chargenet.events import Fact

FORMAT = 1
"""Raise it when stored pieces would be misread: they are learned again from the journal then."""
PREFIX = f"history{FORMAT}:"
MAX_BEATS = 100_000
BEATS_STORED_EVERY = timedelta(hours=1)
"""A heartbeat alone stores a charge point so often: a restart may forget so much of them."""
_UNSCALED = frozenset({"forest_limit"})


class Statistics:
    """The history of the network, and the tests over it. `speed`: how many times faster the network lives than a real one."""

    def __init__(self, settings: StatisticsSettings, speed: float = 1.0) -> None:
        self._settings = settings if speed == 1.0 else faster(settings, speed)
        self._limits = LIMITS if speed == 1.0 else LIMITS.faster(speed)
        self.history = History(self._limits)
        self._beats: deque[tuple[str, datetime]] = deque(maxlen=MAX_BEATS)
        self._beats_stored: dict[str, datetime] = {}
        self._finished: set[Key] = set()
        self._peers: Peers | None = None

    @property
    def settings(self) -> StatisticsSettings:
        """As they are used: scaled to the network's speed."""
        return self._settings

    def observe(self, fact: Fact) -> list[Attempt]:
        """Takes one fact in; the attempts that it finished."""
        attempts = self.history.observe(fact)
        for attempt in attempts:
            self._finished.add((attempt.charge_point_id, attempt.connector))
        return attempts

    def beat(self, charge_point_id: str, at: datetime) -> None:
        """A heartbeat came. Of more than MAX_BEATS that wait, the oldest are forgotten."""
        self._beats.append((charge_point_id, at))

    def take_beats(self) -> None:
        """Takes in the heartbeats that wait."""
        while self._beats:
            charge_point_id, at = self._beats.popleft()
            stored = self._beats_stored.get(charge_point_id)
            if stored is None or at - stored >= BEATS_STORED_EVERY:
                self._beats_stored[charge_point_id] = at
                self.history.heartbeat(charge_point_id, at)
            else:
                self.history.heartbeats.beat(charge_point_id, at)

    def finished(self) -> set[Key]:
        """Connectors where an attempt ended since this was last asked."""
        finished, self._finished = self._finished, set()
        return finished

    def judge(self, now: datetime, only: Iterable[Key] | None = None) -> list[Finding]:
        """All findings that are true at `now`, of everything or of `only` these connectors, whose peers may be summed earlier."""
        if only is None or self._peers is None or self._peers.size != self.history.codes.size:
            self._peers = Peers(self.history, now.timestamp())
        return judge(self.history, now, self._settings, only, self._peers)

    def looks_for(self, case: Case, only: set[Key] | None = None) -> bool:
        """`judge` would find what this case is about, if it were still so."""
        if case.kind not in JUDGED_KINDS or case.charge_point_id is None:
            return False
        return only is None or (case.connector is not None and (case.charge_point_id, case.connector) in only)

    def take(self) -> list[Piece]:
        """What changed since the last time, to be stored."""
        return [Piece(PREFIX + name, state) for name, state in take(self.history).items()]

    def restore(self, pieces: Iterable[Piece]) -> None:
        """Knows what `take` gave, too. Pieces may come in parts, in order of their names."""
        known = [(piece.name.removeprefix(PREFIX), piece.state) for piece in pieces if piece.name.startswith(PREFIX)]
        restore([(name, state) for name, state in known if state is not None], history=self.history)

    def clear(self) -> None:
        """Forget everything."""
        self.history, self._peers = History(self._limits), None
        self._finished.clear()


def faster(settings: StatisticsSettings, speed: float) -> StatisticsSettings:
    """For a network whose months are `speed` times shorter: as many chance findings per month of its own."""
    values: dict[str, float] = {
        name: value * speed if name.endswith("_limit") else value / speed
        for name, value in msgspec.structs.asdict(settings).items()
        if name not in _UNSCALED and name.endswith(("_limit", "_days"))
    }
    return msgspec.structs.replace(settings, **values)
