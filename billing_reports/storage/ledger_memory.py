"""Billed sessions and CDRs in memory: the fake of `billing_reports.store.LedgerStore`, which passes the same contract suite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from billing_reports.cdr import Cdr, Usage
from billing_reports.cdr_row import CdrRow, row_of
from billing_reports.sessions import BilledSession, Change, SessionState
from billing_reports.storage.tables import CURSOR
from billing_reports.store import Key
from chargenet.errors import Conflict, NotFound, StoreUnavailable
from chargenet.model.record import microseconds
from chargenet.storage import paging
from chargenet.stores import Page

replace = msgspec.structs.replace


class MemoryLedger:
    """Implements `billing_reports.store.LedgerStore`. `problem` set: every method raises StoreUnavailable with it."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self.rows: dict[str, CdrRow] = {}
        """By id, in the order in which they were made. Statements write into it what they settle."""
        self._position = 0
        self._sessions: dict[Key, BilledSession] = {}
        self._cdrs: dict[str, Cdr] = {}

    def asked(self) -> None:
        """Raises StoreUnavailable where the test says so."""
        if self.problem is not None:
            raise StoreUnavailable("sql", self.problem)

    async def position(self) -> int:
        self.asked()
        return self._position

    async def save(self, change: Change) -> None:
        self.asked()
        if change.position is not None and change.position[0] != self._position:
            raise Conflict(f"the position of {CURSOR} is {self._position}, not {change.position[0]}")
        rows = _with(self.rows, change.cdrs)  # raises before anything has changed
        self.rows = rows
        self._cdrs |= {each.id: each for each in change.cdrs}
        self._sessions |= {(each.charge_point_id, each.subject): each for each in change.sessions}
        if change.position is not None:
            self._position = change.position[1]

    # -- sessions

    async def sessions(self, keys: Iterable[Key]) -> dict[Key, BilledSession]:
        self.asked()
        return {key: self._sessions[key] for key in keys if key in self._sessions}

    async def active(self, charge_point_ids: Iterable[str]) -> list[BilledSession]:
        wanted = set(charge_point_ids)
        states = (SessionState.OPEN, SessionState.WAITING)
        return self._those(lambda each: each.charge_point_id in wanted and each.state in states)

    async def due(self, now: datetime, limit: int = 500) -> list[BilledSession]:
        waiting = self._those(lambda each: each.state is SessionState.WAITING)
        found = [(each.look_at, each) for each in waiting if each.look_at is not None and each.look_at <= now]
        return [each for _, each in sorted(found, key=lambda pair: pair[0])][:limit]

    async def open_keys(self, limit: int) -> list[Key]:
        found = self._those(lambda each: each.state is SessionState.OPEN)
        return [(each.charge_point_id, each.subject) for each in found][:limit]

    async def of_reasons(self, reasons: Iterable[str], after: Key = ("", ""), limit: int = 500) -> list[BilledSession]:
        wanted = set(reasons)
        return [each for each in self._issues(after) if each.reason in wanted][:limit]

    async def issues(
        self, *, reason: str | None = None, charge_point_id: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[BilledSession]:
        limit = paging.bounded(limit)
        key = paging.decode(cursor, str, str) or ("", "")
        found = self._issues((str(key[0]), str(key[1])))
        kept = [
            each for each in found if reason in (None, each.reason) and charge_point_id in (None, each.charge_point_id)
        ]  # fmt: skip
        return paging.page(kept[: limit + 1], limit, lambda row: (row.charge_point_id, row.subject))

    def _issues(self, after: Key) -> list[BilledSession]:
        found = self._those(lambda each: each.state is SessionState.ISSUE and (each.charge_point_id, each.subject) > after)
        return sorted(found, key=lambda each: (each.charge_point_id, each.subject))

    async def of_tokens(self, token_keys: Iterable[str], states: Iterable[str]) -> list[BilledSession]:
        keys, wanted = set(token_keys), set(states)
        return self._those(lambda each: each.token_key in keys and each.state.value in wanted)

    async def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        self.asked()
        states: dict[str, int] = {}
        reasons: dict[str, int] = {}
        for each in self._sessions.values():
            states[each.state.value] = states.get(each.state.value, 0) + 1
            if each.state is SessionState.ISSUE and each.reason is not None:
                reasons[each.reason.value] = reasons.get(each.reason.value, 0) + 1
        return states, reasons

    def _those(self, wanted: Callable[[BilledSession], bool]) -> list[BilledSession]:
        self.asked()
        return [each for each in self._sessions.values() if wanted(each)]

    # -- CDRs

    async def cdr(self, cdr_id: str) -> Cdr:
        self.asked()
        if cdr_id not in self._cdrs:
            raise NotFound("CDR", cdr_id)
        return self._cdrs[cdr_id]

    async def row(self, cdr_id: str) -> CdrRow:
        self.asked()
        if cdr_id not in self.rows:
            raise NotFound("CDR", cdr_id)
        return self.rows[cdr_id]

    async def cdrs(self, cdr_ids: Iterable[str]) -> dict[str, Cdr]:
        self.asked()
        return {each: self._cdrs[each] for each in cdr_ids if each in self._cdrs}

    async def usages(self, cdr_ids: Iterable[str]) -> dict[str, Usage]:
        return {name: each.usage for name, each in (await self.cdrs(cdr_ids)).items()}

    async def page(
        self,
        *,
        charge_point_id: str | None = None,
        site_id: str | None = None,
        customer_id: str | None = None,
        statement_id: str | None = None,
        unassigned: bool | None = None,
        credit: bool | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[CdrRow]:
        self.asked()
        limit = paging.bounded(limit)
        wanted = {
            "charge_point_id": charge_point_id, "site_id": site_id, "customer_id": customer_id, "statement_id": statement_id,
            "credit": credit,
        }  # fmt: skip
        found = sorted(
            (row for row in self.rows.values() if _fits(row, wanted, unassigned) and _within(row, since, until)),
            key=_newest_last, reverse=True,
        )  # fmt: skip
        if (key := paging.decode(cursor, int, int)) is not None:
            found = [row for row in found if _newest_last(row) < key]
        return paging.page(found[: limit + 1], limit, _newest_last)

    async def made_after(self, ordinal: int, limit: int = 500) -> list[CdrRow]:
        self.asked()
        return [row for row in self.rows.values() if row.ordinal > ordinal][:limit]

    async def unstated(self, customer_ids: Sequence[str], until: datetime) -> list[CdrRow]:
        self.asked()
        wanted = set(customer_ids)
        free = (row for row in self.rows.values() if row.customer_id in wanted and row.statement_id is None)
        return sorted((row for row in free if row.ended_at < until), key=_newest_last)

    async def without_customer(self, token_keys: Iterable[str]) -> list[str]:
        self.asked()
        keys = set(token_keys)
        alone = (row for row in self.rows.values() if row.customer_id is None and not row.credit and row.credited_by is None)
        tokens = {row.id: self._cdrs[row.id].id_token for row in alone}
        return [name for name, token in tokens.items() if token is not None and token.casefold() in keys]


def _with(rows: dict[str, CdrRow], made: Sequence[Cdr]) -> dict[str, CdrRow]:
    """`rows` with new CDRs, and on their originals that they are credited. Raises Conflict as the port says."""
    found = dict(rows)
    for each in made:
        if each.id in found:
            raise Conflict(f"one of the CDRs {', '.join(one.id for one in made[:5])} is there already")
        found[each.id] = row_of(each, len(found) + 1)
    for each in made:
        if each.credit:
            original = found.get(each.credit_reference_id or "")
            if original is None or original.credited_by is not None:
                raise Conflict(f"CDR {each.credit_reference_id} is credited already, or not known")
            found[original.id] = replace(original, credited_by=each.id)
    return found


def _newest_last(row: CdrRow) -> tuple[int, int]:
    return microseconds(row.ended_at), row.ordinal


def _fits(row: CdrRow, wanted: dict[str, Any], unassigned: bool | None) -> bool:
    if unassigned is not None and unassigned != (row.customer_id is None):
        return False
    return all(value is None or getattr(row, name) == value for name, value in wanted.items())


def _within(row: CdrRow, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or row.ended_at >= since) and (until is None or row.ended_at < until)
