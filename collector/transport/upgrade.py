"""The HTTP side of a WebSocket, as bytes: reading an upgrade request, writing the answer. No I/O; the same for every adapter.

Decided here: what is tolerated. Charge points exist that leave out `Connection: Upgrade`, so `Upgrade: websocket` with a key is
enough; a missing subprotocol is the collector's to judge. Everything else is RFC 9112 and RFC 6455 §4.2, strictly.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from collector.transport.port import Refuse

MAX_HEAD_BYTES = 16_384
MAX_HEADERS = 100

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TEXT = bytes(byte for byte in range(256) if byte >= 0x20 and byte != 0x7F) + b"\t\r\n"
"""What may stand in a request head; CR and LF only together."""
_KEY = re.compile(r"[A-Za-z0-9+/]{21}[AQgw]==")
_ONCE = ("host", "authorization", "sec-websocket-key", "sec-websocket-version", "content-length")


class Request(msgspec.Struct, frozen=True):
    """A well-formed upgrade request."""

    path: str
    key: str
    subprotocols: tuple[str, ...]
    extensions: str | None
    authorization: str | None
    user_agent: str | None

    def __repr__(self) -> str:
        return f"Request(path={self.path!r}, subprotocols={self.subprotocols!r})"


class Malformed(Exception):
    """Not an upgrade request that we can take; `response` is the whole HTTP answer."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.response = response(status, sentence, headers)


def read_request(head: bytes) -> tuple[Request, int] | None:
    """The request at the start of `head` and its length, or None while it is incomplete. Raises Malformed."""
    end = head.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)
    if end < 0:
        if len(head) >= MAX_HEAD_BYTES:
            raise Malformed(431, f"The request head is larger than {MAX_HEAD_BYTES} bytes.")
        return None
    lines = head[:end]
    ends = lines.count(b"\r\n")
    if lines.translate(None, _TEXT) or lines.count(b"\r") != ends or lines.count(b"\n") != ends:
        raise Malformed(400, "The request head has a control character in it.")
    first, *rest = lines.split(b"\r\n")
    path = _target(first)
    return _request(path, _headers(rest)), end + 4


def _target(line: bytes) -> str:
    parts = line.split(b" ")
    if len(parts) != 3 or not parts[1] or not parts[2].startswith(b"HTTP/"):
        raise Malformed(400, "The request line is not METHOD TARGET HTTP/1.1.")
    if parts[2] != b"HTTP/1.1":
        raise Malformed(505, "Only HTTP/1.1 is spoken here.")
    if parts[0] != b"GET":
        raise Malformed(405, "A WebSocket begins with GET.", {"Allow": "GET"})
    if parts[1].isascii():
        return parts[1].decode()
    return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in parts[1])


def _headers(lines: list[bytes]) -> dict[str, str]:
    if len(lines) > MAX_HEADERS:
        raise Malformed(431, f"The request has more than {MAX_HEADERS} headers.")
    headers: dict[str, str] = {}
    for line in lines:
        name, text = _known_lines.get(line) or _read(line)
        if name in headers:
            if name in _ONCE:
                raise Malformed(400, f"The header {name} is there twice.")
            text = f"{headers[name]}, {text}"
        headers[name] = text
    return headers


_known_names: dict[bytes, str] = {}
"""Names as peers spell them → lower case: a storm of charge points spells a dozen."""
_MOST_NAMES, _LONGEST_NAME = 256, 64
_known_lines: dict[bytes, tuple[str, str]] = {}
"""Whole headers that all charge points of a fleet send alike, as (name, value). Never one that tells them apart, or is a secret."""
_ALIKE = frozenset({"upgrade", "connection", "sec-websocket-version", "sec-websocket-protocol", "sec-websocket-extensions"})
_MOST_LINES, _LONGEST_LINE = 128, 256


def _read(line: bytes) -> tuple[str, str]:
    raw_name, colon, value = line.partition(b":")
    name = _known_names.get(raw_name) or _name(raw_name)
    if not colon:
        raise Malformed(400, "A header is not NAME: VALUE.")
    pair = (name, value.strip(b" \t").decode("latin-1"))
    if name in _ALIKE and len(_known_lines) < _MOST_LINES and len(line) <= _LONGEST_LINE:
        _known_lines[line] = pair
    return pair


def _name(raw: bytes) -> str:
    if _NAME.fullmatch(raw) is None:
        raise Malformed(400, "A header is not NAME: VALUE.")
    name = raw.decode().lower()
    if len(_known_names) < _MOST_NAMES and len(raw) <= _LONGEST_NAME:
        _known_names[raw] = name
    return name


def _request(path: str, headers: dict[str, str]) -> Request:
    if "transfer-encoding" in headers or headers.get("content-length", "0").strip("0"):
        raise Malformed(400, "An upgrade request has no body.")
    if "websocket" not in _tokens(headers.get("upgrade", "").lower()):
        raise Malformed(426, _NOT_A_BROWSER, _UPGRADE)
    if headers.get("sec-websocket-version") != "13":
        raise Malformed(426, "Only WebSocket version 13 is spoken here.", _UPGRADE)
    return Request(
        path,
        _key(headers.get("sec-websocket-key", "")),
        _tokens(headers.get("sec-websocket-protocol", "")),
        headers.get("sec-websocket-extensions"),
        headers.get("authorization"),
        headers.get("user-agent"),
    )


def _key(key: str) -> str:
    if _KEY.fullmatch(key) is None:
        raise Malformed(400, "Sec-WebSocket-Key is not 16 bytes in base64.")
    return key


def _tokens(value: str) -> tuple[str, ...]:
    return tuple(token for part in value.split(",") if (token := part.strip(" \t")))


_NOT_A_BROWSER = "This is an OCPP WebSocket endpoint: connect to it with ws:// or wss://, not with a browser."
_UPGRADE = {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}


def switching(request: Request, subprotocol: str | None, extension: str | None) -> bytes:
    """101: the upgrade is granted. A subprotocol that was not offered is left out (RFC 6455 §4.2.2)."""
    accept = base64.b64encode(hashlib.sha1(request.key.encode() + _GUID, usedforsecurity=False).digest())
    lines = [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept]
    if subprotocol is not None and subprotocol in request.subprotocols:
        lines.append(b"Sec-WebSocket-Protocol: " + subprotocol.encode())
    if extension is not None:
        lines.append(b"Sec-WebSocket-Extensions: " + extension.encode())
    return b"\r\n".join(lines) + b"\r\n\r\n"


def refusal(answer: Refuse) -> bytes:
    """The HTTP answer for a refusal."""
    headers: dict[str, str] = {}
    if answer.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="chargewatch", charset="UTF-8"'
    if answer.status in (429, 503):
        headers["Retry-After"] = str(answer.retry_after_s if answer.retry_after_s is not None else 10)
    return response(answer.status, answer.body or HTTPStatus(answer.status).phrase, headers)


def response(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A plain-text HTTP answer after which the connection ends."""
    body = sentence.encode() + b"\n"
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += ["Connection: close", "Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
