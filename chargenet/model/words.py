"""Closed vocabularies of the field. Values are the words OCPP itself uses, so that evidence reads as it was said."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Protocol(StrEnum):
    """The WebSocket subprotocols we speak (OCPP-J 1.6 §3.1.2, 2.0.1 part 4 §3.1.2)."""

    OCPP16 = "ocpp1.6"
    OCPP201 = "ocpp2.0.1"
    OCPP21 = "ocpp2.1"


class ConnectorStatus(StrEnum):
    """What a connector says of itself; 1.6 §7.7 and 2.0.1 ConnectorStatusEnumType united."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    OCCUPIED = "Occupied"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"
    UNKNOWN = "Unknown"


class Registration(StrEnum):
    """Our answer to a BootNotification."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class TokenStatus(StrEnum):
    """What the token table says of an ID token."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT_TX = "ConcurrentTx"


class TokenKind(StrEnum):
    """OCPP 2.x IdTokenEnumType; 1.6 idTags have no kind."""

    CENTRAL = "Central"
    EMAID = "eMAID"
    ISO14443 = "ISO14443"
    ISO15693 = "ISO15693"
    KEY_CODE = "KeyCode"
    LOCAL = "Local"
    MAC_ADDRESS = "MacAddress"
    NO_AUTHORIZATION = "NoAuthorization"
    UNKNOWN = "Unknown"


class OutcomeStatus(StrEnum):
    """How a call to a charge point ended."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    NOT_CONNECTED = "not_connected"


class RecordKind(IntEnum):
    """What a journal record holds. Numbers are on disk: never change one, only add."""

    CALL = 1  # a call from a charge point and the reply we gave (result or error)
    SEND = 2  # an unconfirmed OCPP 2.1 SEND from a charge point
    REFUSED = 3  # a frame that could not be understood as a call; `reply` is empty where none was possible
    COMMAND = 4  # a call of ours, as it left (frame [2, id, action, payload])
    RESULT = 5  # its answer as it came (empty on time-out); `reply` is our JSON note {message_id, action, status, detail}
    CONNECTED = 6  # frame is JSON {remote, security_profile, subprotocol_missing}; its sequence is the new generation
    DISCONNECTED = 7  # a connection ended; frame is JSON {code, reason, lost, superseded}
    LOGIN_REFUSED = 9  # a known charge point's log-in failed; frame is JSON {remote, reason}
    UPLOAD = 8  # a diagnostics file arrived; frame is JSON {file_id, name, size, sha256, request_id}


class Role(StrEnum):
    """Roles of API keys, weakest first."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    BILLING = "billing"
    ADMIN = "admin"
