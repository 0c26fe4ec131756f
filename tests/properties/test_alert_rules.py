"""Rules under any story: more failures never lower a score; order within an instant, repeats and restarts do not matter."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.detectors.rules import RuleSettings, judge
from alerts.finding import Finding
from alerts.signals import NetworkSignals
from chargenet import events as e
from chargenet.events import Event, Fact
from tests.support.facts import at
from tests.support.tale import LOST, OPENED, Tale, answered, began, boot, ended, read, refused, said, sent

SETTINGS = RuleSettings()
NOW = at(4 * 3600)
STATUSES = ["Available", "Preparing", "Charging", "SuspendedEVSE", "Finishing", "Reserved", "Unavailable", "Faulted"]
VENDOR_CODES = [None, "CX002", "CX017;CX001", "x"]
CODES = ["NoError", "GroundFailure", "InternalError", "OtherError", "Error"]

ENDS = ["accepted", "rejected"]
CALLS = ["Reset", "UpdateFirmware", "ChangeAvailability"]
seconds_of_an_hour = st.integers(0, 3599)
ids = st.sampled_from(["m1", "m2"])
connectors = st.integers(1, 2)
any_event: st.SearchStrategy[Event] = st.one_of(
    st.just(OPENED),
    st.just(LOST),
    st.builds(boot, st.sampled_from(["1.0", "1.1", None]), reason=st.sampled_from([None, "Watchdog", "RemoteReset"])),
    st.builds(said, st.sampled_from(STATUSES), connectors, st.sampled_from(CODES), st.sampled_from(VENDOR_CODES)),
    st.builds(began, st.sampled_from(["1", "2"]), connectors, st.one_of(st.none(), st.integers(0, 10**6))),
    st.builds(ended, st.sampled_from(["1", "2", None]), connectors, st.one_of(st.none(), st.integers(0, 10**6))),
    st.builds(
        read,
        st.one_of(st.none(), st.floats(-10, 1e6)),
        st.one_of(st.none(), st.floats(-10, 1e5)),
        seconds=st.one_of(st.none(), st.floats(-1e6, 1e6)),
        connector=connectors,
        transaction_id=st.sampled_from(["1", "2", None]),
    ),
    st.builds(refused, st.sampled_from(["A", "B", "C", "D"])),
    st.builds(e.SecurityEventReported, type=st.sampled_from(["TamperDetectionActivated", "LoginRefused", "Other"])),
    st.builds(e.FirmwareStatusReported, status=st.sampled_from(["Downloading", "InstallationFailed", "Installed"])),
    st.builds(sent, st.sampled_from(CALLS), ids),
    st.builds(
        answered,
        st.sampled_from(CALLS),
        ids,
        st.sampled_from(ENDS),
    ),
)
stories = st.lists(st.tuples(st.integers(0, 4 * 3600), st.sampled_from(["CP1", "CP2"]), any_event), max_size=60)


def told(story: list[tuple[int, str, Event]]) -> list[Fact]:
    """Facts in the order of time."""
    ordered = sorted(story, key=lambda each: each[0])
    return [
        Fact(index + 1, at(seconds), name, 1, "ocpp1.6", "Any", (event,)) for index, (seconds, name, event) in enumerate(ordered)
    ]


def judged(facts: list[Fact]) -> list[Finding]:
    signals = NetworkSignals()
    for fact in facts:
        signals.apply(fact)
    return judge(signals, NOW, SETTINGS, {"CP1": "mall", "CP2": "mall"})


def by_thing(findings: list[Finding]) -> dict[tuple[str, str], Finding]:
    return {(finding.thing, finding.kind): finding for finding in findings}


@given(stories)
def test_any_story_is_judged(story: list[tuple[int, str, Event]]) -> None:
    """Never an error; each kind of a thing once; every finding believable: a score, evidence, and a beginning that was."""
    findings = judged(told(story))
    assert len(by_thing(findings)) == len(findings)
    for finding in findings:
        assert 0 < finding.score <= 1 and finding.evidence and finding.began_at <= NOW and finding.action and finding.summary
        assert all(len(each.sequences) <= 20 and list(each.sequences) == sorted(each.sequences) for each in finding.evidence)


@given(stories, st.data())
def test_repeats_do_not_matter(story: list[tuple[int, str, Event]], data: st.DataObject) -> None:
    """Facts given again at any later place change nothing."""
    facts = told(story)
    again = list(facts)
    for _ in range(data.draw(st.integers(0, 5))):
        if facts:
            index = data.draw(st.integers(0, len(facts) - 1))
            again.insert(data.draw(st.integers(again.index(facts[index]) + 1, len(again))), facts[index])
    assert judged(again) == judged(facts)


@given(stories)
def test_charge_points_do_not_wait_for_each_other(story: list[tuple[int, str, Event]]) -> None:
    """Only the order of one charge point's own facts counts: any interleaving gives the same findings."""
    facts = told(story)
    first = [fact for fact in facts if fact.charge_point_id == "CP1"]
    second = [fact for fact in facts if fact.charge_point_id == "CP2"]
    assert by_thing(judged(second + first)) == by_thing(judged(first + second)) == by_thing(judged(facts))


