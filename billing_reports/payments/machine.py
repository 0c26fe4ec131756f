"""What happens to a payment next. Decided here, and pure: which request is made, what an answer means, what a person must hear.

new ─▶ opened ─▶ held ─▶ paid ─▶ refunded          a hold: confirmed by the driver or with a method, captured by its CDR
          │  └─▶ processing ─▶ paid                 a charge of a saved method
          └────▶ declined ─▶ paid | cancelled       tried again by the schedule, then a person has it
Every state but `paid` and `refunded` may end in `cancelled`. `MOVES` is the table; what the gateway says against it stops the
payment and is told to a person. The gateway's word is the truth about money, ours about what is owed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from billing_reports.payments.facts import Owed
from billing_reports.payments.payment import Action, Payment, PaymentKind, PaymentState, Request, money
from billing_reports.payments.port import GatewayStatus, View
from billing_reports.payments.schedule import KEY_LIFE, MANY_TRIES, Terms, backoff, next_try

_S = PaymentState
MOVES: dict[PaymentState, frozenset[PaymentState]] = {
    _S.NEW: frozenset({_S.OPENED, _S.CANCELLED}),
    _S.OPENED: frozenset({_S.HELD, _S.PROCESSING, _S.PAID, _S.DECLINED, _S.CANCELLED}),
    _S.PROCESSING: frozenset({_S.HELD, _S.PAID, _S.DECLINED, _S.CANCELLED}),
    _S.HELD: frozenset({_S.PAID, _S.CANCELLED}),
    _S.DECLINED: frozenset({_S.OPENED, _S.HELD, _S.PROCESSING, _S.PAID, _S.CANCELLED}),
    _S.PAID: frozenset({_S.REFUNDED}),
    _S.REFUNDED: frozenset({_S.PAID}),  # a refund that the bank sent back
    _S.CANCELLED: frozenset(),
}
ACTIONS: dict[Action, frozenset[PaymentState]] = {
    Action.OPEN: frozenset({_S.NEW}),
    Action.CONFIRM: frozenset({_S.OPENED, _S.DECLINED}),
    Action.CAPTURE: frozenset({_S.HELD}),
    Action.CANCEL: frozenset({_S.OPENED, _S.PROCESSING, _S.HELD, _S.DECLINED}),
    Action.REFUND: frozenset({_S.PAID}),
}
"""In which states each request may be made."""
_SHOWN = {
    GatewayStatus.ACTION: _S.OPENED, GatewayStatus.PROCESSING: _S.PROCESSING, GatewayStatus.HELD: _S.HELD,
    GatewayStatus.PAID: _S.PAID, GatewayStatus.CANCELLED: _S.CANCELLED,
}  # fmt: skip
HELD_EVERY = timedelta(minutes=5)
PROCESSING_EVERY = timedelta(hours=1)
OPENED_EVERY = timedelta(minutes=2)
STUCK_EVERY = timedelta(minutes=30)
"""How often what nobody speaks of is looked at; the gateway's calls are quicker."""
WARN_BEFORE = timedelta(days=1)


# -- what is asked next


def decide(payment: Payment, owed: Owed, terms: Terms, now: datetime) -> Payment:
    """The payment with its next request, or with the instant at which it is looked at again, or stuck with the reason."""
    if payment.pending is not None:
        return payment
    if payment.stuck and payment.until_known and owed.due is not None and owed.used:
        payment = replace(payment, stuck="", until_known=False, untold=True)
    if payment.stuck:
        return _wait(payment, now + STUCK_EVERY if payment.until_known else None)
    if owed.foreign:
        return stop(payment, "what is owed is in another currency than the payment: settle it by hand", now)
    due = payment.due if owed.due is None else owed.due
    known = payment if due == payment.due else replace(payment, due=due, untold=payment.is_over or payment.untold)
    return _NEXT[known.state](known, owed, terms, now)


