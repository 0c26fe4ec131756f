"""One connector and the people who use it. Decided here: when a car comes, what it draws, and when its driver leaves."""

from __future__ import annotations

import asyncio
import random
import uuid
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from simulator.pace import Pace
from simulator.physics import Car, Electrical, arriving_car, electrical, wanted_power_w, warmed
from simulator.reports import Asked, Clocked, Metered, Problem, Report, Sample, Session, Started, Status, Stopped
from simulator.scenario import Model, Scenario
from simulator.tally import Statistics

LOOKS_FREE = 6.0
MIN_INTERVAL_S = 1.0
"""However fast the network lives, a connector meters at most once a real second."""


class Fault(NamedTuple):
    """`code` in the words of 1.6, `vendor_code` as the vendor (or MREC) numbers it."""

    code: str
    vendor_code: str
    text: str


FAULTS = (
    Fault("ConnectorLockFailure", "CX001", "connector lock does not close"),
    Fault("GroundFailure", "CX002", "residual current"),
    Fault("HighTemperature", "CX003", "derated, then stopped: 92 degrees"),
    Fault("OverCurrentFailure", "CX004", "over current on L2"),
    Fault("EVCommunicationError", "CX011", "no pilot answer"),
    Fault("PowerMeterFailure", "E-117", "meter does not answer"),
    Fault("OtherError", "E-300", "watchdog of the power module"),
)


class Owner(Protocol):
    """What a connector needs of its charge point."""

    model: Model
    scenario: Scenario
    pace: Pace
    tally: Statistics
    meter_interval_s: float

    @property
    def online(self) -> bool: ...
    def now(self) -> datetime: ...
    def say(self, report: Report) -> None: ...
    async def ask(self, report: Report) -> dict[str, Any] | None: ...
    def accepts(self, answer: dict[str, Any] | None) -> bool: ...
    def fails_session(self) -> bool: ...


