"""Stripe as a payment gateway: PaymentIntents over its HTTP API. Decided here: which of its words mean which of ours.

A hold is a PaymentIntent with manual capture. Amounts cross in Stripe's smallest unit, which for a few currencies is not ours.
Built from the published API (https://docs.stripe.com/api/payment_intents, /refunds, /currencies) and tested against a server that
follows it; no live account was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from billing_reports.money import minor_units
from billing_reports.payments.payment import PaymentKind
from billing_reports.payments.port import (
    Decline,
    GatewayEvent,
    GatewayRefused,
    GatewayStatus,
    GatewayUnavailable,
    Order,
    View,
)
from billing_reports.payments.stripe_events import read_event
from billing_reports.payments.stripe_http import Declined, StripeDoor
from chargenet.settings.values import Secret

STATUSES = {
    "requires_payment_method": GatewayStatus.OPEN,
    "requires_confirmation": GatewayStatus.OPEN,
    "requires_action": GatewayStatus.ACTION,
    "processing": GatewayStatus.PROCESSING,
    "requires_capture": GatewayStatus.HELD,
    "succeeded": GatewayStatus.PAID,
    "canceled": GatewayStatus.CANCELLED,
}
FINAL_DECLINES = frozenset({
    "authentication_required", "card_not_supported", "currency_not_supported", "expired_card", "fraudulent", "incorrect_number",
    "invalid_account", "invalid_number", "lost_card", "merchant_blacklist", "new_account_information_available", "pickup_card",
    "restricted_card", "revocation_of_all_authorizations", "revocation_of_authorization", "security_violation", "stolen_card",
    "stop_payment_order", "transaction_not_allowed",
})  # fmt: skip
"""Decline codes after which the same card is no use (https://docs.stripe.com/declines/codes)."""
_DECIMALS = {"ISK": 2, "UGX": 2, "MGA": 0}
"""Where Stripe's smallest unit is not the currency's own."""
_IN_TENS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
"""Three decimals of which Stripe takes two: the last digit is 0."""
_WHOLE = {"expand[]": "latest_charge"}
"""The charge says what was paid back."""
_ID = re.compile(r"[A-Za-z0-9_]{1,255}")


class StripeGateway:
    """Implements `billing_reports.payments.port.PaymentGateway`."""

    name = "stripe"

    def __init__(
        self, key: Secret, webhook_secret: Secret, url: str, timeout_s: float, tolerance_s: float, random: Callable[[], float],
    ) -> None:  # fmt: skip
        self._door = StripeDoor(key, url, timeout_s, random)
        self._webhook_secret, self._tolerance_s = webhook_secret, tolerance_s

    async def open(self, order: Order, key: str) -> View:
        hold = order.kind is PaymentKind.HOLD
        fields = {
            "amount": str(to_stripe(order.amount, order.currency)),
            "currency": order.currency.lower(),
            "capture_method": "manual" if hold else "automatic",
            "metadata[payment]": order.reference,
        } | _WHOLE
        if hold:
            fields["payment_method_types[]"] = "card"
        else:
            fields |= {"automatic_payment_methods[enabled]": "true", "automatic_payment_methods[allow_redirects]": "never"}
        if order.description:
            fields["description"] = order.description
        if order.gateway_customer:
            fields["customer"] = order.gateway_customer
        return await self._post("/v1/payment_intents", fields, key)

    async def confirm(self, gateway_id: str, method: str, gateway_customer: str, key: str) -> View:
        fields = {"payment_method": method} | _WHOLE
        if gateway_customer:
            fields["off_session"] = "true"
        return await self._post(f"{_at(gateway_id)}/confirm", fields, key)

    async def capture(self, gateway_id: str, amount: int, currency: str, key: str) -> View:
        fields = {"amount_to_capture": str(to_stripe(amount, currency))} | _WHOLE
        return await self._post(f"{_at(gateway_id)}/capture", fields, key)

    async def cancel(self, gateway_id: str, key: str) -> View:
        return await self._post(f"{_at(gateway_id)}/cancel", {"cancellation_reason": "abandoned"} | _WHOLE, key)

    async def refund(self, gateway_id: str, amount: int, currency: str, key: str) -> View:
        fields = {"payment_intent": gateway_id, "amount": str(to_stripe(amount, currency)), "reason": "requested_by_customer"}
        try:
            made = await self._door.post("/v1/refunds", fields, key)
        except Declined as no:
            raise GatewayRefused(no.fault.code or "declined", no.fault.message[:200]) from None
        if made.get("status") in ("failed", "canceled"):
            raise GatewayRefused(str(made.get("failure_reason") or made["status"]), "the refund failed")
        return await self.look(gateway_id)

    async def look(self, gateway_id: str) -> View:
        try:
            return view_of(await self._door.get(_at(gateway_id), _WHOLE))
        except Declined as no:
            raise GatewayRefused(no.fault.code, no.fault.message[:200]) from None

    def read_event(self, body: bytes, signature: str, now: datetime) -> GatewayEvent:
        return read_event(body, signature, self._webhook_secret, now, self._tolerance_s)

    async def close(self) -> None:
        await self._door.close()

    async def _post(self, path: str, fields: dict[str, str], key: str) -> View:
        try:
            return view_of(await self._door.post(path, fields, key))
        except Declined as no:
            return view_of(no.fault.payment_intent or {})


def view_of(intent: dict[str, Any]) -> View:
    """A PaymentIntent in our words. GatewayUnavailable for what is none: whether it was done is not known."""
    try:
        currency, status = str(intent["currency"]).upper(), STATUSES[intent["status"]]
        charge = intent.get("latest_charge")
        refunded = int(charge.get("amount_refunded") or 0) if isinstance(charge, dict) else 0
        secret = intent.get("client_secret")
        return View(
            gateway_id=str(intent["id"]),
            status=status,
            currency=currency,
            amount=from_stripe(int(intent["amount"]), currency),
            captured=from_stripe(int(intent.get("amount_received") or 0), currency),
            refunded=from_stripe(refunded, currency),
            decline=_decline(intent.get("last_payment_error")) if status is GatewayStatus.OPEN else None,
            client_secret=Secret(secret) if isinstance(secret, str) and secret else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise GatewayUnavailable(f"it answered with a payment that cannot be read ({type(problem).__name__})") from None


def to_stripe(amount: int, currency: str) -> int:
    """Our minor units → Stripe's. GatewayRefused where Stripe cannot take the amount exactly."""
    shift = _DECIMALS.get(currency, minor_units(currency)) - minor_units(currency)
    whole, rest = _shifted(amount, shift)
    if rest or (currency in _IN_TENS and whole % 10):
        raise GatewayRefused("amount_not_exact", f"Stripe has no unit that small in {currency}: round prices to two decimals")
    return whole


def from_stripe(amount: int, currency: str) -> int:
    """The inverse of `to_stripe`. ValueError for an amount that is no whole number of our units."""
    shift = minor_units(currency) - _DECIMALS.get(currency, minor_units(currency))
    whole, rest = _shifted(amount, shift)
    if rest:
        raise ValueError(f"{amount} of {currency} is no whole amount")
    return whole


def _shifted(amount: int, places: int) -> tuple[int, int]:
    """`amount` with so many decimals more, or fewer and what is left over."""
    factor = int(10 ** abs(places))
    return (amount * factor, 0) if places >= 0 else divmod(amount, factor)


def _decline(error: dict[str, Any] | None) -> Decline | None:
    if error is None:
        return None
    code = str(error.get("decline_code") or error.get("code") or "declined")
    return Decline(code, str(error.get("message") or "the card was declined")[:200], code in FINAL_DECLINES)


def _at(gateway_id: str) -> str:
    if not _ID.fullmatch(gateway_id):
        raise GatewayRefused("resource_missing", "this is no id of a payment")
    return f"/v1/payment_intents/{gateway_id}"
