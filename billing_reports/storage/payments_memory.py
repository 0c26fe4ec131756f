"""Payments in memory: the fake that passes the suite of the port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from billing_reports.payments.payment import Payment, PaymentEntry, SavedMethod
from billing_reports.payments.store import Summary
from chargenet.errors import Conflict, NotFound
from chargenet.model.record import instant, microseconds
from chargenet.storage import paging
from chargenet.stores import Page


class MemoryPayments:
    """Implements `billing_reports.payments.store.PaymentStore`."""

    def __init__(self) -> None:
        self._payments: dict[str, Payment] = {}
        self._history: dict[str, list[PaymentEntry]] = {}
        self._methods: dict[str, SavedMethod] = {}
        self._events: dict[str, datetime] = {}
        self._positions: dict[str, int] = {}

    async def add(self, payment: Payment) -> Payment:
        same = ("payment_id", "statement_id", "token_key", "gateway_id")
        for each in self._payments.values():
            if any(getattr(payment, name) is not None and getattr(payment, name) == getattr(each, name) for name in same):
                raise Conflict(f"payment {payment.payment_id}, or one for the same thing, is there already")
        return self._put(payment, "made")

    async def save(self, payment: Payment, what: str) -> Payment:
        known = self._payments.get(payment.payment_id)
        if known is None or known.version != payment.version:
            raise Conflict(f"payment {payment.payment_id} was changed meanwhile: look at it again")
        return self._put(msgspec.structs.replace(payment, version=payment.version + 1), what)

    async def payment(self, payment_id: str) -> Payment:
        if payment_id not in self._payments:
            raise NotFound("payment", payment_id)
        return self._payments[payment_id]

    async def at_gateway(self, gateway_id: str) -> Payment | None:
        return next((each for each in self._payments.values() if each.gateway_id == gateway_id), None)

    async def due(self, now: datetime, limit: int) -> list[Payment]:
        found = [(each.look_at, each.payment_id) for each in self._payments.values() if each.look_at and each.look_at <= now]
        return [self._payments[payment_id] for _, payment_id in sorted(found)[:limit]]

    async def untold(self, limit: int) -> list[Payment]:
        return [self._payments[key] for key in sorted(self._payments) if self._payments[key].untold][:limit]

    async def of_tokens(self, token_keys: Sequence[str]) -> list[Payment]:
        return [self._payments[key] for key in sorted(self._payments) if self._payments[key].token_key in token_keys]

    async def of_statements(self, statement_ids: Sequence[str]) -> list[Payment]:
        return [self._payments[key] for key in sorted(self._payments) if self._payments[key].statement_id in statement_ids]

    async def page(
        self,
        *,
        state: str | None = None,
        kind: str | None = None,
        customer_id: str | None = None,
        stuck: bool | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Payment]:
        limit = paging.bounded(limit)
        wanted = {"state": state, "kind": kind, "customer_id": customer_id}
        rows = sorted(self._payments.values(), key=lambda each: (each.created_at, each.payment_id), reverse=True)
        rows = [
            each
            for each in rows
            if all(value is None or getattr(each, name) == value for name, value in wanted.items())
            and (stuck is None or bool(each.stuck) == stuck)
        ]
        if (key := paging.decode(cursor, int, str)) is not None:
            rows = [each for each in rows if (each.created_at, each.payment_id) < (instant(int(key[0])), key[1])]
        return paging.page(rows[: limit + 1], limit, lambda row: (microseconds(row.created_at), row.payment_id))

    async def history(self, payment_id: str) -> list[PaymentEntry]:
        return list(self._history.get(payment_id, ()))

    async def summary(self) -> Summary:
        everything = self._payments.values()
        owed: Counter[str] = Counter()
        for each in everything:
            owed[each.currency] += each.receivable
        return Summary(
            states=dict(Counter((each.kind.value, each.state.value) for each in everything)),
            stuck=sum(bool(each.stuck) for each in everything),
            receivable={currency: amount for currency, amount in owed.items() if amount},
            oldest_request_at=min((each.pending.stored_at for each in everything if each.pending is not None), default=None),
        )

    async def put_method(self, method: SavedMethod) -> None:
        self._methods[method.customer_id] = method

    async def drop_method(self, customer_id: str) -> None:
        if self._methods.pop(customer_id, None) is None:
            raise NotFound("saved method of customer", customer_id)

    async def method(self, customer_id: str) -> SavedMethod | None:
        return self._methods.get(customer_id)

    async def take_event(self, event_id: str, now: datetime) -> bool:
        if event_id in self._events:
            return False
        self._events[event_id] = now
        return True

    async def knows_event(self, event_id: str) -> bool:
        return event_id in self._events

    async def forget_events(self, before: datetime) -> None:
        self._events = {event_id: at for event_id, at in self._events.items() if at >= before}

    async def position(self, name: str) -> int:
        return self._positions.get(name, 0)

    async def set_position(self, name: str, position: int) -> None:
        self._positions[name] = position

    def _put(self, payment: Payment, what: str) -> Payment:
        self._payments[payment.payment_id] = payment
        if what:
            entry = PaymentEntry(payment.version, payment.changed_at, payment.state, what)
            self._history.setdefault(payment.payment_id, []).append(entry)
        return payment
