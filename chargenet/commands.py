"""What we ask of a charge point, in the imperative, whatever OCPP version it speaks, and how such a request ends."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.words import OutcomeStatus


class Command(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of all typed commands."""


class Call(Command, frozen=True, kw_only=True):
    """Any CSMS-initiated action by its OCPP name, payload as its schema wants it."""

    action: str
    payload: dict[str, Any]


class Reset(Command, frozen=True, kw_only=True):
    """`immediate`: now, ending transactions (1.6 Hard, 2.x Immediate); else when idle (1.6 Soft, 2.x OnIdle)."""

    immediate: bool = False
    evse_id: int | None = None


class TriggerMessage(Command, frozen=True, kw_only=True):
    """Ask for a message now. `message` is an OCPP action name, e.g. "StatusNotification"."""

    message: str
    connector: ConnectorRef | None = None


class ChangeAvailability(Command, frozen=True, kw_only=True):
    """Put a connector (or with None the whole charge point) in or out of service."""

    operative: bool
    connector: ConnectorRef | None = None


class SetVariable(Command, frozen=True, kw_only=True):
    """1.6: configuration key `name`. 2.x: `name` is "Component.Variable", e.g. "OCPPCommCtrlr.HeartbeatInterval"."""

    name: str
    value: str


class GetVariables(Command, frozen=True, kw_only=True):
    """Read configuration. Empty `names`: all (1.6 GetConfiguration, 2.x GetBaseReport FullInventory, answered by NotifyReport)."""

    names: tuple[str, ...] = ()
    request_id: int = 0


class RemoteStart(Command, frozen=True, kw_only=True):
    """Start charging for `id_token`."""

    id_token: IdToken
    connector: ConnectorRef | None = None
    remote_start_id: int = 0


class RemoteStop(Command, frozen=True, kw_only=True):
    """Stop the transaction (our transaction id: numeric text in 1.6)."""

    transaction_id: str


class UnlockConnector(Command, frozen=True, kw_only=True):
    """Release the plug."""

    connector: ConnectorRef


class GetDiagnostics(Command, frozen=True, kw_only=True):
    """Upload logs to `location` (1.6 GetDiagnostics, or GetLog where `use_log`/2.x). `log_type` DiagnosticsLog or SecurityLog."""

    location: str
    request_id: int
    log_type: str = "DiagnosticsLog"
    since: datetime | None = None
    until: datetime | None = None
    retries: int | None = None
    retry_interval_s: int | None = None
    signed_form: bool = False
    """1.6 only: use the security whitepaper's GetLog."""


class UpdateFirmware(Command, frozen=True, kw_only=True):
    """Fetch and install an image. With `signing_certificate` and `signature` the signed form is sent (1.6 SignedUpdateFirmware)."""

    location: str
    request_id: int
    retrieve_at: datetime
    install_at: datetime | None = None
    signing_certificate: str | None = None
    signature: str | None = None
    retries: int | None = None
    retry_interval_s: int | None = None


class CommandOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one call to a charge point ended.

    `result` is the payload of the call result; `error_code` and `detail` describe a call error or our own reason.
    `sequence` is the journal sequence of the call (0 when nothing left).
    """

    status: OutcomeStatus
    action: str
    result: dict[str, Any] | None = None
    error_code: str | None = None
    detail: str | None = None
    message_id: str | None = None
    sequence: int = 0
