"""One simulated charge point: it boots, tells what happens at its connectors, does what it is told, and comes back.

Decided here: when it connects, in which order it speaks, and what of its life goes on while it cannot. What an OCPP call of the
server means is in `answers/`, what takes longer (uploads, updates) in `jobs.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from simulator import reports as r
from simulator.answers import answers_for
from simulator.dialects.common import Dialect, Identity
from simulator.dialects.v2x import Dialect2x
from simulator.dialects.v16 import Dialect16
from simulator.image import Image
from simulator.layout import Plan, stream
from simulator.link import CallFailed, Link, Lost, Refused, Server, Unreachable
from simulator.outbox import Item, Outbox
from simulator.pace import DeviceClock, Pace
from simulator.plug import FAULTS, Plug
from simulator.scenario import Scenario
from simulator.tally import Statistics
from simulator.updates import Updates

ATTEMPTS = 3
"""How often a report about a transaction is tried (OCPP: TransactionMessageAttempts)."""
FIRST_RETRY_S, LAST_RETRY_S = 1.0, 60.0
BOOT_S = 4.0
_FLAPPING_FAULT = FAULTS[0]


class ChargePoint:
    """Lives until cancelled. `live` owns all of its tasks."""

    def __init__(self, plan: Plan, scenario: Scenario, server: Server, pace: Pace, seed: int, tally: Statistics) -> None:
        self.plan, self.scenario, self.pace, self.tally = plan, scenario, pace, tally
        self.model, self.charge_point_id = plan.model, plan.charge_point_id
        self.image = Image(plan.model.firmware)
        self.updates = Updates(self)
        self.chance = stream(seed, plan.charge_point_id, "firmware")
        """What its firmware does by chance."""
        self.heartbeat_s = 300.0
        self.meter_interval_s = plan.model.meter_interval_s
        self.settings: dict[str, str] = {}
        """What the server changed, by name; the rest is in `answers/settings.py`."""
        self._server, self._rng = server, stream(seed, plan.charge_point_id)
        drifts = plan.oddity == "drifting"
        self._clock = DeviceClock(pace.clock, 95.0, 0.004) if drifts else DeviceClock(pace.clock)
        self._dialect: Dialect = _dialect(plan.model.protocol)
        self._answers = answers_for(plan.model.protocol)
        self._outbox = Outbox()
        self._link: Link | None = None
        self._boot_reason: str | None = "PowerUp"
        self._may_connect = asyncio.Event()
        self._may_connect.set()
        self._tasks: asyncio.TaskGroup | None = None
        self._jobs: set[str] = set()
        self.plugs = {
            number: Plug(
                self,
                number,
                stream(seed, plan.charge_point_id, number),
                stream(seed, plan.charge_point_id, number, "noise"),
                delivers=not (plan.oddity == "silent" and number == 1),
            )
            for number in range(1, plan.model.connectors + 1)
        }

    # -- its life

    async def live(self, delay_s: float = 0.0) -> None:
        """Connect after `delay_s` and go on until cancelled."""
        await asyncio.sleep(delay_s)
        if self.plan.oddity == "backlog":
            self._remember_yesterday()
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self._stay_connected())
            tasks.create_task(self._break_down_now_and_then())
            for plug in self.plugs.values():
                tasks.create_task(plug.live())
            if self.plan.oddity == "flapping":
                tasks.create_task(self._flap(self.plugs[1]))

    def start_job(self, name: str, job: Coroutine[Any, Any, None]) -> bool:
        """Do something that takes a while; False, and nothing, when a job of this name runs already."""
        if name in self._jobs or self._tasks is None:
            job.close()
            return False
        self._jobs.add(name)
        self._tasks.create_task(self._run_job(name, job))
        return True

    async def reboot(self, reason: str, stop_reason: str) -> None:
        """End sessions, go away, come back and boot. `reason` as in 2.x, `stop_reason` as in 1.6."""
        for plug in self.plugs.values():
            plug.stop(stop_reason)
        await asyncio.sleep(0)
        self._boot_reason = reason
        self.go_offline(goodbye=True)
        await self.pace.sleep(BOOT_S)
        self.come_back()

    def go_offline(self, *, goodbye: bool = False) -> None:
        """Lose the link, and stay away until `come_back`."""
        self._may_connect.clear()
        if self._link is not None:
            if goodbye and self._tasks is not None:
                self._tasks.create_task(self._link.close())
            else:
                self._link.cut()

    def come_back(self) -> None:
        """May connect again."""
        self._may_connect.set()

    # -- what it says

    @property
    def firmware(self) -> str:
        """The version that runs."""
        return self.image.version

    def fails_session(self) -> bool:
        """Does the firmware spoil the session that begins now?"""
        share = self.image.troubles.failed_sessions
        return share > 0 and self.chance.random() < share

    @property
    def identity(self) -> Identity:
        return Identity(self.model, self.plan.serial_number, self.firmware)

    @property
    def online(self) -> bool:
        """Connected and accepted."""
        return self._link is not None and self._boot_reason is None

    @property
    def waiting(self) -> int:
        """Reports that are not delivered yet."""
        return len(self._outbox)

    def now(self) -> datetime:
        """By its own clock."""
        return self._clock.now()

    def say(self, report: r.Report) -> None:
        """Report when possible; what is not durable is lost when that is not now."""
        if report.durable or self.online:
            self._put(Item(report))

    async def ask(self, report: r.Report) -> dict[str, Any] | None:
        """Report and wait for the server's answer; None when there is none."""
        if not self.online:
            return None
        answer: asyncio.Future[dict[str, Any] | None] = asyncio.get_running_loop().create_future()
        self._put(Item(report, answer))
        return await answer

    def accepts(self, answer: dict[str, Any] | None) -> bool:
        """Does this answer let a driver charge? No word about it is no objection."""
        said = answer or {}
        info = said.get("idTagInfo") or said.get("idTokenInfo") or {}
        return bool(info.get("status", "Accepted") == "Accepted")

    def show_all(self) -> None:
        """Say the status of everything."""
        self.say(r.Status(plug=0, status="Available", at=self.now()))
        for plug in self.plugs.values():
            plug.show(again=True)

    def _put(self, item: Item) -> None:
        lost = self._outbox.lost
        self._outbox.put(item)
        self.tally.reports_lost += self._outbox.lost - lost

    # -- its connection

    async def _stay_connected(self) -> None:
        wait_s = FIRST_RETRY_S
        while True:
            await self._may_connect.wait()
            try:
                async with self._server.open(self.charge_point_id, self.model.protocol) as socket:
                    self.tally.connects += 1
                    wait_s = FIRST_RETRY_S
                    await self._converse(Link(socket, self._answer, self.tally))
            except Unreachable as error:
                self.tally.connect_failures += 1
                self.tally.problem(f"cannot connect: {type(error).__name__}: {error}")
            await asyncio.sleep(wait_s * self._rng.uniform(0.5, 1.5))
            wait_s = min(LAST_RETRY_S, wait_s * 2)

    async def _converse(self, link: Link) -> None:
        """Speak over this connection until it ends."""
        self._link = link
        self.tally.connected += 1
        try:
            async with asyncio.TaskGroup() as both:
                speaking = both.create_task(self._speak_until_lost(link))
                await link.read()
                speaking.cancel()
        finally:
            self._link = None
            self.tally.connected -= 1
            self._outbox.forget_passing()

    async def _speak_until_lost(self, link: Link) -> None:
        """A lost connection ends this quietly: a task group that ends with an error can swallow a cancellation of its owner."""
        try:
            await self._speak(link)
        except Lost:
            return

    async def _speak(self, link: Link) -> None:
        if self._boot_reason is not None:
            await self._boot(link, self._boot_reason)
        self._boot_reason = None
        self.show_all()
        while True:
            item = await self._outbox.get(self.heartbeat_s)
            await self._deliver(link, item or Item(r.Heartbeat()))

    async def _boot(self, link: Link, reason: str) -> None:
        message = self._dialect.encode(r.Boot(reason=reason), self.identity)
        assert message is not None
        while True:
            try:
                answer = await link.call(*message)
            except (CallFailed, TimeoutError) as failure:
                self.tally.problem(f"BootNotification: {failure!r}")
                answer = {"status": "Rejected"}
            interval_s = float(answer.get("interval") or 0)
            if answer.get("status") == "Accepted":
                self.heartbeat_s = interval_s or self.heartbeat_s
                return
            await asyncio.sleep(interval_s or 10.0)

    async def _deliver(self, link: Link, item: Item) -> None:
        """Send one report; what the connection swallows is next again."""
        message = self._dialect.encode(item.report, self.identity)
        if message is None:
            item.settle(None)
            return
        delivered = False
        try:
            answer = await link.call(*message)
            delivered = True
            self._heed(item.report, answer)
            item.settle(answer)
        except CallFailed as failed:
            delivered = True
            self.tally.call_errors += 1
            self.tally.problem(f"{message[0]}: {failed}")
            item.settle(None)
        except TimeoutError:
            item.attempts += 1
            delivered = item.attempts >= ATTEMPTS
            self.tally.timeouts += 1
            self.tally.problem(f"{message[0]}: no answer")
        finally:
            if not delivered and item.report.durable:
                self._outbox.put_back(item)
            else:
                item.settle(None)

    def _heed(self, report: r.Report, answer: dict[str, Any]) -> None:
        """What the answer to a start means for its session."""
        if isinstance(report, r.Started):
            number = answer.get("transactionId")
            report.session.number = number if isinstance(number, int) else None
        if isinstance(report, r.Started | r.Metered) and not self.accepts(answer):
            plug = self.plugs[report.session.plug]
            if plug.session is report.session:
                plug.stop("DeAuthorized")

    def _answer(self, action: str, payload: dict[str, Any]) -> Any:
        handle = self._answers.get(action)
        if handle is None:
            raise Refused("NotImplemented", f"{action} is not supported")
        return handle(self, payload)

    # -- what goes wrong

    async def _run_job(self, name: str, job: Coroutine[Any, Any, None]) -> None:
        try:
            await job
        finally:
            self._jobs.discard(name)

    async def _break_down_now_and_then(self) -> None:
        per_s = self.scenario.faults_per_charge_point_day / 86_400.0
        while per_s > 0.0:
            await self.pace.sleep(self._rng.expovariate(per_s))
            plug = self._rng.choice(list(self.plugs.values()))
            await plug.break_down(self._rng.choice(FAULTS), self._rng.expovariate(1.0 / self.scenario.fault_s))

    async def _flap(self, plug: Plug) -> None:
        while True:
            await self.pace.sleep(self._rng.uniform(10.0, 40.0))
            await plug.break_down(_FLAPPING_FAULT, self._rng.uniform(5.0, 20.0))

    def _remember_yesterday(self) -> None:
        """Two sessions that could not be told when they happened."""
        plug = self.plugs[1]
        for hours in (20, 9):
            began, before_wh = self.now() - timedelta(hours=hours), plug.register_wh
            session = r.Session(1, f"late-{self.plan.serial_number}-{hours}", "04A0FFFF", round(before_wh), None)
            for minutes, share in ((0, 0.0), (15, 0.4), (30, 0.75), (45, 1.0)):
                plug.register_wh = before_wh + 9000.0 * share
                sample = r.Sample(
                    at=began + timedelta(minutes=minutes),
                    context={0: "Transaction.Begin", 45: "Transaction.End"}.get(minutes, "Sample.Periodic"),
                    register_wh=plug.register_wh,
                )
                seq_no = session.next_seq_no()
                if minutes == 0:
                    self.say(r.Started(session=session, sample=sample, seq_no=seq_no, offline=True))
                elif minutes < 45:
                    self.say(r.Metered(session=session, sample=sample, seq_no=seq_no, offline=True))
                else:
                    self.say(r.Stopped(session=session, sample=sample, seq_no=seq_no, reason="Local", offline=True))


def _dialect(protocol: str) -> Dialect:
    return Dialect16() if protocol == "ocpp1.6" else Dialect2x(cast(Literal["ocpp2.0.1", "ocpp2.1"], protocol))
