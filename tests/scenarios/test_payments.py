"""Payments against a running platform and a server that speaks Stripe's API: an ad-hoc session is held and captured, a statement is
charged, and what the gateway calls about is believed only with its signature."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from chargenet.clock import SystemClock
from chargewatch.cli import run
from tests.support.billing import TARIFF, Plug, config, eventually
from tests.support.platform import RunningPlatform
from tests.support.stripe_server import API_KEY, WEBHOOK_SECRET, StripeServer

PAYS = "pm_card_visa"


@pytest.fixture(scope="module")
def server() -> Iterator[StripeServer]:
    """Stripe, as its documentation has it."""
    with StripeServer() as running:
        yield running


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, server: StripeServer) -> Iterator[RunningPlatform]:
    """With a tariff, a customer, and Stripe as its gateway; the secrets are in files."""
    folder: Path = tmp_path_factory.mktemp("payments")
    (folder / "key").write_text(API_KEY + "\n")
    (folder / "hook").write_text(WEBHOOK_SECRET + "\n")
    more = "\n".join(
        (
            'default_tariff = "day"', "[billing.payments]", 'gateway = "stripe"', f'stripe_url = "{server.url}"',
            f'stripe_key_file = "{folder}/key"', f'webhook_secret_file = "{folder}/hook"', "",
        )
    )  # fmt: skip
    with RunningPlatform(folder, "--config", str(config(folder, more))) as running:
        running.api("POST", "/api/v1/tariffs", json={"tariff": TARIFF})
        running.api("PUT", "/api/v1/customers/anna", json={"party": {"name": "Anna"}, "time_zone": "Europe/Oslo"})
        running.api("PUT", "/api/v1/customers/anna/contracts/k1", json={"first_day": "2020-01-01"})
        running.api("POST", "/api/v1/customers/anna/contracts/k1/tokens", json={"tokens": ["ANNA"]})
        yield running


def base(platform: RunningPlatform) -> str:
    """Where it listens."""
    return f"http://127.0.0.1:{platform.http_port}"


def asked(platform: RunningPlatform, method: str, path: str, **options: Any) -> httpx.Response:
    """Any answer, also a refusal."""
    headers = {"Authorization": f"Bearer {platform.key}"}
    return httpx.request(method, f"{base(platform)}/api/v1{path}", headers=headers, timeout=30, **options)


def payment(platform: RunningPlatform, payment_id: str) -> dict[str, Any]:
    """As the API shows it."""
    found: dict[str, Any] = platform.api("GET", f"/api/v1/payments/{payment_id}")["payment"]
    return found


def calls(platform: RunningPlatform, server: StripeServer, body: bytes, header: str | None = None) -> httpx.Response:
    """The gateway calls; no API key."""
    signature = server.sign(body, SystemClock().now().timestamp()) if header is None else header
    return httpx.post(f"{base(platform)}/api/v1/payments/webhook", content=body, headers={"stripe-signature": signature})


def in_state(platform: RunningPlatform, payment_id: str, *states: str) -> dict[str, Any]:
    """Once it is."""

    def look() -> dict[str, Any] | None:
        found = payment(platform, payment_id)
        return found if found["state"] in states else None

    reached: dict[str, Any] = eventually(look, f"{payment_id} is not {states}")
    return reached


def actions(platform: RunningPlatform) -> list[str]:
    """The audit log's."""
    return [each["action"] for each in platform.api("GET", "/api/v1/audit?limit=1000")["items"]]


