"""A small network whose faults are known, told as facts: what boards must show is asserted against these sentences.

At the end of six hours: all three charge points of `old-mill` are offline for two hours; connector 1 of NG-2 at `north.gate` is
faulted (GroundFailure, E7) for fifty minutes; RR-3 at `ring-road` has booted six times in the last hour; every tenth, fourth and
seventh attempt at a Wallbe Eco 2 gave nothing (30 %), and one in fifty elsewhere; five connectors are held in the rarer statuses.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from chargenet import events as e
from chargenet.events import Event, Fact
from chargenet.model import measurement as m
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.measurement import Measurement
from chargenet.model.words import ConnectorStatus as S

END = datetime(2026, 3, 10, 18, 0, tzinfo=UTC)
STEP_S = 60
STEPS = 360
SCRAPE_EVERY = 2
"""Steps between two scrapes."""
SCRAPE_S = float(STEP_S * SCRAPE_EVERY)
OFFLINE_FOR = 120
FAULTED_FOR = 50
FAULTED = ("north.gate", "NG-2", "1")
REBOOTING = ("ring-road", "RR-3")
SHAKY_MODEL = ("Wallbe", "Eco 2")
HELD = {
    ("MA-1", "1"): S.RESERVED, ("MA-1", "2"): S.UNAVAILABLE, ("MA-2", "1"): S.SUSPENDED_EVSE, ("MA-2", "2"): S.PREPARING,
    ("MA-3", "1"): S.FINISHING, ("MA-3", "2"): S.OCCUPIED, ("MA-4", "1"): S.SUSPENDED_EV,
}  # fmt: skip
"""(charge point, connector) → the status in which it is held."""

SITES = {
    "harbour": ("HA", 6), "old-mill": ("OM", 3), "north.gate": ("NG", 4), "airport": ("AI", 8), "mall": ("MA", 5),
    "ring-road": ("RR", 4), "stadium": ("ST", 5), "university": ("UN", 6), "depot": ("DE", 7), "hospital": ("HO", 3),
}  # fmt: skip
"""Site → prefix of its charge points, and how many."""
MODELS = (
    ("Alfen", "Eve Double", "6.5.0", 22_000.0), ("ABB", "Terra 184", "1.8.3", 150_000.0), ("Wallbe", "Eco 2", "3.1", 11_000.0),
    ("Alpitronic", "HYC 300", "2.5.1", 240_000.0), ("Alfen", "Eve Double", "6.4.2", 22_000.0),
)  # fmt: skip
SHARE_BUSY = {"airport": 0.75, "harbour": 0.6, "stadium": 0.5, "hospital": 0.55}


@dataclass
class Plug:
    """One connector and what goes on there."""

    ref: ConnectorRef
    power_w: float
    busy: float
    status: str = ""
    left: int = 0
    register_wh: float = 0.0
    soc: float = 0.0
    transaction: str = ""
    fails: bool = False
    length: int = 0


@dataclass
class Box:
    """One charge point."""

    site: str
    name: str
    vendor: str
    model: str
    firmware: str
    protocol: str
    plugs: list[Plug]
    connected: bool = False
    generation: int = 0


@dataclass
class Attempts:
    """What has ended so far, by site, vendor, model and firmware: [served, failed]."""

    ended: dict[tuple[str, str, str, str], list[int]] = field(default_factory=dict)
    energy_wh: dict[str, float] = field(default_factory=dict)


class SeededNetwork:
    """`steps()` gives (instant, facts of that minute). `calm`: the same network on a day without faults."""

    def __init__(self, end: datetime = END, seed: int = 7, *, calm: bool = False) -> None:
        self.start = end - timedelta(seconds=STEP_S * STEPS)
        self.calm = calm
        self.attempts = Attempts()
        self._random = random.Random(seed)
        self._tried = {True: 0, False: 0}
        self._sequence = 0
        self.boxes = list(self._make())
        self.site_of = {box.name: box.site for box in self.boxes}

    def _make(self) -> Iterator[Box]:
        number = 0
        for site, (prefix, count) in SITES.items():
            for index in range(1, count + 1):
                vendor, model, firmware, power = MODELS[number % len(MODELS)]
                plugs = [Plug(ConnectorRef(each), power, SHARE_BUSY.get(site, 0.4)) for each in (1, 2)]
                for plug in plugs:
                    plug.register_wh = float(self._random.randrange(1_000_000, 40_000_000))
                protocol = "ocpp2.0.1" if vendor == "Alpitronic" else "ocpp1.6"
                yield Box(site, f"{prefix}-{index}", vendor, model, firmware, protocol, plugs)
                number += 1

    def steps(self) -> Iterator[tuple[datetime, list[Fact]]]:
        """Every minute, in order, ending at `end`."""
        for step in range(STEPS + 1):
            at = self.start + timedelta(seconds=STEP_S * step)
            yield at, [fact for box in self.boxes for fact in self._minute(box, step, at)]

    def _minute(self, box: Box, step: int, at: datetime) -> Iterator[Fact]:
        offline = not self.calm and box.site == "old-mill" and step > STEPS - OFFLINE_FOR
        if offline:
            if box.connected:
                box.connected = False
                yield self._fact(box, at, "", e.ConnectionClosed(code=1006, reason="no pong", lost=True))
            return
        if not box.connected:
            yield from self._connect(box, at)
        rebooted = not self.calm and box.name == REBOOTING[1] and step > STEPS - 60 and step % 10 == 0
        if rebooted:
            yield self._fact(box, at, "", e.ConnectionClosed(code=1006, reason="reset", lost=True))
            yield from self._connect(box, at)
        if box.name == "HO-2" and step == STEPS - 90 and not self.calm:
            yield self._fact(
                box, at, "SecurityEventNotification", e.SecurityEventReported(type="TamperDetectionActivated", occurred_at=at)
            )
        if box.name == "HO-2" and step in (10, STEPS - 90) and not self.calm:
            yield self._fact(box, at, "", e.DiagnosticsUploaded(file_id="f1", name="log.zip", size_bytes=1, sha256="00"))
        for plug in box.plugs:
            yield from self._plug(box, plug, step, at)

    def _connect(self, box: Box, at: datetime) -> Iterator[Fact]:
        box.connected, box.generation = True, box.generation + 1
        yield self._fact(box, at, "", e.ConnectionOpened(remote="198.51.100.7:4711", security_profile=2))
        booted = e.ChargePointBooted(
            vendor=box.vendor, model=box.model, serial_number=box.name, firmware_version=box.firmware, registration="Accepted"
        )
        yield self._fact(box, at, "BootNotification", booted)
        for plug in box.plugs:
            yield self._say(box, plug, plug.status or S.AVAILABLE, at)

    def _plug(self, box: Box, plug: Plug, step: int, at: datetime) -> Iterator[Fact]:
        held = None if self.calm else HELD.get((box.name, plug.ref.label))
        if held is not None:
            if plug.status != held:
                yield self._say(box, plug, held, at)
            return
        if not self.calm and (box.name, plug.ref.label) == FAULTED[1:] and step >= STEPS - FAULTED_FOR:
            if plug.status != S.FAULTED:
                yield from self._end(box, plug, at, "EmergencyStop")
                yield self._say(box, plug, S.FAULTED, at, "GroundFailure", "E7")
            return
        if box.name == "HA-1" and plug.ref.evse_id == 1 and not plug.transaction and step > STEPS - 90 and not self.calm:
            plug.left = 0
            plug.status = S.PREPARING
        yield from self._drive(box, plug, at)

    def _drive(self, box: Box, plug: Plug, at: datetime) -> Iterator[Fact]:
        plug.left -= 1
        if plug.status == S.CHARGING and plug.left > 0:
            yield self._measure(box, plug, at)
        elif plug.status == S.CHARGING:
            yield from self._end(box, plug, at, "EVDisconnected")
            yield self._say(box, plug, S.FINISHING, at)
        elif plug.status == S.PREPARING:
            yield from self._begin(box, plug, at)
        elif plug.left <= 0 and self._random.random() < plug.busy / 12:
            yield self._say(box, plug, S.PREPARING, at)
        elif plug.status == S.FINISHING:
            yield self._say(box, plug, S.AVAILABLE, at)

    def _begin(self, box: Box, plug: Plug, at: datetime) -> Iterator[Fact]:
        shaky = (box.vendor, box.model) == SHAKY_MODEL
        self._tried[shaky] += 1
        tried = self._tried[shaky]
        plug.fails = tried % 10 in (0, 4, 7) if shaky else tried % 50 == 0
        long_running = box.name == "HA-1" and plug.ref.evse_id == 1
        plug.length = plug.left = 2 if plug.fails else 200 if long_running else self._random.randrange(18, 70)
        plug.soc = float(self._random.randrange(10, 45))
        plug.transaction = f"{box.name}-{self._sequence}"
        token = IdToken(f"TAG{self._random.randrange(500)}")
        yield self._fact(box, at, "Authorize", e.TokenPresented(id_token=token, token_status="Accepted"))
        started = e.TransactionStarted(
            transaction_id=plug.transaction, connector=plug.ref, started_at=at, energy_register_wh=round(plug.register_wh),
            id_token=token, token_status="Accepted",
        )  # fmt: skip
        yield self._fact(box, at, "StartTransaction", started)
        yield self._say(box, plug, S.CHARGING, at)

    def _end(self, box: Box, plug: Plug, at: datetime, reason: str) -> Iterator[Fact]:
        if not plug.transaction:
            return
        stopped = e.TransactionStopped(
            transaction_id=plug.transaction,
            connector=plug.ref,
            stopped_at=at,
            energy_register_wh=round(plug.register_wh),
            reason=reason,
        )
        plug.transaction = ""
        self.attempts.ended.setdefault((box.site, box.vendor, box.model, box.firmware), [0, 0])[plug.fails] += 1
        yield self._fact(box, at, "StopTransaction", stopped)

    def _measure(self, box: Box, plug: Plug, at: datetime) -> Fact:
        through = 1 - plug.left / plug.length
        dc = plug.power_w > 50_000
        taper = 1.0 if through < 0.55 or not dc else max(0.15, 1.9 - 1.6 * through)
        power = 0.0 if plug.fails else plug.power_w * taper * (0.5 if dc else 0.94) * (1 + self._random.uniform(-0.02, 0.02))
        plug.register_wh += power * STEP_S / 3600
        self.attempts.energy_wh[box.site] = self.attempts.energy_wh.get(box.site, 0.0) + power * STEP_S / 3600
        plug.soc = min(100.0, plug.soc + power * STEP_S / 3600 / 700)
        warm = 22 + 26 * min(1.0, power / max(plug.power_w, 1)) + (24 if box.name == "NG-2" else 0)
        voltage = 400.0 if dc else 231.0
        values = [
            Measurement(m.POWER, round(power, 1), "W"), Measurement(m.POWER_OFFERED, plug.power_w * (0.5 if dc else 1.0), "W"),
            Measurement(m.ENERGY_REGISTER, round(plug.register_wh, 1), "Wh"), Measurement(m.TEMPERATURE, round(warm, 1), "Celsius"),
            *(Measurement(m.CURRENT, round(power / voltage / 3, 2), "A", phase) for phase in ("L1", "L2", "L3")),
            Measurement(m.VOLTAGE, round(voltage + self._random.uniform(-2, 2), 1), "V", "L1-N"),
        ]  # fmt: skip
        if dc:
            values.append(Measurement(m.SOC, round(plug.soc, 1), "Percent", None, "EV"))
        taken = e.MeasurementsTaken(connector=plug.ref, transaction_id=plug.transaction, measured_at=at, measurements=tuple(values))
        return self._fact(box, at, "MeterValues", taken)

    def _say(
        self, box: Box, plug: Plug, status: str, at: datetime, error: str | None = None, vendor_error: str | None = None
    ) -> Fact:
        plug.status = status
        said = e.StatusReported(
            connector=plug.ref,
            status=status,
            raw_status=status,
            error_code=error or "NoError",
            vendor_error_code=vendor_error,
            reported_at=at,
        )
        return self._fact(box, at, "StatusNotification", said)

    def _fact(self, box: Box, at: datetime, action: str, event: Event) -> Fact:
        self._sequence += 1
        return Fact(self._sequence, at, box.name, box.generation, box.protocol, action, (event,))