def request(payment: Payment, action: Action, now: datetime, *, amount: int = 0, method: str = "", customer: str = "") -> Payment:
    """The payment with a request to be sent. ValueError where the table forbids it."""
    if payment.state not in ACTIONS[action]:
        raise ValueError(f"{action} of a payment that is {payment.state}")
    number = payment.requests + 1
    made = Request(
        action=action, key=f"cw-{payment.nonce}-{number}-{action}", stored_at=now, amount=amount, method=method,
        gateway_customer=customer,
    )  # fmt: skip
    return replace(payment, pending=made, requests=number, look_at=now)


def stop(payment: Payment, why: str, now: datetime) -> Payment:
    """A person must look at it."""
    return replace(payment, stuck=why, stuck_at=now, pending=None, look_at=None, untold=True, changed_at=now)


def _wait(payment: Payment, until: datetime | None) -> Payment:
    return payment if payment.look_at == until else replace(payment, look_at=until)


def _new(payment: Payment, owed: Owed, terms: Terms, now: datetime) -> Payment:
    if payment.kind is PaymentKind.CHARGE:
        if payment.owed == 0:
            return replace(payment, state=_S.CANCELLED, look_at=None, changed_at=now)
        if payment.amount < terms.smallest:
            return stop(payment, f"{money(payment.amount, payment.currency)} is less than payments.smallest", now)
    return request(payment, Action.OPEN, now)


def _opened(payment: Payment, owed: Owed, terms: Terms, now: datetime) -> Payment:
    if payment.kind is PaymentKind.CHARGE:
        if payment.owed and payment.confirmed:
            return stop(payment, "the customer must confirm it at the bank, and is not there: ask for another method", now)
        return _charge(payment, owed, now) if payment.owed else request(payment, Action.CANCEL, now)
    if payment.method and not payment.confirmed:
        return request(payment, Action.CONFIRM, now, method=payment.method, customer=payment.gateway_customer)
    until = payment.created_at + terms.confirm_within
    if now >= until:
        return request(payment, Action.CANCEL, now)
    return _wait(payment, min(until, now + OPENED_EVERY))


def _charge(payment: Payment, owed: Owed, now: datetime) -> Payment:
    if owed.method is None:
        return stop(payment, "its customer has no saved method any more", now)
    if owed.method.gateway_customer != payment.gateway_customer:
        return stop(payment, "its customer is another one at the gateway by now: cancel it, and charge by hand", now)
    return request(
        payment, Action.CONFIRM, now, method=owed.method.gateway_method, customer=owed.method.gateway_customer
    )  # fmt: skip


def _processing(payment: Payment, owed: Owed, terms: Terms, now: datetime) -> Payment:
    return _wait(payment, now + PROCESSING_EVERY)


def _declined(payment: Payment, owed: Owed, terms: Terms, now: datetime) -> Payment:
    if payment.kind is PaymentKind.HOLD:
        return _opened(payment, owed, terms, now)  # the driver may try another card
    if not payment.owed:
        return request(payment, Action.CANCEL, now)
    at = next_try(terms, payment.declines, payment.first_declined_at or payment.changed_at)
    if at is None or payment.final_decline:
        tried = "once" if payment.declines == 1 else f"{payment.declines} times"
        return stop(payment, f"declined {tried}, and not tried again: {payment.problem}", now)
    return _charge(payment, owed, now) if now >= at else _wait(payment, at)


def _held(payment: Payment, owed: Owed, terms: Terms, now: datetime) -> Payment:
    began = payment.held_at or payment.created_at
    if owed.due is not None and owed.used:
        return _settle(payment, terms, now)
    if not owed.used and now >= began + terms.use_within:
        return request(payment, Action.CANCEL, now)
    if now >= began + terms.hold_lasts - WARN_BEFORE:
        told = stop(payment, f"the hold ends within a day and cannot be captured: {owed.waiting_for or 'no CDR'}", now)
        return replace(told, until_known=True, look_at=now + STUCK_EVERY)
    return _wait(payment, now + HELD_EVERY)


