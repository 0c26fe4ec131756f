"""A case: one thing that is (or was) wrong. Decided here: its fields, its life as a table, and what a person may do with it.

found ─▶ open ─acknowledge─▶ acknowledged
          │ clear, resolve       │ clear, resolve
          ▼                      ▼
         resolved ◀──────────────┘
          │ found (within the cool-down)
          ▼
         reopened ─ then as open
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from alerts.finding import Evidence
from chargenet.errors import Conflict


class State(StrEnum):
    """Where a case is."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    REOPENED = "reopened"


class Step(StrEnum):
    """What moves a case: a detector found it, a person took it, its evidence is gone, a person ended it."""

    FOUND = "found"
    ACKNOWLEDGE = "acknowledge"
    CLEAR = "clear"
    RESOLVE = "resolve"


LIFE: dict[tuple[State | None, Step], State] = {
    (None, Step.FOUND): State.OPEN,
    (State.OPEN, Step.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.OPEN, Step.CLEAR): State.RESOLVED,
    (State.OPEN, Step.RESOLVE): State.RESOLVED,
    (State.ACKNOWLEDGED, Step.CLEAR): State.RESOLVED,
    (State.ACKNOWLEDGED, Step.RESOLVE): State.RESOLVED,
    (State.RESOLVED, Step.FOUND): State.REOPENED,
    (State.REOPENED, Step.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.REOPENED, Step.CLEAR): State.RESOLVED,
    (State.REOPENED, Step.RESOLVE): State.RESOLVED,
}
"""The whole life of a case; what is not here does not happen. Found while unresolved: it stays where it is."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """At most one case of a thing and kind is not resolved. Instants are of our clock."""

    case_id: int
    kind: str
    thing: str
    """As Finding.thing."""
    charge_point_id: str | None = None
    connector: str | None = None
    group: str | None = None
    site_id: str | None = None
    state: str = State.OPEN
    severity: str
    score: float
    summary: str
    action: str
    evidence: tuple[Evidence, ...] = ()
    began_at: datetime
    """Since when it has been so."""
    opened_at: datetime
    """When it became a case, or came back."""
    found_at: datetime
    """When it was last found."""
    gone_since: datetime | None = None
    """Since when it has not been found; None while it is."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    """Who said so; None where evidence did."""
    resolution: str | None = None
    note: str | None = None
    """The last that a person wrote."""
    times_reopened: int = 0
    suppressed_by: int | None = None
    """The case that explains this one."""
    masked_by: str | None = None
    """The planned work that hides it."""
    revision: int = 1
    """Rises with every change that whoever was told should hear."""
    told: int = 0
    """The last revision that the relay has stored; 0: nobody has heard of it."""

    @property
    def key(self) -> tuple[str, str]:
        """What there is one unresolved case of: thing and kind."""
        return self.thing, self.kind

    @property
    def is_open(self) -> bool:
        """It is not resolved."""
        return self.state != State.RESOLVED

    @property
    def hidden(self) -> bool:
        """Something else explains it: it is kept and shown in lists, and nobody is told."""
        return self.suppressed_by is not None or self.masked_by is not None

    @property
    def untold(self) -> bool:
        """The relay must still hear of this revision. What is hidden begins in silence; what was told of is told of to its end."""
        if self.told == 0:
            return self.is_open and not self.hidden
        return self.told < self.revision and not (self.hidden and self.is_open)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A case after something happened to it, and why, as a sentence. `what` is a key of NEWS."""

    case: Case
    what: str
    why: str
    who: str | None = None


NEWS: dict[str, bool] = {
    "opened": True,
    "reopened": True,
    "worse": True,
    "suppressed": True,
    "masked": True,
    "shown": True,
    "acknowledged": True,
    "resolved": True,
    "seen": False,
    "gone": False,
}
"""What can happen to a case → does it belong into its history. The rest only refreshes its evidence."""


def acknowledged(case: Case, who: str, note: str, now: datetime) -> Change:
    """A person took it. Raises Conflict where it is not there to be taken."""
    state = moved(case, Step.ACKNOWLEDGE)
    after = msgspec.structs.replace(
        case, state=state, acknowledged_at=now, acknowledged_by=who, note=note or case.note, revision=case.revision + 1
    )
    return Change(case=after, what="acknowledged", why=note or "taken", who=who)


def resolved(case: Case, who: str, note: str, now: datetime) -> Change:
    """A person ended it. What is still found will reopen it. Raises Conflict where it is resolved already."""
    state = moved(case, Step.RESOLVE)
    after = msgspec.structs.replace(
        case,
        state=state,
        resolved_at=now,
        resolved_by=who,
        resolution=note or "resolved by hand",
        note=note or case.note,
        revision=case.revision + 1,
    )
    return Change(case=after, what="resolved", why=note or "resolved by hand", who=who)


def moved(case: Case, step: Step) -> State:
    """Where the step leads. Raises Conflict where the table has no such move."""
    state = LIFE.get((State(case.state), step))
    if state is None:
        raise Conflict(f"case {case.case_id} is {case.state} already")
    return state
