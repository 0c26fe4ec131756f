"""Payments at work. Decided here: the order of storing and asking, so that a kill at any moment neither charges twice nor forgets.

A request is stored, then sent, then its answer is stored. Killed in between, it is sent again with the same key. What is asked is
decided by machine.py; this only carries it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from billing_reports.payments import machine
from billing_reports.payments.facts import Books, Chargeable, Owed
from billing_reports.payments.payment import Action, Payment, PaymentKind, PaymentState, Request, money
from billing_reports.payments.port import GatewayRefused, GatewayUnavailable, Order, PaymentGateway, View
from billing_reports.payments.schedule import Terms, backoff
from billing_reports.payments.store import PaymentStore
from billing_reports.payments.tidings import tidings
from chargenet.errors import ChargewatchError, Conflict, Unavailable
from chargenet.model.record import instant, microseconds
from chargenet.ports import Clock, Notices

log = logging.getLogger(__name__)

BATCH = 100
AT_ONCE = 8
"""Payments that are asked about at the same time."""
STEPS = 12
"""Requests for one payment in one round; a healthy one needs four."""
RETRIES = 5
FOLLOWS_CDRS = "payments: CDRs"
FOLLOWS_STATEMENTS, FOLLOWS_NOTES = "payments: statements", "payments: credit notes"
EPOCH = datetime.fromtimestamp(0, UTC)
OVERLAP = timedelta(minutes=10)
"""Statements and credit notes are looked for again for so long."""
KEEP_EVENTS = timedelta(days=30)
Answer = TypeVar("Answer")
_POLLED = (PaymentState.OPENED, PaymentState.PROCESSING)


class PaymentRunner:
    """One per platform. `nonce` gives random text that nobody guesses; `notices` None: there is nobody to tell."""

    def __init__(
        self, gateway: PaymentGateway, store: PaymentStore, books: Books, notices: Notices | None, clock: Clock, terms: Terms,
        nonce: Callable[[], str],
    ) -> None:  # fmt: skip
        self.gateway, self.store, self.books, self.terms = gateway, store, books, terms
        self.nonce = nonce
        self._notices, self._clock = notices, clock
        self._busy: dict[str, asyncio.Event] = {}
        """Payments that are worked on, each with what is set when that ends."""
        self.answers = 0
        """Of the gateway, since the start."""
        self.unanswered_in_a_row = 0
        self.problem = ""
        """The gateway's silence, as a sentence; empty while it answers."""

    async def tick(self) -> None:
        """Everything that can be done now. Raises StoreUnavailable."""
        await self.take_in()
        await self.work()
        await self.tell()

    # -- what is new

    async def take_in(self) -> None:
        """Statements to be charged, CDRs and credit notes that change what is owed."""
        await self._follow(FOLLOWS_STATEMENTS, self._charge_new)
        await self._follow_cdrs()
        await self._follow(FOLLOWS_NOTES, self._wake_credited)

    async def _follow(self, name: str, work: Callable[[datetime], Awaitable[None]]) -> None:
        """What was stored since the last time, and a little before: instants are set before rows are stored."""
        now, known = self._clock.now(), instant(await self.store.position(name))
        await work(max(EPOCH, known - OVERLAP))
        if now - known >= OVERLAP:
            await self.store.set_position(name, microseconds(now))
            await self.store.forget_events(now - KEEP_EVENTS)

    async def _charge_new(self, after: datetime) -> None:
        while found := await self.books.chargeable(after, BATCH):
            made = sum([await self._charge(each) for each in found])
            if made < len(found):
                return

    async def _charge(self, what: Chargeable) -> bool:
        now = self._clock.now()
        made = Payment(
            payment_id=f"charge-{what.statement_id}", kind=PaymentKind.CHARGE, nonce=self.nonce(), currency=what.currency,
            amount=what.payable, due=what.payable, gateway_customer=what.gateway_customer, customer_id=what.customer_id,
            statement_id=what.statement_id, description=f"Statement {what.number}", created_at=now, changed_at=now, look_at=now,
        )  # fmt: skip
        try:
            await self.store.add(made)
        except Conflict as problem:
            log.warning("statement %s is not charged: %s", what.number, problem)
            return False
        return True

    async def _follow_cdrs(self) -> None:
        while True:
            before = await self.store.position(FOLLOWS_CDRS)
            reached, tokens = await self.books.changed_tokens(before, 1000)
            if reached == before:
                return
            for each in await self.store.of_tokens(tokens):
                await self.wake(each, "its CDR changed")
            await self.store.set_position(FOLLOWS_CDRS, reached)

    async def _wake_credited(self, since: datetime) -> None:
        after = (since, "")
        while found := await self.books.credited(after, BATCH):
            for each in await self.store.of_statements([statement_id for _, _, statement_id in found]):
                if each.due != 0:
                    await self.wake(each, "its statement was credited")
            after = (found[-1][0], found[-1][1])

    async def wake(self, payment: Payment, why: str, *, ask: bool = False) -> Payment:
        """Look at it in the next round. Raises Conflict where it changes all the time."""
        return await self.change(payment, lambda each, now: replace(each, look_at=now, ask=each.ask or ask), why)

    async def change(self, payment: Payment, how: Callable[[Payment, datetime], Payment], why: str) -> Payment:
        """Store a change that somebody else than the machine wants."""
        for _ in range(RETRIES):
            try:
                return await self.store.save(how(payment, self._clock.now()), why)
            except Conflict:
                payment = await self.store.payment(payment.payment_id)
        raise Conflict(f"payment {payment.payment_id} changes all the time: try again")

    # -- what is due

    async def work(self) -> None:
        """All payments whose time has come."""
        while due := await self.store.due(self._clock.now(), BATCH):
            free = [each for each in due if each.payment_id not in self._busy]
            if not free:
                return
            owed = await self.books.owed(free)
            gate = asyncio.Semaphore(AT_ONCE)
            async with asyncio.TaskGroup() as tasks:
                jobs = [tasks.create_task(self._gated(gate, each, owed.get(each.payment_id, Owed()))) for each in free]
            for problem in filter(None, (job.result() for job in jobs)):
                raise problem

    async def _gated(self, gate: asyncio.Semaphore, payment: Payment, owed: Owed) -> Unavailable | None:
        """The store's silence is kept until the others are done."""
        async with gate:
            try:
                await self._one(payment, owed)
            except Unavailable as problem:
                return problem
        return None

    async def advance(self, payment_id: str) -> Payment:
        """One payment now, as far as it goes; where it is worked on already, after that."""
        while (others := self._busy.get(payment_id)) is not None:
            await others.wait()
        payment = await self.store.payment(payment_id)
        owed = await self.books.owed([payment])
        await self._one(payment, owed.get(payment_id, Owed()))
        return await self.store.payment(payment_id)

    async def _one(self, payment: Payment, owed: Owed) -> None:
        if payment.payment_id in self._busy:
            return
        freed = self._busy[payment.payment_id] = asyncio.Event()
        try:
            await self._carry(payment, owed)
        except Conflict:
            log.info("payment %s was changed meanwhile; it is looked at again", payment.payment_id)
        except ChargewatchError:
            raise
        except Exception:  # one payment that trips over a mistake of ours must not stop all the others
            log.exception("payment %s cannot be worked on", payment.payment_id)
            await self.change(
                payment, lambda each, now: machine.stop(each, "a mistake of ours; the platform's log has it", now), "stopped"
            )
        finally:
            del self._busy[payment.payment_id]
            freed.set()

    async def _carry(self, payment: Payment, owed: Owed) -> None:
        looked = False
        for _ in range(STEPS):
            if payment.pending is not None:
                payment = await self._send(payment, payment.pending)
                if payment.pending is not None and payment.pending.tries:
                    return
                continue
            if payment.gateway_id is not None and not looked and (payment.ask or payment.state in _POLLED):
                looked, payment = True, await self._asked(payment, payment.gateway_id)
                if payment.ask:
                    return
            after = machine.decide(payment, owed, self.terms, self._clock.now())
            if after == payment:
                return
            payment = await self.store.save(after, _said(payment, after))
            if payment.pending is None:
                return
        await self.store.save(machine.stop(payment, "it goes round in circles", self._clock.now()), "stopped")

    async def _asked(self, payment: Payment, gateway_id: str) -> Payment:
        """What the gateway says of it by itself."""
        now = self._clock.now()
        try:
            view = await self._reached(self.gateway.look(gateway_id))
        except GatewayUnavailable as silence:
            later = replace(payment, ask=True, look_at=now + backoff(1, silence.retry_after_s))
            return await self.store.save(later, "")
        except GatewayRefused as refusal:
            return await self.store.save(machine.stop(replace(payment, ask=False), str(refusal), now), f"look: {refusal}")
        known = machine.learn(payment, view, now)
        return payment if known == payment else await self.store.save(known, f"the gateway says: {view.status}")

    async def _send(self, payment: Payment, asked: Request) -> Payment:
        now = self._clock.now()
        first = machine.must_look_first(asked, now)
        try:
            view = await self._reached(self._looked(payment) if first else self._ask(payment, asked))
        except GatewayUnavailable as silence:
            after = machine.unanswered(payment, str(silence), silence.retry_after_s, now)
            return await self.store.save(after, f"{asked.action}: {silence}")
        except GatewayRefused as refusal:
            after = machine.refused(payment, str(refusal), await self._quietly(payment), now)
            return await self.store.save(after, f"{asked.action}: {refusal}")
        if first:
            return await self.store.save(machine.looked_up(payment, view, now), f"{asked.action}: looked up")
        assert view is not None
        after = machine.answered(payment, view, now)
        declined = "" if view.decline is None else f", declined: {view.decline.sentence} ({view.decline.code})"
        return await self.store.save(after, f"{asked.action}: {after.state}{declined}")

    async def _looked(self, payment: Payment) -> View | None:
        return None if payment.gateway_id is None else await self.gateway.look(payment.gateway_id)

    async def _quietly(self, payment: Payment) -> View | None:
        """The payment after a refusal, where it can be had."""
        try:
            return await self._looked(payment)
        except (GatewayUnavailable, GatewayRefused) as problem:
            log.info("payment %s cannot be looked up: %s", payment.payment_id, problem)
            return None

    async def _ask(self, payment: Payment, asked: Request) -> View:
        if asked.action is Action.OPEN:
            return await self.gateway.open(order_of(payment), asked.key)
        if payment.gateway_id is None:
            raise GatewayRefused("not_opened", f"{asked.action} of a payment that the gateway does not know")
        if asked.action is Action.CONFIRM:
            return await self.gateway.confirm(payment.gateway_id, asked.method, asked.gateway_customer, asked.key)
        if asked.action is Action.CAPTURE:
            return await self.gateway.capture(payment.gateway_id, asked.amount, payment.currency, asked.key)
        if asked.action is Action.REFUND:
            return await self.gateway.refund(payment.gateway_id, asked.amount, payment.currency, asked.key)
        return await self.gateway.cancel(payment.gateway_id, asked.key)

    async def _reached(self, call: Awaitable[Answer]) -> Answer:
        """Counts answers and silences."""
        try:
            answer = await call
        except GatewayUnavailable as silence:
            self.unanswered_in_a_row += 1
            self.problem = str(silence)
            raise
        except GatewayRefused:
            self._answered()
            raise
        self._answered()
        return answer

    def _answered(self) -> None:
        self.answers += 1
        self.unanswered_in_a_row, self.problem = 0, ""

    # -- who hears of it

    async def tell(self) -> None:
        """Notices first, then the mark that they were told: killed in between, the same is told again under the same key."""
        while untold := await self.store.untold(BATCH):
            await self._tell(untold)
            for each in untold:
                try:
                    await self.store.save(replace(each, untold=False), "")
                except Conflict:
                    log.info("payment %s changed while it was told; it is told again", each.payment_id)

    async def _tell(self, untold: Sequence[Payment]) -> None:
        now = self._clock.now()
        notices = [notice for each in untold for notice in tidings(each, self.terms, now)]
        if self._notices is not None and notices:
            await self._notices.tell(notices)


def order_of(payment: Payment) -> Order:
    """What is opened: the same words however often."""
    return Order(
        kind=payment.kind, reference=payment.payment_id, amount=payment.amount, currency=payment.currency,
        description=payment.description, gateway_customer=payment.gateway_customer,
    )  # fmt: skip


def _said(before: Payment, after: Payment) -> str:
    """A line of history; empty where only the next look changed."""
    if after.stuck:
        return f"stopped: {after.stuck}"
    if after.pending is not None:
        amount = f" {money(after.pending.amount, after.currency)}" if after.pending.amount else ""
        return f"asks to {after.pending.action}{amount}"
    if after.due != before.due and after.due is not None:
        return f"{money(after.due, after.currency)} are owed"
    return "" if after.state is before.state else str(after.state)
