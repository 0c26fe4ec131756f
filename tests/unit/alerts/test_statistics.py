"""The statistical tests on small networks: what is found, when it is over, and what is no finding."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.detectors.statistics import History, judge, restore, take
from alerts.finding import Finding
from alerts.kinds import KINDS
from chargenet.events import ConnectionClosed, ConnectionOpened, Fact, StatusReported
from chargenet.model.ids import ConnectorRef
from chargenet.model.notice import Severity
from tests.support.attempts import TRIED, attempt, day, network


def found(history: History, days: float) -> dict[str, Finding]:
    """Kind → finding about the connector that tests change."""
    return {each.kind: each for each in judge(history, day(days)) if each.charge_point_id == TRIED[0]}


def then(history: History, start: float, *outcomes: str, token: str | None = None) -> float:
    """Attempts every six hours; when the last one ended."""
    at = start
    for number, outcome in enumerate(outcomes, start=1):
        at = start + number / 4
        history.add(attempt(at, outcome, token=token, sequence=1000 + number * 10))
    return at + 1 / 40


def test_a_healthy_network_has_no_findings() -> None:
    """Sixty ordinary days at six connectors."""
    assert judge(network(), day(60)) == []


def test_four_empty_attempts_by_four_drivers_are_found() -> None:
    """With the attempts' journal records as evidence, and how many drivers were hit."""
    history = network()
    finding = found(history, then(history, 60, "empty", "empty", "empty", "empty"))["zero_energy"]
    assert finding.connector == "1" and "by 4 drivers" in finding.summary
    assert finding.evidence[0].sequences == (1013, 1023, 1033, 1043)
    assert finding.evidence[1].value == 4 and finding.action == KINDS["zero_energy"].action


def test_three_empty_attempts_are_chance() -> None:
    """Somewhere in a network that happens every day."""
    history = network()
    assert found(history, then(history, 60, "empty", "empty", "empty")) == {}


def test_a_connector_that_gives_nothing_is_not_also_told_to_fail_often() -> None:
    """One finding speaks."""
    history = network()
    assert set(found(history, then(history, 60, *["empty"] * 6))) == {"zero_energy"}


def test_many_drivers_without_energy_page_and_a_single_one_never_does() -> None:
    """A page takes three drivers, however unlikely chance is."""
    many, single = network(), network()
    at = then(many, 60, *["empty"] * 8)
    assert found(many, at)["zero_energy"].severity == Severity.CRITICAL
    at = then(single, 60, *["empty"] * 8, token="the same car")
    assert all(each.severity != Severity.CRITICAL for each in judge(single, day(at)))


def test_failures_of_every_sort_count_as_failing() -> None:
    """Attempts that broke off, gave nothing or never began."""
    history = network()
    at = then(history, 60, "little", "good", "not_started", "little", "good", "little", "not_started")
    finding = found(history, at)["failing_attempts"]
    assert finding.severity == Severity.WARNING and finding.score > 0.9


def test_refused_cards_say_nothing_about_the_connector() -> None:
    """Rejected tokens are nobody's fault here."""
    history = network()
    assert found(history, then(history, 60, *["rejected"] * 8)) == {}


def test_one_broken_car_is_no_broken_connector() -> None:
    """Of one token's failures two count, unless most who come are that driver."""
    history = network()
    at = 60.0
    for _ in range(6):
        at = then(history, at, "empty", token="broken car")
        at = then(history, at, "good")
    assert found(history, at) == {}


def test_three_good_visits_end_it() -> None:
    """A finding is over as soon as three drivers in a row were served."""
    history = network()
    at = then(history, 60, *["empty"] * 6)
    assert "zero_energy" in found(history, at)
    assert found(history, then(history, at, "good", "good")) != {}
    assert found(history, then(history, at, "good", "good", "good")) == {}


def test_silence_is_found_when_chance_does_not_explain_it() -> None:
    """Two attempts a day, then none: quiet after three days, a finding after two weeks."""
    history = network(80, until=60)
    assert found(history, 63) == {}
    finding = found(history, 74)["silent"]
    assert finding.began_at < day(61) and finding.evidence[0].unit == "attempts"


def test_nobody_comes_anywhere_is_no_silence_of_one() -> None:
    """A holiday empties the whole network."""
    assert judge(network(60, connectors=12, per_day=4), day(67)) == []


