"""Payments over HTTP: holds, charges, refunds, saved methods, and where the gateway calls.

Decided here: who may, and that a call of the gateway needs no key but its signature. Card numbers never come here: browsers and
terminals give them to the gateway, and we are given its names for them.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from billing_reports.money import Money
from billing_reports.payments.desk import PaymentDesk
from billing_reports.payments.payment import Payment, PaymentEntry, SavedMethod, money
from billing_reports.payments.port import BadSignature
from chargenet.errors import Conflict, NotFound
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Limit, Name, Text, filter_text, json, returns
from chargewatch.api.auth import platform_of
from chargewatch.api.billing_values import Amount, BillingManager, BillingReader, Remark, amount
from chargewatch.api.problems import ApiError
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/payments", tags=["billing"])
MAX_CALL = 256 << 10
"""Bytes of a call of the gateway; theirs have a few thousand."""
SIGNATURE = "stripe-signature"


def payments_of(request: Request) -> PaymentDesk:
    """The payments desk of the running platform. Conflict where no gateway is set."""
    desk: PaymentDesk | None = getattr(platform_of(request), "payments", None)
    if desk is None:
        raise Conflict("this platform takes no payments: set billing.payments.gateway")
    return desk


Desk = Annotated[PaymentDesk, Depends(payments_of)]
GatewayName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,255}$")]


class PaymentShown(msgspec.Struct, frozen=True, kw_only=True):
    """A hold or a charge. `receivable`: owed, and not collected by this payment any more."""

    id: str
    kind: str
    state: str
    amount: Amount
    captured: Amount
    refunded: Amount
    due: Amount | None
    receivable: Amount
    customer_id: str | None
    statement_id: str | None
    charge_point_id: str | None
    gateway_id: str | None
    waits_for: str | None
    declines: int
    problem: str
    stuck: str
    created_at: datetime
    changed_at: datetime
    look_at: datetime | None


class PaymentDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One payment with what happened to it, oldest first."""

    payment: PaymentShown
    history: list[PaymentEntry]


class HoldShown(msgspec.Struct, frozen=True, kw_only=True):
    """A new hold. `id_token` starts the session once it is `held`; a browser confirms it with `client_secret`."""

    payment: PaymentShown
    id_token: str
    client_secret: str | None


class Taken(msgspec.Struct, frozen=True):
    """`payment`: which one will be looked at; null: it was no news."""

    payment: str | None


class HoldBody(BaseModel):
    """How much, and how the driver pays."""

    model_config = ConfigDict(extra="forbid")
    amount: str = Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,3})?$", examples=["50.00"])
    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])
    method: GatewayName | None = Field(None, description="The gateway's name of a payment method; without it a browser confirms.")
    charge_point_id: Annotated[Text, Field(min_length=1, max_length=255)] | None = None
    id_token: str | None = Field(
        None, pattern=r"^[A-Za-z0-9*_=:+|@.-]{1,20}$", description="A new one is made where none is given; it is good for one hold."
    )


class RefundBody(BaseModel):
    """How much; without an amount all that is left."""

    model_config = ConfigDict(extra="forbid")
    amount: str | None = Field(None, pattern=r"^[0-9]{1,9}(\.[0-9]{1,3})?$", examples=["5.00"])
    why: Remark = Field(min_length=1)


class MethodBody(BaseModel):
    """The gateway's names of a customer and of a payment method that it may charge in the customer's absence."""

    model_config = ConfigDict(extra="forbid")
    gateway_customer: GatewayName
    gateway_method: GatewayName
    label: Annotated[Text, Field(max_length=100, description="For people: Visa, ends in 4242.")] = ""