def test_an_ad_hoc_session_is_held_and_captured(platform: RunningPlatform, server: StripeServer) -> None:
    """A driver confirms in the browser, the gateway calls, the session ends: its CDR is captured, and the rest is released."""
    body = {"amount": "50.00", "currency": "EUR", "charge_point_id": "CP-1"}
    held = platform.api("POST", "/api/v1/payments/holds", json=body)
    name, gateway_id = held["payment"]["id"], held["payment"]["gateway_id"]
    assert (held["payment"]["state"], held["client_secret"]) == ("opened", f"{gateway_id}_secret_x")
    server.driver_confirms(gateway_id)
    event = server.event("payment_intent.amount_capturable_updated", gateway_id, "evt_held")
    assert calls(platform, server, event).json() == {"payment": name}
    in_state(platform, name, "held")
    assert calls(platform, server, event).json() == {"payment": None}, "the same call again is no news"
    with Plug(platform) as plug:
        plug.charge(held["id_token"], datetime.now(UTC) - timedelta(hours=2), 60, 1_000, 20_000)
    paid = in_state(platform, name, "paid")
    assert (paid["captured"]["amount"], paid["receivable"]["amount"]) == ("11.25", "0.00")
    intent = server.intents[gateway_id]
    assert (intent["status"], intent["amount_received"], intent["metadata"]) == ("succeeded", 1125, {"payment": name})
    again = asked(platform, "POST", "/payments/holds", json=body | {"id_token": held["id_token"]})
    assert again.status_code == 409
    part = platform.api("POST", f"/api/v1/payments/{name}/refund", json={"amount": "1.25", "why": "the cable was stuck"})
    assert (part["state"], part["refunded"]["amount"], part["receivable"]["amount"]) == ("paid", "1.25", "0.00")
    assert asked(platform, "POST", f"/payments/{name}/retry").status_code == 409
    whats = [each["what"] for each in platform.api("GET", f"/api/v1/payments/{name}")["history"]]
    assert "asks to capture 11.25 EUR" in whats and "capture: paid" in whats
    assert {"payments.hold", "payments.webhook", "payments.refund"} <= set(actions(platform))
    assert held["id_token"].lower() not in str(platform.api("GET", "/api/v1/payments"))


def test_a_statement_is_charged_and_paid_back_by_its_credit_note(platform: RunningPlatform, server: StripeServer) -> None:
    """First the card is declined, then the customer saves another one, and a person tries again; the credit note pays back."""
    saved = {"gateway_customer": "cus_1", "gateway_method": "pm_card_visa_chargeDeclinedInsufficientFunds", "label": "Visa"}
    platform.api("PUT", "/api/v1/payments/methods/anna", json=saved)
    with Plug(platform, "CP-2") as plug:
        plug.charge("ANNA", datetime.now(UTC) - timedelta(hours=5), 60, 1_000, 10_000)
    eventually(lambda: platform.api("GET", "/api/v1/cdrs?customer=anna")["items"] or None, "Anna's CDR")
    month = platform.api("GET", "/api/v1/cdrs?customer=anna")["items"][0]["ended_at"][:7]
    platform.api("POST", "/api/v1/statements/runs", json={"month": month, "finalize": True, "unfinished_month": True})
    made = eventually(lambda: platform.api("GET", "/api/v1/statements?state=final")["items"] or None, "a final statement")
    name = f"charge-{made[0]['id']}"
    eventually(lambda: platform.api("GET", "/api/v1/payments?kind=charge")["items"] or None, "its charge")
    declined = in_state(platform, name, "declined")
    assert (declined["declines"], declined["problem"]) == (1, "Your card has insufficient funds.")
    platform.api("PUT", "/api/v1/payments/methods/anna", json=saved | {"gateway_method": PAYS})
    assert platform.api("GET", "/api/v1/payments/methods/anna")["gateway_method"] == PAYS
    paid = platform.api("POST", f"/api/v1/payments/{name}/retry")
    assert (paid["state"], paid["captured"]) == ("paid", made[0]["payable"])
    platform.api("POST", f"/api/v1/statements/{made[0]['number']}/credit", json={"remark": "wrong address"})
    assert in_state(platform, name, "refunded")["refunded"] == made[0]["payable"]
    assert asked(platform, "DELETE", "/payments/methods/anna").status_code == 204
    assert asked(platform, "GET", "/payments/methods/anna").status_code == 404
    assert {"payments.method", "payments.forget", "payments.retry"} <= set(actions(platform))


