"""A platform for API tests: fakes of the ports, a gateway that answers as told, and keys of every role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec

from alerts.app import Alerts, AlertSettings
from alerts.storage.cases_memory import MemoryCases
from chargenet.commands import Call, Command, CommandOutcome
from chargenet.errors import InvalidCall
from chargenet.events import Fact
from chargenet.model.record import Record
from chargenet.model.station import ChargePointRegistration, Upload
from chargenet.model.words import OutcomeStatus, RecordKind, Role
from chargenet.settings import Settings, load
from chargenet.storage.key_ring import StoredKeyRing
from chargenet.stores import StationChanges, Stores
from chargenet.testing import FrozenClock, MemoryJournal, MemoryStores, MemoryTelemetry
from chargewatch.api import HealthCheck, ReceivedUpload, create_app
from chargewatch.firmware_files import firmware_files
from collector.interpret import interpret
from firmware_orchestrator.storage.artifact_memory import MemoryArtifacts
from tests.support.relay import Simulated


class ScriptedGateway:
    """Answers every command as told, and remembers it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Command, float]] = []
        self.answer: Callable[[str, Command], CommandOutcome] = lambda _, command: outcome(command, OutcomeStatus.ACCEPTED)
        self.refusal: InvalidCall | None = None
        self.absent = {"nobody"}
        """Charge points that are not connected, whatever the answer would be."""
        self.connected: set[str] | None = None
        """The only ones that are; None: everybody who is not absent."""

    async def send(self, charge_point_id: str, command: Command, *, timeout_s: float = 30.0) -> CommandOutcome:
        if charge_point_id in self.absent or (self.connected is not None and charge_point_id not in self.connected):
            return outcome(command, OutcomeStatus.NOT_CONNECTED)
        self.sent.append((charge_point_id, command, timeout_s))
        if self.refusal is not None:
            raise self.refusal
        return self.answer(charge_point_id, command)

    def end_with(self, status: OutcomeStatus) -> None:
        """From now on calls end like this."""
        self.answer = lambda _, command: outcome(command, status)


def outcome(command: Command, status: OutcomeStatus) -> CommandOutcome:
    """An outcome as the collector makes it."""
    action = command.action if isinstance(command, Call) else type(command).__name__
    if status is OutcomeStatus.NOT_CONNECTED:
        return CommandOutcome(status=status, action=action, detail="the charge point is not connected")
    return CommandOutcome(status=status, action=action, result={"status": "Accepted"}, message_id="m-1", sequence=7)


class ListFeed:
    """A feed of facts that a test puts in."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self._news = asyncio.Event()

    def put(self, *facts: Fact) -> None:
        self.facts += facts
        self._news.set()

    @property
    def head(self) -> int:
        return self.facts[-1].sequence if self.facts else 0

    async def next(self, after: int, limit: int = 2000) -> Sequence[Fact]:
        while after >= self.head:
            self._news.clear()
            await self._news.wait()
        return [fact for fact in self.facts if fact.sequence > after][:limit]


class FakePlatform:
    """`chargewatch.api.platform.Platform` over fakes. Uploads show up in the stations store as the projection would put them."""

    def __init__(self, settings: Settings, stores: Stores | None = None) -> None:
        self.settings = settings
        self.clock = FrozenClock()
        self.journal = MemoryJournal()
        self.telemetry = MemoryTelemetry()
        self.gateway = ScriptedGateway()
        self.feed = ListFeed()
        self.stores: Stores = stores or MemoryStores()
        self.keys = StoredKeyRing(self.stores.keys)
        self.alerts = Alerts(
            self.feed, self.journal, self.clock, self.stores, MemoryCases(), None, lambda name: "", {}, AlertSettings()
        )
        self.upload_base = "http://platform.test"
        self.relay = Simulated(clock=self.clock).relay
        self.firmware = firmware_files(settings, self.clock, MemoryArtifacts(), self.stores.keys, lambda: self.upload_base)
        self.closing = False
        self.checks = [HealthCheck(name="journal", ok=True, critical=True, detail="writes")]
        self.changed: list[str] = []
        self.heard: dict[str, datetime] = {}

    def last_heard(self, charge_point_id: str) -> datetime | None:
        return self.heard.get(charge_point_id)

    def interpret(self, record: Record) -> Fact:
        return interpret(record)

    async def metrics(self) -> bytes:
        return b"# HELP chargewatch_up 1\n"

    async def health(self, *, critical_only: bool = False) -> list[HealthCheck]:
        return self.checks

    async def hash_password(self, password: str, *, generated: bool) -> str:
        return f"{'fast' if generated else 'slow'}${len(password)}"

    async def registration_changed(self, charge_point_id: str) -> None:
        self.changed.append(charge_point_id)

    async def tokens_changed(self) -> None:
        self.changed.append("tokens")

    async def record_upload(self, upload: ReceivedUpload) -> int:
        sequence = self.journal.append(
            received_at_us=self.clock.now_us(),
            charge_point_id=upload.charge_point_id,
            generation=0,
            protocol="",
            kind=RecordKind.UPLOAD,
            frame=msgspec.json.encode({"file_id": upload.file_id, "name": upload.name, "size": upload.size_bytes}),
        )
        position = await self.stores.stations.position()
        row = Upload(**msgspec.structs.asdict(upload), received_at=self.clock.now(), sequence=sequence)
        await self.stores.stations.save(StationChanges(uploads=[row]), position, max(sequence, position + 1))
        return sequence

    async def register(self, *charge_point_ids: str) -> None:
        """Charge points that are known and accepted."""
        for name in charge_point_ids:
            await self.stores.registrations.put(ChargePointRegistration(charge_point_id=name, registration="Accepted"))


class Api:
    """The application with a client for each role, below /api/v1 (`api.admin.get("/keys")`); `raw` has neither key nor prefix."""

    def __init__(self, platform: FakePlatform, app: Any, keys: dict[str, str]) -> None:
        self.platform, self.app, self.keys = platform, app, keys
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.raw = httpx.AsyncClient(transport=self._transport, base_url="http://platform.test")
        self.clients = {role: self.client(key) for role, key in keys.items()}

    def client(self, key: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(transport=self._transport, base_url="http://platform.test/api/v1", headers=headers)

    def __getattr__(self, role: str) -> httpx.AsyncClient:
        return self.clients[role]

    async def audited(self) -> list[tuple[str, str]]:
        """(action, target) of every audit entry, oldest first."""
        page = await self.platform.stores.audit.page(limit=1000)
        return [(entry.action, entry.target) for entry in reversed(page.items)]


@asynccontextmanager
async def api_over(data_dir: Path, stores: Stores | None = None, **settings: Any) -> AsyncIterator[Api]:
    """The API over fakes, in a folder; settings by dotted key with `_` doubled, e.g. http__max_upload_bytes=1024."""
    given = {name.replace("__", "."): value for name, value in settings.items()}
    platform = FakePlatform(load(None, {}, {"data_dir": data_dir, **given}), stores)
    made = {role.value: await platform.keys.create(role.value, role, platform.clock.now()) for role in Role}
    app = create_app(platform)
    async with app.router.lifespan_context(app):
        api = Api(platform, app, {role: key.secret for role, key in made.items()})
        try:
            yield api
        finally:
            for client in (api.raw, *api.clients.values()):
                await client.aclose()
