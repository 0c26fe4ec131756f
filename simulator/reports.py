"""What a charge point has to say, before it is put into the words of a protocol. Decided here: what survives being offline.

A report that is `durable` waits in the outbox until it can be delivered, as OCPP asks for everything about transactions; any other
is lost while there is no connection. All instants are the charge point's own clock.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from simulator.physics import Electrical


class Session:
    """One transaction, from the charge point's side. `number` is the id that a 1.6 server gave, None until it has."""

    __slots__ = ("car_left", "energy_at_start_wh", "number", "plug", "remote_start_id", "seq_no", "token", "transaction_id")

    def __init__(self, plug: int, transaction_id: str, token: str, energy_at_start_wh: int, remote_start_id: int | None) -> None:
        self.plug, self.transaction_id, self.token = plug, transaction_id, token
        self.energy_at_start_wh, self.remote_start_id = energy_at_start_wh, remote_start_id
        self.number: int | None = None
        self.seq_no = -1
        self.car_left = False

    def next_seq_no(self) -> int:
        """Sequence number of the next event about it, from 0 (OCPP 2.x)."""
        self.seq_no += 1
        return self.seq_no


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of the meter of a connector."""

    at: datetime
    context: str
    register_wh: float
    electrical: Electrical | None = None
    soc_percent: float | None = None
    temperature_c: float | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all reports."""

    durable: ClassVar[bool] = False


class Boot(Report, frozen=True, kw_only=True):
    """BootNotification; `reason` as in 2.x, left out in 1.6."""

    reason: str


class Heartbeat(Report, frozen=True, kw_only=True):
    """Still here."""


class Asked(Report, frozen=True, kw_only=True):
    """Authorize: may this token charge?"""

    token: str


class Status(Report, frozen=True, kw_only=True):
    """A connector's status and error in the words of 1.6; plug 0 is the charge point. `vendor_code` is the vendor's own."""

    plug: int
    status: str
    at: datetime
    error_code: str = "NoError"
    vendor_code: str | None = None
    info: str | None = None


class Problem(Report, frozen=True, kw_only=True):
    """A fault begins or is over (2.x NotifyEvent; 1.6 says it with the status)."""

    plug: int
    at: datetime
    active: bool
    code: str
    text: str


class Started(Report, frozen=True, kw_only=True):
    """A transaction began."""

    durable = True
    session: Session
    sample: Sample
    seq_no: int
    offline: bool = False


class Metered(Report, frozen=True, kw_only=True):
    """A transaction goes on. `charging_state` as in 2.x."""

    durable = True
    session: Session
    sample: Sample
    seq_no: int
    trigger: str = "MeterValuePeriodic"
    charging_state: str = "Charging"
    offline: bool = False


class Stopped(Report, frozen=True, kw_only=True):
    """A transaction ended; `reason` as in 1.6."""

    durable = True
    session: Session
    sample: Sample
    seq_no: int
    reason: str
    offline: bool = False


class Clocked(Report, frozen=True, kw_only=True):
    """A reading outside of transactions."""

    plug: int
    sample: Sample


class FirmwareStatus(Report, frozen=True, kw_only=True):
    """Progress of an update; `signed` in the words of the security whitepaper (1.6)."""

    status: str
    request_id: int | None
    signed: bool = False


class LogStatus(Report, frozen=True, kw_only=True):
    """Progress of an upload; `request_id` None: the plain 1.6 diagnostics."""

    status: str
    request_id: int | None


class Security(Report, frozen=True, kw_only=True):
    """A security event."""

    type: str
    at: datetime
    info: str | None = None


class Inventory(Report, frozen=True, kw_only=True):
    """One part of a base report (2.x): variables as (component, variable, value)."""

    request_id: int
    at: datetime
    seq_no: int
    last: bool
    variables: tuple[tuple[str, str, str], ...]
