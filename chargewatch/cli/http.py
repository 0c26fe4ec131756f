"""The API of a running platform as the command line uses it: typed answers, problems as errors, pages joined."""

from __future__ import annotations

import ssl
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from chargenet.model.audit import AuditEntry
from chargenet.model.key import Key
from chargenet.model.station import ChargePoint, ConnectorState, Site, Upload
from chargenet.model.token import TokenRow
from chargenet.model.transaction import QuarantinedReport, Transaction, TransactionChange
from chargenet.stores import MAX_LIMIT, Page
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.reader import Write
from chargewatch.frames import FrameEntry

T = TypeVar("T")
_TIMEOUT_S = 30.0
_CODES = {401: Exit.USAGE, 403: Exit.FAILED, 404: Exit.NOT_FOUND, 422: Exit.USAGE, 503: Exit.NOT_REACHABLE}


class ApiClient:
    """Speaks HTTP to one platform."""

    def __init__(self, api: str, key: str, *, verify: ssl.SSLContext | bool = True) -> None:
        self.source = api.rstrip("/")
        headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        self._client = httpx.Client(base_url=f"{self.source}/api/v1", headers=headers, timeout=_TIMEOUT_S, verify=verify)

    def close(self) -> None:
        self._client.close()

    def call(
        self, method: str, path: str, *, params: dict[str, Any] | None = None, accept: tuple[int, ...] = (), **how: Any
    ) -> bytes:
        """The body of a success (or of a status in `accept`). A problem becomes CommandFailed with its sentence."""
        given = {name: _text(value) for name, value in (params or {}).items() if value is not None}
        try:
            response = self._client.request(method, path, params=given, **how)
        except httpx.HTTPError as error:
            raise CommandFailed(f"{self.source} does not answer: {error or type(error).__name__}", Exit.NOT_REACHABLE) from error
        if response.is_success or response.status_code in accept:
            return response.content
        raise self._failure(response)

    def get(self, kind: type[T], path: str, **params: Any) -> T:
        return msgspec.json.decode(self.call("GET", path, params=params), type=kind)

    def pages(self, kind: type[T], path: str, limit: int, /, **params: Any) -> Page[T]:
        """Items of as many pages as `limit` needs."""
        items: list[T] = []
        cursor: str | None = None
        while True:
            wanted = min(limit - len(items), MAX_LIMIT)
            body = self.call("GET", path, params={**params, "cursor": cursor, "limit": wanted})
            page: Page[T] = msgspec.json.decode(body, type=Page[kind])  # type: ignore[valid-type]  # kind is a value here
            items += page.items
            cursor = page.next_cursor
            if cursor is None or len(items) >= limit:
                return Page(items, cursor)

    def stream(self, path: str, write: Write) -> None:
        """Hand a file to `write` as it comes."""
        try:
            with self._client.stream("GET", path) as response:
                if not response.is_success:
                    response.read()
                    raise self._failure(response)
                for chunk in response.iter_bytes():
                    write(chunk)
        except httpx.HTTPError as error:
            raise CommandFailed(f"{self.source} broke off: {error or type(error).__name__}", Exit.NOT_REACHABLE) from error

    def _failure(self, response: httpx.Response) -> CommandFailed:
        try:
            detail = msgspec.json.decode(response.content, type=dict[str, Any]).get("detail")
        except msgspec.DecodeError:
            detail = None
        sentence = str(detail or f"{self.source} answered with status {response.status_code}")
        return CommandFailed(sentence, _CODES.get(response.status_code, Exit.FAILED))


def path(*parts: str) -> str:
    """A URL path with each part percent-encoded."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else value


class _Shown(msgspec.Struct):
    transaction: Transaction


class _History(msgspec.Struct):
    transaction: Transaction
    changes: list[TransactionChange]


class HttpReader:
    """Implements `chargewatch.cli.reader.Reader` over the API."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self.source = client.source

    def charge_points(
        self, *, site_id: str | None, registration: str | None, connected: bool | None, search: str | None, limit: int
    ) -> Page[ChargePoint]:
        filters = {"site_id": site_id, "registration": registration, "connected": connected, "search": search}
        return self.client.pages(ChargePoint, "/charge-points", limit, **filters)

    def charge_point(self, charge_point_id: str) -> ChargePoint:
        return self.client.get(ChargePoint, path("charge-points", charge_point_id))

    def connectors(self, *, charge_point_id: str | None, limit: int) -> Page[ConnectorState]:
        return self.client.pages(ConnectorState, "/connectors", limit, charge_point=charge_point_id)

    def frames(
        self, charge_point_id: str, *, since: datetime | None, until: datetime | None, action: str | None, after: int, limit: int
    ) -> list[FrameEntry]:
        found: list[FrameEntry] = []
        cursor: str | None = None
        while True:
            asked = {"since": since, "until": until, "action": action}
            params = {**asked, "cursor": cursor, "limit": min(limit - len(found), MAX_LIMIT)}
            page = self.client.get(Page[FrameEntry], path("charge-points", charge_point_id, "frames"), **params)
            found += [entry for entry in page.items if entry.sequence > after]
            cursor = page.next_cursor
            if cursor is None or len(found) >= limit or int(cursor) <= after + 1:
                return found[::-1]

    def transactions(
        self, *, charge_point_id: str | None, state: str | None, flag: str | None, since: datetime | None, limit: int
    ) -> Page[Transaction]:
        filters = {"charge_point": charge_point_id, "state": state, "flag": flag, "since": since}
        page = self.client.pages(_Shown, "/transactions", limit, **filters)
        return Page([item.transaction for item in page.items], page.next_cursor)

    def transaction(self, charge_point_id: str, transaction_id: str) -> tuple[Transaction, list[TransactionChange]]:
        shown = self.client.get(_History, path("charge-points", charge_point_id, "transactions", transaction_id))
        return shown.transaction, shown.changes

    def quarantine(self, *, charge_point_id: str | None, resolved: bool | None, limit: int) -> Page[QuarantinedReport]:
        return self.client.pages(QuarantinedReport, "/quarantine", limit, charge_point=charge_point_id, resolved=resolved)

    def sites(self, *, limit: int) -> Page[Site]:
        return self.client.pages(Site, "/sites", limit)

    def tokens(self, *, status: str | None, search: str | None, limit: int) -> Page[TokenRow]:
        return self.client.pages(TokenRow, "/tokens", limit, status=status, search=search)

    def keys(self, *, limit: int) -> Page[Key]:
        return self.client.pages(Key, "/keys", limit)

    def audit(self, *, action: str | None, since: datetime | None, limit: int) -> Page[AuditEntry]:
        return self.client.pages(AuditEntry, "/audit", limit, action=action, since=since)

    def diagnostics(self, *, charge_point_id: str | None, limit: int) -> Page[Upload]:
        return self.client.pages(Upload, "/diagnostics", limit, charge_point=charge_point_id)

    def diagnostics_file(self, file_id: str, write: Write) -> Upload:
        entry = self.client.get(Upload, path("diagnostics", file_id))
        self.client.stream(path("diagnostics", file_id, "content"), write)
        return entry

    def close(self) -> None:
        self.client.close()