@router.get("", responses=returns(Page[PaymentShown], "Holds and charges, newest first."))
async def list_payments(
    _: BillingReader,
    desk: Desk,
    state: Literal["new", "opened", "processing", "held", "declined", "paid", "refunded", "cancelled"] | None = None,
    kind: Literal["hold", "charge"] | None = None,
    customer: Annotated[Text | None, filter_text("Only this customer's.")] = None,
    stuck: Annotated[bool | None, Query(description="Only those that wait for a person, or only the others.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """All payments."""
    page = await desk.store.page(state=state, kind=kind, customer_id=customer, stuck=stuck, cursor=cursor, limit=limit)
    return json(Page([shown(each) for each in page.items], page.next_cursor))


@router.post("/holds", responses=returns(HoldShown, "The hold, as far as it got.", status=201), status_code=201)
async def hold_amount(
    body: HoldBody, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("payments.hold"))]
) -> Response:
    """Hold an amount for one ad-hoc session; what its CDR comes to is captured, never more, and the rest is released."""
    held = await desk.hold(
        Money(Decimal(body.amount), body.currency), method=body.method or "", charge_point_id=body.charge_point_id,
        id_token=body.id_token or "",
    )  # fmt: skip
    made = shown(held.payment)
    await trail.record(who.who, f"payment {made.id}", after=made)
    secret = None if held.client_secret is None else held.client_secret.reveal()
    return json(HoldShown(payment=made, id_token=held.id_token, client_secret=secret), 201)


@router.get("/methods/{customer_id}", responses=returns(SavedMethod, "The gateway's names, never a card number."))
async def show_method(customer_id: Name, _: BillingReader, desk: Desk) -> Response:
    """How a customer's statements are paid."""
    found = await desk.store.method(customer_id)
    if found is None:
        raise NotFound("saved method of customer", customer_id)
    return json(found)


@router.put("/methods/{customer_id}", responses=returns(SavedMethod, "Saved."))
async def save_method(
    customer_id: Name, body: MethodBody, who: BillingManager, desk: Desk,
    trail: Annotated[Trail, Depends(Audited("payments.method"))],
) -> Response:  # fmt: skip
    """Charge a customer's statements to this method: those that are issued from now on."""
    made = await desk.save_method(customer_id, body.gateway_customer, body.gateway_method, body.label)
    await trail.record(who.who, f"customer {customer_id}", after=made)
    return json(made)


@router.delete("/methods/{customer_id}", status_code=204)
async def drop_method(
    customer_id: Name, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("payments.forget"))]
) -> Response:
    """Charge this customer's statements no more."""
    before = await desk.store.method(customer_id)
    await desk.drop_method(customer_id)
    await trail.record(who.who, f"customer {customer_id}", before=before)
    return Response(status_code=204)


_CALL = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


@router.post("/webhook", responses=returns(Taken, "Taken in; the gateway need not call again."), openapi_extra=_CALL)
async def take_call(request: Request, desk: Desk, trail: Annotated[Trail, Depends(Audited("payments.webhook"))]) -> Response:
    """Where the gateway calls when a payment has changed. No API key: the signature of the body is checked instead."""
    body = await _bounded(request)
    try:
        payment_id = await desk.webhook(body, request.headers.get(SIGNATURE, ""))
    except BadSignature as problem:
        raise ApiError(400, str(problem)) from None
    if payment_id is not None:
        await trail.record(desk.runner.gateway.name, f"payment {payment_id}", after={"asked": True})
    return json(Taken(payment_id))


async def _bounded(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_CALL:
            raise ApiError(413, f"a call of a payment gateway may have {MAX_CALL} bytes")
    return bytes(body)


@router.get("/{payment_id}", responses=returns(PaymentDetail, "The payment and its history."))
async def show_payment(payment_id: Name, _: BillingReader, desk: Desk) -> Response:
    """One payment."""
    found = await desk.store.payment(payment_id)
    return json(PaymentDetail(payment=shown(found), history=await desk.store.history(payment_id)))


@router.post("/{payment_id}/refund", responses=returns(PaymentShown, "The payment, as far as it got."))
async def refund_payment(
    payment_id: Name, body: RefundBody, who: BillingManager, desk: Desk,
    trail: Annotated[Trail, Depends(Audited("payments.refund"))],
) -> Response:  # fmt: skip
    """Pay back a part or all of it. Credit notes and corrected CDRs pay back by themselves."""
    before = await desk.store.payment(payment_id)
    wanted = None if body.amount is None else Money(Decimal(body.amount), before.currency)
    after = await desk.refund(payment_id, wanted, body.why)
    await trail.record(who.who, f"payment {payment_id}", before=shown(before), after=shown(after))
    return json(shown(after))


@router.post("/{payment_id}/retry", responses=returns(PaymentShown, "The payment, as far as it got."))
async def retry_payment(
    payment_id: Name, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("payments.retry"))]
) -> Response:
    """Go on with a payment that waits for a person, or try a declined one now."""
    before = await desk.store.payment(payment_id)
    after = await desk.retry(payment_id)
    await trail.record(who.who, f"payment {payment_id}", before=shown(before), after=shown(after))
    return json(shown(after))


def shown(payment: Payment) -> PaymentShown:
    """Without the token, which is personal data."""

    def text(minor: int) -> Amount:
        exact = money(minor, payment.currency)
        return amount(exact.amount, exact.currency)

    return PaymentShown(
        id=payment.payment_id, kind=payment.kind.value, state=payment.state.value, amount=text(payment.amount),
        captured=text(payment.captured), refunded=text(payment.refunded), due=None if payment.due is None else text(payment.owed),
        receivable=text(payment.receivable), customer_id=payment.customer_id, statement_id=payment.statement_id,
        charge_point_id=payment.charge_point_id, gateway_id=payment.gateway_id,
        waits_for=None if payment.pending is None else payment.pending.action.value, declines=payment.declines,
        problem=payment.problem, stuck=payment.stuck, created_at=payment.created_at, changed_at=payment.changed_at,
        look_at=payment.look_at,
    )  # fmt: skip
