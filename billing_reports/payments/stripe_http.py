"""The door to Stripe's API. Decided here: how a request is written, when it is sent again, and which answers are no answer.

Form encoding, bearer key, `Idempotency-Key`, errors and retries as https://docs.stripe.com/api (idempotent requests, errors) and
https://docs.stripe.com/error-low-level have them: an answer of 409, 429 or 5xx, or none at all, is sent again with the same key and
a growing pause; `Stripe-Should-Retry` overrides that. No redirect is followed, no proxy of the environment is used, an answer is
read up to a limit, and every attempt has one deadline.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import msgspec

from billing_reports.payments.port import GatewayRefused, GatewayUnavailable
from chargenet.settings.values import Secret

API_VERSION = "2024-06-20"
"""Sent with each request, so that an account's default cannot change what fields mean."""
ATTEMPTS = 3
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0
MAX_ANSWER = 1 << 20
_AGAIN = frozenset({409, 429})


class StripeFault(msgspec.Struct, frozen=True):
    """The `error` object of an answer that is no success."""

    type: str = ""
    code: str = ""
    decline_code: str = ""
    message: str = ""
    payment_intent: dict[str, Any] | None = None


class _Failed(msgspec.Struct, frozen=True):
    error: StripeFault


class Declined(Exception):
    """402: the bank said no. `fault.payment_intent` is the payment after it."""

    def __init__(self, fault: StripeFault) -> None:
        super().__init__(fault.code)
        self.fault = fault


class StripeDoor:
    """One per process. `pause` waits, `random` gives numbers in [0, 1)."""

    def __init__(
        self, key: Secret, url: str, timeout_s: float, random: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._key, self._timeout_s, self._random, self._pause = key, timeout_s, random, pause
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=timeout_s,
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=8),
            trust_env=False,
            verify=ssl.create_default_context(),
        )

    async def post(self, path: str, fields: Mapping[str, str], key: str) -> dict[str, Any]:
        """One request, done at most once for one key. Raises Declined, GatewayRefused, GatewayUnavailable."""
        return await self._called("POST", path, dict(fields), {"Idempotency-Key": key})

    async def get(self, path: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """One question."""
        return await self._called("GET", path, dict(fields), {})

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def _called(self, method: str, path: str, fields: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._attempt(method, path, fields, headers)
            except _Again as again:
                if attempt == ATTEMPTS or (again.after_s or 0.0) > LONGEST_PAUSE_S:
                    raise GatewayUnavailable(again.problem, again.after_s) from None
                await self._pause(max(again.after_s or 0.0, self._backoff_s(attempt)))
        raise AssertionError("the last attempt ends the loop")

    def _backoff_s(self, attempt: int) -> float:
        whole: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempt - 1))
        return whole * (0.5 + self._random() / 2)

    async def _attempt(self, method: str, path: str, fields: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
        sent = {"Authorization": f"Bearer {self._key.reveal()}", "Stripe-Version": API_VERSION, **headers}
        given: dict[str, Any] = {"params": fields} if method == "GET" else {"data": fields}
        try:
            async with asyncio.timeout(self._timeout_s), self._client.stream(method, path, headers=sent, **given) as answer:
                body = await _limited(answer)
        except (TimeoutError, httpx.TimeoutException):
            raise _Again(f"no answer within {self._timeout_s:g} s") from None
        except httpx.RequestError as error:
            raise _Again(f"no connection ({type(error).__name__})") from None
        return _read(answer.status_code, answer.headers, body)


class _Again(Exception):
    def __init__(self, problem: str, after_s: float | None = None) -> None:
        super().__init__(problem)
        self.problem, self.after_s = problem, after_s


async def _limited(answer: httpx.Response) -> bytes:
    body = b""
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise _Again(f"an answer of more than {MAX_ANSWER} bytes")
    return body


def _read(status: int, headers: httpx.Headers, body: bytes) -> dict[str, Any]:
    """The object of a success, or what an answer means otherwise."""
    if 200 <= status < 300:
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError:
            raise _Again(f"an answer of {status} that is no JSON object") from None
    fault = _fault(body)
    said = headers.get("stripe-should-retry", "").lower()
    if said != "false" and (said == "true" or status in _AGAIN or status >= 500):
        raise _Again(_sentence(status, fault), _seconds(headers.get("retry-after", "")))
    if status in (401, 403):  # its message holds a part of the key
        raise GatewayUnavailable(f"it does not accept the API key ({status}): check billing.payments.stripe_key")
    if status == 402 and fault.payment_intent is not None:
        raise Declined(fault)
    if 400 <= status < 500:
        raise GatewayRefused(fault.code or fault.type or str(status), _sentence(status, fault))
    raise GatewayUnavailable(_sentence(status, fault))


def _fault(body: bytes) -> StripeFault:
    try:
        return msgspec.json.decode(body, type=_Failed).error
    except msgspec.DecodeError:  # from a proxy on the way
        return StripeFault()


def _sentence(status: int, fault: StripeFault) -> str:
    said = "".join(each if each.isprintable() else " " for each in fault.message[:200]).strip()
    return f"it answered {status}{': ' + said if said else ''}"


def _seconds(text: str) -> float | None:
    """Of a Retry-After header; dates are not read."""
    return float(text) if text.isascii() and text.isdigit() else None
