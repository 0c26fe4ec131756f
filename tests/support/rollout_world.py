"""A rollout's whole world without sockets: charge points that do as they are told, a journal, a clock that stands still, and a kill
before and after every step. What is killed begins again from its store and the journal, as a process does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast

from chargenet import events as e
from chargenet.commands import ChangeAvailability, Command, CommandOutcome, TriggerMessage, UpdateFirmware
from chargenet.errors import Conflict, NotFound
from chargenet.model.ids import ConnectorRef
from chargenet.model.notice import Notice
from chargenet.model.words import OutcomeStatus
from chargenet.testing import FrozenClock
from firmware_orchestrator.artifacts import Artifact
from firmware_orchestrator.course import Course
from firmware_orchestrator.courses import course_of
from firmware_orchestrator.desk import RolloutDesk
from firmware_orchestrator.dossier import Dossier
from firmware_orchestrator.evidence.baseline import History
from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.executor import Executor
from firmware_orchestrator.exposure import Member
from firmware_orchestrator.fleet import FleetMember
from firmware_orchestrator.intake import Live
from firmware_orchestrator.loop import Loop
from firmware_orchestrator.rollout import RolloutState
from firmware_orchestrator.rows import Change, DeviceUpdate, Entry, Rollout
from firmware_orchestrator.store import RolloutStore
from tests.support.api import ListFeed
from tests.support.firmware_files import artifact, manifest, member

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TICK_S = 10.0
OLD, NEW = "2.3.0", "2.4.1"
NOWHERE = "http://192.0.2.9/f/none"


class Killed(BaseException):
    """The process is dead."""


class Steps:
    """Counts what is done, and kills at step `fatal`."""

    def __init__(self, fatal: int = -1) -> None:
        self.fatal, self.names = fatal, list[str]()

    def here(self, name: str) -> bool:
        """Is this the last step? What is done first is for the caller."""
        self.names.append(name)
        return len(self.names) - 1 == self.fatal

    def pass_by(self, name: str) -> None:
        """Dies here, or goes on."""
        if self.here(name):
            raise Killed


class Device:
    """A charge point: installs what it is told, and remembers every order."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.version, self.generation, self.connected, self.operative = OLD, 1, True, True
        self.orders: list[str] = []
        self.due: list[tuple[float, str]] = []
        self.status = "Idle"
        self.busy: str | None = None
        self.site: str | None = f"site-{name}"
        self.protocol = "ocpp1.6"
        self.tells = True
        """Does it say how its update goes, or only boot?"""
        self.fails: list[str] = []
        """Statuses that its next orders end with, instead of an installation."""

    def order(self, location: str) -> None:
        """UpdateFirmware came."""
        self.orders.append(location)
        now = self.world.clock.monotonic()
        if location == NOWHERE:  # takes the place of the order before, and fetches nothing
            self.due = [(now + 5, "DownloadFailed")]
            return
        if self.fails:
            self.due = [(now + 5, "Downloading"), (now + 15, self.fails.pop(0))]
            return
        steps = ("Downloading", "Downloaded", "Installing", "gone", "back", "Installed")
        self.due = [(now + 12.0 * (number + 1), step) for number, step in enumerate(steps)]

    def live(self) -> None:
        """What is due happens."""
        while self.due and self.due[0][0] <= self.world.clock.monotonic():
            _, step = self.due.pop(0)
            if step == "gone":
                self.disconnect()
            elif step == "back":
                self.version = self.world.versions.get(self.orders[-1], NEW)
                self.connect(boots=True)
            else:
                self.status = "Idle" if step == "Installed" else step
                if self.tells:
                    self.world.put(self, e.FirmwareStatusReported(status=step))

    def disconnect(self) -> None:
        self.connected = False
        self.world.put(self, e.ConnectionClosed(code=1006, reason="", lost=True))

    def connect(self, *, boots: bool = False) -> None:
        self.connected, self.generation = True, self.generation + 1
        self.world.put(self, e.ConnectionOpened(remote="192.0.2.1"))
        if boots:
            self.boot()

    def boot(self, reason: str | None = None) -> None:
        self.world.put(self, e.ChargePointBooted(
            vendor="Acme", model="AC-22", serial_number=None, firmware_version=self.version, registration="Accepted", reason=reason
        ))  # fmt: skip

    def fault(self, code: str = "OtherError") -> None:
        connector = ConnectorRef(1, 1)
        self.world.put(self, e.StatusReported(connector=connector, status="Faulted", raw_status="Faulted", error_code=code))

    def obey(self, command: Command) -> None:
        """Any call of ours."""
        if isinstance(command, UpdateFirmware):
            self.order(command.location)
        elif isinstance(command, ChangeAvailability):
            self.operative = command.operative
        elif isinstance(command, TriggerMessage) and command.message == "BootNotification":
            self.boot("Triggered")
        elif isinstance(command, TriggerMessage):
            self.world.put(self, e.FirmwareStatusReported(status=self.status))


