"""The ports of a program apart, through a real door: what goes in on one side comes out unchanged on the other."""

from __future__ import annotations

import typing
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from chargenet import commands
from chargenet.commands import Call, Command, CommandOutcome
from chargenet.errors import InvalidCall, StoreUnavailable
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.notice import Attachment, Link, Notice
from chargenet.model.words import OutcomeStatus
from chargenet.ports import StateChange
from chargenet.testing import MemoryJournal
from chargewatch.apart.beats import Beats
from chargewatch.apart.door import CollectorDoor, NoticesDoor, door
from chargewatch.apart.line import Line
from chargewatch.apart.ports import FarGateway, FarNotices, FarStates
from chargewatch.api.calls import Typed
from collector.feed import JournalFeed
from collector.interpret import interpret
from tests.support.api import ScriptedGateway
from tests.support.doors import TOKEN, behind

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
COMMANDS: tuple[Typed | Call, ...] = (
    commands.Reset(immediate=True, evse_id=2),
    commands.TriggerMessage(message="StatusNotification", connector=ConnectorRef(1, 2)),
    commands.ChangeAvailability(operative=False),
    commands.SetVariable(name="HeartbeatInterval", value="60"),
    commands.GetVariables(names=("A", "B"), request_id=4),
    commands.RemoteStart(id_token=IdToken("TAG-1"), remote_start_id=9),
    commands.RemoteStop(transaction_id="77"),
    commands.UnlockConnector(connector=ConnectorRef(3)),
    commands.GetDiagnostics(location="http://x.test/d", request_id=5, since=NOON, retries=3, signed_form=True),
    commands.UpdateFirmware(location="http://x.test/f", request_id=6, retrieve_at=NOON, install_at=NOON, signature="s"),
    Call(action="DataTransfer", payload={"vendorId": "ACME", "data": {"deep": [1, 2.5, None, True, "ü"]}}),
)


class Heard:
    """Remembers notices; refuses them while it is down."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.down = False

    async def tell(self, notices: Sequence[Notice]) -> None:
        if self.down:
            raise StoreUnavailable("sql", "is down")
        self.notices += notices


class KeptStates:
    """Answers with `changes`, and remembers what it was asked."""

    def __init__(self) -> None:
        self.changes: list[StateChange] = []
        self.asked: list[tuple[object, ...]] = []

    async def states(
        self, charge_point: str, start: datetime, end: datetime, *, kind: str | None = None, limit: int = 1000
    ) -> list[StateChange]:
        self.asked.append((charge_point, start, end, kind, limit))
        return self.changes


class Offered:
    """What is behind the door."""

    def __init__(self) -> None:
        self.gateway, self.kept, self.heard = ScriptedGateway(), KeptStates(), Heard()
        journal = MemoryJournal()
        made = CollectorDoor(journal, JournalFeed(journal, interpret), self.gateway, self.kept, Beats(), lambda: 0)
        self.routes = [*made.routes, *NoticesDoor(self.heard).routes]


@pytest.fixture
def offered() -> Offered:
    """Fakes."""
    return Offered()


@pytest.fixture
async def line(offered: Offered) -> AsyncIterator[Line]:
    """To a door before them."""
    async with behind(door(offered.routes, TOKEN)) as made:
        yield made


def test_every_command_is_tried() -> None:
    """A new typed command must cross too."""
    known = {each for each in vars(commands).values() if isinstance(each, type) and issubclass(each, Command)} - {Command}
    assert {type(each) for each in COMMANDS} == known == {*typing.get_args(Typed), Call}


async def test_commands_cross_unchanged(offered: Offered, line: Line) -> None:
    """Each command, its charge point and its deadline arrive as they were sent."""
    gateway = FarGateway(line)
    for command in COMMANDS:
        await gateway.send("CP/1 ü", command, timeout_s=12.5)
    assert offered.gateway.sent == [("CP/1 ü", command, 12.5) for command in COMMANDS]


async def test_every_outcome_crosses(offered: Offered, line: Line) -> None:
    """Whatever became of a call, the program hears all of it."""
    gateway = FarGateway(line)
    for status in OutcomeStatus:
        ended = CommandOutcome(
            status=status, action="Reset", result={"status": "Accepted", "custom": [1, {"a": None}]}, error_code="GenericError",
            detail="because", message_id="m-1", sequence=2**40,
        )  # fmt: skip
        offered.gateway.answer = lambda _, __, ended=ended: ended  # type: ignore[misc]
        assert await gateway.send("CP-1", commands.Reset()) == ended


async def test_an_invalid_call_is_the_callers_here_too(offered: Offered, line: Line) -> None:
    """A command that was never sent raises what the collector's gateway raised, word for word."""
    offered.gateway.refusal = InvalidCall("Reset", "type is missing")
    with pytest.raises(InvalidCall) as raised:
        await FarGateway(line).send("CP-1", commands.Reset())
    assert (raised.value.action, raised.value.problem) == ("Reset", "type is missing")


