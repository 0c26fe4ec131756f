"""One suite for every payment gateway: the fake that ships with the port, and Stripe's adapter over a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta

import msgspec
import pytest

from billing_reports.payments.memory import MemoryGateway
from billing_reports.payments.payment import PaymentKind
from billing_reports.payments.port import BadSignature, GatewayEvent, GatewayRefused, GatewayStatus, Order, PaymentGateway
from billing_reports.payments.stripe import StripeGateway
from chargenet.settings.values import Secret
from tests.support.payments import NOW
from tests.support.stripe_server import API_KEY, WEBHOOK_SECRET, StripeServer

G = GatewayStatus
HOLD = Order(kind=PaymentKind.HOLD, reference="hold-1", amount=5000, currency="EUR")
CHARGE = Order(
    kind=PaymentKind.CHARGE, reference="charge-1", amount=2000, currency="EUR", description="Statement 1", gateway_customer="cus_1"
)


class Kit(msgspec.Struct):
    """A gateway, what its methods are called, and the hands of the payer, the bank and the gateway itself."""

    gateway: PaymentGateway
    pays: str
    declined: str
    stolen: str
    action: str
    slow: str
    driver_confirms: Callable[[str, str], object]
    expires: Callable[[str], object]
    bank_pays: Callable[[str], object]
    charged: Callable[[], int]
    signed: Callable[[str, str], tuple[bytes, str]]
    """(event id, gateway id) → body and header."""


def memory_kit() -> Kit:
    """The fake."""
    gateway = MemoryGateway()

    def signed(event_id: str, gateway_id: str) -> tuple[bytes, str]:
        body = msgspec.json.encode(GatewayEvent(event_id, "changed", gateway_id))
        return body, gateway.sign(body)

    return Kit(
        gateway, "pm_card", "pm_declined", "pm_stolen", "pm_action", "pm_slow", gateway.driver_confirms, gateway.expires,
        gateway.clears, lambda: gateway.charged, signed,
    )  # fmt: skip


def stripe_gateway(server: StripeServer, *, timeout_s: float = 20.0, key: str = API_KEY) -> StripeGateway:
    """The adapter, without patience in its pauses."""
    return StripeGateway(Secret(key), Secret(WEBHOOK_SECRET), server.url, timeout_s, 300, lambda: 0.0)


def stripe_kit(server: StripeServer) -> Kit:
    """Stripe's adapter."""

    def signed(event_id: str, gateway_id: str) -> tuple[bytes, str]:
        body = server.event("payment_intent.succeeded", gateway_id, event_id)
        return body, server.sign(body, NOW.timestamp())

    return Kit(
        stripe_gateway(server), "pm_card_visa", "pm_card_visa_chargeDeclinedInsufficientFunds",
        "pm_card_visa_chargeDeclinedStolenCard", "pm_card_authenticationRequired", "pm_sepa_debit", server.driver_confirms,
        server.expires, lambda intent: server.bank_says(intent, paid=True), lambda: server.charged, signed,
    )  # fmt: skip


@pytest.fixture
def server() -> Iterator[StripeServer]:
    """Stripe, as its documentation has it."""
    with StripeServer() as running:
        yield running


@pytest.fixture(params=["memory", "stripe"])
async def kit(request: pytest.FixtureRequest) -> AsyncIterator[Kit]:
    """Each gateway."""
    made = memory_kit() if request.param == "memory" else stripe_kit(request.getfixturevalue("server"))
    yield made
    await made.gateway.close()


async def test_a_hold_is_captured_in_part(kit: Kit) -> None:
    """Opened, held, captured: every answer is the whole payment; the rest of the hold is free."""
    gateway = kit.gateway
    opened = await gateway.open(HOLD, "k1")
    assert (opened.status, opened.amount, opened.currency, opened.captured) == (G.OPEN, 5000, "EUR", 0)
    assert opened.client_secret is not None and opened.client_secret.reveal() not in repr(opened)
    held = await gateway.confirm(opened.gateway_id, kit.pays, "", "k2")
    assert (held.status, held.captured) == (G.HELD, 0)
    paid = await gateway.capture(opened.gateway_id, 1234, "EUR", "k3")
    assert (paid.status, paid.captured, paid.refunded) == (G.PAID, 1234, 0)
    assert (await gateway.look(opened.gateway_id)).captured == 1234
    assert kit.charged() == 1234