def test_a_call_without_the_gateways_signature_is_refused(platform: RunningPlatform, server: StripeServer) -> None:
    """None, somebody else's, an old one, or a body without end."""
    body = server.event("payment_intent.succeeded", "pi_1", "evt_forged")
    now = SystemClock().now().timestamp()
    for header in ("", server.sign(body, now, "whsec_other"), server.sign(body, now - 600), "t=1,v1=zz"):
        assert calls(platform, server, body, header).status_code == 400, header
    assert calls(platform, server, b"x" * (300 << 10)).status_code == 413


def test_whoever_may_only_read_changes_nothing(platform: RunningPlatform) -> None:
    """A viewer sees no payments at all."""
    key = platform.api("POST", "/api/v1/keys", json={"name": "v", "role": "viewer"})["secret"]
    headers = {"Authorization": f"Bearer {key}"}
    hold, refund = {"amount": "1", "currency": "EUR"}, {"why": "x"}
    for method, path, body in (
        ("GET", "", None), ("POST", "/holds", hold), ("POST", "/x/refund", refund), ("POST", "/x/retry", None),
    ):  # fmt: skip
        answer = httpx.request(method, f"{base(platform)}/api/v1/payments{path}", headers=headers, json=body)
        assert answer.status_code == 403, path


def test_payments_are_counted_and_healthy(platform: RunningPlatform) -> None:
    """The metrics are served where a gateway is set, and health names it."""
    text = httpx.get(f"{base(platform)}/metrics").text
    values = {family.name for family in text_string_to_metric_families(text)}
    assert "chargewatch_payments_working" in values
    checks = {each["name"]: each for each in platform.api("GET", "/api/v1/health")["checks"]}
    assert checks["payments"]["ok"] and "stripe" in checks["payments"]["detail"]
    assert API_KEY not in text


def test_the_commands_show_what_the_api_has(platform: RunningPlatform) -> None:
    """A hold is listed and shown with its history; what stands still can be asked for on its own; a retry says what came of it."""
    held = platform.api("POST", "/api/v1/payments/holds", json={"amount": "20", "currency": "EUR"})["payment"]["id"]
    assert held in {each["id"] for each in platform.cli("payments", "list", "--kind", "hold")}
    assert held not in {each["id"] for each in platform.cli("payments", "list", "--stuck")}
    shown = platform.cli("payments", "show", held)
    assert (shown["payment"]["state"], shown["history"][0]["what"]) == ("opened", "made")
    assert platform.cli("payments", "retry", held)["state"] == "opened"


def test_holds_and_methods_by_the_command_line(platform: RunningPlatform, capsys: pytest.CaptureFixture[str]) -> None:
    """A hold is made with its token and secret; a method is set, shown and removed; what the API refuses is one sentence."""

    def said(*arguments: str, code: int = 0) -> str:
        assert run(["payments", *arguments, "--data", str(platform.data)]) == code, capsys.readouterr().err
        shown = capsys.readouterr()
        return shown.out + shown.err

    platform.api("PUT", "/api/v1/customers/bo", json={"party": {"name": "Bo"}, "time_zone": "Europe/Oslo"})
    shown = said("hold", "12.50", "EUR", "--charge-point", "CP-7")
    assert "12.50 EUR" in shown and "opened" in shown and "_secret_x" in shown and "start with token" in shown
    made = json.loads(said("hold", "5", "EUR", "--token", "GUEST-1", "--json"))
    assert (made["id_token"], made["payment"]["kind"]) == ("GUEST-1", "hold")
    assert "amount" in said("hold", "all", "EUR", code=2)
    names = ("--gateway-customer", "cus_1", "--gateway-method", PAYS)
    assert "bo are charged to Visa 4242" in said("method", "set", "bo", *names, "--label", "Visa 4242")
    assert json.loads(said("method", "show", "bo", "--json"))["gateway_method"] == PAYS
    assert "Visa 4242" in said("method", "show", "bo")
    assert "it was Visa 4242" in said("method", "remove", "bo")
    assert "bo" in said("method", "show", "bo", code=3)
