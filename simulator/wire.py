"""OCPP-J frames as the simulator writes and reads them. Payloads are built by the PyPI `ocpp` package's classes, an implementation
that has nothing in common with the collector's, so that the two can prove each other wrong.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Any

import msgspec
from ocpp.charge_point import snake_to_camel_case

CALL, RESULT, ERROR, RESULT_ERROR, SEND = 2, 3, 4, 5, 6


def payload(message: Any) -> dict[str, Any]:
    """The payload of an `ocpp` call or call result (a dataclass): spelled as on the wire, absent what is None."""
    fields = {field.name: getattr(message, field.name) for field in dataclasses.fields(message)}
    return {_spelled(name): _plain(value) for name, value in fields.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_spelled(name): _plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return payload(value) if dataclasses.is_dataclass(value) else value


@lru_cache(maxsize=1024)
def _spelled(name: str) -> str:
    """The package's own rule, asked once for each name: its exceptions (SoC, URL, CSMS) are not ours to repeat."""
    (key,) = snake_to_camel_case({name: 0})
    return str(key)


def call(message_id: str, action: str, body: dict[str, Any]) -> str:
    """A call."""
    return msgspec.json.encode([CALL, message_id, action, body]).decode()


def result(message_id: str, body: dict[str, Any]) -> str:
    """A call result."""
    return msgspec.json.encode([RESULT, message_id, body]).decode()


def error(message_id: str, code: str, text: str) -> str:
    """A call error."""
    return msgspec.json.encode([ERROR, message_id, code, text, {}]).decode()


def parse(text: str | bytes) -> list[Any]:
    """A frame; [] for anything that is not one."""
    try:
        frame = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return []
    return frame if isinstance(frame, list) and len(frame) >= 3 and isinstance(frame[0], int) else []
