"""Charge points, connectors and sites as rows. Decided here: what is derived from reports and what a person decided."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A place with several charge points. Primary data."""

    site_id: str
    name: str
    address: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str | None = None
    """IANA name, e.g. "Europe/Oslo"; used only to print and to find tariff boundaries."""


class ChargePointRegistration(msgspec.Struct, frozen=True, kw_only=True):
    """What a person (or the accept policy) decided about a charge point. Primary data, survives a rebuild."""

    charge_point_id: str
    registration: str
    """A Registration: Accepted, Pending (await approval) or Rejected (blocked)."""
    password_hash: str | None = None
    site_id: str | None = None
    note: str | None = None
    tags: str | None = None
    """Words of the operator's own, separated by spaces: rollouts select by them."""
    hardware: str | None = None
    """Its hardware revision, which BootNotification has no field for."""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def __repr__(self) -> str:
        return f"ChargePointRegistration({self.charge_point_id!r}, {self.registration!r}, site_id={self.site_id!r})"


class ChargePointState(msgspec.Struct, frozen=True, kw_only=True):
    """What a charge point's own reports say of it. Derived: dropped and rebuilt from the journal."""

    charge_point_id: str
    vendor: str | None = None
    model: str | None = None
    serial_number: str | None = None
    firmware_version: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None
    booted_at: datetime | None = None
    """Our clock at the last BootNotification."""
    boot_reason: str | None = None
    boots: int = 0
    connected: bool = False
    generation: int = 0
    """The newest connection generation seen."""
    connected_at: datetime | None = None
    disconnected_at: datetime | None = None
    remote: str | None = None
    security_profile: int | None = None
    protocol: str | None = None
    status: str | None = None
    """Status of the charge point as a whole (1.6 connector 0), where reported."""
    status_at: datetime | None = None
    error_code: str | None = None
    firmware_status: str | None = None
    firmware_status_at: datetime | None = None
    diagnostics_status: str | None = None
    diagnostics_status_at: datetime | None = None
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    sequence: int = 0
    """The journal record that last changed this row."""


class ChargePoint(msgspec.Struct, frozen=True, kw_only=True):
    """A charge point as shown: its reports and its registration. Either may be missing, never both."""

    charge_point_id: str
    registration: str | None
    """None: it connected, and nobody has decided about it."""
    site_id: str | None
    note: str | None
    has_password: bool
    tags: str | None = None
    hardware: str | None = None
    state: ChargePointState
    """All absent values and sequence 0 when it was never seen."""


class ConnectorState(msgspec.Struct, frozen=True, kw_only=True):
    """The last that was said of one connector. Derived. `connector` is a ConnectorRef label."""

    charge_point_id: str
    connector: str
    evse_id: int
    connector_id: int
    status: str | None = None
    raw_status: str | None = None
    error_code: str | None = None
    vendor_error_code: str | None = None
    vendor_id: str | None = None
    info: str | None = None
    reported_at: datetime | None = None
    """The charge point's clock."""
    received_at: datetime | None = None
    """Our clock."""
    changed_at: datetime | None = None
    """Our clock when `status` last became what it is."""
    sequence: int = 0


class ChargePointEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a charge point, kept as history. Derived.

    kind: boot, firmware_changed, firmware_status, diagnostics_status, security, connected, disconnected.
    """

    charge_point_id: str
    sequence: int
    ordinal: int
    """Position among the events of the same record."""
    kind: str
    value: str
    detail: str | None = None
    request_id: int | None = None
    occurred_at: datetime | None = None
    """The charge point's clock, where it gave one."""
    received_at: datetime


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A diagnostics file on our disk. Derived from the journal's UPLOAD records."""

    file_id: str
    charge_point_id: str
    name: str
    size_bytes: int
    sha256: str
    request_id: int | None = None
    received_at: datetime
    sequence: int
