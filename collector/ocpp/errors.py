"""OCPP error codes, per version, as tables. Decided here: which word answers which fault; not when an answer is possible at all.

Sources: OCPP-J 1.6 §4.2.3, OCPP 2.0.1 part 4 §4.3, OCPP 2.1 part 4 §4.3. The spelling matters: a charge point that does not know
the word it is answered with may send the same frame for ever (lorenzodonini/ocpp-go#331, citrineos/citrineos-core#1050).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from chargenet.model.words import Protocol


class Fault(StrEnum):
    """What is wrong, in one vocabulary for all versions."""

    NOT_IMPLEMENTED = "not implemented"
    """Nobody knows this action."""
    NOT_SUPPORTED = "not supported"
    """The action is known, but not ours to answer."""
    INTERNAL = "internal"
    """We failed."""
    INCOMPLETE = "incomplete"
    """A required property is missing."""
    SECURITY = "security"
    FORMAT = "format"
    """The payload does not have the shape of the action."""
    PROPERTY = "property"
    """A value that is not allowed."""
    OCCURRENCE = "occurrence"
    """Too few or too many."""
    TYPE = "type"
    """A value of the wrong type, or longer than its type."""
    GENERIC = "generic"
    MESSAGE_TYPE = "message type"
    """A message type number that the version does not know."""
    RPC = "rpc"
    """Not an OCPP-J frame."""


_COMMON: dict[Fault, str] = {
    Fault.NOT_IMPLEMENTED: "NotImplemented",
    Fault.NOT_SUPPORTED: "NotSupported",
    Fault.INTERNAL: "InternalError",
    Fault.INCOMPLETE: "ProtocolError",
    Fault.SECURITY: "SecurityError",
    Fault.PROPERTY: "PropertyConstraintViolation",
    Fault.TYPE: "TypeConstraintViolation",
    Fault.GENERIC: "GenericError",
}

ERROR_CODES: Mapping[Protocol, Mapping[Fault, str]] = {
    Protocol.OCPP16: {
        **_COMMON,
        Fault.FORMAT: "FormationViolation",
        Fault.OCCURRENCE: "OccurenceConstraintViolation",
        Fault.MESSAGE_TYPE: "GenericError",
        Fault.RPC: "FormationViolation",
    },
    Protocol.OCPP201: {
        **_COMMON,
        Fault.FORMAT: "FormatViolation",
        Fault.OCCURRENCE: "OccurenceConstraintViolation",
        Fault.MESSAGE_TYPE: "MessageTypeNotSupported",
        Fault.RPC: "RpcFrameworkError",
    },
    Protocol.OCPP21: {
        **_COMMON,
        Fault.FORMAT: "FormatViolation",
        Fault.OCCURRENCE: "OccurrenceConstraintViolation",
        Fault.MESSAGE_TYPE: "MessageTypeNotSupported",
        Fault.RPC: "RpcFrameworkError",
    },
}

KEYWORD_FAULTS: Mapping[str, Fault] = {
    "type": Fault.TYPE,
    "maxLength": Fault.TYPE,
    "minLength": Fault.TYPE,
    "enum": Fault.PROPERTY,
    "minimum": Fault.PROPERTY,
    "maximum": Fault.PROPERTY,
    "multipleOf": Fault.PROPERTY,
    "required": Fault.INCOMPLETE,
    "minItems": Fault.OCCURRENCE,
    "maxItems": Fault.OCCURRENCE,
    "additionalProperties": Fault.FORMAT,
}
"""JSON schema keyword → fault."""


def error_code(protocol: Protocol, fault: Fault) -> str:
    """The word that this version uses for this fault."""
    return ERROR_CODES[protocol][fault]