def _settle(payment: Payment, terms: Terms, now: datetime) -> Payment:
    """Never more than the hold; what is too small is not charged at all."""
    amount = min(payment.owed, payment.amount)
    if amount < max(1, terms.smallest):
        return request(payment, Action.CANCEL, now)
    return request(payment, Action.CAPTURE, now, amount=amount)


def _paid(payment: Payment, owed: Owed, terms: Terms, now: datetime) -> Payment:
    over = payment.net - payment.owed
    if payment.due is not None and over > 0:
        return request(payment, Action.REFUND, now, amount=over)
    return _wait(payment, None)


def _over(payment: Payment, owed: Owed, terms: Terms, now: datetime) -> Payment:
    return _wait(payment, None)


_NEXT: dict[PaymentState, Callable[[Payment, Owed, Terms, datetime], Payment]] = {
    _S.NEW: _new, _S.OPENED: _opened, _S.PROCESSING: _processing, _S.HELD: _held, _S.DECLINED: _declined, _S.PAID: _paid,
    _S.REFUNDED: _over, _S.CANCELLED: _over,
}  # fmt: skip


# -- what an answer means


def learn(payment: Payment, view: View, now: datetime) -> Payment:
    """The payment as the gateway shows it. What cannot be stops it."""
    if (view.currency, view.amount) != (payment.currency, payment.amount):
        return stop(payment, f"the gateway has {money(view.amount, view.currency)} for it, not what was asked", now)
    if not 0 <= view.refunded <= view.captured <= payment.amount:
        return stop(payment, "the gateway's amounts contradict each other", now)
    state = _shown(payment, view)
    if state is not payment.state and state not in MOVES[payment.state]:
        return stop(payment, f"the gateway says that it is {state}, though it was {payment.state}", now)
    known = replace(
        payment, state=state, gateway_id=view.gateway_id, captured=view.captured, refunded=view.refunded, ask=False,
        held_at=now if state is _S.HELD and payment.state is not _S.HELD else payment.held_at,
    )  # fmt: skip
    if state in (_S.HELD, _S.PAID) and state is not payment.state:
        known = replace(known, problem="")
    if known == replace(payment, ask=False):
        return known
    known = replace(known, changed_at=now)
    if state is not payment.state:
        known = _arrived(known, view, now)
    if view.refunded < payment.refunded:
        return stop(known, "a refund came back from the bank: pay it back in another way, or retry", now)
    return known


def _arrived(payment: Payment, view: View, now: datetime) -> Payment:
    """In another state than before."""
    if payment.state is _S.DECLINED:
        return _counted(payment, view, now)
    if payment.is_over:
        return replace(payment, stuck="", untold=True, look_at=now)
    return payment


def _counted(payment: Payment, view: View, now: datetime) -> Payment:
    """One decline more."""
    said = view.decline
    return replace(
        payment, declines=payment.declines + 1, first_declined_at=payment.first_declined_at or now, untold=True, changed_at=now,
        final_decline=said is not None and said.final, problem="declined" if said is None else said.sentence,
    )  # fmt: skip


def _shown(payment: Payment, view: View) -> PaymentState:
    if view.status is GatewayStatus.PAID and view.captured and view.refunded == view.captured:
        return _S.REFUNDED
    if view.status is GatewayStatus.OPEN:
        declined = view.decline is not None and (payment.confirmed or payment.state is _S.DECLINED)
        return _S.DECLINED if declined else _S.OPENED
    return _SHOWN[view.status]


def answered(payment: Payment, view: View, now: datetime) -> Payment:
    """The gateway has done, or declined, what was asked."""
    asked = payment.pending
    if asked is None:
        return learn(payment, view, now)
    confirming = asked.action is Action.CONFIRM
    known = learn(replace(payment, pending=None, confirmed=payment.confirmed or confirming), view, now)
    if known.stuck:
        return known
    if asked.action is Action.REFUND and not _done(payment, asked, view):
        return stop(known, "the gateway took the refund and shows none", now)
    again = confirming and known.state is _S.DECLINED and payment.state is _S.DECLINED
    return _counted(known, view, now) if again else known