@pytest.mark.parametrize("why", ["busy", "not connected"])
def test_a_connector_that_cannot_be_used_is_not_silent(why: str) -> None:
    """Occupied, or without a connection: other findings say so."""
    history = network(80, until=60)
    connector = ConnectorRef(1)
    busy = StatusReported(connector=connector, status="Occupied", raw_status="Occupied")
    lost = ConnectionClosed(code=1006, reason="", lost=True)
    event = busy if why == "busy" else lost
    history.observe(Fact(1, day(61), "CP0", 1, "ocpp1.6", "", (event,)))
    assert found(history, 76) == {}
    opened = ConnectionOpened(remote="192.0.2.1")
    free = StatusReported(connector=connector, status="Available", raw_status="Available")
    history.observe(Fact(2, day(76), "CP0", 2, "ocpp1.6", "", (opened, free)))
    assert found(history, 76.5) == {}


def test_half_the_power_is_found_within_eight_charges() -> None:
    """Against its own past; the share of the offer is in the sentence."""
    history = network()
    for number in range(8):
        history.add(attempt(60 + number / 4, power=0.47))
    finding = found(history, 62.1)["power_derated"]
    assert "delivers 47% of what it offers, before it was" in finding.summary


def test_what_the_car_limits_is_not_held_against_the_connector() -> None:
    """Such charges have no power to compare."""
    history = network()
    for number in range(12):
        history.add(attempt(60 + number / 4, power=0.3, car_limited=True))
    assert found(history, 63.1) == {}


def test_a_hot_plug_is_found_and_a_heat_wave_is_not() -> None:
    """What all connectors of a model show is the weather."""
    hot, wave = network(), network()
    for number in range(6):
        hot.add(attempt(60 + number / 4, temperature_c=45.0))
    for number in range(48):
        wave.add(attempt(60 + number / 24, key=(f"CP{number % 6}", "1"), temperature_c=45.0))
    assert found(hot, 62.1)["temperature_above_siblings"].evidence[0].unit == "Celsius"
    assert judge(wave, day(62.1)) == []


def test_irregular_readings_are_told_and_wait_for_nobody() -> None:
    """Half of the intervals out of step."""
    history = network()
    for number in range(6):
        history.add(attempt(60 + number / 4, late=7))
    assert found(history, 61.6)["irregular_meter_values"].severity == Severity.INFO


def test_irregular_heartbeats_are_told_of_the_charge_point() -> None:
    """Four weeks of one every forty minutes, then every third is late."""
    history = network()
    now = day(32)
    for _ in range(1000):
        now += timedelta(minutes=40)
        history.heartbeat("CP0", now)
    for beat in range(80):
        now += timedelta(minutes=40 if beat % 3 else 90)
        history.heartbeat("CP0", now)
    finding = next(each for each in judge(history, now) if each.kind == "irregular_heartbeat")
    assert (finding.charge_point_id, finding.connector) == ("CP0", None)


def test_what_is_stored_finds_the_same() -> None:
    """Pieces of a history make one that finds the same, and goes on alike."""
    history = network(80, until=60)
    then(history, 60, *["empty"] * 5)
    for number in range(6):
        history.add(attempt(80 + number / 4, key=("CP1", "1"), temperature_c=50.0))
    for number in range(9):
        history.add(attempt(80 + number / 4, key=("CP2", "1"), power=0.4))
    pieces = {name: piece for name, piece in take(history).items() if piece is not None}
    again = restore(pieces.items())
    first, second = (sorted(judge(each, day(83)), key=repr) for each in (history, again))
    assert first == second and {each.kind for each in first} >= {"zero_energy", "power_derated", "temperature_above_siblings"}
    assert take(again) == {}
    for each in (history, again):
        each.add(attempt(83, "empty"))
    assert take(history) == take(again)


def test_a_piece_of_another_format_is_left_out() -> None:
    """It can be learned again."""
    pieces = [(name, b"\x81\xa6format\x63") for name in ("charge_point:CP0", "network", "weather", "site:site")]
    assert judge(restore(pieces), day(60)) == []


def test_a_charge_point_that_is_forgotten_has_no_findings() -> None:
    """Its pieces are to be removed, and its row serves another."""
    history = network()
    at = then(history, 60, *["empty"] * 5)
    history.forget("CP0")
    assert found(history, at) == {} and take(history)["charge_point:CP0"] is None
    history.add(attempt(at, key=("CP9", "1")))
    assert history.row_of["CP9", "1"] < 6


def test_only_some_connectors_can_be_judged() -> None:
    """As after a fact of one charge point."""
    history = network()
    at = then(history, 60, *["empty"] * 5)
    assert [each.kind for each in judge(history, day(at), only=[TRIED])] == ["zero_energy"]
    assert judge(history, day(at), only=[("CP1", "1"), ("unknown", "1")]) == []