class World:
    """Everything that outlives the process: charge points, journal, store, what people were told. `begin` starts a process."""

    def __init__(self, store: RolloutStore, names: Iterable[str], spec: str, steps: Steps | None = None) -> None:
        self.clock = FrozenClock(START)
        self.feed, self.kept, self.spec = ListFeed(), store, spec
        self.devices = {name: Device(self, name) for name in names}
        self.image = artifact(manifest())
        self.told: list[Notice] = []
        self.versions: dict[str, str] = {}
        """Address → the version that is fetched there."""
        self.pasts: dict[str, History] = {}
        self.steps = steps or Steps()
        self.first_sequence = 0
        self._messages = 0
        self.begin()

    def begin(self) -> None:
        """A process starts, with nothing in its memory."""
        store = cast(RolloutStore, KillableStore(self.kept, self.steps))
        self.executor = Executor(store, self, self, self.clock)
        self.desk = RolloutDesk(store, self, self, self.executor, self.clock, nowhere=lambda: NOWHERE)
        self.loop = Loop(store, self.feed, self, self.executor, self, self.clock, self.course)

    async def course(self, rollout: Rollout) -> Course:
        return course_of(rollout, await self.artifact(rollout.artifact_id))

    def put(self, device: Device, *events: e.Event, action: str = "") -> int:
        """A record in the journal; its sequence."""
        sequence = max(self.feed.head, self.first_sequence) + 1
        self.feed.put(e.Fact(sequence, self.clock.now(), device.name, device.generation, "ocpp1.6", action, events))
        return sequence

    # -- one round

    async def tick(self) -> None:
        """Time passes, the charge points live, and the process looks."""
        self.clock.advance(TICK_S)
        for device in self.devices.values():
            device.live()
        try:
            await self.loop.tick()
        except Conflict:
            return
        except BaseExceptionGroup as group:
            if group.split(Killed)[1] is not None:
                raise
            raise Killed from None

    def die(self) -> None:
        """Every connection ends with the process, and is made again."""
        self.steps.fatal = -1
        for device in self.devices.values():
            if device.connected:
                device.disconnect()
                device.connect()
        self.begin()

    # -- what the process is given

    async def send(self, charge_point_id: str, command: Command, *, timeout_s: float = 30.0) -> CommandOutcome:
        """The gateway, in five steps."""
        device, steps, action = self.devices[charge_point_id], self.steps, type(command).__name__
        if not device.connected:
            return CommandOutcome(status=OutcomeStatus.NOT_CONNECTED, action=action, detail="is not connected")
        steps.pass_by(f"{action}: not yet sent")
        if steps.here(f"{action}: received, and the record of sending it lost"):
            device.obey(command)
            raise Killed
        self._messages += 1
        message_id, payload = f"m{self._messages}", {"location": getattr(command, "location", None)}
        sequence = self.put(device, e.CommandSent(message_id=message_id, action=action, payload=payload))
        steps.pass_by(f"{action}: recorded, and never received")
        device.obey(command)
        steps.pass_by(f"{action}: received, the answer lost")
        self.put(device, e.CommandAnswered(message_id=message_id, action=action, status=OutcomeStatus.ACCEPTED))
        steps.pass_by(f"{action}: answered")
        return CommandOutcome(status=OutcomeStatus.ACCEPTED, action=action, message_id=message_id, sequence=sequence)

    async def issue(self, artifact_id: str, charge_point_id: str) -> str:
        """The shelf gives an address."""
        self.steps.pass_by("no address yet")
        self._messages += 1
        location = f"http://192.0.2.9/f/{charge_point_id}-{self._messages}"
        self.versions[location] = (await self.artifact(artifact_id)).version
        return location

    url_length, offered = 40, ("HTTP",)

    async def artifact(self, artifact_id: str) -> Artifact:
        return self.image

    async def usable(self, artifact_id: str) -> Artifact:
        return self.image

    async def look(self, charge_point_ids: Iterable[str]) -> dict[str, Live]:
        return {name: self._live(self.devices[name]) for name in charge_point_ids}

    def _live(self, device: Device) -> Live:
        return Live(
            charge_point_id=device.name, connected=device.connected, generation=device.generation, protocol="ocpp1.6",
            firmware_version=device.version, busy=device.busy, operative=("1",) if device.operative else (),
        )  # fmt: skip

    async def members(self) -> list[FleetMember]:
        return [
            member(
                name, connected=each.connected, firmware_version=each.version, time_zone="UTC", site_id=each.site,
                protocol=each.protocol,
            )
            for name, each in self.devices.items()
        ]  # fmt: skip

    async def histories(self, members: Sequence[Member], at: datetime, policy: GatePolicy) -> dict[str, History]:
        return self.pasts

    async def tell(self, notices: Sequence[Notice]) -> None:
        """The relay."""
        self.steps.pass_by("not yet told")
        self.told += notices
        self.steps.pass_by("told")

    async def dossiers(self) -> list[Dossier]:
        """What a tick begins with."""
        return [await self.loop._load(each) for each in await self.kept.active()]

    async def started(self, rollout_id: str) -> None:
        """A person creates and starts it, and does so again where it was not done."""
        with suppress(Conflict):
            try:
                state = (await self.kept.rollout(rollout_id)).state
            except NotFound:
                state = (await self.desk.create(self.spec, "tester")).state
            if state is RolloutState.DRAFT:
                await self.desk.start(rollout_id, "tester")


