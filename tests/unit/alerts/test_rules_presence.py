"""Silence, outages, reboots, lost connections and clocks: what fires, what does not just below, and what clears."""

from __future__ import annotations

import pytest

from alerts.detectors.rules import Heard
from chargenet import events as e
from chargenet.model.standstill import CATCH_UP_S, Standstills
from tests.support.facts import at
from tests.support.tale import HOUR, LOST, MINUTE, OPENED, SETTINGS, Tale, answered, began, boot, read, said, sent


def network(count: int, vendor: str = "Acme") -> tuple[Tale, list[str]]:
    """Connected charge points."""
    tale, names = Tale(), [f"CP{number:02}" for number in range(count)]
    for name in names:
        tale.tell(0, OPENED, boot(vendor=vendor), charge_point=name)
    return tale, names


def heard(names: list[str], seconds: float, **others: float) -> Heard:
    """When each was last heard."""
    return Heard({**dict.fromkeys(names, at(seconds)), **{name: at(instant) for name, instant in others.items()}})


def test_offline_after_three_heartbeats() -> None:
    """Of five minutes; not a second before; a heartbeat ends it."""
    tale, names = network(1)
    assert tale.kinds(900 + 899, heard=heard(names, 900)) == []
    finding = tale.only(900 + 900, "offline", heard=heard(names, 900))
    assert (finding.began_at, finding.severity) == (at(900), "warning")
    assert tale.kinds(1900, heard=heard(names, 1890)) == []


def test_offline_not_before_four_minutes() -> None:
    """However short its own heartbeat interval is."""
    tale, names = network(1)
    tale.tell(1, e.VariablesReported(values={"HeartbeatInterval": "10"}), charge_point=names[0])
    assert tale.kinds(100 + 239, heard=heard(names, 100)) == []
    assert tale.kinds(100 + 240, heard=heard(names, 100)) == ["offline"]


def test_its_own_heartbeat_interval_counts() -> None:
    """One that means to be heard every hour is not offline after fifteen minutes."""
    tale, names = network(1)
    tale.tell(1, e.VariablesReported(values={"OCPPCommCtrlr.HeartbeatInterval": "3600"}), charge_point=names[0])
    assert tale.kinds(2 * HOUR, heard=heard(names, 1)) == []
    assert tale.kinds(3 * HOUR + 1, heard=heard(names, 1)) == ["offline"]


def test_a_lost_connection_with_a_driver_is_a_page() -> None:
    """And says how the connection ended."""
    tale = Tale()
    tale.tell(0, OPENED, boot(), began())
    lost = tale.tell(600, LOST)
    finding = tale.only(900, "offline")
    assert finding.severity == "critical" and finding.evidence[0].sequences == (1,)
    assert any(lost in each.sequences and "lost, 1006" in each.what for each in finding.evidence)
    tale.tell(910, OPENED, generation=9)
    assert "offline" not in tale.kinds(910)


def test_who_never_connected_is_not_offline() -> None:
    """A refused log-in is no sign of life, and no outage."""
    tale = Tale()
    fact = tale.tell(0, e.SecurityEventReported(type="LoginRefused"))
    assert fact == 1 and tale.kinds(10 * HOUR) == []


def test_silence_does_not_count_while_we_did_not_listen() -> None:
    """After a restart of ours every charge point gets its time to come back."""
    tale, names = network(1)
    restarted = Heard({names[0]: at(0)}, listening_since=at(10 * HOUR))
    assert tale.kinds(10 * HOUR + 899, heard=restarted) == []
    assert tale.kinds(10 * HOUR + 900, heard=restarted) == ["offline"]


def test_a_site_that_falls_silent_is_one_finding() -> None:
    """Forty charge points with last frames up to a heartbeat apart: one page from the first instant, never forty."""
    tale, names = network(40)
    others = [f"OT{number}" for number in range(60)]
    for name in others:
        tale.tell(0, OPENED, boot(vendor="Other"), charge_point=name)
    sites = {**dict.fromkeys(names, "mall"), **{name: f"S{name}" for name in others}}
    for seconds in range(1000, 3600, 60):
        frames = Heard({**{name: at(1000 - 7 * index) for index, name in enumerate(names)}, **dict.fromkeys(others, at(seconds))})
        found = tale.judge(seconds, sites=sites, heard=frames)
        assert [finding.thing for finding in found] in ([], ["site:mall"])
    (finding,) = found
    assert (finding.kind, finding.severity, finding.evidence[0].value, finding.score) == ("site_offline", "critical", 40, 1.0)