class Plug:
    """Connector `number`. `delivers` False: a silent one, that starts sessions and gives no energy.

    People decide by `rng`, meters tremble by `noise`: who comes with which car does not hang on how often a meter is read.
    """

    def __init__(self, owner: Owner, number: int, rng: random.Random, noise: random.Random, *, delivers: bool = True) -> None:
        self.number, self.delivers = number, delivers
        self._owner, self._rng, self._noise = owner, rng, noise
        self.direct = owner.model.current == "DC"
        self.register_wh = float(rng.randrange(50_000, 60_000_000))
        self.session: Session | None = None
        self.operative = True
        self.fault: Fault | None = None
        self._state = "Available"
        self._shown = ""
        self._temperature_c = 19.0
        self._stop_reason: str | None = None
        self._remote: tuple[str, int] | None = None
        self._woken = asyncio.Event()

    # -- what the charge point and the server do with it

    @property
    def status(self) -> str:
        """What it says of itself, in the words of 1.6."""
        if self.fault is not None:
            return "Faulted"
        return "Unavailable" if not self.operative and self.session is None else self._state

    def show(self, *, again: bool = False) -> None:
        """Report the status when it changed, or `again` when it must be said anyway."""
        if again or self.status != self._shown:
            self._shown = self.status
            fault = self.fault or Fault("NoError", "", "")
            report = Status(
                plug=self.number,
                status=self.status,
                at=self._owner.now(),
                error_code=fault.code,
                vendor_code=fault.vendor_code or None,
                info=fault.text or None,
            )
            self._owner.say(report)

    def stop(self, reason: str) -> bool:
        """End the session; False when there is none."""
        if self.session is None:
            return False
        self._stop_reason = reason
        self._woken.set()
        return True

    def start_remotely(self, token: str, remote_start_id: int) -> bool:
        """The server wants a session; False when there cannot be one."""
        if self.status != "Available" or self._remote is not None:
            return False
        self._remote = (token, remote_start_id)
        self._woken.set()
        return True

    def set_operative(self, operative: bool) -> bool:
        """In or out of service; False when that waits for the end of the session."""
        self.operative = operative
        self._woken.set()
        self.show()
        return operative or self.session is None

    async def break_down(self, fault: Fault, seconds: float) -> None:
        """A fault, for this long; a session ends with it."""
        if self.fault is not None:
            return
        self.fault = fault
        self.stop("Other")
        self._announce(fault, active=True)
        try:
            await self._owner.pace.sleep(seconds)
        finally:
            self.fault = None
        self._announce(fault, active=False)

    def sample(self, context: str, electricity: Electrical | None = None, soc_ratio: float | None = None) -> Sample:
        """The meter now."""
        return Sample(
            at=self._owner.now(),
            context=context,
            register_wh=self.register_wh,
            electrical=electricity,
            soc_percent=soc_ratio * 100 if soc_ratio is not None and self.direct else None,
            temperature_c=self._temperature_c,
        )

    def meter_now(self) -> None:
        """The server asked for a reading."""
        if self.session is None:
            self._owner.say(Clocked(plug=self.number, sample=self.sample("Trigger")))
        else:
            self._metered(self.session, self.sample("Trigger"), trigger="Trigger")

    # -- the people

    async def live(self) -> None:
        """Serve customers for ever."""
        scenario = self._owner.scenario
        if self._rng.random() < scenario.busy_share:
            await self._owner.pace.sleep(self._rng.uniform(0.0, 30.0))
            await self._serve(self._driver(), None)
        while True:
            wait_s = self._owner.pace.real(self._rng.expovariate(self._visits_per_hour / 3600.0))
            arrived = self._remote is None and not await self._pause(wait_s)
            remote, self._remote = self._remote, None
            if self.fault is not None or not self.operative:
                continue
            if remote is not None:
                await self._serve(*remote)
            elif arrived:
                await self._serve(self._driver(), None)

    @property
    def _visits_per_hour(self) -> float:
        """A plug that gives nothing is always free, and so the one that the next driver tries."""
        return self._owner.scenario.sessions_per_connector_hour * (1.0 if self.delivers else LOOKS_FREE)

    async def _serve(self, token: str, remote_start_id: int | None) -> None:
        self._become("Preparing")
        await self._owner.pace.sleep(self._rng.uniform(3.0, 15.0))
        if remote_start_id is None:
            answer = await self._owner.ask(Asked(token=token))
            if answer is not None and not self._owner.accepts(answer):
                self._become("Available")
                return
        if self.fault is None and self.operative:
            await self._charge(token, remote_start_id)
            self._become("Finishing")
            await self._owner.pace.sleep(self._rng.uniform(5.0, 40.0))
        self._become("Available")

    async def _charge(self, token: str, remote_start_id: int | None) -> None:
        owner = self._owner
        transaction_id = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        session = Session(self.number, transaction_id, token, round(self.register_wh), remote_start_id)
        self.session, self._stop_reason = session, None
        owner.tally.sessions += 1
        owner.tally.sessions_started += 1
        owner.say(
            Started(
                session=session,
                sample=self.sample("Transaction.Begin"),
                seq_no=session.next_seq_no(),
                offline=not owner.online,
            )
        )
        reason = await self._draw(session)
        self.session = None
        owner.tally.sessions -= 1
        owner.tally.sessions_stopped += 1
        sample = self.sample("Transaction.End")
        owner.say(Stopped(session=session, sample=sample, seq_no=session.next_seq_no(), reason=reason, offline=not owner.online))

    async def _draw(self, session: Session) -> str:
        """Charge until the driver leaves or somebody stops it; the reason of 1.6."""
        car = arriving_car(self._rng, direct=self.direct, station_w=self._owner.model.power_kw * 1e3, speed=self._owner.pace.speed)
        soc, leaves_in_s = car.soc_ratio, None
        delivers = self.delivers and not self._owner.fails_session()
        if not delivers:
            leaves_in_s = self._rng.uniform(60.0, 150.0)
        while True:
            power_w = self._power(car, soc) if delivers and soc < car.target_ratio else 0.0
            self._become("Charging" if soc < car.target_ratio else "SuspendedEV")
            seconds = await self._interval()
            soc = self._take_up(car, soc, power_w, seconds)
            if self._stop_reason is not None:
                return self._stop_reason
            if soc >= car.target_ratio and leaves_in_s is None:
                leaves_in_s = self._rng.expovariate(1.0 / max(1.0, self._owner.scenario.dwell_after_full_s))
            if leaves_in_s is not None:
                leaves_in_s -= seconds * self._owner.pace.speed
                if leaves_in_s <= 0.0:
                    return self._rng.choice(("EVDisconnected", "Local"))
            reading = electrical(car, soc, power_w, self._noise, direct=self.direct, phases=self._owner.model.phases)
            state = "Charging" if power_w > 0.0 else "SuspendedEV"
            self._metered(session, self.sample("Sample.Periodic", reading, soc), charging_state=state)

    async def _interval(self) -> float:
        """Wait until the next reading is due or something happens; the real seconds that passed."""
        clock = self._owner.pace.clock
        before = clock.monotonic()
        await self._pause(max(MIN_INTERVAL_S, self._owner.pace.real(self._owner.meter_interval_s)))
        return clock.monotonic() - before

    def _power(self, car: Car, soc: float) -> float:
        return max(0.0, wanted_power_w(car, soc, direct=self.direct) * self._noise.gauss(0.985, 0.008))

    def _take_up(self, car: Car, soc: float, power_w: float, seconds: float) -> float:
        """The register and the temperature after `seconds` at this power; gives the new state of charge."""
        energy_wh = power_w * seconds / 3600.0
        self.register_wh += energy_wh
        self._owner.tally.energy_wh += energy_wh
        load = power_w / (self._owner.model.power_kw * 1e3)
        self._temperature_c = warmed(self._temperature_c, load, seconds * self._owner.pace.speed)
        return min(1.0, soc + 0.93 * energy_wh / car.battery_wh)

    def _metered(
        self, session: Session, sample: Sample, *, trigger: str = "MeterValuePeriodic", charging_state: str = "Charging"
    ) -> None:
        self._owner.say(
            Metered(
                session=session,
                sample=sample,
                seq_no=session.next_seq_no(),
                trigger=trigger,
                charging_state=charging_state,
                offline=not self._owner.online,
            )
        )

    def _driver(self) -> str:
        return f"{0x04A0_0000 + self._rng.randrange(self._owner.scenario.drivers):08X}"

    def _become(self, state: str) -> None:
        self._state = state
        self.show()

    def _announce(self, fault: Fault, *, active: bool) -> None:
        self.show()
        self._owner.say(
            Problem(plug=self.number, at=self._owner.now(), active=active, code=fault.vendor_code, text=fault.text)
        )

    async def _pause(self, seconds: float) -> bool:
        """Sleep, unless woken: then True, at once."""
        self._woken.clear()
        if self._stop_reason is not None and self.session is not None:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True
