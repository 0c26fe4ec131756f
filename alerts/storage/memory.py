"""What the relay keeps, in memory: the fake of `alerts.relay.rows.AlertStore`, which passes the same contract suite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from alerts.message import Message
from alerts.relay.rows import Backlog, Delivery, Flush, Held, Sent, State, Waiting
from alerts.stages.alert import Alert
from alerts.stages.dedup import Told
from alerts.stages.group import Place
from alerts.stages.silence import Silence
from chargenet.errors import Conflict, NotFound, StoreUnavailable
from chargenet.storage import paging
from chargenet.stores import Page


class _Row(msgspec.Struct):
    waiting: Waiting
    state: State = State.WAITING
    ended_at: datetime | None = None


class MemoryAlerts:
    """Implements `alerts.relay.rows.AlertStore`. `problem` set: every method raises StoreUnavailable with it."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self._alerts: dict[str, Alert] = {}
        self._groups: dict[Place, Told] = {}
        self._rows: dict[int, _Row] = {}
        self._log: list[Delivery] = []
        self._silences: dict[str, Silence] = {}

    def _asked(self) -> None:
        if self.problem is not None:
            raise StoreUnavailable("sql", self.problem)

    async def load(self, now: datetime) -> Held:
        self._asked()
        lasting = [silence for silence in self._silences.values() if silence.ends_at > now]
        return Held(list(self._alerts.values()), list(self._groups.items()), lasting)

    async def take(self, alerts: Sequence[Alert]) -> None:
        self._asked()
        self._alerts |= {alert.key: alert for alert in alerts}

    async def flush(self, flush: Flush) -> None:
        self._asked()
        for message in flush.messages:
            self._put_out(message)
        self._groups |= dict(flush.groups)
        for key in flush.forgotten:
            self._alerts.pop(key, None)

    async def put_out(self, message: Message) -> None:
        self._asked()
        self._put_out(message)

    def _put_out(self, message: Message) -> None:
        number = max(self._rows, default=0) + 1
        created = message.created_at
        self._rows[number] = _Row(
            Waiting(outbox_id=number, message=message, attempts=0, created_at=created, next_attempt_at=created)
        )

    async def heads(self, receiver: str, now: datetime, limit: int) -> list[Waiting]:
        self._asked()
        return [head for head in self._heads(receiver) if head.next_attempt_at <= now][:limit]

    def _heads(self, receiver: str) -> list[Waiting]:
        first: dict[str, Waiting] = {}
        for row in self._rows.values():
            message = row.waiting.message
            if row.state is State.WAITING and message.receiver == receiver:
                first.setdefault(message.group_key, row.waiting)
        return list(first.values())

    async def next_due(self, receiver: str) -> datetime | None:
        self._asked()
        return min((head.next_attempt_at for head in self._heads(receiver)), default=None)

    async def attempted(self, delivery: Delivery, state: State, next_attempt_at: datetime) -> None:
        self._asked()
        self._log.append(msgspec.structs.replace(delivery, delivery_id=len(self._log) + 1))
        row = self._rows[delivery.outbox_id]
        row.waiting = msgspec.structs.replace(row.waiting, attempts=delivery.attempt, next_attempt_at=next_attempt_at)
        row.state, row.ended_at = state, None if state is State.WAITING else delivery.at

    async def hurry(self, receiver: str, now: datetime) -> None:
        self._asked()
        for row in self._waiting():
            if row.waiting.message.receiver == receiver:
                row.waiting = msgspec.structs.replace(row.waiting, next_attempt_at=min(now, row.waiting.next_attempt_at))

    def _waiting(self) -> list[_Row]:
        return [row for row in self._rows.values() if row.state is State.WAITING]

    async def backlog(self) -> dict[str, Backlog]:
        self._asked()
        found: dict[str, Backlog] = {}
        for row in self._waiting():
            name, at = row.waiting.message.receiver, row.waiting.created_at
            before = found.get(name, Backlog(0, at))
            found[name] = Backlog(before.waiting + 1, min(at, before.oldest_at or at))
        return found

    async def abandon(self, receivers: Sequence[str], now: datetime) -> int:
        self._asked()
        theirs = [row for row in self._waiting() if row.waiting.message.receiver not in receivers]
        for row in theirs:
            row.state, row.ended_at = State.GIVEN_UP, now
        return len(theirs)

    async def deliveries(
        self, *, receiver: str | None = None, outcome: str | None = None, message_id: str | None = None,
        cursor: str | None = None, limit: int = 100,
    ) -> Page[Delivery]:  # fmt: skip
        self._asked()
        limit, key = paging.bounded(limit), paging.decode(cursor, int)
        wanted = {
            name: value for name, value in (("receiver", receiver), ("outcome", outcome), ("message_id", message_id)) if value
        }
        rows = [
            row
            for row in reversed(self._log)
            if all(getattr(row, name) == value for name, value in wanted.items()) and (key is None or row.delivery_id < int(key[0]))
        ]
        return paging.page(rows[: limit + 1], limit, lambda row: (row.delivery_id,))

    async def sent(
        self, *, receiver: str | None = None, state: str | None = None, message_id: str | None = None,
        cursor: str | None = None, limit: int = 100,
    ) -> Page[Sent]:  # fmt: skip
        self._asked()
        limit, key = paging.bounded(limit), paging.decode(cursor, int)
        rows = [self._sent(row) for number, row in sorted(self._rows.items(), reverse=True) if key is None or number < int(key[0])]
        wanted = (("receiver", receiver), ("state", state), ("message_id", message_id))
        rows = [row for row in rows if all(value is None or getattr(row, name) == value for name, value in wanted)]
        return paging.page(rows[: limit + 1], limit, lambda row: (row.outbox_id,))

    def _sent(self, row: _Row) -> Sent:
        waiting, message, waits = row.waiting, row.waiting.message, row.state is State.WAITING
        tried = [each for each in self._log if each.message_id == message.message_id]
        return Sent(
            outbox_id=waiting.outbox_id, message_id=message.message_id, receiver=message.receiver, group_key=message.group_key,
            change=message.change, status=message.status, reason=message.reason, severity=message.severity, title=message.title,
            state=row.state.value, attempts=waiting.attempts, created_at=waiting.created_at,
            next_attempt_at=waiting.next_attempt_at if waits else None, ended_at=row.ended_at,
            http_status=tried[-1].http_status if tried else None, last_error=tried[-1].detail if tried else "",
        )  # fmt: skip

    async def add_silence(self, silence: Silence) -> None:
        self._asked()
        self._silences[silence.silence_id] = silence

    async def end_silence(self, silence_id: str, at: datetime, who: str) -> tuple[Silence, Silence]:
        self._asked()
        before = self._silences.get(silence_id)
        if before is None:
            raise NotFound("silence", silence_id)
        if before.ends_at <= at:
            raise Conflict(f"silence {silence_id!r} has ended already")
        after = msgspec.structs.replace(before, ends_at=at, ended_by=who)
        self._silences[silence_id] = after
        return before, after

    async def silences(self, *, in_force_at: datetime | None = None, cursor: str | None = None, limit: int = 100) -> Page[Silence]:
        self._asked()
        limit, key = paging.bounded(limit), paging.decode(cursor, str)
        rows = [
            silence
            for name, silence in sorted(self._silences.items(), reverse=True)
            if (in_force_at is None or silence.ends_at > in_force_at) and (key is None or name < str(key[0]))
        ]
        return paging.page(rows[: limit + 1], limit, lambda row: (row.silence_id,))

    async def prune(self, before: datetime) -> int:
        self._asked()
        log = [row for row in self._log if row.at >= before]
        rows = {number: row for number, row in self._rows.items() if row.ended_at is None or row.ended_at >= before}
        silences = {name: silence for name, silence in self._silences.items() if silence.ends_at >= before}
        groups = {place: told for place, told in self._groups.items() if told.told or told.told_at >= before}
        gone = len(self._log) + len(self._rows) + len(self._silences) + len(self._groups)
        gone -= len(log) + len(rows) + len(silences) + len(groups)
        self._log, self._rows, self._silences, self._groups = log, rows, silences, groups
        return gone