def test_one_of_five_is_no_outage_of_the_site() -> None:
    """It is offline by itself, and its evidence says that its neighbours are not."""
    tale, names = network(5)
    sites = dict.fromkeys(names, "mall")
    (finding,) = tale.judge(2000, sites=sites, heard=heard(names[1:], 1990))
    assert finding.thing == names[0]
    assert any(each.what == "4 of 4 others at its site are online." for each in finding.evidence)


def test_one_that_was_gone_before_does_not_hide_an_outage() -> None:
    """Nor is it part of it: it stays a finding of its own."""
    tale, names = network(4)
    sites = dict.fromkeys(names, "mall")
    gone = Heard({names[0]: at(10), **dict.fromkeys(names[1:], at(50_000))})
    found = tale.judge(52_000, sites=sites, heard=gone)
    assert sorted(finding.thing for finding in found) == [names[0], "site:mall"]


def test_a_vendor_that_falls_silent_at_many_sites_is_one_finding() -> None:
    """While the others at those sites are there."""
    tale, names = network(6)
    others = [f"OT{number}" for number in range(14)]
    for name in others:
        tale.tell(0, OPENED, boot(vendor="Other"), charge_point=name)
    sites = {name: f"S{index % 4}" for index, name in enumerate([*names, *others])}
    found = tale.judge(3000, sites=sites, heard=heard(others, 2990))
    assert [(finding.kind, finding.group) for finding in found] == [("vendor_offline", "vendor:Acme")]


def test_the_whole_network_silent_is_one_finding() -> None:
    """Whatever sites and vendors there are."""
    tale, names = network(20)
    sites = {name: f"S{index // 2}" for index, name in enumerate(names)}
    assert [finding.kind for finding in tale.judge(3000, sites=sites, heard=heard([], 0))] == ["network_offline"]


def test_three_reboots_in_an_hour_are_a_loop() -> None:
    """Two are not; and an hour later it is over."""
    tale = Tale()
    tale.tell(0, OPENED)
    tale.tell(10, boot(reason="Watchdog"))
    tale.tell(20 * MINUTE, boot(reason="Watchdog"))
    assert tale.kinds(21 * MINUTE) == []
    tale.tell(40 * MINUTE, boot(reason="Watchdog"))
    finding = tale.only(41 * MINUTE, "reboot_loop")
    assert finding.evidence[0].value == 3 and "Watchdog (3)" in finding.evidence[0].what
    assert tale.kinds(2 * HOUR) == []


@pytest.mark.parametrize(
    ("action", "payload"),
    [("Reset", {"type": "Soft"}), ("TriggerMessage", {"requestedMessage": "BootNotification"})],
)
def test_boots_that_we_asked_for_are_no_loop(action: str, payload: dict[str, object]) -> None:
    """Each call excuses one boot."""
    tale = Tale()
    tale.tell(0, OPENED)
    for index in range(3):
        tale.tell(index * 600 + 1, sent(action, f"m{index}", **payload))
        tale.tell(index * 600 + 2, answered(action, f"m{index}"))
        tale.tell(index * 600 + 9, boot())
    assert tale.kinds(1900) == []
    for index in range(3):
        tale.tell(2000 + index, boot())
    assert tale.kinds(2010) == ["reboot_loop"]


def test_a_refused_reset_excuses_nothing() -> None:
    """The boot that follows was not ours."""
    tale = Tale()
    tale.tell(0, OPENED)
    for index in range(3):
        tale.tell(index * 60, sent("Reset", type="Hard"))
        tale.tell(index * 60 + 1, answered("Reset", status="rejected"))
        tale.tell(index * 60 + 5, boot())
    assert tale.kinds(200) == ["reboot_loop"]


def test_repeated_boots_while_pending_are_no_loop() -> None:
    """OCPP 1.6 §4.2: it repeats until it is accepted."""
    tale = Tale()
    tale.tell(0, OPENED)
    for index in range(9):
        tale.tell(index * 60, boot(registration="Pending"))
    assert tale.kinds(600) == []


