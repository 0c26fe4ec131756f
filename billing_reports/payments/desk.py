"""What people, drivers' pages and the gateway ask of payments. Decided here: what each step checks, and what it wakes."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

import msgspec
from msgspec.structs import replace

from billing_reports.customers import Customer
from billing_reports.money import Money, minor_units, round_amount
from billing_reports.payments import machine
from billing_reports.payments.payment import Payment, PaymentKind, SavedMethod, minor
from billing_reports.payments.port import GatewayRefused, GatewayUnavailable
from billing_reports.payments.runner import PaymentRunner
from billing_reports.store import CustomerStore
from chargenet.errors import Conflict
from chargenet.ports import Clock
from chargenet.settings.values import Secret

log = logging.getLogger(__name__)

TOKEN_LENGTH = 20
"""The longest idTag of OCPP 1.6."""
LARGEST = 99_999_999
"""Minor units: the largest amount that a gateway takes."""


class Held(msgspec.Struct, frozen=True):
    """A new hold: its token starts the session, its secret lets a browser confirm it."""

    payment: Payment
    id_token: str
    client_secret: Secret | None


class PaymentDesk:
    """The program's front. `runner.store` is open to readers; whatever changes something goes through here."""

    def __init__(self, runner: PaymentRunner, customers: CustomerStore, clock: Clock) -> None:
        self.runner, self.store = runner, runner.store
        self._customers, self._clock = customers, clock
        self.woken = asyncio.Event()
        """Set when there is something to do before the next look."""

    async def hold(self, amount: Money, *, method: str = "", charge_point_id: str | None = None, id_token: str = "") -> Held:
        """Hold an amount for one ad-hoc session. Without `method` the driver confirms in a browser, with the secret.

        The token must be new: what a session costs is found by it. Conflict otherwise, and for an amount out of bounds.
        """
        now, cents = self._clock.now(), _cents(amount)
        if not self.runner.terms.smallest <= cents <= LARGEST:
            raise Conflict(f"{amount} cannot be held: the least is payments.smallest, the most {LARGEST} minor units")
        nonce = self.runner.nonce()
        token = id_token or f"CW{nonce.upper()}"[:TOKEN_LENGTH]
        if not await self.runner.books.token_is_fresh(token.casefold()):
            raise Conflict("this ID token was used before, or belongs to a contract: a hold needs a token of its own")
        made = Payment(
            payment_id=f"hold-{nonce[:16]}", kind=PaymentKind.HOLD, nonce=nonce, currency=amount.currency, amount=cents,
            method=method, token_key=token.casefold(), charge_point_id=charge_point_id, description="Charging session",
            created_at=now, changed_at=now, look_at=now,
        )  # fmt: skip
        await self.store.add(made)
        made = await self.runner.advance(made.payment_id)
        return Held(made, token, await self._client_secret(made))

    async def _client_secret(self, payment: Payment) -> Secret | None:
        """Asked for when it is needed, and stored nowhere."""
        if payment.gateway_id is None or payment.method:
            return None
        try:
            return (await self.runner.gateway.look(payment.gateway_id)).client_secret
        except (GatewayUnavailable, GatewayRefused) as problem:
            log.warning("the hold %s has no secret for the browser: %s", payment.payment_id, problem)
            return None

    async def refund(self, payment_id: str, amount: Money | None, why: str) -> Payment:
        """Pay back a part, or without `amount` all that is left. Conflict where that cannot be."""
        payment = await self.store.payment(payment_id)
        if amount is not None and amount.currency != payment.currency:
            raise Conflict(f"payment {payment_id} is in {payment.currency}, not {amount.currency}")
        cents = payment.net if amount is None else _cents(amount)

        def back(each: Payment, now: datetime) -> Payment:
            try:
                return machine.paid_back(each, cents, now)
            except ValueError as problem:
                raise Conflict(str(problem)) from None

        await self.runner.change(payment, back, f"a person pays back {cents} minor units: {why}")
        return await self.runner.advance(payment_id)

    async def retry(self, payment_id: str) -> Payment:
        """Go on with one that is stuck, or try a declined one at once. Conflict where there is nothing to try."""
        payment = await self.store.payment(payment_id)
        if payment.is_over and not payment.stuck:
            raise Conflict(f"payment {payment_id} is {payment.state}: there is nothing to try again")
        if payment.pending is None:
            await self.runner.change(payment, machine.retried, "a person tries again")
        else:
            await self.runner.wake(payment, "a person tries again")
        return await self.runner.advance(payment_id)

    # -- saved methods

    async def save_method(self, customer_id: str, gateway_customer: str, gateway_method: str, label: str) -> SavedMethod:
        """From now on this customer's statements are charged. NotFound for a customer."""
        customer: Customer = await self._customers.customer(customer_id)
        made = SavedMethod(
            customer_id=customer.customer_id, gateway_customer=gateway_customer, gateway_method=gateway_method, label=label,
            saved_at=self._clock.now(),
        )  # fmt: skip
        known = await self.store.method(customer_id)
        await self.store.put_method(made if known is None else replace(made, saved_at=known.saved_at))
        return made

    async def drop_method(self, customer_id: str) -> None:
        """Its statements are not charged any more. NotFound."""
        await self.store.drop_method(customer_id)

    # -- the gateway's calls

    async def webhook(self, body: bytes, signature: str) -> str | None:
        """A call of the gateway; the payment it is about, None where it is no news. Raises BadSignature.

        Remembered only when the payment is woken: killed in between, the gateway calls again.
        """
        now = self._clock.now()
        event = self.runner.gateway.read_event(body, signature, now)
        if await self.store.knows_event(event.event_id):
            return None
        payment = None if event.gateway_id is None else await self.store.at_gateway(event.gateway_id)
        if payment is not None:
            await self.runner.wake(payment, f"the gateway calls: {event.kind[:60]}", ask=True)
            self.woken.set()
        await self.store.take_event(event.event_id, now)
        return None if payment is None else payment.payment_id


def _cents(amount: Money) -> int:
    if round_amount(amount.amount, minor_units(amount.currency)) != amount.amount:
        raise Conflict(f"{amount} is no whole number of the currency's smallest units")
    return minor(amount.amount, amount.currency)
