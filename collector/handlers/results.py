"""Call results that tell something beyond their outcome. Decided here: which ones, and how they read as events.

Configuration that a charge point reports in answer to GetConfiguration (1.6) or GetVariables (2.x) is news like any report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from chargenet.events import Event, FrameDeviated, VariablesReported
from chargenet.model.words import Protocol
from collector.device_model import from_mappings
from collector.ocpp.frames import ErrorFrame, ResultFrame, parse
from collector.ocpp.repair import mend
from collector.ocpp.salvage import lenient
from collector.ocpp.schemas import SchemaViolation, payload_of, schema_for

_Reader = Callable[[Any], VariablesReported | None]


def result_events(protocol: Protocol, action: str, frame: bytes) -> tuple[Event, ...]:
    """What the answer to `action` tells, with its deviations. `frame` as it came; empty on time-out."""
    if not frame:
        return ()
    parsed = parse(frame, protocol)
    if not isinstance(parsed, ResultFrame):
        return parsed.deviations if isinstance(parsed, ErrorFrame) else ()
    try:
        call_result, deviations = _read(protocol, action, bytes(parsed.payload))
    except (KeyError, ValueError, RecursionError):
        return parsed.deviations
    read = _READERS.get(action)
    told = read(call_result) if read is not None else None
    flags = tuple(msgspec.structs.replace(event, action=action) for event in (*parsed.deviations, *deviations))
    return (told, *flags) if told is not None else flags


def _read(protocol: Protocol, action: str, raw: bytes) -> tuple[Any, tuple[FrameDeviated, ...]]:
    try:
        return schema_for(protocol, action, response=True).decode(raw), ()
    except SchemaViolation:
        payload, corrected = lenient(raw)
        mended = mend(protocol, action, payload, response=True)
        return mended.call, (*corrected, *mended.deviations)


def _configuration(call_result: Any) -> VariablesReported | None:
    """1.6 GetConfiguration: keys without a value are write-only or unset."""
    keys = call_result.configurationKey or ()
    values = {entry.key: entry.value for entry in keys if entry.key}
    return VariablesReported(values=values) if values else None


def _variables(call_result: Any) -> VariablesReported | None:
    """2.x GetVariables: only what was answered Accepted is known."""
    values = {}
    for item in call_result.getVariableResult or ():
        if item.attributeStatus != "Accepted" or item.component is None or item.variable is None:
            continue
        name = from_mappings(payload_of(item.component), payload_of(item.variable), item.attributeType).name
        values[name] = item.attributeValue
    return VariablesReported(values=values) if values else None


_READERS: Mapping[str, _Reader] = {"GetConfiguration": _configuration, "GetVariables": _variables}
