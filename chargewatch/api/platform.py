"""What the HTTP API needs of the running platform, and nothing more. `chargewatch/app.py` gives it; tests give fakes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from alerts.app import Alerts
from alerts.relay.relay import Relay
from chargenet.events import Fact
from chargenet.model.record import Record
from chargenet.ports import Clock, CommandGateway, Feed, Journal, Telemetry
from chargenet.settings import Settings
from chargenet.stores import KeyRing, Stores
from chargewatch.firmware_files import FirmwareFiles


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must work. `critical`: while it fails, nothing new can be acknowledged and `/readyz` says 503."""

    name: str
    ok: bool
    critical: bool = False
    detail: str = ""
    """A sentence for a person: what is wrong, or a figure that shows it is right."""


class ReceivedUpload(msgspec.Struct, frozen=True, kw_only=True):
    """A diagnostics file that is on disk, complete, under `DATA/diagnostics/<file_id>`."""

    charge_point_id: str
    file_id: str
    name: str
    size_bytes: int
    sha256: str
    request_id: int | None


class Platform(Protocol):
    """The running platform as the API sees it. Every member is used by at least one route."""

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def telemetry(self) -> Telemetry: ...
    @property
    def gateway(self) -> CommandGateway: ...
    @property
    def feed(self) -> Feed: ...
    @property
    def stores(self) -> Stores: ...
    @property
    def keys(self) -> KeyRing: ...
    @property
    def alerts(self) -> Alerts: ...
    @property
    def relay(self) -> Relay: ...
    @property
    def firmware(self) -> FirmwareFiles: ...

    @property
    def upload_base(self) -> str:
        """The URL that charge points reach us by, with the port that we really listen on: `HttpSettings.upload_base(bound)`."""

    @property
    def closing(self) -> bool:
        """True once the process drains: streams end."""

    def last_heard(self, charge_point_id: str) -> datetime | None:
        """When its last frame came, a heartbeat as well, which leaves no record; None when none came since the start."""

    def interpret(self, record: Record) -> Fact:
        """The facts of a record, as its handler gives them again. Pure; called from worker threads."""

    async def metrics(self) -> bytes:
        """The whole Prometheus exposition (text format 0.0.4), made without holding up the event loop."""

    async def health(self, *, critical_only: bool = False) -> Sequence[HealthCheck]:
        """Every check, now; or at once those that acknowledging depends on, which ask nobody outside the process.

        Never raises: a check that cannot be made is a failed check.
        """

    async def hash_password(self, password: str, *, generated: bool) -> str:
        """How a charge point's password is stored: a keyed fast hash for generated ones, scrypt off the loop for chosen ones."""

    async def registration_changed(self, charge_point_id: str) -> None:
        """A registration, its site or its password changed: refresh the directory, and close the connection of a blocked one."""

    async def tokens_changed(self) -> None:
        """The token table changed: refresh it."""

    async def record_upload(self, upload: ReceivedUpload) -> int:
        """Journal an UPLOAD record and return its sequence once it is durable. Raises JournalUnavailable."""
