"""Who is asking, and may they. Decided here: bearer keys, their permissions, and how many wrong keys an address may try."""

from __future__ import annotations

import hmac
from collections import OrderedDict, deque
from typing import Annotated

from fastapi import Depends, Request

from chargenet.errors import NotPermitted
from chargenet.model.ids import IdToken
from chargenet.model.key import Key
from chargenet.settings.values import Secret
from chargewatch.api.permissions import Permission, allows, weakest
from chargewatch.api.platform import Platform
from chargewatch.api.problems import ApiError

_MAX_ADDRESSES = 10_000
PASSED_ON = "chargewatch.key"
"""In the scope of a request that the collector passed on to a program apart: the key that it found, None where it knew none."""


class FailureLimit:
    """Counts wrong keys per address in a sliding window; memory is bounded by forgetting the address that failed longest ago."""

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit, self._window_s = limit, window_s
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str, now: float) -> float:
        """Seconds until this address may try again; 0 when it may now."""
        failures = self._failures.get(address)
        while failures and failures[0] <= now - self._window_s:
            failures.popleft()
        if not failures:
            self._failures.pop(address, None)
            return 0.0
        return failures[0] + self._window_s - now if len(failures) >= self._limit else 0.0

    def failed(self, address: str, now: float) -> None:
        """Remember one wrong key."""
        self._failures.setdefault(address, deque(maxlen=self._limit)).append(now)
        self._failures.move_to_end(address)
        if len(self._failures) > _MAX_ADDRESSES:
            self._failures.popitem(last=False)


class Principal:
    """The key behind a request."""

    def __init__(self, key: Key) -> None:
        self.key = key

    @property
    def who(self) -> str:
        """As the audit log names it."""
        return f"{self.key.key_id} {self.key.name}"

    def may(self, permission: Permission) -> bool:
        return allows(self.key.role, permission)

    def shown_token(self, value: str | None) -> str | None:
        """An ID token as this key may see it: in full, or its hash."""
        if value is None or self.may(Permission.READ_EVIDENCE):
            return value
        return IdToken(value).hashed


class Needs:
    """A dependency: the request must carry a key with this permission. Gives the Principal."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Principal:
        principal = authenticate(request)
        if not principal.may(self.permission):
            raise NotPermitted(weakest(self.permission))
        return principal


def platform_of(request: Request) -> Platform:
    """The platform that the application was made with."""
    platform: Platform = request.app.state.platform
    return platform


At = Annotated[Platform, Depends(platform_of)]


def authenticate(request: Request) -> Principal:
    """The key of a request. Raises ApiError 401, or 429 after too many wrong ones from the same address."""
    platform, limit = platform_of(request), request.app.state.failures
    assert isinstance(limit, FailureLimit)
    address = request.client.host if request.client else "unknown"
    now = platform.clock.monotonic()
    wait_s = limit.wait_s(address, now)
    if wait_s > 0:
        seconds = str(int(wait_s) + 1)
        raise ApiError(429, f"too many wrong API keys from this address: wait {seconds} s", headers={"Retry-After": seconds})
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise _unauthorized("send `Authorization: Bearer KEY`")
    key = _key(request, secret.strip())
    if key is None:
        limit.failed(address, now)
        raise _unauthorized("this API key is not known, or was revoked")
    return Principal(key)


def _key(request: Request, secret: str) -> Key | None:
    if PASSED_ON in request.scope:
        passed_on: Key | None = request.scope[PASSED_ON]
        return passed_on
    platform = platform_of(request)
    return platform.keys.authenticate(secret, platform.clock.now())


def _unauthorized(detail: str) -> ApiError:
    return ApiError(401, detail, headers={"WWW-Authenticate": 'Bearer realm="chargewatch"'})


def open_or_key(request: Request) -> None:
    """For probes and metrics: open where the settings say so, else the token that opens these alone, or any valid key."""
    settings = platform_of(request).settings.http
    if not settings.open_probes and not is_token(request, settings.probe_token):
        authenticate(request)


def is_token(request: Request, expected: Secret | None) -> bool:
    """The request carries this token, which the settings name for one purpose; in constant time."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if expected is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode("utf-8", "surrogatepass"), expected.reveal().encode())


Reader = Annotated[Principal, Depends(Needs(Permission.READ))]
EvidenceReader = Annotated[Principal, Depends(Needs(Permission.READ_EVIDENCE))]
Operator = Annotated[Principal, Depends(Needs(Permission.OPERATE))]
TokenReader = Annotated[Principal, Depends(Needs(Permission.READ_TOKENS))]
TokenManager = Annotated[Principal, Depends(Needs(Permission.MANAGE_TOKENS))]
RollOut = Annotated[Principal, Depends(Needs(Permission.ROLL_OUT))]
Approver = Annotated[Principal, Depends(Needs(Permission.APPROVE))]
CaseManager = Annotated[Principal, Depends(Needs(Permission.MANAGE_CASES))]
Administrator = Annotated[Principal, Depends(Needs(Permission.ADMINISTER))]
