"""From data frames to messages: fragments joined, compression undone, the rules of RFC 6455 §5.4 and RFC 7692 §6 kept. No I/O."""

from __future__ import annotations

from collector.transport import closing, deflate

CONTINUATION, TEXT, BINARY = 0, 1, 2


class Violation(Exception):
    """The peer broke the protocol; `code` and `reason` are for the Close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Assembly:
    """One connection's message in the making."""

    __slots__ = ("_buffer", "_kind", "_limit", "_packed", "_packs", "open")

    def __init__(self, limit: int, packs: bool) -> None:
        """`limit`: bytes of one message, before and after inflating. `packs`: permessage-deflate was agreed."""
        self._limit, self._packs = limit, packs
        self._buffer: bytearray | None = None
        self._kind = TEXT
        self._packed = False
        self.open = False
        """Between the first and the last fragment of a message. Asked for each frame, hence no property."""

    def add(self, opcode: int, fin: bool, rsv1: bool, payload: bytes) -> tuple[int, bytes] | None:
        """One data frame; (TEXT or BINARY, message) when it is the last of its message. Raises Violation."""
        if opcode == CONTINUATION:
            if self._buffer is None:
                raise Violation(closing.PROTOCOL_ERROR, "a continuation of nothing")
            if rsv1:
                raise Violation(closing.PROTOCOL_ERROR, "reserved bits must be 0")
        else:
            self._begin(opcode, rsv1)
        if fin and not self.open:
            return self._kind, self._inflated(payload)
        return self._collect(payload, fin)

    def _begin(self, opcode: int, rsv1: bool) -> None:
        if self._buffer is not None:
            raise Violation(closing.PROTOCOL_ERROR, "a new message inside another")
        if rsv1 and not self._packs:
            raise Violation(closing.PROTOCOL_ERROR, "reserved bits must be 0")
        self._kind, self._packed = opcode, rsv1

    def _collect(self, payload: bytes, fin: bool) -> tuple[int, bytes] | None:
        if self._buffer is None:
            self._buffer, self.open = bytearray(), True
        if len(self._buffer) + len(payload) > self._limit:
            raise Violation(closing.TOO_BIG, f"message over {self._limit} bytes")
        self._buffer += payload
        if not fin:
            return None
        message, self._buffer, self.open = bytes(self._buffer), None, False
        return self._kind, self._inflated(message)

    def _inflated(self, message: bytes) -> bytes:
        if not self._packed:
            return message
        try:
            return deflate.inflate(message, self._limit)
        except deflate.TooBig:
            raise Violation(closing.TOO_BIG, f"message over {self._limit} bytes") from None
        except deflate.Corrupt:
            raise Violation(closing.PROTOCOL_ERROR, "the message does not inflate") from None
