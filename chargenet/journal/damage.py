"""What could not be read, in sentences, each stretch once. Thread-safe."""

from __future__ import annotations

import logging
import threading

from chargenet.journal.walk import Gap

log = logging.getLogger(__name__)
_MOST = 1000


class DamageReport:
    """Grows while damage is met; bounded, since a broken disk can hold any number of holes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sentences: dict[tuple[str, int], str] = {}

    def add(self, segment: str, gap: Gap) -> None:
        """Note one stretch; the same one again changes nothing."""
        self.note(segment, gap.start, sentence(segment, gap))

    def note(self, segment: str, position: int, text: str) -> None:
        """Note something else that is wrong at `position` of a segment."""
        with self._lock:
            if (segment, position) in self._sentences or len(self._sentences) >= _MOST:
                return
            self._sentences[segment, position] = text
        log.error("journal damage: %s", text)

    def sentences(self) -> list[str]:
        """In order of position."""
        with self._lock:
            return [text for _, text in sorted(self._sentences.items())]


def sentence(segment: str, gap: Gap) -> str:
    """Where it is and which records are gone."""
    lost = gap.before - gap.after - 1
    if lost <= 0:
        fate = "no record is lost"
    elif lost == 1:
        fate = f"record {gap.after + 1} is lost"
    else:
        fate = f"records {gap.after + 1} to {gap.before - 1} are lost"
    place = f"bytes {gap.start} to {gap.stop} are damaged" if gap.stop > gap.start else f"it ends early at byte {gap.start}"
    return f"{segment}: {place}; {fate}"
