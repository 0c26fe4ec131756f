"""A payment gateway in memory, for tests and for trying things out. Decided here: it answers as the real ones do.

Idempotency keys as Stripe has them: the first answer is kept and given again, refusals and declines too; the same key with another
request is refused. `methods` says how each method behaves; `fail_next` makes requests fail before or after they are done.
"""

from __future__ import annotations

import hmac
import itertools
from collections import deque
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from billing_reports.payments.payment import PaymentKind
from billing_reports.payments.port import (
    BadSignature,
    Decline,
    GatewayEvent,
    GatewayRefused,
    GatewayStatus,
    GatewayUnavailable,
    Order,
    View,
)
from chargenet.settings.values import Secret

_G = GatewayStatus
DECLINES = {
    "pm_declined": Decline("insufficient_funds", "there is not enough money"),
    "pm_stolen": Decline("stolen_card", "the card was declined", final=True),
}
"""Methods that are declined; every other one pays."""
ACTION = "pm_action"
"""A method whose owner must confirm it at the bank."""
SLOW = "pm_slow"
"""A method that takes days."""


class Moved(msgspec.Struct, frozen=True):
    """Money that moved, for tests: held, charged (a charge or a capture), released, refunded."""

    what: str
    gateway_id: str
    amount: int


class MemoryGateway:
    """Implements `billing_reports.payments.port.PaymentGateway`."""

    name = "memory"

    def __init__(self, webhook_secret: str = "memory-webhook-secret") -> None:  # noqa: S107 - a fake's own
        self.views: dict[str, View] = {}
        self.kinds: dict[str, PaymentKind] = {}
        self.moved: list[Moved] = []
        self.sent: list[str] = []
        """Keys of the requests that reached it."""
        self.fail_next: deque[str] = deque()
        """`before`: the request is lost; `after`: it is done, and its answer is lost."""
        self._answers: dict[str, tuple[tuple[object, ...], View | GatewayRefused]] = {}
        self._numbers = itertools.count(1)
        self._secret = webhook_secret.encode()

    async def open(self, order: Order, key: str) -> View:
        return self._once(key, ("open", order), lambda: self._open(order))

    async def confirm(self, gateway_id: str, method: str, gateway_customer: str, key: str) -> View:
        asked = ("confirm", gateway_id, method, gateway_customer)
        return self._once(key, asked, lambda: self._confirm(gateway_id, method))

    async def capture(self, gateway_id: str, amount: int, currency: str, key: str) -> View:
        return self._once(key, ("capture", gateway_id, amount, currency), lambda: self._capture(gateway_id, amount))

    async def cancel(self, gateway_id: str, key: str) -> View:
        return self._once(key, ("cancel", gateway_id), lambda: self._cancel(gateway_id))

    async def refund(self, gateway_id: str, amount: int, currency: str, key: str) -> View:
        return self._once(key, ("refund", gateway_id, amount, currency), lambda: self._refund(gateway_id, amount))

    async def look(self, gateway_id: str) -> View:
        self._fail("before")
        return self._view(gateway_id)

    async def close(self) -> None:
        """Nothing to let go of."""

    # -- its calls

    def sign(self, body: bytes) -> str:
        """The signature of a call."""
        return hmac.digest(self._secret, body, sha256).hex()

    def read_event(self, body: bytes, signature: str, now: datetime) -> GatewayEvent:
        if not hmac.compare_digest(self.sign(body).encode(), signature.encode("utf-8", "replace")):
            raise BadSignature("the signature is not right")
        try:
            return msgspec.json.decode(body, type=GatewayEvent)
        except msgspec.DecodeError:
            raise BadSignature("the body is no event") from None

    # -- what the payer and the bank do

    def driver_confirms(self, gateway_id: str, method: str = "pm_card") -> View:
        """In the browser, with the client secret."""
        return self._confirm(gateway_id, method)

    def clears(self, gateway_id: str, decline: Decline | None = None) -> View:
        """A slow method was paid, or was not."""
        view = self._view(gateway_id)
        if decline is not None:
            return self._put(replace(view, status=_G.OPEN, decline=decline))
        return self._charge(view, view.amount)

    def expires(self, gateway_id: str) -> View:
        """The bank lets a hold go."""
        return self._put(replace(self._view(gateway_id), status=_G.CANCELLED))

    def forget_keys(self) -> None:
        """A day later."""
        self._answers.clear()

    @property
    def charged(self) -> int:
        """Everything that was ever charged."""
        return sum(each.amount for each in self.moved if each.what == "charged")

    # -- the work

    def _once(self, key: str, asked: tuple[object, ...], work: Callable[[], View]) -> View:
        self._fail("before")
        self.sent.append(key)
        if key not in self._answers:
            self._answers[key] = (asked, self._outcome(work))
        known, answer = self._answers[key]
        if known != asked:
            raise GatewayRefused("idempotency_error", "this key belongs to another request")
        self._fail("after")
        if isinstance(answer, GatewayRefused):
            raise answer
        return answer

    @staticmethod
    def _outcome(work: Callable[[], View]) -> View | GatewayRefused:
        try:
            return work()
        except GatewayRefused as refusal:
            return refusal

    def _fail(self, when: str) -> None:
        if self.fail_next and self.fail_next[0] == when:
            self.fail_next.popleft()
            raise GatewayUnavailable("no answer")

    def _open(self, order: Order) -> View:
        if order.amount <= 0:
            raise GatewayRefused("amount_too_small", "the amount is not positive")
        gateway_id = f"pi_{next(self._numbers)}"
        self.kinds[gateway_id] = order.kind
        secret = Secret(f"{gateway_id}_secret")
        return self._put(
            View(gateway_id=gateway_id, status=_G.OPEN, currency=order.currency, amount=order.amount, client_secret=secret)
        )

    def _confirm(self, gateway_id: str, method: str) -> View:
        view = self._in(gateway_id, _G.OPEN, _G.ACTION)
        if method in DECLINES:
            return self._put(replace(view, status=_G.OPEN, decline=DECLINES[method]))
        if method in (ACTION, SLOW):
            return self._put(replace(view, status=_G.ACTION if method == ACTION else _G.PROCESSING, decline=None))
        if self.kinds[gateway_id] is PaymentKind.CHARGE:
            return self._charge(view, view.amount)
        self.moved.append(Moved("held", gateway_id, view.amount))
        return self._put(replace(view, status=_G.HELD, decline=None))

    def _capture(self, gateway_id: str, amount: int) -> View:
        view = self._in(gateway_id, _G.HELD)
        if not 0 < amount <= view.amount:
            raise GatewayRefused("amount_too_large", "more than what is held")
        return self._charge(view, amount)

    def _charge(self, view: View, amount: int) -> View:
        self.moved.append(Moved("charged", view.gateway_id, amount))
        return self._put(replace(view, status=_G.PAID, captured=amount, decline=None))

    def _cancel(self, gateway_id: str) -> View:
        view = self._in(gateway_id, _G.OPEN, _G.ACTION, _G.PROCESSING, _G.HELD)
        if view.status is _G.HELD:
            self.moved.append(Moved("released", gateway_id, view.amount))
        return self._put(replace(view, status=_G.CANCELLED))

    def _refund(self, gateway_id: str, amount: int) -> View:
        view = self._in(gateway_id, _G.PAID)
        if not 0 < amount <= view.captured - view.refunded:
            raise GatewayRefused("charge_already_refunded", "more than what is left of it")
        self.moved.append(Moved("refunded", gateway_id, amount))
        return self._put(replace(view, refunded=view.refunded + amount))

    def _in(self, gateway_id: str, *states: GatewayStatus) -> View:
        view = self._view(gateway_id)
        if view.status not in states:
            raise GatewayRefused("payment_intent_unexpected_state", f"the payment is {view.status}")
        return view

    def _view(self, gateway_id: str) -> View:
        if gateway_id not in self.views:
            raise GatewayRefused("resource_missing", "there is no such payment")
        return self.views[gateway_id]

    def _put(self, view: View) -> View:
        self.views[view.gateway_id] = view
        return view