FAILURES: dict[str, Callable[[int], Event]] = {
    "reboot_loop": lambda _: boot(),
    "connection_flapping": lambda _: LOST,
    "fault_flapping": lambda index: said("Faulted", code=f"E{index}"),
    "authorization_rejects": lambda index: refused(f"T{index % 7}"),
    "security_event": lambda _: e.SecurityEventReported(type="TamperDetectionActivated"),
    "register_backwards": lambda index: read(1e6 - index * 100, transaction_id=None),
    "safety_fault": lambda _: said("Faulted", code="GroundFailure"),
    "unexpected_firmware": lambda index: boot(f"{index}.0"),
}


def failing(kind: str, instants: list[int]) -> list[Fact]:
    """The same sort of failure at each of these seconds."""
    tale = Tale()
    for index, seconds in enumerate(sorted(instants)):
        tale.tell(3 * 3600 + seconds, FAILURES[kind](index))
    return tale.facts


@given(
    st.sampled_from(sorted(FAILURES)),
    st.lists(st.integers(0, 3599), max_size=40),
    st.lists(st.integers(0, 3599), min_size=1, max_size=20),
)
def test_more_failures_never_lower_the_score(kind: str, instants: list[int], more: list[int]) -> None:
    """Of the same sort, at any time within the window."""
    before = [finding.score for finding in judged(failing(kind, instants)) if finding.kind == kind]
    after = [finding.score for finding in judged(failing(kind, instants + more)) if finding.kind == kind]
    assert max(after, default=0.0) >= max(before, default=0.0)


same_instant = st.lists(
    st.one_of(
        st.just(boot()),
        st.just(LOST),
        st.builds(refused, st.sampled_from(["A", "B", "C", "D"])),
        st.just(e.SecurityEventReported(type="LoginRefused")),
        st.builds(said, st.just("Faulted"), st.integers(1, 9), st.sampled_from(["GroundFailure", "InternalError"])),
    ),
    max_size=20,
    unique_by=lambda event: repr(event.connector) if isinstance(event, e.StatusReported) else id(event),
)


@given(same_instant, st.data())
def test_order_within_an_instant_does_not_matter(events: list[Event], data: st.DataObject) -> None:
    """What happened in the same second gives the same findings, whichever came first; only the records' numbers differ."""
    shuffled = data.draw(st.permutations(events))

    def outcome(order: list[Event]) -> dict[tuple[str, str], tuple[float, str, str]]:
        tale = Tale()
        for event in order:
            tale.tell(3 * 3600, event)
        found = judge(tale.signals, at(3 * 3600 + 400), SETTINGS, {})
        return {(each.thing, each.kind): (each.score, each.severity, each.summary) for each in found}

    assert outcome(events) == outcome(shuffled)


@given(stories, st.integers(0, 60))
@settings(max_examples=60)
def test_a_restart_changes_nothing(story: list[tuple[int, str, Event]], place: int) -> None:
    """Stored after any fact and taken up again, the rest gives the same findings."""
    facts = told(story)
    signals = NetworkSignals()
    for fact in facts[:place]:
        signals.apply(fact)
    taken_up = NetworkSignals()
    for name in signals.points:
        taken_up.restore(signals.snapshot(name))
    for fact in facts:
        taken_up.apply(fact)
    assert by_thing(judge(taken_up, NOW, SETTINGS, {"CP1": "mall", "CP2": "mall"})) == by_thing(judged(facts))