async def test_a_notice_crosses_unchanged(offered: Offered, line: Line) -> None:
    """Links, files, details of any depth, and instants to the microsecond."""
    notice = Notice(
        key="case-7", source="alerts", kind="ConnectorFaulted", severity="critical", title="Laderegler ü", text="since 12:00",
        labels={"site": "harbour", "connector": "1"}, links=(Link("Acknowledge", "http://x.test/a"),),
        attachments=(Attachment("r.pdf", "application/pdf", "/data/reports/r.pdf"),),
        details={"energy_wh": 17, "share": 0.25, "hours": [1, 2], "by": {"deep": None}},
        began_at=NOON + timedelta(microseconds=1), resolved_at=NOON, acknowledged_at=NOON, acknowledged_by="night shift",
    )  # fmt: skip
    await FarNotices(line).tell([notice, notice])
    assert offered.heard.notices == [notice, notice]


async def test_notices_that_cannot_be_kept_are_not_taken(offered: Offered, line: Line) -> None:
    """`tell` returns only once they are durable over there: otherwise the program must try again."""
    offered.heard.down = True
    with pytest.raises(StoreUnavailable, match=r"503.*is down"):
        await FarNotices(line).tell([])


async def test_states_cross_unchanged(offered: Offered, line: Line) -> None:
    """The question as it was asked, and state changes with every field."""
    change = StateChange(NOON, NOON + timedelta(seconds=1), "CP+1 &", "1", "status", "Faulted", "GroundFailure", 9)
    offered.kept.changes = [change, change]
    states, end = FarStates(line), NOON + timedelta(hours=1)
    assert await states.states("CP+1 &", NOON, end, kind="status", limit=7) == [change, change]
    await states.states("CP+1 &", NOON, end)
    assert offered.kept.asked == [("CP+1 &", NOON, end, "status", 7), ("CP+1 &", NOON, end, None, 1000)]


async def test_a_process_that_is_away_is_a_store_that_is_unavailable() -> None:
    """Every program waits then, and says where it asked; never the token."""
    async with behind(door([], TOKEN)) as line:
        pass
    line = Line("collector", line.url, TOKEN, 1.0)
    with pytest.raises(StoreUnavailable, match=f"{line.url} does not answer") as raised:
        await FarGateway(line).send("CP-1", commands.Reset())
    assert TOKEN.reveal() not in f"{raised.value} {line!r} {raised.value.__cause__!r}"
    await line.close()


async def test_another_version_is_a_store_that_is_unavailable(line: Line) -> None:
    """An answer that cannot be read is waited out: the other process is being upgraded."""
    noon = NOON.isoformat()
    with pytest.raises(StoreUnavailable, match="another version"):
        await line.ask("/states", int, query={"charge_point": "x", "start": noon, "end": noon, "limit": 1})
