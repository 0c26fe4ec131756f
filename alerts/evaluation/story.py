"""Sessions told as a charge point tells them. Decided here: which reports a session makes, and how the register and power run.

A file of sessions has no frames. Each becomes Preparing, a start, Charging, readings of register and power every five minutes,
the car's SuspendedEV once it has its energy (at the pace of its overlay), a stop, Finishing and Available. A session that gave
nothing is told as the car's doing: the file does not say whose it was, and no fault is injected by it. `Wrong` is what a broken
one does instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from alerts.evaluation.overlay import could_take, offered_w
from alerts.evaluation.sessions import Session
from chargenet import events as e
from chargenet.events import Event, Fact
from chargenet.model.ids import ConnectorRef
from chargenet.model.measurement import ENERGY_REGISTER, POWER, Measurement

READING_S = 300.0
FIRST_REGISTER_WH = 1_000_000.0
BREAKS_S = 2 * READING_S
"""How long a transaction goes well before it does not."""
STEP_WH = 500_000.0
"""A jump of the register, and how far one falls."""


class Wrong(StrEnum):
    """What a broken connector does in a transaction."""

    NOTHING_FLOWS = "nothing flows"
    REGISTER_FALLS = "register falls"
    REGISTER_STANDS = "register stands"
    REGISTER_JUMPS = "register jumps"
    HOLDS_BACK = "holds back"
    NEVER_STOPS = "never stops"
    SAYS_AVAILABLE = "says available"
    STAYS_FINISHING = "stays finishing"


class Told(msgspec.Struct, frozen=True):
    """Events of one frame, and when it comes (UTC seconds)."""

    at: float
    events: tuple[Event, ...]


def opened(at: float, model: str, firmware: str = "1.0") -> list[Told]:
    """A connection and its boot."""
    boot = e.ChargePointBooted(vendor="", model=model, serial_number=None, firmware_version=firmware, registration="Accepted")
    return [Told(at, (e.ConnectionOpened(remote="192.0.2.1"),)), Told(at + 1.0, (boot,))]


def status(at: float, connector: ConnectorRef, word: str, error_code: str | None = None) -> Told:
    """A StatusNotification."""
    return Told(at, (e.StatusReported(connector=connector, status=word, raw_status=word, error_code=error_code),))


def told(
    number: int, session: Session, connector: ConnectorRef, register_wh: float, seed: int, wrong: Wrong | None = None
) -> list[Told]:
    """One session. register_wh: where the meter stands as it begins."""
    flow = _flow(number, session, seed, wrong)
    began, transaction_id = session.began, str(number)
    start = e.TransactionStarted(
        transaction_id=transaction_id, connector=connector, started_at=_at(began), energy_register_wh=round(register_wh)
    )
    made = [status(began - 20.0, connector, "Preparing"), Told(began, (start,)), *_statuses(began, flow, connector, wrong)]
    for number_of in range(1, int(flow.lasts_s // READING_S) + 1):
        flown, now_w = flow.at(number_of * READING_S)
        shown = register_wh + _shown(flown, number_of, wrong)
        made.append(_reading(began + number_of * READING_S, connector, transaction_id, shown, now_w))
    if wrong in (Wrong.NEVER_STOPS, Wrong.SAYS_AVAILABLE):
        return made
    ended = began + flow.lasts_s
    stop = e.TransactionStopped(
        transaction_id=transaction_id,
        connector=connector,
        stopped_at=_at(ended),
        energy_register_wh=round(register_wh + _shown(flow.at(flow.lasts_s)[0], 99, wrong)),
    )
    made += [Told(ended, (stop,)), status(ended + 1.0, connector, "Finishing")]
    return made if wrong is Wrong.STAYS_FINISHING else [*made, status(ended + 30.0, connector, "Available")]


class _Flow(msgspec.Struct, frozen=True):
    """Full power for a while, then nothing until the end."""

    power_w: float
    flows_s: float
    lasts_s: float

    def at(self, after_s: float) -> tuple[float, float]:
        """(Wh so far, W now) so long after the begin."""
        return self.power_w * min(after_s, self.flows_s) / 3600.0, self.power_w if after_s < self.flows_s else 0.0


def _flow(number: int, session: Session, seed: int, wrong: Wrong | None) -> _Flow:
    lasts = max(session.ended - session.began, 60.0)
    if wrong is Wrong.NEVER_STOPS:
        lasts = 5 * 86_400.0
    elif wrong is Wrong.HOLDS_BACK:
        lasts = max(lasts, 12 * 3600.0)
    if wrong is Wrong.NOTHING_FLOWS or not session.energy_wh:
        return _Flow(0.0, 0.0, lasts)
    offer, _ = offered_w(session.model, session.connector)
    full_w = max(could_take(session, number, seed) * offer, 1000.0)
    power_w = max(full_w, session.energy_wh * 3600.0 / max(lasts - 60.0, 60.0))
    flows = session.energy_wh * 3600.0 / power_w
    return _Flow(power_w, min(flows, BREAKS_S) if wrong is Wrong.HOLDS_BACK else flows, lasts)


def _statuses(began: float, flow: _Flow, connector: ConnectorRef, wrong: Wrong | None) -> list[Told]:
    """What the connector says of itself between start and stop."""
    charging = status(began + 5.0, connector, "Charging")
    if wrong is Wrong.NOTHING_FLOWS:
        return [charging]
    if wrong is Wrong.HOLDS_BACK:
        return [charging, status(began + flow.flows_s + 1.0, connector, "SuspendedEVSE")]
    if wrong is Wrong.SAYS_AVAILABLE:
        return [charging, status(began + BREAKS_S + 1.0, connector, "Available")]
    if not flow.power_w:
        return [status(began + 5.0, connector, "SuspendedEV")]
    if flow.flows_s < flow.lasts_s - 60.0:
        return [charging, status(began + flow.flows_s + 1.0, connector, "SuspendedEV")]
    return [charging]


def _shown(flown_wh: float, reading: int, wrong: Wrong | None) -> float:
    """What the register shows of what has flown since the begin."""
    if wrong is Wrong.REGISTER_STANDS:
        return 0.0
    if wrong is Wrong.REGISTER_JUMPS and reading >= 3:
        return flown_wh + STEP_WH
    if wrong is Wrong.REGISTER_FALLS and reading >= 3:
        return flown_wh - STEP_WH
    return flown_wh


def _reading(at: float, connector: ConnectorRef, transaction_id: str, register_wh: float, power_w: float) -> Told:
    values = (
        Measurement(measurand=ENERGY_REGISTER, value=float(round(register_wh)), unit="Wh"),
        Measurement(measurand=POWER, value=round(power_w, 1), unit="W"),
    )
    taken = e.MeasurementsTaken(connector=connector, transaction_id=transaction_id, measured_at=_at(at), measurements=values)
    return Told(at, (taken,))


def day_to_day(sessions: Sequence[tuple[int, Session]], seed: int) -> list[Told]:
    """All sessions of one charge point, of any connectors; one that begins before the one before ended waits for it."""
    made: list[Told] = []
    registers: dict[str, float] = {}
    free: dict[str, float] = {}
    for number, session in sorted(sessions, key=lambda each: each[1].began):
        label = session.connector
        began = max(session.began, free.get(label, 0.0) + 60.0)
        plain = msgspec.structs.replace(session, began=began, ended=max(session.ended, began + 60.0))
        register = registers.setdefault(label, FIRST_REGISTER_WH)
        made += told(number, plain, reference(label), register, seed)
        registers[label] = register + (session.energy_wh or 0.0)
        free[label] = plain.ended
    return made


def behind(each: Told, seconds: float) -> Told:
    """The same report by a clock that is slow."""
    return Told(each.at, tuple(_behind(event, seconds) for event in each.events))


def _behind(event: Event, seconds: float) -> Event:
    late = timedelta(seconds=seconds)
    if isinstance(event, e.MeasurementsTaken) and event.measured_at is not None:
        return msgspec.structs.replace(event, measured_at=event.measured_at - late)
    if isinstance(event, e.TransactionStarted) and event.started_at is not None:
        return msgspec.structs.replace(event, started_at=event.started_at - late)
    if isinstance(event, e.TransactionStopped) and event.stopped_at is not None:
        return msgspec.structs.replace(event, stopped_at=event.stopped_at - late)
    return event


def reference(label: str) -> ConnectorRef:
    """The connector of a session file; names that are no number stand for the first."""
    return ConnectorRef(int(label)) if label.isdigit() and int(label) > 0 else ConnectorRef(1)


def facts(charge_point_id: str, story: Iterable[Told]) -> list[Fact]:
    """As the journal would hold them, numbered in order of time."""
    ordered = sorted(story, key=lambda each: each.at)
    return [
        Fact(
            sequence=number,
            received_at=_at(each.at),
            charge_point_id=charge_point_id,
            generation=1,
            protocol="ocpp1.6",
            action="",
            events=each.events,
        )
        for number, each in enumerate(ordered, start=1)
    ]


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
