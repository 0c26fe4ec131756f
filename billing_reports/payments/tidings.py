"""What people hear of payments. Pure. Decided here: which changes are told, how urgent they are, and what the reader can do."""

from __future__ import annotations

from datetime import datetime

from billing_reports.payments.payment import Payment, PaymentKind, PaymentState, money
from billing_reports.payments.schedule import Terms, next_try
from chargenet.model.notice import Notice, Severity


def tidings(payment: Payment, terms: Terms, now: datetime) -> list[Notice]:
    """What is to be told of a payment that changed. The same again has the same keys."""
    made = [] if payment.stuck_at is None else [_stuck(payment, payment.stuck_at, now)]
    if payment.state is PaymentState.DECLINED and payment.kind is PaymentKind.CHARGE and not payment.stuck:
        made.append(_declined(payment, terms, now))
    if payment.is_over and payment.receivable and not payment.stuck:
        made.append(_short(payment, now))
    return made


def _stuck(payment: Payment, since: datetime, now: datetime) -> Notice:
    """Resolved as soon as it goes on."""
    text = (
        f"{payment.stuck}. It is {payment.state}, {money(payment.net, payment.currency)} of "
        f"{money(payment.amount, payment.currency)} have been collected. Nothing more is asked of the gateway by itself: "
        f"look with `chargewatch payments show {payment.payment_id}`, then `chargewatch payments retry {payment.payment_id}`."
    )
    return _notice(
        payment, "PaymentStuck", "stuck", Severity.WARNING, f"{_what(payment)} needs a person", text,
        began_at=since, resolved_at=None if payment.stuck else max(now, since + datetime.resolution),
    )  # fmt: skip


def _declined(payment: Payment, terms: Terms, now: datetime) -> Notice:
    again_at = next_try(terms, payment.declines, payment.first_declined_at or now)
    then = "and is not tried again" if again_at is None or payment.final_decline else f"and is tried again on {again_at:%Y-%m-%d}"
    text = (
        f"The bank said: {payment.problem}. It was declined {payment.declines} time(s) {then}. Remind the customer, or save "
        f"another method: the next try uses it."
    )
    title = f"{_what(payment)} was declined: reminder {payment.declines}"
    return _notice(payment, "PaymentDeclined", f"declined-{payment.declines}", Severity.INFO, title, text, now, now)


def _short(payment: Payment, now: datetime) -> Notice:
    owed, short = money(payment.owed, payment.currency), money(payment.receivable, payment.currency)
    text = (
        f"{owed} are owed, {money(payment.net, payment.currency)} were collected; {short} are left, and this payment cannot "
        f"collect them: a hold is captured once, and never beyond its amount. Ask the driver for the rest, or write it off."
    )
    key = f"short-{payment.receivable}"
    return _notice(payment, "PaymentShort", key, Severity.WARNING, f"{_what(payment)} is short by {short}", text, now, now)


def _what(payment: Payment) -> str:
    if payment.kind is PaymentKind.HOLD:
        return f"The hold {payment.payment_id}"
    return f"The charge of {payment.description or payment.payment_id}"


def _notice(
    payment: Payment, kind: str, key: str, severity: str, title: str, text: str, began_at: datetime, resolved_at: datetime | None
) -> Notice:
    labels = {"payment": payment.payment_id, "payment_kind": payment.kind.value}
    labels |= {} if payment.customer_id is None else {"customer": payment.customer_id}
    labels |= {} if payment.charge_point_id is None else {"charge_point": payment.charge_point_id}
    return Notice(
        key=f"payment-{payment.payment_id}-{key}",
        source="billing",
        kind=kind,
        severity=severity,
        title=title,
        text=text,
        labels=labels,
        details={"state": payment.state.value, "amount_minor": payment.amount, "collected_minor": payment.net,
                 "receivable_minor": payment.receivable, "currency": payment.currency},
        began_at=began_at,
        resolved_at=resolved_at,
    )  # fmt: skip
