"""permessage-deflate (RFC 7692) without context takeover: what we agree to, and one message in or out. No I/O.

Decided here: every message stands alone in both directions, as OCPP-J asks of a CSMS with many charge points (2.0.1 part 4 §3.4):
a window kept per connection would cost 20 to 40 KiB each. Short messages leave uncompressed: they would not shrink.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache

NAME = "permessage-deflate"
WORTH_BYTES = 128
"""Shorter messages are sent as they are (replies are about 60 bytes)."""

_TAIL = b"\x00\x00\xff\xff"
_WINDOW_BITS = 12
_MEMORY_LEVEL = 5
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAMETER = re.compile(rf"[ \t]*;[ \t]*({_WORD})(?:[ \t]*=[ \t]*(?:({_WORD})|\"((?:[^\"\\]|\\.)*)\"))?[ \t]*")
_EXTENSION = re.compile(rf"[ \t]*({_WORD})")
_USUAL_LENGTH = 256
_BITS = frozenset(str(bits) for bits in range(8, 16))


class Corrupt(Exception):
    """A compressed message that does not inflate."""


class TooBig(Exception):
    """A message that inflates to more than the limit."""


class Deflate:
    """What was agreed with one peer: the largest window it accepts for what we compress, and the answer to its offer."""

    __slots__ = ("answer", "window_bits")

    def __init__(self, window_bits: int, answer: str) -> None:
        self.window_bits, self.answer = window_bits, answer

    def compress(self, message: bytes) -> bytes:
        """One whole message as the payload of one frame with RSV1."""
        packer = zlib.compressobj(1, zlib.DEFLATED, -self.window_bits, _MEMORY_LEVEL)
        packed = packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH)
        return packed[: -len(_TAIL)]


def inflate(packed: bytes | bytearray, limit: int) -> bytes:
    """The message in one compressed payload. Never makes more than `limit` + 1 bytes of it. Raises Corrupt or TooBig."""
    unpacker = zlib.decompressobj(-15)
    try:
        message = unpacker.decompress(bytes(packed) + _TAIL, limit + 1)
    except zlib.error as error:
        raise Corrupt(str(error)) from error
    if len(message) > limit or unpacker.unconsumed_tail:
        raise TooBig
    # RFC 7692 §7.2.3.4: a final block is allowed, and is followed by one empty byte and the tail that we added.
    if unpacker.eof and len(unpacker.unused_data) > len(_TAIL) + 1:
        raise Corrupt("data after the final block")
    return message


def negotiate(header: str | None) -> Deflate | None:
    """The first offer in a Sec-WebSocket-Extensions header that we can keep to; None: go on without compression."""
    offered = header or ""
    return _usual(offered) if len(offered) <= _USUAL_LENGTH else _negotiate(offered)


@lru_cache(maxsize=64)
def _usual(header: str) -> Deflate | None:
    """A fleet spells a few headers: what was agreed to is one value for all who spell the same."""
    return _negotiate(header)


def _negotiate(header: str) -> Deflate | None:
    for name, parameters in _offers(header):
        if name == NAME and (agreed := _agree(parameters)) is not None:
            return agreed
    return None


def _agree(parameters: list[tuple[str, str | None]]) -> Deflate | None:
    """RFC 7692 §7.1: an offer with an unknown, repeated or invalid parameter must be declined."""
    names = [name for name, _ in parameters]
    if len(names) != len(set(names)) or not all(_valid(name, value) for name, value in parameters):
        return None
    asked = dict(parameters).get("server_max_window_bits")
    answer = f"{NAME}; server_no_context_takeover; client_no_context_takeover"
    if asked is None:
        return Deflate(_WINDOW_BITS, answer)
    if asked == "8":  # zlib cannot compress with a window of 256 bytes; it would silently take 512
        return None
    return Deflate(min(int(asked), _WINDOW_BITS), f"{answer}; server_max_window_bits={asked}")


def _valid(name: str, value: str | None) -> bool:
    if name in ("server_no_context_takeover", "client_no_context_takeover"):
        return value is None
    if name == "client_max_window_bits":
        return value is None or value in _BITS
    return name == "server_max_window_bits" and value in _BITS


def _offers(header: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
    """(extension, parameters) in order; nothing from the first place on that does not read as RFC 6455 §9.1 says."""
    offers: list[tuple[str, list[tuple[str, str | None]]]] = []
    at = 0
    while (extension := _EXTENSION.match(header, at)) is not None:
        at, parameters = extension.end(), []
        while (parameter := _PARAMETER.match(header, at)) is not None:
            name, bare, quoted = parameter.groups()
            parameters.append((name.lower(), bare if bare is not None else quoted))
            at = parameter.end()
        rest = header[at:].lstrip(" \t")
        if rest and not rest.startswith(","):
            break
        offers.append((extension.group(1).lower(), parameters))
        at = len(header) - len(rest) + 1
    return offers
