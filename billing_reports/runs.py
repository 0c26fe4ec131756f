"""A billing run: one month, all customers. Decided here: its words. It is done again without harm: drafts are made anew, final
statements are left alone, and where it was killed it goes on."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class RunState(StrEnum):
    """Where a run is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """It could not go on; `problem` says why. Running it again goes on where it stopped."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `after` is the last customer that is done, in order of ids."""

    run_id: str
    month: date
    time_zone: str | None = None
    """Only customers of this time zone; None: all."""
    finalize: bool = False
    unfinished_month: bool = False
    """Final statements although the month goes on: what comes later is on a second statement."""
    state: RunState = RunState.RUNNING
    total: int = 0
    done: int = 0
    drafts: int = 0
    finals: int = 0
    after: str = ""
    started_at: datetime
    finished_at: datetime | None = None
    problem: str | None = None
    started_by: str = ""


class StatementRow(msgspec.Struct, frozen=True, kw_only=True):
    """A statement as listings show it."""

    id: str
    kind: str
    state: str
    number: str | None
    customer_id: str
    customer_name: str
    month: date
    currency: str
    payable: str
    """Decimal text in `currency`."""
    lines: int
    created_at: datetime
    issued_at: datetime | None
    due_on: date | None