async def test_a_driver_confirms_in_the_browser(kit: Kit) -> None:
    """Without us: a look finds it held."""
    opened = await kit.gateway.open(HOLD, "k1")
    kit.driver_confirms(opened.gateway_id, kit.pays)
    assert (await kit.gateway.look(opened.gateway_id)).status is G.HELD


async def test_a_saved_method_is_charged(kit: Kit) -> None:
    """At once and whole."""
    opened = await kit.gateway.open(CHARGE, "k1")
    paid = await kit.gateway.confirm(opened.gateway_id, kit.pays, "cus_1", "k2")
    assert (paid.status, paid.captured) == (G.PAID, 2000)


async def test_the_same_key_is_done_once(kit: Kit) -> None:
    """However often it is sent, the answer is that of the first time."""
    gateway = kit.gateway
    first, again = [await gateway.open(CHARGE, "k1") for _ in range(2)]
    assert again.gateway_id == first.gateway_id
    for _ in range(3):
        assert (await gateway.confirm(first.gateway_id, kit.pays, "cus_1", "k2")).status is G.PAID
    for _ in range(3):
        assert (await gateway.refund(first.gateway_id, 500, "EUR", "k3")).refunded == 500
    assert kit.charged() == 2000


async def test_the_same_key_for_something_else_is_refused(kit: Kit) -> None:
    """A mistake of ours must not pass as done."""
    await kit.gateway.open(CHARGE, "k1")
    with pytest.raises(GatewayRefused, match="idempotency_error"):
        await kit.gateway.open(HOLD, "k1")


async def test_a_charge_happens_once_even_with_another_key(kit: Kit) -> None:
    """Once it is paid, a confirmation is refused: this is what a forgotten key cannot break."""
    opened = await kit.gateway.open(CHARGE, "k1")
    await kit.gateway.confirm(opened.gateway_id, kit.pays, "cus_1", "k2")
    with pytest.raises(GatewayRefused, match="unexpected_state"):
        await kit.gateway.confirm(opened.gateway_id, kit.pays, "cus_1", "k3")
    assert kit.charged() == 2000


async def test_a_decline_is_an_answer(kit: Kit) -> None:
    """OPEN again, with the bank's word; another method then pays; some declines are final."""
    opened = await kit.gateway.open(CHARGE, "k1")
    said = await kit.gateway.confirm(opened.gateway_id, kit.declined, "cus_1", "k2")
    assert said.status is G.OPEN and said.decline is not None
    assert (said.decline.code, said.decline.final) == ("insufficient_funds", False)
    assert (await kit.gateway.look(opened.gateway_id)).decline == said.decline
    stolen = await kit.gateway.confirm(opened.gateway_id, kit.stolen, "cus_1", "k3")
    assert stolen.decline is not None and stolen.decline.final
    assert (await kit.gateway.confirm(opened.gateway_id, kit.pays, "cus_1", "k4")).status is G.PAID


async def test_a_payer_may_have_to_act(kit: Kit) -> None:
    """A hold whose owner must confirm it at the bank waits for that."""
    opened = await kit.gateway.open(HOLD, "k1")
    assert (await kit.gateway.confirm(opened.gateway_id, kit.action, "", "k2")).status is G.ACTION


async def test_a_slow_method_is_processed(kit: Kit) -> None:
    """Then paid, which a look finds."""
    opened = await kit.gateway.open(CHARGE, "k1")
    assert (await kit.gateway.confirm(opened.gateway_id, kit.slow, "cus_1", "k2")).status is G.PROCESSING
    kit.bank_pays(opened.gateway_id)
    assert (await kit.gateway.look(opened.gateway_id)).captured == 2000


async def test_more_than_the_hold_is_refused(kit: Kit) -> None:
    """Nothing is charged; the hold stays."""
    opened = await kit.gateway.open(HOLD, "k1")
    await kit.gateway.confirm(opened.gateway_id, kit.pays, "", "k2")
    with pytest.raises(GatewayRefused):
        await kit.gateway.capture(opened.gateway_id, 5001, "EUR", "k3")
    assert (await kit.gateway.look(opened.gateway_id)).status is G.HELD
    assert kit.charged() == 0


