"""Billed sessions and CDRs in SQL. Decided here: what is stored in one transaction, and that a CDR is only ever inserted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy.exc
from sqlalchemy import Connection, RowMapping, Select, and_, bindparam, func, insert, or_, select, tuple_, update

from billing_reports.cdr import Cdr, Usage
from billing_reports.cdr_row import CdrRow, RateSum, row_of
from billing_reports.sessions import BilledSession, Change, SessionState
from billing_reports.storage.packing import pack, unpack
from billing_reports.storage.tables import CURSOR, cdrs, sessions
from chargenet.errors import Conflict, NotFound
from chargenet.model.record import instant, microseconds
from chargenet.storage import paging
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import chunks, upsert
from chargenet.storage.tables import cursors
from chargenet.stores import Page

_s, _c = sessions.c, cdrs.c
_SUMMARY = [column for column in cdrs.c if column.name not in ("body", "token_key")]
_ACTIVE = (SessionState.OPEN.value, SessionState.WAITING.value)
Key = tuple[str, str]
_ONE_AFTER_THE_OTHER = 0x63_64_72_73
"""PostgreSQL advisory lock of those who insert CDRs, until they commit."""


class _Used(msgspec.Struct):
    """A CDR of which only the usage is read."""

    usage: Usage


class SqlLedger:
    """Implements `billing_reports.store.LedgerStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def position(self) -> int:
        query = select(cursors.c.sequence).where(cursors.c.name == CURSOR)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none()) or 0

    async def save(self, change: Change) -> None:
        if not change.empty:
            await self._database.write(lambda connection: _save(connection, change))

    # -- sessions

    async def sessions(self, keys: Iterable[Key]) -> dict[Key, BilledSession]:
        def work(connection: Connection) -> dict[Key, BilledSession]:
            found = {}
            for part in chunks(keys):
                for row in connection.execute(select(_s.row).where(tuple_(_s.charge_point_id, _s.subject).in_(part))).scalars():
                    each = _session(row)
                    found[each.charge_point_id, each.subject] = each
            return found

        return await self._database.read(work)

    async def active(self, charge_point_ids: Iterable[str]) -> list[BilledSession]:
        def work(connection: Connection) -> list[BilledSession]:
            found: list[BilledSession] = []
            for part in chunks(charge_point_ids):
                query = select(_s.row).where(_s.charge_point_id.in_(part), _s.state.in_(_ACTIVE))
                found += map(_session, connection.execute(query).scalars())
            return found

        return await self._database.read(work)

    async def due(self, now: datetime, limit: int = 500) -> list[BilledSession]:
        query = select(_s.row).where(_s.state == SessionState.WAITING.value, _s.look_at <= now).order_by(_s.look_at).limit(limit)
        return await self._sessions(query)

    async def open_keys(self, limit: int) -> list[Key]:
        query = select(_s.charge_point_id, _s.subject).where(_s.state == SessionState.OPEN.value).limit(limit)
        return await self._database.read(lambda connection: [(row[0], row[1]) for row in connection.execute(query)])

    async def of_reasons(self, reasons: Iterable[str], after: Key = ("", ""), limit: int = 500) -> list[BilledSession]:
        query = (
            select(_s.row)
            .where(_s.state == SessionState.ISSUE.value, _s.reason.in_(sorted(reasons)))
            .where(tuple_(_s.charge_point_id, _s.subject) > tuple_(*after))
            .order_by(_s.charge_point_id, _s.subject)
            .limit(limit)
        )
        return await self._sessions(query)

    async def issues(
        self, *, reason: str | None = None, charge_point_id: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[BilledSession]:
        limit = paging.bounded(limit)
        query = select(_s.row).where(_s.state == SessionState.ISSUE.value)
        if reason is not None:
            query = query.where(_s.reason == reason)
        if charge_point_id is not None:
            query = query.where(_s.charge_point_id == charge_point_id)
        if (key := paging.decode(cursor, str, str)) is not None:
            query = query.where(tuple_(_s.charge_point_id, _s.subject) > tuple_(*key))
        rows = await self._sessions(query.order_by(_s.charge_point_id, _s.subject).limit(limit + 1))
        return paging.page(rows, limit, lambda row: (row.charge_point_id, row.subject))

    async def of_tokens(self, token_keys: Iterable[str], states: Iterable[str]) -> list[BilledSession]:
        wanted = sorted(states)

        def work(connection: Connection) -> list[BilledSession]:
            found: list[BilledSession] = []
            for part in chunks(token_keys):
                query = select(_s.row).where(_s.token_key.in_(part), _s.state.in_(wanted))
                found += map(_session, connection.execute(query).scalars())
            return found

        return await self._database.read(work)

    async def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        states = select(_s.state, func.count()).group_by(_s.state)
        reasons = select(_s.reason, func.count()).where(_s.state == SessionState.ISSUE.value).group_by(_s.reason)

        def work(connection: Connection) -> tuple[dict[str, int], dict[str, int]]:
            by_state = {row[0]: row[1] for row in connection.execute(states)}
            return by_state, {row[0]: row[1] for row in connection.execute(reasons)}

        return await self._database.read(work)

    async def _sessions(self, query: Select[Any]) -> list[BilledSession]:
        return await self._database.read(lambda connection: [_session(row) for row in connection.execute(query).scalars()])

    # -- CDRs

    async def cdr(self, cdr_id: str) -> Cdr:
        query = select(_c.body).where(_c.cdr_id == cdr_id)
        body = await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none())
        if body is None:
            raise NotFound("CDR", cdr_id)
        return unpack(bytes(body), Cdr)

    async def row(self, cdr_id: str) -> CdrRow:
        found = await self._rows(select(*_SUMMARY).where(_c.cdr_id == cdr_id))
        if not found:
            raise NotFound("CDR", cdr_id)
        return found[0]

    async def cdrs(self, cdr_ids: Iterable[str]) -> dict[str, Cdr]:
        def work(connection: Connection) -> dict[str, Cdr]:
            found = {}
            for part in chunks(cdr_ids):
                for cdr_id, body in connection.execute(select(_c.cdr_id, _c.body).where(_c.cdr_id.in_(part))):
                    found[cdr_id] = unpack(bytes(body), Cdr)
            return found

        return await self._database.read(work)

    async def usages(self, cdr_ids: Iterable[str]) -> dict[str, Usage]:
        def work(connection: Connection) -> dict[str, Usage]:
            found = {}
            for part in chunks(cdr_ids):
                for cdr_id, body in connection.execute(select(_c.cdr_id, _c.body).where(_c.cdr_id.in_(part))):
                    found[cdr_id] = unpack(bytes(body), _Used).usage
            return found

        return await self._database.read(work)

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
        limit = paging.bounded(limit)
        query = select(*_SUMMARY).order_by(_c.ended_at.desc(), _c.ordinal.desc()).limit(limit + 1)
        for column, value in (
            (_c.charge_point_id, charge_point_id), (_c.site_id, site_id), (_c.customer_id, customer_id),
            (_c.statement_id, statement_id), (_c.credit, credit),
        ):  # fmt: skip
            if value is not None:
                query = query.where(column == value)
        if unassigned is not None:
            query = query.where(_c.customer_id.is_(None) if unassigned else _c.customer_id.is_not(None))
        query = query.where(*_between(since, until))
        if (key := paging.decode(cursor, int, int)) is not None:
            at = bindparam("at", instant(int(key[0])), _c.ended_at.type)
            query = query.where(or_(_c.ended_at < at, and_(_c.ended_at == at, _c.ordinal < int(key[1]))))
        rows = await self._rows(query)
        return paging.page(rows, limit, lambda row: (microseconds(row.ended_at), row.ordinal))

    async def made_after(self, ordinal: int, limit: int = 500) -> list[CdrRow]:
        return await self._rows(select(*_SUMMARY).where(_c.ordinal > ordinal).order_by(_c.ordinal).limit(limit))

    async def unstated(self, customer_ids: Sequence[str], until: datetime) -> list[CdrRow]:
        def work(connection: Connection) -> list[CdrRow]:
            found: list[CdrRow] = []
            for part in chunks(customer_ids):
                query = select(*_SUMMARY).where(_c.customer_id.in_(part), _c.ended_at < until, _c.statement_id.is_(None))
                found += [_row(row) for row in connection.execute(query.order_by(_c.ended_at, _c.ordinal)).mappings()]
            return found

        return await self._database.read(work)

    async def without_customer(self, token_keys: Iterable[str]) -> list[str]:
        def work(connection: Connection) -> list[str]:
            found: list[str] = []
            for part in chunks(token_keys):
                alone = (_c.token_key.in_(part), _c.customer_id.is_(None), _c.credit.is_(False), _c.credited_by.is_(None))
                found += connection.execute(select(_c.cdr_id).where(*alone).order_by(_c.ordinal)).scalars()
            return found

        return await self._database.read(work)

    async def _rows(self, query: Select[Any]) -> list[CdrRow]:
        return await self._database.read(lambda connection: [_row(row) for row in connection.execute(query).mappings()])


def _between(since: datetime | None, until: datetime | None) -> list[Any]:
    made: list[Any] = []
    if since is not None:
        made.append(_c.ended_at >= since)
    if until is not None:
        made.append(_c.ended_at < until)
    return made


def _session(row: str) -> BilledSession:
    return msgspec.json.decode(row, type=BilledSession)


def _row(row: RowMapping) -> CdrRow:
    fields = dict(row)
    fields["id"] = fields.pop("cdr_id")
    fields["rates"] = msgspec.json.decode(fields["rates"], type=tuple[RateSum, ...])
    for name in ("before_taxes", "after_taxes"):
        fields[name] = Decimal(fields[name])
    return CdrRow(**fields)


def _save(connection: Connection, change: Change) -> None:
    if change.position is not None:
        move(connection, CURSOR, *change.position)
    upsert(connection, sessions, [_session_values(each) for each in change.sessions])
    insert_cdrs(connection, change.cdrs)


def insert_cdrs(connection: Connection, made: Sequence[Cdr]) -> None:
    """New CDRs, and on their originals that they are credited. Raises Conflict where an id is there already."""
    if not made:
        return
    if connection.dialect.name == "postgresql":
        # One writer after the other: who follows the ordinals would miss a lower one that is committed after a higher one.
        connection.execute(select(func.pg_advisory_xact_lock(_ONE_AFTER_THE_OTHER)))
    try:
        connection.execute(insert(cdrs), [cdr_values(each) for each in made])
    except sqlalchemy.exc.IntegrityError:
        raise Conflict(f"one of the CDRs {', '.join(each.id for each in made[:5])} is there already") from None
    for each in made:
        if each.credit:
            free = (_c.cdr_id == each.credit_reference_id, _c.credited_by.is_(None))
            if connection.execute(update(cdrs).where(*free).values(credited_by=each.id)).rowcount != 1:
                raise Conflict(f"CDR {each.credit_reference_id} is credited already, or not known")


def _session_values(each: BilledSession) -> dict[str, Any]:
    return {
        "charge_point_id": each.charge_point_id,
        "subject": each.subject,
        "state": each.state.value,
        "reason": None if each.reason is None else each.reason.value,
        "look_at": each.look_at,
        "token_key": each.token_key,
        "customer_id": each.customer_id,
        "ended_at": each.ended_at,
        "cdr_id": each.cdr_id,
        "row": msgspec.json.encode(each).decode(),
    }


def cdr_values(cdr: Cdr) -> dict[str, Any]:
    """A CDR as a row."""
    summary = row_of(cdr)
    values = {name: getattr(summary, name) for name in summary.__struct_fields__ if name not in ("ordinal", "id", "rates")}
    return values | {
        "cdr_id": cdr.id,
        "token_key": None if cdr.id_token is None else cdr.id_token.casefold(),
        "before_taxes": str(summary.before_taxes),
        "after_taxes": str(summary.after_taxes),
        "rates": msgspec.json.encode(summary.rates).decode(),
        "body": pack(cdr),
    }


def move(connection: Connection, name: str, before: int, after: int) -> None:
    """Move a position. Raises Conflict where it is not at `before`: another process has moved it."""
    here = update(cursors).where(cursors.c.name == name, cursors.c.sequence == before).values(sequence=after)
    if connection.execute(here).rowcount == 1:
        return
    known = connection.execute(select(cursors.c.sequence).where(cursors.c.name == name)).scalar_one_or_none()
    if known is not None or before != 0:
        raise Conflict(f"the position of {name} is {known}, not {before}")
    connection.execute(insert(cursors).values(name=name, sequence=after))