def test_six_lost_connections_in_an_hour_flap() -> None:
    """Five do not, six that were our own restarts do not, and an hour later it is over."""
    tale = Tale()
    for index in range(5):
        tale.tell(index * 300, OPENED, generation=index + 1)
        tale.tell(index * 300 + 200, LOST, generation=index + 1)
    ours = e.ConnectionClosed(code=1001, reason="the server restarts", lost=False)
    for index in range(6):
        tale.tell(1500 + index, OPENED, ours, generation=20)
    tale.tell(1600, OPENED, generation=30)
    assert tale.kinds(1700) == []
    tale.tell(1800, LOST, generation=30)
    tale.tell(1801, OPENED, generation=31)
    assert tale.only(1810, "connection_flapping").evidence[0].value == 6
    assert tale.kinds(2 * HOUR) == []


def test_reconnects_of_a_reboot_loop_do_not_flap_as_well() -> None:
    """The loop explains them."""
    tale = Tale()
    for index in range(8):
        tale.tell(index * 300, OPENED, boot(), generation=index + 1)
        tale.tell(index * 300 + 250, LOST, generation=index + 1)
    tale.tell(2400, OPENED, generation=20)
    assert tale.kinds(2410) == ["reboot_loop"]


@pytest.mark.parametrize(("offset", "side"), [(7200, "ahead"), (-7200, "behind"), (-1.7e9, "behind")])
def test_a_wrong_clock_is_found(offset: float, side: str) -> None:
    """Local time labelled UTC, and a clock that was never set: after four reports, not after three."""
    tale = Tale()
    tale.tell(0, OPENED, began())
    for index in range(1, 4):
        tale.tell(index * 300, read(1000 * index, 12_000, seconds=index * 300 + offset))
    assert tale.kinds(910) == []
    tale.tell(1200, read(4000, 12_000, seconds=1200 + offset))
    assert side in tale.only(1210, "clock_drift").summary
    tale.tell(1500, read(5000, 12_000, seconds=1500))
    assert tale.kinds(1510) == []


def test_a_backlog_is_no_wrong_clock() -> None:
    """Readings from a queue are late by less and less."""
    tale = Tale()
    tale.tell(0, OPENED, began())
    for index in range(1, 9):
        tale.tell(index * 130, read(1000 * index, 12_000, seconds=index * 1000 - 20_000))
    assert "clock_drift" not in tale.kinds(1100)


def test_an_old_status_says_nothing_about_the_clock() -> None:
    """Some charge points give the instant of the last change, days ago."""
    tale = Tale()
    tale.tell(0, OPENED)
    for index in range(9):
        status = e.StatusReported(connector=None, status="Available", raw_status="Available", reported_at=at(-200_000))
        tale.tell(index * 300, status)
    assert tale.kinds(2700) == []


def test_settings_move_the_limits() -> None:
    """Thresholds are settings, and nothing else holds them."""
    tale = Tale()
    tale.tell(0, OPENED, said("Faulted", code="InternalError"))
    patient = type(SETTINGS)(fault_after_s=1000.0)
    assert tale.judge(999, settings=patient) == []
    assert [each.kind for each in tale.judge(1000, settings=patient)] == ["faulted"]


def stopped(began: float, ended: float) -> Standstills:
    """A process that stood still between two seconds of the story."""
    standstills = Standstills()
    for second in (began - 1, began, ended, ended + 1):
        standstills.beat(at(second), second)
    return standstills


def test_our_own_standstill_is_nobody_s_silence() -> None:
    """An hour in which the process was stopped: nobody is offline on waking, and each has the rest of its time from there."""
    tale, names = network(40)
    resumed = Heard(dict.fromkeys(names, at(1000)), standstills=stopped(1100, 4700))
    assert tale.kinds(4700, heard=resumed) == []
    assert tale.kinds(4700 + CATCH_UP_S + 799, heard=resumed) == []
    found = tale.judge(4700 + CATCH_UP_S + 800, heard=resumed)
    assert {each.kind for each in found} <= {"offline", "network_offline", "vendor_offline", "site_offline"} and found


def test_who_was_silent_before_a_standstill_is_found_after_it() -> None:
    """And the evidence says what of its silence is ours."""
    tale, names = network(1)
    resumed = Heard({names[0]: at(200)}, standstills=stopped(1099, 4699))
    assert tale.kinds(1099, heard=resumed) == []
    finding = tale.only(4699 + CATCH_UP_S + 1, "offline", heard=resumed)
    assert finding.began_at == at(200)
    assert finding.evidence[1].what == "The platform itself did not run for 60 min of that, which does not count."