class KillableStore:
    """A store that dies before or after what it writes."""

    def __init__(self, store: RolloutStore, steps: Steps) -> None:
        self._store, self._steps = store, steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def create(self, rollout: Rollout, updates: Sequence[DeviceUpdate], entries: Sequence[Entry] = ()) -> None:
        self._steps.pass_by("rollout not created")
        await self._store.create(rollout, updates, entries)
        self._steps.pass_by("rollout created")

    async def change(self, change: Change) -> None:
        what = summary(change)
        self._steps.pass_by(f"{what}: not stored")
        await self._store.change(change)
        self._steps.pass_by(f"{what}: stored")

    async def told(self, numbers: Sequence[int]) -> None:
        self._steps.pass_by("told, not noted")
        await self._store.told(numbers)
        self._steps.pass_by("told and noted")


def summary(change: Change) -> str:
    """What is in it, in a few words."""
    states = {str(each.state) for each in change.updates} | {each.availability for each in change.updates if each.availability}
    moves = [each.after for each in change.entries if each.kind in ("rollout", "wave", "override") and each.after]
    return f"change of {', '.join([*moves, *sorted(states)]) or 'the evidence'}"


def plain(row: DeviceUpdate) -> dict[str, Any]:
    """What must be the same however it came about."""
    return {"state": row.state, "version": row.version, "wave": row.wave, "availability": row.availability}


def history_of(entries: Sequence[Entry]) -> list[tuple[str | None, ...]]:
    """The moves of the rollout and its waves."""
    return [(each.kind, each.before, each.after) for each in entries if each.kind in ("rollout", "wave")]
