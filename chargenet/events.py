"""What happened, in the past tense: the only words in which the collector tells the other programs about a charge point.

Events carry no envelope; a `Fact` groups the events of one journal record under its sequence, so that whatever is built from
an event can be traced to the frame it came from. Device clocks are `*_at` fields of the event (None where the charge point
gave no usable instant), our clock is `Fact.received_at`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.measurement import Measurement, SignedMeterValue


class Event(msgspec.Struct, frozen=True, tag=True, tag_field="event", kw_only=True, gc=False):
    """Base of all events. Values without cycles, which the garbage collector need not look at."""


class ConnectionOpened(Event, frozen=True, kw_only=True):
    """A charge point connected. `security_profile` 0–3."""

    remote: str
    security_profile: int = 0
    subprotocol_missing: bool = False


class ConnectionClosed(Event, frozen=True, kw_only=True):
    """A connection ended; `lost` when it broke or fell silent rather than being closed. `superseded` when a newer one took over."""

    code: int
    reason: str
    lost: bool
    superseded: bool = False


class ChargePointBooted(Event, frozen=True, kw_only=True):
    """BootNotification, with the answer it got."""

    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    registration: str
    reason: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None


class StatusReported(Event, frozen=True, kw_only=True):
    """A connector (connector None: the charge point) said its status. `status` is a ConnectorStatus; `raw_status` as said."""

    connector: ConnectorRef | None
    status: str
    raw_status: str
    error_code: str | None = None
    vendor_error_code: str | None = None
    vendor_id: str | None = None
    info: str | None = None
    reported_at: datetime | None = None


class MeasurementsTaken(Event, frozen=True, kw_only=True):
    """Sampled values of one instant. `transaction_id` as in TransactionStarted, None outside of transactions."""

    connector: ConnectorRef | None
    transaction_id: str | None
    measured_at: datetime | None
    measurements: Sequence[Measurement]
    """`Measurements` where they come from a charge point; whoever takes in every fact uses `together`."""
    signed: tuple[SignedMeterValue, ...] = ()


class TransactionStarted(Event, frozen=True, kw_only=True):
    """A transaction began. `transaction_id` is unique per charge point: our number (1.6) or the charge point's own string (2.x)."""

    transaction_id: str
    connector: ConnectorRef | None
    started_at: datetime | None
    energy_register_wh: int | None = None
    id_token: IdToken | None = None
    token_status: str | None = None
    reservation_id: int | None = None
    remote_start_id: int | None = None
    charging_profile_id: int | None = None
    seq_no: int | None = None
    offline: bool = False
    trigger: str | None = None
    charging_state: str | None = None


class TransactionUpdated(Event, frozen=True, kw_only=True):
    """Something changed in a running transaction (OCPP 2.x TransactionEvent Updated)."""

    transaction_id: str
    connector: ConnectorRef | None
    updated_at: datetime | None
    seq_no: int | None = None
    offline: bool = False
    trigger: str | None = None
    charging_state: str | None = None
    id_token: IdToken | None = None
    token_status: str | None = None
    remote_start_id: int | None = None
    reservation_id: int | None = None
    energy_register_wh: int | None = None


class TransactionStopped(Event, frozen=True, kw_only=True):
    """A transaction ended, as reported. `transaction_id` is None where none was given that can mean anything (−1, 0)."""

    transaction_id: str | None
    connector: ConnectorRef | None
    stopped_at: datetime | None
    energy_register_wh: int | None = None
    reason: str | None = None
    id_token: IdToken | None = None
    token_status: str | None = None
    seq_no: int | None = None
    offline: bool = False
    trigger: str | None = None
    charging_state: str | None = None
    raw_transaction_id: str | None = None


class TokenPresented(Event, frozen=True, kw_only=True):
    """An Authorize: who asked, and what we answered."""

    id_token: IdToken
    token_status: str


class FirmwareStatusReported(Event, frozen=True, kw_only=True):
    """FirmwareStatusNotification or SignedFirmwareStatusNotification; a report is not proof."""

    status: str
    request_id: int | None = None
    signed: bool = False
    info: str | None = None
    """Why, where the charge point says so (2.1 statusInfo)."""


class DiagnosticsStatusReported(Event, frozen=True, kw_only=True):
    """DiagnosticsStatusNotification (1.6) or LogStatusNotification. `info`: why, where the charge point says so (2.1)."""

    status: str
    request_id: int | None = None
    info: str | None = None


class DiagnosticsUploaded(Event, frozen=True, kw_only=True):
    """A diagnostics file arrived at our upload URL and is stored."""

    file_id: str
    name: str
    size_bytes: int
    sha256: str
    request_id: int | None = None


class SecurityEventReported(Event, frozen=True, kw_only=True):
    """SecurityEventNotification, or a security event of our own (failed log-ins)."""

    type: str
    occurred_at: datetime | None = None
    info: str | None = None


class DataTransferred(Event, frozen=True, kw_only=True):
    """DataTransfer: opaque vendor data, kept as text."""

    vendor_id: str
    message_id: str | None = None
    data: str | None = None


class DeviceEventReported(Event, frozen=True, kw_only=True):
    """One eventData of OCPP 2.x NotifyEvent."""

    component: str
    variable: str
    actual_value: str
    trigger: str
    connector: ConnectorRef | None = None
    instance: str | None = None
    severity: int | None = None
    cleared: bool | None = None
    tech_code: str | None = None
    tech_info: str | None = None
    occurred_at: datetime | None = None
    event_id: int | None = None


class VariablesReported(Event, frozen=True, kw_only=True):
    """OCPP 2.x NotifyReport / 1.6 GetConfiguration result: name → value as text.

    2.x names are `Component[evse.connector](instance).Variable[instance]#Attribute`, see collector/device_model.py.
    """

    values: dict[str, str | None]
    request_id: int | None = None
    to_be_continued: bool = False
    """More parts of this report will follow."""


class ReportReceived(Event, frozen=True, kw_only=True):
    """Any other report with meaning for operations (reservations, charging limits, DER alarms, …): the payload as it came."""

    action: str
    payload: dict[str, Any]


class CommandSent(Event, frozen=True, kw_only=True):
    """A call of ours left."""

    message_id: str
    action: str
    payload: dict[str, Any]


class CommandAnswered(Event, frozen=True, kw_only=True):
    """What became of it. `status` is an OutcomeStatus; `error_code` is the charge point's word in a call error."""

    message_id: str
    action: str
    status: str
    detail: str | None = None
    error_code: str | None = None


class FrameDeviated(Event, frozen=True, kw_only=True):
    """A frame broke a rule of its protocol and was used all the same. `quirk` names a row of collector/quirks.py, or `schema`."""

    quirk: str
    detail: str
    action: str | None = None


class FrameRefused(Event, frozen=True, kw_only=True):
    """A frame could not be understood as a call; `error_code` is what it was answered, None where no answer was possible."""

    problem: str
    error_code: str | None = None
    action: str | None = None


class FrameRepeated(Event, frozen=True, kw_only=True):
    """A call repeated an earlier one; the first answer was given again."""

    duplicate_of: int
    action: str


class Fact(msgspec.Struct, frozen=True, gc=False):
    """The events of one journal record, in order."""

    sequence: int
    received_at: datetime
    charge_point_id: str
    generation: int
    protocol: str
    action: str
    events: tuple[Event, ...]