def _done(payment: Payment, asked: Request, view: View) -> bool:
    """Whether the gateway shows the effect of a request."""
    if asked.action is Action.REFUND:
        return view.refunded >= payment.refunded + asked.amount
    wanted = {
        Action.OPEN: tuple(GatewayStatus),
        Action.CONFIRM: (GatewayStatus.HELD, GatewayStatus.PAID, GatewayStatus.PROCESSING, GatewayStatus.CANCELLED),
        Action.CAPTURE: (GatewayStatus.PAID, GatewayStatus.CANCELLED),
        Action.CANCEL: (GatewayStatus.CANCELLED, GatewayStatus.PAID),
    }
    return view.status in wanted[asked.action]


# -- no answer


def unanswered(payment: Payment, why: str, retry_after_s: float | None, now: datetime) -> Payment:
    """It is sent again, with the same key."""
    asked = payment.pending
    if asked is None:
        return payment
    again = replace(asked, tries=asked.tries + 1)
    return replace(payment, pending=again, problem=why, look_at=now + backoff(again.tries, retry_after_s))


def must_look_first(asked: Request, now: datetime) -> bool:
    """The gateway may have forgotten the key, or keeps a failure of its own under it."""
    return asked.tries >= MANY_TRIES or now - asked.stored_at >= KEY_LIFE


def looked_up(payment: Payment, view: View | None, now: datetime) -> Payment:
    """A request whose fate was unknown, and the payment as the gateway has it (None: it was never opened).

    Done: its answer is there. Not done: it is asked anew with a new key, but for a refund, which a gateway does as often as it is
    asked: a person decides that.
    """
    asked = payment.pending
    if asked is None:
        return payment
    if view is not None and _done(payment, asked, view):
        return answered(payment, view, now)
    if asked.action is Action.REFUND:
        return stop(payment, "whether it was paid back is not known: look at the gateway, then retry", now)
    number = payment.requests + 1
    anew = replace(asked, key=f"cw-{payment.nonce}-{number}-{asked.action}", stored_at=now, tries=0)
    return replace(payment, pending=anew, requests=number, look_at=now)


def refused(payment: Payment, why: str, view: View | None, now: datetime) -> Payment:
    """The gateway will not do it. Where it has changed meanwhile (a hold that expired), that is the reason, and it goes on."""
    freed = replace(payment, pending=None, problem=why)
    if view is None:
        return stop(freed, why, now)
    known = learn(freed, view, now)
    return known if known.state is not payment.state or known.stuck else stop(known, why, now)


# -- what people do


def retried(payment: Payment, now: datetime) -> Payment:
    """A person has looked: the gateway is asked first, then it goes on. Declines are counted from the beginning."""
    state = _S.OPENED if payment.state is _S.DECLINED else payment.state
    return replace(
        payment, state=state, stuck="", until_known=False, declines=0, first_declined_at=None, final_decline=False, confirmed=False,
        ask=payment.gateway_id is not None, untold=True, look_at=now, changed_at=now,
    )  # fmt: skip


def paid_back(payment: Payment, amount: int, now: datetime) -> Payment:
    """A person pays back a part or all of it: from now on so much less is owed. ValueError where that cannot be."""
    if payment.state is not _S.PAID or payment.pending is not None or payment.stuck:
        what = f"waits for the gateway ({payment.pending.action})" if payment.pending is not None else f"is {payment.state}"
        raise ValueError(f"payment {payment.payment_id} {'needs a person first' if payment.stuck else what}")
    if not 0 < amount <= payment.net:
        raise ValueError(f"{money(payment.net, payment.currency)} of payment {payment.payment_id} are left to be paid back")
    due = payment.net if payment.due is None else payment.due
    already = max(0, due - payment.net)  # what was never collected is not paid back
    return replace(payment, due=due, waived=max(payment.waived, already) + amount, look_at=now, changed_at=now)
