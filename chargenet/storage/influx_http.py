"""The door to InfluxDB: the only module that imports influxdb_client. Decided here: what each answer of the server means.

Writing is `/api/v2/write` (1.8, 2.x, 3.x), reading InfluxQL on `/query`. All calls block; influx.py gives them threads. The token
travels in a header alone and is in no message, log or repr.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException

from chargenet.errors import StoreUnavailable

STORE = "InfluxDB"

CONTENT_REFUSED = (400, 413, 422)
"""Statuses by which a server says that it dislikes what is written, rather than that it cannot write."""


class InfluxTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Which InfluxDB, and how long to wait for it. `bucket` is also the InfluxQL database (2.x: through its DBRP mapping)."""

    url: str
    bucket: str
    org: str = ""
    token: str = ""
    """A secret; 1.8 takes `user:password`."""
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 30.0
    verify_tls: bool = True

    def __repr__(self) -> str:
        return f"InfluxTarget(url={self.url!r}, bucket={self.bucket!r}, org={self.org!r})"


class ContentRefused(Exception):
    """The server dislikes a body; `problem` is its own word, and may name lines or fields."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(f"{status}: {problem}")
        self.status, self.problem = status, problem


_TOO_OLD = re.compile(r"partial write: .*\bretention policy\b.* dropped=(\d+)", re.DOTALL)


def too_old(problem: str) -> int:
    """How many points were dropped because the bucket keeps none that old, where that is all that was wrong; else 0.

    The server says so only when it has stored every other point: what is wrong with a field is told in its place (points_writer.go
    of 1.6 and 2.7). Lines that do not parse are told before (2.7) or not at all (1.x); ours parse.
    """
    found = _TOO_OLD.search(problem)
    return int(found[1]) if found else 0


class Busy(StoreUnavailable):
    """Not now; the server may say when: `retry_after_s`."""

    def __init__(self, problem: str, retry_after_s: float | None = None) -> None:
        super().__init__(STORE, problem)
        self.retry_after_s = retry_after_s


class InfluxHttp:
    """One client, safe to use from the writing and the reading thread at once."""

    def __init__(self, target: InfluxTarget) -> None:
        self._target = target
        timeouts = (int(target.connect_timeout_s * 1000), int(target.read_timeout_s * 1000))
        client: Any = InfluxDBClient(
            url=target.url,
            token=target.token,
            org=target.org or "-",
            timeout=timeouts,
            verify_ssl=target.verify_tls,
            retries=False,
        )
        self._client = client

    def write(self, lines: str) -> None:
        """Write lines of nanosecond times. Raises ContentRefused, or StoreUnavailable when nothing can be said of them."""
        headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip", "Accept": "application/json"}
        parameters = {"org": self._target.org or "-", "bucket": self._target.bucket, "precision": "ns"}
        # Level 1: five times faster than the client's own level 9, for a tenth more bytes.
        body = gzip.compress(lines.encode(), 1)
        self._call("/api/v2/write", "POST", parameters, headers, body)

    def query(self, question: str) -> Mapping[str, Any]:
        """Ask InfluxQL; times come as nanoseconds."""
        parameters = {"db": self._target.bucket, "q": question, "epoch": "ns"}
        method = "GET" if question.startswith(("SELECT", "SHOW")) else "POST"
        headers = {"Accept": "application/json", "Content-Type": "application/vnd.influxql"}
        try:
            answer = self._call("/query", method, parameters, headers, b"" if method == "POST" else None)
            decoded: Mapping[str, Any] = json.loads(answer)
        except ContentRefused as error:
            raise StoreUnavailable(STORE, f"the query was refused: {error}") from error
        except ValueError as error:
            raise StoreUnavailable(STORE, "the answer to a query is not JSON") from error
        return decoded

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _call(self, path: str, method: str, parameters: dict[str, str], headers: dict[str, str], body: bytes | None) -> bytes:
        try:
            response = self._client.api_client.call_api(
                path,
                method,
                query_params=list(parameters.items()),
                header_params=headers,
                body=body,
                _preload_content=False,
                _return_http_data_only=True,
            )
            return bytes(response.data)
        except ApiException as error:
            raise self._meaning(error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Busy(f"{self._target.url}: {_root(error)}") from error

    def _meaning(self, error: ApiException) -> Exception:
        problem = _problem(error)
        if error.status in CONTENT_REFUSED:
            return ContentRefused(error.status, problem)
        headers: Mapping[str, str] = error.headers or {}
        retry_after = headers.get("Retry-After", "")
        return Busy(f"{self._target.url}: {error.status} {problem}", float(retry_after) if retry_after.isdigit() else None)


def _problem(error: ApiException) -> str:
    """The server's own sentence: 2.x and 3.x say `message`, 1.x `error`."""
    body = error.body.decode(errors="replace") if isinstance(error.body, bytes) else error.body or error.reason or ""
    try:
        told = json.loads(body)
    except ValueError:
        return str(body).strip()[:2000]
    if isinstance(told, dict):
        return str(told.get("message") or told.get("error") or body)
    return str(body)


def _root(error: BaseException) -> str:
    """The innermost reason of a failed connection, which alone says something."""
    reason = getattr(error, "reason", None)
    return _root(reason) if isinstance(reason, BaseException) else str(error).split(": ", 1)[-1]
