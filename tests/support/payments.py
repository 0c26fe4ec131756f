"""Payments in a small world: a gateway in memory, books that a test writes, and a clock that it moves."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from billing_reports.payments.facts import Chargeable, Owed
from billing_reports.payments.memory import MemoryGateway
from billing_reports.payments.payment import Payment, PaymentKind, SavedMethod
from billing_reports.payments.port import PaymentGateway
from billing_reports.payments.runner import PaymentRunner
from billing_reports.payments.schedule import Terms
from billing_reports.payments.store import PaymentStore
from billing_reports.storage.payments_memory import MemoryPayments
from chargenet.model.notice import Notice
from chargenet.testing import FrozenClock

NOW = datetime(2026, 4, 1, 6, tzinfo=UTC)
DAY_S = 86_400.0


def payment(**fields: object) -> Payment:
    """A hold of 50 EUR, or what the fields say."""
    made = Payment(
        payment_id="hold-1", kind=PaymentKind.HOLD, nonce="n1", currency="EUR", amount=5000, token_key="t1", created_at=NOW,
        changed_at=NOW, look_at=NOW,
    )  # fmt: skip
    return msgspec.structs.replace(made, **fields)


def charge(**fields: object) -> Payment:
    """A charge of 20 EUR for a statement."""
    given: dict[str, object] = {
        "payment_id": "charge-s1", "kind": PaymentKind.CHARGE, "amount": 2000, "token_key": None, "statement_id": "s1",
        "customer_id": "anna", "gateway_customer": "cus_1",
    }  # fmt: skip
    return payment(**(given | fields))


def method(gateway_method: str = "pm_card", customer_id: str = "anna") -> SavedMethod:
    """How Anna pays."""
    return SavedMethod(customer_id=customer_id, gateway_customer="cus_1", gateway_method=gateway_method, saved_at=NOW)


class TestBooks:
    """Implements `billing_reports.payments.facts.Books`: what is owed is what a test wrote."""

    __test__ = False

    def __init__(self, store: PaymentStore) -> None:
        self._store = store
        self.known: dict[str, Owed] = {}
        """By payment id."""
        self.statements: list[Chargeable] = []
        self.tokens: list[str] = []
        self.notes: list[tuple[datetime, str, str]] = []
        self.used: set[str] = set()

    async def owed(self, payments: Sequence[Payment]) -> Mapping[str, Owed]:
        return {each.payment_id: self.known[each.payment_id] for each in payments if each.payment_id in self.known}

    async def chargeable(self, after: datetime, limit: int) -> list[Chargeable]:
        charged = await self._store.of_statements([each.statement_id for each in self.statements])
        known = {each.statement_id for each in charged}
        return [each for each in self.statements if each.statement_id not in known][:limit]

    async def changed_tokens(self, after: int, limit: int) -> tuple[int, list[str]]:
        found = self.tokens[after : after + limit]
        return after + len(found), found

    async def credited(self, after: tuple[datetime, str], limit: int) -> list[tuple[datetime, str, str]]:
        return [each for each in sorted(self.notes) if each[:2] > after][:limit]

    async def token_is_fresh(self, token_key: str) -> bool:
        return token_key not in self.used


class TestNotices:
    """Implements `chargenet.ports.Notices`."""

    __test__ = False

    def __init__(self) -> None:
        self.told: list[Notice] = []

    async def tell(self, notices: Sequence[Notice]) -> None:
        self.told += notices

    def kinds(self) -> list[str]:
        """What was told, in order; what was resolved has a minus."""
        over = [each.resolved_at is not None and each.resolved_at != each.began_at for each in self.told]
        return [f"-{each.kind}" if ended else each.kind for each, ended in zip(self.told, over, strict=True)]


class World:
    """A runner with all that it needs; `runner` may be made again over what was stored."""

    def __init__(
        self, gateway: PaymentGateway | None = None, store: PaymentStore | None = None, terms: Terms | None = None
    ) -> None:
        self.memory = MemoryGateway()
        self.gateway: PaymentGateway = gateway or self.memory
        self.store: PaymentStore = store or MemoryPayments()
        self.books, self.notices, self.clock = TestBooks(self.store), TestNotices(), FrozenClock(NOW)
        self.terms = terms or Terms()
        self._nonces = itertools.count(1)
        self.runner = self.born()

    def born(self) -> PaymentRunner:
        """A new process."""
        self.runner = PaymentRunner(
            self.gateway, self.store, self.books, self.notices, self.clock, self.terms, lambda: f"n{next(self._nonces)}"
        )
        return self.runner

    async def begins(self, made: Payment, owed: Owed) -> None:
        """It is stored, and this much is owed."""
        self.books.known[made.payment_id] = owed
        await self.store.add(made)

    def owes(self, payment_id: str, due: int | None, *, used: bool = True) -> None:
        """What the books say from now on."""
        before = self.books.known[payment_id]
        self.books.known[payment_id] = replace(before, due=due, used=used)

    async def tick(self, after_s: float = 0) -> None:
        """One round, later."""
        self.clock.advance(after_s)
        await self.runner.tick()

    async def now(self, payment_id: str) -> Payment:
        """As it is stored."""
        return await self.store.payment(payment_id)
