"""A small server that speaks Stripe's published API over a real socket: PaymentIntents, refunds, idempotency, errors, webhooks.

Written from https://docs.stripe.com/api and not from the adapter: form encoding with nested names, bearer keys, `Idempotency-Key`
with replay of the first answer (500s and declines too) and refusal of another body under the same key, the states of a
PaymentIntent with manual capture, error objects, and signed events. Test methods have Stripe's names for them.
"""

from __future__ import annotations

import hmac
import itertools
import json
import threading
import time
from collections import deque
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

API_KEY = "sk_test_51NotARealKeyAtAll"
WEBHOOK_SECRET = "whsec_test_0123456789abcdef"
DECLINES = {
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    "pm_card_visa_chargeDeclinedStolenCard": ("card_declined", "stolen_card", "Your card was declined."),
}
UNDER_WAY = ("requires_payment_method", "requires_confirmation", "requires_action", "processing", "requires_capture")


class Fault(Exception):
    """An error object with its status."""

    def __init__(self, status: int, kind: str, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": message, **more}}


def invalid(code: str, message: str, status: int = 400) -> Fault:
    """A request that cannot be done."""
    return Fault(status, "invalid_request_error", code, message)


class StripeServer:
    """`with StripeServer() as server`: listens on a free port of loopback until the end."""

    def __init__(self) -> None:
        self.intents: dict[str, dict[str, Any]] = {}
        self.refunds: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, dict[str, str], dict[str, str]]] = []
        """Method, path, headers (lower case), fields."""
        self.faults: deque[str | tuple[int, dict[str, str]]] = deque()
        """For the next requests: `drop` (never done), `drop after` (done, no answer), `slow`, `garbage`, `""` (none), or a status
        with headers, kept under the key as Stripe keeps it when it is 500."""
        self.charged = 0
        self.lock = threading.Lock()
        self._answers: dict[str, tuple[str, int, bytes]] = {}
        self._numbers = itertools.count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> StripeServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # -- what the payer, the bank and Stripe do

    def driver_confirms(self, intent: str, method: str = "pm_card_visa") -> None:
        """In the browser."""
        with self.lock:
            self._confirm(intent, {"payment_method": method})

    def bank_says(self, intent: str, *, paid: bool) -> None:
        """Days after a direct debit began."""
        with self.lock:
            found = self.intents[intent]
            if paid:
                self._succeed(found, found["amount"])
            else:
                self._declined(found, "insufficient_funds", "insufficient_funds", "The bank account has insufficient funds.")

    def expires(self, intent: str) -> None:
        """Seven days after the hold."""
        self.intents[intent]["status"] = "canceled"

    def forget_keys(self) -> None:
        """More than 24 hours later."""
        self._answers.clear()

    @staticmethod
    def event(kind: str, intent: str, event_id: str = "evt_1") -> bytes:
        """The body of a call."""
        thing = {"id": intent, "object": "payment_intent"}
        return json.dumps({"id": event_id, "object": "event", "type": kind, "data": {"object": thing}}, indent=2).encode()

    @staticmethod
    def sign(body: bytes, at: float, secret: str = WEBHOOK_SECRET) -> str:
        """The header Stripe-Signature."""
        mac = hmac.new(secret.encode(), f"{int(at)}.".encode() + body, sha256).hexdigest()
        return f"t={int(at)},v1={mac},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"

    # -- HTTP

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

            def do_GET(self) -> None:
                self._do("GET", dict(parse_qsl(urlsplit(self.path).query)))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                assert self.headers.get("content-type") == "application/x-www-form-urlencoded"
                self._do("POST", dict(parse_qsl(body, keep_blank_values=True)))

            def _do(self, method: str, fields: dict[str, str]) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = server.answer(method, urlsplit(self.path).path, headers, fields)
                if answer is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                status, more, body = answer
                self.send_response(status)
                for name, value in {"content-type": "application/json", "content-length": str(len(body)), **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def answer(
        self, method: str, path: str, headers: dict[str, str], fields: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers, body; None: the line is cut."""
        with self.lock:
            self.requests.append((method, path, headers, fields))
            fault = self.faults.popleft() if self.faults else ""
            if fault == "drop":
                return None
            if fault == "slow":
                time.sleep(1.5)
            if fault == "garbage":
                return 200, {}, b"<html>a proxy</html>"
            made = self._keyed(method, path, headers, fields, fault)
            return None if fault == "drop after" else made

    def _keyed(
        self, method: str, path: str, headers: dict[str, str], fields: dict[str, str], fault: str | tuple[int, dict[str, str]]
    ) -> tuple[int, dict[str, str], bytes]:
        key, what = headers.get("idempotency-key", ""), json.dumps([method, path, sorted(fields.items())])
        if key in self._answers:
            known, status, body = self._answers[key]
            if known != what:
                problem = Fault(
                    400, "idempotency_error", "", "Keys for idempotent requests can only be used with the same parameters."
                )
                return 400, {}, json.dumps(problem.body).encode()
            return status, {"idempotent-replayed": "true"}, body
        if isinstance(fault, tuple):
            status, more = fault
            body = json.dumps(Fault(status, "api_error", "lock_timeout" if status == 409 else "", "Try again.").body).encode()
            if status == 500 and key:
                self._answers[key] = (what, status, body)
            return status, more, body
        status, body = self._done(method, path, headers, fields)
        if key and status not in (400, 401, 404):  # validation failed: no endpoint began to work
            self._answers[key] = (what, status, body)
        return status, {}, body

    def _done(self, method: str, path: str, headers: dict[str, str], fields: dict[str, str]) -> tuple[int, bytes]:
        try:
            if headers.get("authorization") != f"Bearer {API_KEY}":
                raise Fault(401, "invalid_request_error", "", f"Invalid API Key provided: {headers.get('authorization', '')[-12:]}")
            return 200, json.dumps(self._route(method, path, fields)).encode()
        except Fault as fault:
            return fault.status, json.dumps(fault.body).encode()

    # -- the API

    def _route(self, method: str, path: str, fields: dict[str, str]) -> dict[str, Any]:
        parts = path.strip("/").split("/")
        if parts[:2] == ["v1", "refunds"] and method == "POST":
            return self._refund(fields)
        if parts[:2] != ["v1", "payment_intents"]:
            raise invalid("", f"Unrecognized request URL ({method}: {path}).", 404)
        if len(parts) == 2:
            return self._create(fields)
        if parts[2] not in self.intents:
            raise invalid("resource_missing", f"No such payment_intent: '{parts[2]}'", 404)
        if len(parts) == 3 and method == "GET":
            return self._shown(self.intents[parts[2]], fields)
        work = {"confirm": self._confirm, "capture": self._capture, "cancel": self._cancel}[parts[3]]
        return self._shown(work(parts[2], fields), fields)

    def _shown(self, intent: dict[str, Any], fields: dict[str, str]) -> dict[str, Any]:
        charge = intent["latest_charge"]
        whole = "latest_charge" in (value for name, value in fields.items() if name.startswith("expand["))
        return {**intent, "latest_charge": charge if whole or charge is None else charge["id"]}

    def _create(self, fields: dict[str, str]) -> dict[str, Any]:
        amount = fields.get("amount", "")
        if not amount.isdigit() or int(amount) <= 0:
            raise invalid("parameter_invalid_integer", "Invalid integer: amount")
        if fields.get("currency", "") != fields.get("currency", "").lower() or len(fields.get("currency", "")) != 3:
            raise invalid("", "Invalid currency")
        number = next(self._numbers)
        intent = {
            "id": f"pi_{number}", "object": "payment_intent", "amount": int(amount), "amount_received": 0, "amount_capturable": 0,
            "currency": fields["currency"], "capture_method": fields.get("capture_method", "automatic"), "latest_charge": None,
            "client_secret": f"pi_{number}_secret_x", "customer": fields.get("customer"), "last_payment_error": None,
            "metadata": {"payment": fields.get("metadata[payment]")}, "status": "requires_payment_method",
            "description": fields.get("description"),
        }  # fmt: skip
        self.intents[f"pi_{number}"] = intent
        return self._shown(intent, fields)

    def _confirm(self, name: str, fields: dict[str, str]) -> dict[str, Any]:
        intent = self._in(name, "requires_payment_method", "requires_confirmation", "requires_action")
        method = fields.get("payment_method", "")
        if method in DECLINES:
            code, decline, message = DECLINES[method]
            self._declined(intent, code, decline, message)
            raise Fault(
                402, "card_error", code, message, decline_code=decline, payment_intent=self._shown(intent, {"expand[]": ""})
            )
        if method == "pm_card_authenticationRequired":
            if fields.get("off_session") == "true":
                self._declined(intent, "authentication_required", "authentication_required", "The payment requires authentication.")
                raise Fault(
                    402, "card_error", "authentication_required", "The payment requires authentication.",
                    decline_code="authentication_required", payment_intent=self._shown(intent, {}),
                )  # fmt: skip
            intent |= {"status": "requires_action", "last_payment_error": None}
            return intent
        intent["last_payment_error"] = None
        if method == "pm_sepa_debit":
            intent["status"] = "processing"
        elif intent["capture_method"] == "manual":
            intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
            self._charge(intent)
        else:
            self._succeed(intent, intent["amount"])
        return intent

    def _capture(self, name: str, fields: dict[str, str]) -> dict[str, Any]:
        intent = self._in(name, "requires_capture")
        amount = int(fields.get("amount_to_capture", intent["amount"]))
        if not 0 < amount <= intent["amount_capturable"]:
            raise invalid("amount_too_large", "The amount to capture is greater than what is capturable.")
        self._succeed(intent, amount)
        return intent

    def _cancel(self, name: str, fields: dict[str, str]) -> dict[str, Any]:
        intent = self._in(name, *UNDER_WAY)
        intent |= {"status": "canceled", "amount_capturable": 0}
        return intent

    def _refund(self, fields: dict[str, str]) -> dict[str, Any]:
        intent = self.intents.get(fields.get("payment_intent", ""))
        if intent is None or intent["latest_charge"] is None or intent["status"] != "succeeded":
            raise invalid("resource_missing", "There is no charge to be refunded.", 404)
        amount, charge = int(fields["amount"]), intent["latest_charge"]
        if amount > intent["amount_received"] - charge["amount_refunded"]:
            raise invalid("charge_already_refunded", "The refund is greater than what is left of the charge.")
        charge["amount_refunded"] += amount
        made = {"id": f"re_{len(self.refunds) + 1}", "object": "refund", "amount": amount, "status": "succeeded"}
        self.refunds.append(made)
        return made

    def _in(self, name: str, *states: str) -> dict[str, Any]:
        intent = self.intents[name]
        if intent["status"] not in states:
            message = f"This PaymentIntent's status is {intent['status']}."
            raise Fault(400, "invalid_request_error", "payment_intent_unexpected_state", message, payment_intent=intent)
        return intent

    def _charge(self, intent: dict[str, Any]) -> None:
        intent["latest_charge"] = {"id": f"ch_{intent['id']}", "object": "charge", "amount_refunded": 0}

    def _succeed(self, intent: dict[str, Any], amount: int) -> None:
        if intent["latest_charge"] is None:
            self._charge(intent)
        intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0, "last_payment_error": None}
        self.charged += amount

    @staticmethod
    def _declined(intent: dict[str, Any], code: str, decline: str, message: str) -> None:
        error = {"type": "card_error", "code": code, "decline_code": decline, "message": message}
        intent |= {"status": "requires_payment_method", "last_payment_error": error}
