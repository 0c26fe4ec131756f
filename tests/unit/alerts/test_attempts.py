"""Facts of one charge point become attempts to charge: what is one, which failed, and that bounds and orders hold."""

from __future__ import annotations

import pytest

from alerts.attempt_fold import MAX_ENDED, MAX_OPEN, AttemptFold
from alerts.attempts import LIMITS, Attempt, Failure, failure_of
from chargenet import events as e
from chargenet.events import Event, Fact
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.measurement import POWER, POWER_OFFERED, SOC, TEMPERATURE, Measurement
from tests.support.facts import at
from tests.support.tale import began, ended, read, said


class Told:
    """Facts of one charge point, one a call, and the attempts that they finished."""

    def __init__(self, fold: AttemptFold | None = None) -> None:
        self.fold = fold or AttemptFold("CP1")
        self.attempts: list[Attempt] = []
        self.sequence = 0

    def tell(self, seconds: float, *events: Event) -> list[Attempt]:
        """One frame."""
        self.sequence += 1
        finished = self.fold.apply(Fact(self.sequence, at(seconds), "CP1", 1, "ocpp1.6", "Any", events))
        self.attempts += finished
        return finished


def token(status: str = "Accepted") -> Event:
    return e.TokenPresented(id_token=IdToken("04AA"), token_status=status)


def watts(power: float, offered: float, *, soc: float | None = None, celsius: float | None = None) -> Event:
    values = ((POWER, power, "W"), (POWER_OFFERED, offered, "W"), (SOC, soc, "Percent"), (TEMPERATURE, celsius, "Celsius"))
    return e.MeasurementsTaken(
        connector=ConnectorRef(1),
        transaction_id="1",
        measured_at=None,
        measurements=tuple(
            Measurement(measurand=name, value=value, unit=unit) for name, value, unit in values if value is not None
        ),
    )


def test_a_transaction_with_energy_served_its_driver() -> None:
    """Energy is the last register minus the first; the records are its evidence; the driver is a hash."""
    told = Told()
    told.tell(0, began("1", register_wh=1000, id_token=IdToken("04AA"), token_status="Accepted"))
    told.tell(60, read(1000, 7000))
    told.tell(3600, read(8000, 7000))
    [attempt] = told.tell(3700, ended("1", register_wh=8200))
    assert (attempt.energy_wh, attempt.failure, attempt.judged, attempt.sequences) == (7200, None, True, (1, 4))
    assert attempt.token == IdToken("04AA").hashed and attempt.token != "04AA" and attempt.authorized is True


@pytest.mark.parametrize(
    ("energy_wh", "faulted", "failure"),
    [
        (0, False, Failure.NO_ENERGY),
        (100, False, Failure.NO_ENERGY),
        (101, False, Failure.LITTLE_ENERGY),
        (501, False, None),
        (400, True, Failure.FAULT),
        (12_000, True, None),
        (None, False, None),
        (None, True, Failure.FAULT),
    ],
)
def test_why_an_attempt_failed(energy_wh: float | None, faulted: bool, failure: str | None) -> None:
    """Bounds are inclusive; a fault after a real charge is no failed attempt; unknown energy is no opinion."""
    assert failure_of(authorized=True, started=True, faulted=faulted, energy_wh=energy_wh) == failure


def test_a_faster_network_has_smaller_batteries() -> None:
    """At ten times the speed 60 Wh are a charge, and 10 Wh are none."""
    limits = LIMITS.faster(10)
    known = {"authorized": True, "started": True, "faulted": False, "limits": limits}
    assert failure_of(energy_wh=60, **known) is None  # type: ignore[arg-type]  # keywords as a dict
    assert failure_of(energy_wh=10, **known) == Failure.NO_ENERGY  # type: ignore[arg-type]  # the same
    assert limits.ramp_s == LIMITS.ramp_s / 10


def test_a_refused_token_says_nothing_about_the_connector() -> None:
    """It failed, and is not judged."""
    assert failure_of(authorized=False, started=True, faulted=True, energy_wh=0) == Failure.REJECTED


def test_plugged_in_with_a_token_and_nothing_began() -> None:
    """The driver waited and left: a failed attempt. Who only parks, or leaves at once, is none."""
    told = Told()
    told.tell(0, said("Preparing"))
    told.tell(10, token())
    [attempt] = told.tell(100, said("Available"))
    assert (attempt.failure, attempt.started, attempt.sequences) == (Failure.NOT_STARTED, False, (1, 2, 3))
    told.tell(200, said("Preparing"))
    assert told.tell(900, said("Available")) == []
    told.tell(1000, said("Preparing"))
    told.tell(1005, token())
    assert told.tell(1010, said("Available")) == []


def test_a_stop_that_comes_first_waits_for_its_start() -> None:
    """Queues of charge points turn the order round; a repeat changes nothing."""
    told = Told()
    assert told.tell(10, ended("7", register_wh=5000)) == []
    [attempt] = told.tell(11, began("7", register_wh=1000))
    assert attempt.energy_wh == 4000
    assert told.tell(12, began("7", register_wh=1000)) == [] and told.tell(13, ended("7", register_wh=5000)) == []


def test_what_never_ends_is_superseded() -> None:
    """The next transaction at the connector ends it, as a technical end."""
    told = Told()
    told.tell(0, began("1", register_wh=0))
    [attempt] = told.tell(9000, began("2", register_wh=0))
    assert (attempt.transaction_id, attempt.end_reason, attempt.clean) == ("1", "superseded", False)


def test_power_counts_where_the_connector_sets_the_pace() -> None:
    """Not in the ramp, not above 80 % charge, not while the car holds back; the highest temperature is kept."""
    told = Told()
    told.tell(0, began("1", register_wh=0))
    told.tell(30, watts(1000, 50_000))
    told.tell(200, watts(40_000, 50_000, celsius=31))
    told.tell(260, watts(20_000, 50_000, soc=85, celsius=44))
    told.tell(270, said("SuspendedEV"))
    told.tell(280, watts(0, 50_000))
    [attempt] = told.tell(400, ended("1", register_wh=9000))
    assert (attempt.power_w, attempt.offered_w, attempt.temperature_c, attempt.car_limited) == (40_000, 50_000, 44, False)


def test_the_state_is_bounded() -> None:
    """Starts without stops, and stops without starts, are kept only so far."""
    told = Told()
    for number in range(MAX_OPEN + 40):
        told.tell(number, began(str(number), connector=number + 1))
        told.tell(number, ended(f"other {number}"))
    state = told.fold.state
    assert (len(state.drafts), len(state.ended)) == (MAX_OPEN, MAX_ENDED) and len(state.early_stops) <= 16
