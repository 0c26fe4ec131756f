"""What the relay keeps, in SQL: the adapter of `alerts.relay.rows.AlertStore`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, Select, and_, delete, func, insert, select, update

from alerts.message import Message
from alerts.relay.rows import Backlog, Delivery, Flush, Held, Sent, State, Waiting
from alerts.stages.alert import Alert
from alerts.stages.dedup import Told
from alerts.stages.group import Place
from alerts.stages.silence import Silence
from alerts.storage.tables import alert_deliveries, alert_groups, alert_notices, alert_outbox, alert_silences
from chargenet.errors import Conflict, NotFound
from chargenet.model.notice import Notice
from chargenet.storage import paging
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import chunks, plain, upsert, values
from chargenet.stores import Page

_out = alert_outbox.c
_notice = msgspec.json.Decoder(Notice)
_message = msgspec.json.Decoder(Message)
_texts = msgspec.json.Decoder(tuple[str, ...])
_marks = msgspec.json.Decoder(dict[str, str])


class SqlAlerts:
    """Implements `alerts.relay.rows.AlertStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, now: datetime) -> Held:
        def work(connection: Connection) -> Held:
            alerts = [_alert(row) for row in connection.execute(select(alert_notices)).mappings()]
            groups = [_group(row) for row in connection.execute(select(alert_groups)).mappings()]
            lasting = select(alert_silences).where(alert_silences.c.ends_at > now)
            return Held(alerts, groups, [_silence(row) for row in connection.execute(lasting).mappings()])

        return await self._database.read(work)

    async def take(self, alerts: Sequence[Alert]) -> None:
        await self._database.write(lambda connection: upsert(connection, alert_notices, [_notice_row(alert) for alert in alerts]))

    async def flush(self, flush: Flush) -> None:
        def work(connection: Connection) -> None:
            if flush.messages:
                connection.execute(insert(alert_outbox), [_outbox_row(message) for message in flush.messages])
            upsert(connection, alert_groups, [_group_row(place, told) for place, told in flush.groups])
            for keys in chunks(flush.forgotten):
                connection.execute(delete(alert_notices).where(alert_notices.c.key.in_(keys)))

        await self._database.write(work)

    async def put_out(self, message: Message) -> None:
        row = _outbox_row(message)
        await self._database.write(lambda connection: connection.execute(insert(alert_outbox).values(row)))

    async def heads(self, receiver: str, now: datetime, limit: int) -> list[Waiting]:
        query = _heads(receiver).where(_out.next_attempt_at <= now).order_by(_out.outbox_id).limit(limit)
        return await self._database.read(lambda connection: [_waiting(row) for row in connection.execute(query).mappings()])

    async def next_due(self, receiver: str) -> datetime | None:
        query = _heads(receiver).with_only_columns(_out.next_attempt_at).order_by(_out.next_attempt_at).limit(1)
        return await self._database.read(lambda connection: connection.execute(query).scalar())

    async def attempted(self, delivery: Delivery, state: State, next_attempt_at: datetime) -> None:
        logged = plain(delivery)
        del logged["delivery_id"]
        ended_at = None if state is State.WAITING else delivery.at
        moved = (
            update(alert_outbox)
            .where(_out.outbox_id == delivery.outbox_id)
            .values(state=state.value, attempts=delivery.attempt, next_attempt_at=next_attempt_at, ended_at=ended_at)
        )

        def work(connection: Connection) -> None:
            connection.execute(insert(alert_deliveries).values(logged))
            connection.execute(moved)

        await self._database.write(work)

    async def hurry(self, receiver: str, now: datetime) -> None:
        later = (_out.receiver == receiver, _out.state == State.WAITING.value, _out.next_attempt_at > now)
        statement = update(alert_outbox).where(*later).values(next_attempt_at=now)
        await self._database.write(lambda connection: connection.execute(statement))

    async def backlog(self) -> dict[str, Backlog]:
        query = (
            select(_out.receiver, func.count(), func.min(_out.created_at))
            .where(_out.state == State.WAITING.value)
            .group_by(_out.receiver)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {receiver: Backlog(waiting, oldest_at) for receiver, waiting, oldest_at in rows}

    async def abandon(self, receivers: Sequence[str], now: datetime) -> int:
        theirs = (_out.state == State.WAITING.value, _out.receiver.not_in(list(receivers)))
        statement = update(alert_outbox).where(*theirs).values(state=State.GIVEN_UP.value, ended_at=now)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)

    async def deliveries(
        self, *, receiver: str | None = None, outcome: str | None = None, message_id: str | None = None,
        cursor: str | None = None, limit: int = 100,
    ) -> Page[Delivery]:  # fmt: skip
        limit = paging.bounded(limit)
        query = select(alert_deliveries).order_by(alert_deliveries.c.delivery_id.desc()).limit(limit + 1)
        for name, wanted in (("receiver", receiver), ("outcome", outcome), ("message_id", message_id)):
            if wanted is not None:
                query = query.where(alert_deliveries.c[name] == wanted)
        if (key := paging.decode(cursor, int)) is not None:
            query = query.where(alert_deliveries.c.delivery_id < key[0])
        rows = await self._database.read(lambda connection: values(Delivery, connection.execute(query).mappings()))
        return paging.page(rows, limit, lambda row: (row.delivery_id,))

    async def sent(
        self, *, receiver: str | None = None, state: str | None = None, message_id: str | None = None,
        cursor: str | None = None, limit: int = 100,
    ) -> Page[Sent]:  # fmt: skip
        limit, tried = paging.bounded(limit), alert_deliveries.c
        query = (
            select(alert_outbox, tried.http_status, tried.detail)
            .outerjoin(alert_deliveries, and_(tried.message_id == _out.message_id, tried.attempt == _out.attempts))
            .order_by(_out.outbox_id.desc())
            .limit(limit + 1)
        )
        for column, wanted in ((_out.receiver, receiver), (_out.state, state), (_out.message_id, message_id)):
            if wanted is not None:
                query = query.where(column == wanted)
        if (key := paging.decode(cursor, int)) is not None:
            query = query.where(_out.outbox_id < key[0])
        rows = await self._database.read(lambda connection: [_sent(row) for row in connection.execute(query).mappings()])
        return paging.page(rows, limit, lambda row: (row.outbox_id,))

    async def add_silence(self, silence: Silence) -> None:
        row = plain(silence) | {"matchers": msgspec.json.encode(silence.matchers).decode()}
        await self._database.write(lambda connection: connection.execute(insert(alert_silences).values(row)))

    async def end_silence(self, silence_id: str, at: datetime, who: str) -> tuple[Silence, Silence]:
        one = alert_silences.c.silence_id == silence_id

        def work(connection: Connection) -> tuple[Silence, Silence]:
            row = connection.execute(select(alert_silences).where(one).with_for_update()).mappings().one_or_none()
            if row is None:
                raise NotFound("silence", silence_id)
            before = _silence(row)
            if before.ends_at <= at:
                raise Conflict(f"silence {silence_id!r} has ended already")
            after = msgspec.structs.replace(before, ends_at=at, ended_by=who)
            connection.execute(update(alert_silences).where(one).values(ends_at=at, ended_by=who))
            return before, after

        return await self._database.write(work)

    async def silences(self, *, in_force_at: datetime | None = None, cursor: str | None = None, limit: int = 100) -> Page[Silence]:
        limit = paging.bounded(limit)
        query = select(alert_silences).order_by(alert_silences.c.silence_id.desc()).limit(limit + 1)
        if in_force_at is not None:
            query = query.where(alert_silences.c.ends_at > in_force_at)
        if (key := paging.decode(cursor, str)) is not None:
            query = query.where(alert_silences.c.silence_id < key[0])
        rows = await self._database.read(lambda connection: [_silence(row) for row in connection.execute(query).mappings()])
        return paging.page(rows, limit, lambda row: (row.silence_id,))

    async def prune(self, before: datetime) -> int:
        old = (
            delete(alert_deliveries).where(alert_deliveries.c.at < before),
            delete(alert_outbox).where(_out.state != State.WAITING.value, _out.ended_at < before),
            delete(alert_silences).where(alert_silences.c.ends_at < before),
            delete(alert_groups).where(alert_groups.c.told == "{}", alert_groups.c.told_at < before),
        )
        return await self._database.write(lambda connection: sum(connection.execute(each).rowcount for each in old))


def _heads(receiver: str) -> Select[Any]:
    """The oldest waiting row of each group of one receiver."""
    waiting = (_out.receiver == receiver, _out.state == State.WAITING.value)
    first = select(func.min(_out.outbox_id)).where(*waiting).group_by(_out.group_key)
    return select(alert_outbox).where(_out.outbox_id.in_(first))


def _notice_row(alert: Alert) -> dict[str, Any]:
    notice = msgspec.json.encode(alert.notice).decode()
    row = {"key": alert.key, "origin": alert.origin, "given_group": alert.given_group, "notice": notice}
    return row | {"taken_at": alert.taken_at, "heard_at": alert.heard_at}


def _alert(row: RowMapping) -> Alert:
    return Alert(
        notice=_notice.decode(row["notice"]), origin=row["origin"], given_group=row["given_group"], taken_at=row["taken_at"],
        heard_at=row["heard_at"],
    )  # fmt: skip


def _group_row(place: Place, told: Told) -> dict[str, Any]:
    lists = {"told": msgspec.json.encode(told.told).decode(), "news": msgspec.json.encode(told.news).decode()}
    return plain(place) | plain(told) | lists


def _group(row: RowMapping) -> tuple[Place, Told]:
    fields = dict(row)
    place = Place(fields.pop("receiver"), fields.pop("group_key"))
    told, news = _marks.decode(fields.pop("told")), _texts.decode(fields.pop("news"))
    return place, Told(told=told, news=news, **fields)


def _outbox_row(message: Message) -> dict[str, Any]:
    return {
        "message_id": message.message_id, "receiver": message.receiver, "group_key": message.group_key, "change": message.change,
        "state": State.WAITING.value, "created_at": message.created_at, "next_attempt_at": message.created_at, "attempts": 0,
        "ended_at": None, "message": msgspec.json.encode(message).decode(),
    }  # fmt: skip


def _waiting(row: RowMapping) -> Waiting:
    return Waiting(
        outbox_id=row["outbox_id"], message=_message.decode(row["message"]), attempts=row["attempts"],
        created_at=row["created_at"], next_attempt_at=row["next_attempt_at"],
    )  # fmt: skip


class _Said(msgspec.Struct):
    """The part of a message that a listing shows; the rest is passed over."""

    status: str
    reason: str
    severity: str
    title: str


_said = msgspec.json.Decoder(_Said)


def _sent(row: RowMapping) -> Sent:
    said, waits = _said.decode(row["message"]), row["state"] == State.WAITING.value
    return Sent(
        outbox_id=row["outbox_id"], message_id=row["message_id"], receiver=row["receiver"], group_key=row["group_key"],
        change=row["change"], status=said.status, reason=said.reason, severity=said.severity, title=said.title, state=row["state"],
        attempts=row["attempts"], created_at=row["created_at"], next_attempt_at=row["next_attempt_at"] if waits else None,
        ended_at=row["ended_at"], http_status=row["http_status"], last_error=row["detail"] or "",
    )  # fmt: skip


def _silence(row: RowMapping) -> Silence:
    fields = dict(row)
    return Silence(matchers=_texts.decode(fields.pop("matchers")), **fields)
