"""Stripe's adapter when things go wrong on the way: sent again with the same key, bounded, and never done twice."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from billing_reports.payments.port import GatewayRefused, GatewayStatus, GatewayUnavailable
from billing_reports.payments.stripe import StripeGateway, from_stripe, to_stripe
from tests.contract.test_payment_gateway import CHARGE, HOLD, stripe_gateway
from tests.support.stripe_server import API_KEY, WEBHOOK_SECRET, StripeServer

PAYS = "pm_card_visa"


@pytest.fixture
def server() -> Iterator[StripeServer]:
    """Stripe, as its documentation has it."""
    with StripeServer() as running:
        yield running


async def opened(gateway: StripeGateway) -> str:
    """A charge that waits for its method."""
    return (await gateway.open(CHARGE, "k1")).gateway_id


@pytest.mark.parametrize("fault", ["drop", "drop after", "garbage", (409, {}), (429, {"retry-after": "1"}), (503, {})])
async def test_what_may_pass_is_sent_again_with_the_same_key(server: StripeServer, fault: str | tuple[int, dict[str, str]]) -> None:
    """Lost, lost after it was done, garbled by a proxy, locked, too many, down: the second send is the same and is done once."""
    gateway = stripe_gateway(server)
    name = await opened(gateway)
    server.faults.append(fault)
    assert (await gateway.confirm(name, PAYS, "cus_1", "k2")).status is GatewayStatus.PAID
    sent = [(headers["idempotency-key"], fields) for method, path, headers, fields in server.requests if path.endswith("confirm")]
    assert sent == [sent[0]] * 2 and sent[0][0] == "k2"
    assert server.charged == 2000
    await gateway.close()


async def test_an_answer_that_takes_too_long_is_no_answer(server: StripeServer) -> None:
    """The deadline is per attempt; what was done meanwhile is found by the repeat."""
    gateway = stripe_gateway(server, timeout_s=0.7)
    name = await opened(gateway)
    server.faults.extend(["slow", "slow", "slow"])
    with pytest.raises(GatewayUnavailable, match=r"0\.7 s"):
        await gateway.confirm(name, PAYS, "cus_1", "k2")
    await gateway.close()


async def test_attempts_are_bounded_and_say_when_to_come_back(server: StripeServer) -> None:
    """Three, then the caller decides; a pause that is too long is not waited for."""
    gateway = stripe_gateway(server)
    server.faults.extend([(500, {})] * 9)
    with pytest.raises(GatewayUnavailable, match="answered 500: Try again"):
        await opened(gateway)
    assert len(server.requests) == 3
    server.faults.clear()
    server.faults.append((429, {"retry-after": "90"}))
    with pytest.raises(GatewayUnavailable) as raised:
        await gateway.open(HOLD, "k9")
    assert (raised.value.retry_after_s, len(server.requests)) == (90.0, 4)
    await gateway.close()


async def test_stripe_says_whether_to_try_again(server: StripeServer) -> None:
    """`Stripe-Should-Retry` beats the status, both ways."""
    gateway = stripe_gateway(server)
    server.faults.append((503, {"stripe-should-retry": "false"}))
    with pytest.raises(GatewayUnavailable):
        await opened(gateway)
    server.faults.append((409, {"stripe-should-retry": "false"}))
    with pytest.raises(GatewayRefused):
        await opened(gateway)
    server.faults.append((400, {"stripe-should-retry": "true"}))
    await opened(gateway)
    assert len(server.requests) == 4
    await gateway.close()


async def test_nobody_at_the_other_end() -> None:
    """No answer, and the sentence names neither the key nor the address."""
    with StripeServer() as server:
        gateway = stripe_gateway(server)
    with pytest.raises(GatewayUnavailable) as raised:
        await gateway.look("pi_1")
    assert "127.0.0.1" not in str(raised.value)
    await gateway.close()


async def test_secrets_show_themselves_nowhere(server: StripeServer, caplog: pytest.LogCaptureFixture) -> None:
    """Not in logs, errors, URLs or the gateway itself; a key that is not accepted is a setting to be corrected, not a refusal."""
    caplog.set_level(logging.DEBUG)
    wrong = "sk_test_wrong_but_still_secret"
    gateway, bad = stripe_gateway(server), stripe_gateway(server, key=wrong)
    shown = repr(await gateway.open(HOLD, "k1")) + repr(vars(gateway)) + repr(vars(gateway._door))
    with pytest.raises(GatewayUnavailable, match=r"check billing\.payments\.stripe_key") as raised:
        await bad.look("pi_1")
    shown += str(raised.value) + caplog.text + "".join(path for _, path, _, _ in server.requests)
    for secret in (API_KEY, wrong, wrong[-12:], WEBHOOK_SECRET, "pi_1_secret"):
        assert secret not in shown
    await gateway.close()
    await bad.close()


async def test_what_is_sent_is_what_stripe_documents(server: StripeServer) -> None:
    """Form fields of a hold and of a charge; the version of the API is pinned."""
    gateway = stripe_gateway(server)
    hold = (await gateway.open(HOLD, "k1")).gateway_id
    await gateway.confirm(hold, PAYS, "", "k2")
    await gateway.capture(hold, 1234, "EUR", "k3")
    await gateway.confirm(await opened_again(gateway), PAYS, "cus_1", "k5")
    said = [(path, fields) for _, path, _, fields in server.requests]
    whole = {"expand[]": "latest_charge"}
    assert said == [
        ("/v1/payment_intents", {"amount": "5000", "currency": "eur", "capture_method": "manual", "metadata[payment]": "hold-1",
                                 "payment_method_types[]": "card"} | whole),
        (f"/v1/payment_intents/{hold}/confirm", {"payment_method": PAYS} | whole),
        (f"/v1/payment_intents/{hold}/capture", {"amount_to_capture": "1234"} | whole),
        ("/v1/payment_intents", {"amount": "2000", "currency": "eur", "capture_method": "automatic",
                                 "metadata[payment]": "charge-1", "automatic_payment_methods[enabled]": "true",
                                 "automatic_payment_methods[allow_redirects]": "never", "description": "Statement 1",
                                 "customer": "cus_1"} | whole),
        ("/v1/payment_intents/pi_2/confirm", {"payment_method": PAYS, "off_session": "true"} | whole),
    ]  # fmt: skip
    assert {headers["stripe-version"] for _, _, headers, _ in server.requests} == {"2024-06-20"}
    await gateway.close()


async def opened_again(gateway: StripeGateway) -> str:
    """Under another key."""
    return (await gateway.open(CHARGE, "k4")).gateway_id


@pytest.mark.parametrize(
    ("currency", "ours", "theirs"),
    [("EUR", 1234, 1234), ("JPY", 500, 500), ("ISK", 500, 50_000), ("UGX", 7, 700), ("MGA", 500, 5), ("KWD", 1230, 1230)],
)
def test_amounts_cross_exactly(currency: str, ours: int, theirs: int) -> None:
    """There and back, in each kind of currency."""
    assert (to_stripe(ours, currency), from_stripe(theirs, currency)) == (theirs, ours)


@pytest.mark.parametrize(("currency", "amount"), [("KWD", 1234), ("MGA", 501)])
def test_an_amount_that_stripe_cannot_take_is_refused(currency: str, amount: int) -> None:
    """Never rounded in silence."""
    with pytest.raises(GatewayRefused, match="no unit that small"):
        to_stripe(amount, currency)
    with pytest.raises(ValueError, match="no whole amount"):
        from_stripe(101, "ISK")