async def test_a_cancelled_hold_charges_nothing(kit: Kit) -> None:
    """And cannot be captured any more."""
    opened = await kit.gateway.open(HOLD, "k1")
    await kit.gateway.confirm(opened.gateway_id, kit.pays, "", "k2")
    assert (await kit.gateway.cancel(opened.gateway_id, "k3")).status is G.CANCELLED
    with pytest.raises(GatewayRefused):
        await kit.gateway.capture(opened.gateway_id, 100, "EUR", "k4")


async def test_a_hold_that_expired_is_refused(kit: Kit) -> None:
    """The bank has let it go: a look says so."""
    opened = await kit.gateway.open(HOLD, "k1")
    await kit.gateway.confirm(opened.gateway_id, kit.pays, "", "k2")
    kit.expires(opened.gateway_id)
    with pytest.raises(GatewayRefused):
        await kit.gateway.capture(opened.gateway_id, 100, "EUR", "k3")
    assert (await kit.gateway.look(opened.gateway_id)).status is G.CANCELLED


async def test_refunds_add_up_and_never_beyond_what_was_paid(kit: Kit) -> None:
    """A part, the rest, and then no more."""
    opened = await kit.gateway.open(CHARGE, "k1")
    await kit.gateway.confirm(opened.gateway_id, kit.pays, "cus_1", "k2")
    assert (await kit.gateway.refund(opened.gateway_id, 500, "EUR", "k3")).refunded == 500
    assert (await kit.gateway.refund(opened.gateway_id, 1500, "EUR", "k4")).refunded == 2000
    with pytest.raises(GatewayRefused):
        await kit.gateway.refund(opened.gateway_id, 1, "EUR", "k5")


async def test_what_it_does_not_know_is_refused(kit: Kit) -> None:
    """Not an endless retry."""
    for call in (kit.gateway.look("pi_none"), kit.gateway.cancel("pi_none", "k1"), kit.gateway.look("../customers")):
        with pytest.raises(GatewayRefused):
            await call


async def test_a_signed_call_is_believed_and_no_other(kit: Kit) -> None:
    """The event's id and payment; a changed body, another signature, none, or garbage is refused."""
    opened = await kit.gateway.open(HOLD, "k1")
    body, header = kit.signed("evt_7", opened.gateway_id)
    event = kit.gateway.read_event(body, header, NOW)
    assert (event.event_id, event.gateway_id) == ("evt_7", opened.gateway_id)
    wrong = header[:-70] + ("0" * 70 if header[-70:] != "0" * 70 else "1" * 70)
    for forged, signature in ((body + b" ", header), (body, ""), (body, wrong), (b"{}", header), (body, "t=,v1=")):
        with pytest.raises(BadSignature):
            kit.gateway.read_event(forged, signature, NOW)


# -- Stripe alone


def test_a_call_of_stripe_that_is_old_is_refused(server: StripeServer) -> None:
    """A recorded call cannot be played again after five minutes, nor one from the future."""
    gateway = stripe_gateway(server)
    body = server.event("payment_intent.succeeded", "pi_1")
    header = server.sign(body, NOW.timestamp())
    assert gateway.read_event(body, header, NOW + timedelta(seconds=300)).gateway_id == "pi_1"
    for off in (-301, 301):
        with pytest.raises(BadSignature, match="300 s"):
            gateway.read_event(body, header, NOW + timedelta(seconds=off))
    other = server.sign(body, NOW.timestamp(), "whsec_other")
    both = f"{other},{header.partition(',')[2]}"
    assert gateway.read_event(body, both, NOW).event_id == "evt_1", "one of two signatures is enough while a secret is replaced"
    charge = json.dumps(
        {"id": "evt_2", "type": "charge.refunded", "data": {"object": {"object": "charge", "payment_intent": "pi_9"}}}
    )
    signed = server.sign(charge.encode(), NOW.timestamp())
    assert gateway.read_event(charge.encode(), signed, NOW).gateway_id == "pi_9"
