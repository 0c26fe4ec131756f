"""The stages one by one: matchers, routes, groups, inhibitions, silences. Plain values in, plain values out."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.config import parse
from alerts.matchers import BadMatcher, Matcher
from alerts.matchers import parse as matcher
from alerts.relay.silences import new_silence, silence_for
from alerts.stages.alert import Alert
from alerts.stages.group import places
from alerts.stages.inhibit import Inhibition, Inhibitor
from alerts.stages.route import leaves
from alerts.stages.silence import next_turn, silenced_by
from chargenet.errors import Conflict
from tests.support.relay import NOW, SECRET, Simulated

WORLD = Simulated()


def alert(key: str = "case-1", **labels: str) -> Alert:
    kind = labels.pop("kind", "ConnectorFaulted")
    severity = labels.pop("severity", "critical")
    notice = WORLD.notice(key, kind=kind, severity=severity, labels=labels)
    return Alert(notice=notice, taken_at=NOW, heard_at=NOW)


@pytest.mark.parametrize(
    ("text", "labels", "fits"),
    [
        ("site=harbour", {"site": "harbour"}, True),
        ("site=harbour", {"site": "harbour2"}, False),
        ('site="harbour"', {"site": "harbour"}, True),
        ("site!=harbour", {}, True),
        ("site=", {}, True),
        ("connector!=", {"connector": "1"}, True),
        ("kind~Meter*", {"kind": "MeterFrozen"}, True),
        ("kind~Meter*|Boot*", {"kind": "BootLoop"}, True),
        ("kind~Meter", {"kind": "MeterFrozen"}, False),
        ("kind!~Meter*", {"kind": "SiteOffline"}, True),
        ("site~[ab]?", {"site": "[ab]?"}, True),
        ("site~[ab]?", {"site": "ax"}, False),
        ("site = a = b", {"site": "a = b"}, True),
        ("site~*", {}, True),
    ],
)
def test_matchers(text: str, labels: dict[str, str], fits: bool) -> None:
    """Exact or by pattern, the other way round with !, an absent label is the empty text; they read back as they are written."""
    read = matcher(text)
    assert read.matches(labels) is fits and matcher(str(read)) == read


@pytest.mark.parametrize("text", ["", "harbour", "=x", "1site=x", "site:harbour", "site=a\nb", "site=" + "x" * 600])
def test_what_is_no_matcher(text: str) -> None:
    """Says so."""
    with pytest.raises(BadMatcher):
        matcher(text)


def test_no_pattern_holds_up_a_page() -> None:
    """Patterns take linear time whatever is written: what would take regular expressions for ever is done at once."""
    nasty = Matcher("site", "~", "*a" * 200 + "b")
    began = time.process_time()
    assert not nasty.matches({"site": "a" * 5000})
    assert time.process_time() - began < 5.0


ROUTES = f"""
[route]
receivers = ["chat"]
group_wait_s = 30

[[route.routes]]
match = ["severity=critical"]
receivers = ["night"]
group_wait_s = 5
continue = true

[[route.routes]]
match = ["site~har*"]
receivers = ["chat", "harbour"]
group_by = ["..."]

[[route.routes.routes]]
match = ["kind=SiteOffline"]
receivers = ["night"]

[receivers.chat]
type = "webhook"
url = "https://x.example/"
secret = "{SECRET}"

[receivers.night]
type = "webhook"
url = "https://x.example/"
secret = "{SECRET}"

[receivers.harbour]
type = "webhook"
url = "https://x.example/"
secret = "{SECRET}"
"""
ROUTE = parse(ROUTES, "alerts.toml", Path()).route


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"severity": "warning", "site": "depot"}, ["chat"]),
        ({"severity": "critical", "site": "depot"}, ["night"]),
        ({"severity": "critical", "site": "harbour"}, ["night", "chat", "harbour"]),
        ({"severity": "warning", "site": "harbour"}, ["chat", "harbour"]),
        ({"severity": "warning", "site": "harbour", "kind": "SiteOffline"}, ["night"]),
        ({}, ["chat"]),
    ],
)
def test_the_deepest_route_takes_it(labels: dict[str, str], told: list[str]) -> None:
    """`continue` looks at the next sibling too; what no child takes, the parent does; children inherit what they do not say."""
    assert [name for leaf in leaves(ROUTE, labels) for name in leaf.route.receivers] == told


def test_groups_are_what_a_route_says() -> None:
    """By labels, or every alert by itself; the same alert and route give the same key in every run; each place once."""
    one, other = alert("case-1", site="depot"), alert("case-2", site="depot", connector="2")
    assert [each.place for each in places(ROUTE, one)] == [each.place for each in places(ROUTE, other)]
    apart = {each.place.group_key for key in ("case-1", "case-2") for each in places(ROUTE, alert(key, severity="warning"))}
    assert len(apart) == 2
    (night, *_) = places(ROUTE, one)
    assert (night.place.group_key, night.timing.group_wait_s) == ("{}/{severity=critical}:{site=depot,kind=ConnectorFaulted}", 5.0)
    long = places(ROUTE, alert(site="s" * 900))[0].place.group_key
    assert len(long) < 300 and long == places(ROUTE, alert(site="s" * 900))[0].place.group_key


def test_a_larger_alert_hushes_those_below_it() -> None:
    """With the same values of `equal`, while it is open; never itself, and not what is elsewhere."""
    rule = Inhibition(source=(matcher("kind=SiteOffline"),), target=(matcher("kind!="),), equal=("site",))
    site = alert("site", kind="SiteOffline")
    inhibitor = Inhibitor([rule])
    assert inhibitor.put(site) and not inhibitor.put(alert())
    assert inhibitor.inhibited_by(alert()) == "site"
    assert inhibitor.inhibited_by(site) is None and inhibitor.inhibited_by(alert(site="depot")) is None
    assert inhibitor.remove("site") and inhibitor.inhibited_by(alert()) is None


def test_a_silence_holds_from_its_beginning_until_before_its_end() -> None:
    """Of several, the one that lasts longest is named; the next turn is the next beginning or end."""
    hour = timedelta(hours=1)
    short = new_silence(["site=harbour"], NOW + hour, NOW + 2 * hour, "", "ola", NOW)
    long = new_silence(["connector=1"], NOW + hour, NOW + 3 * hour, "", "ola", NOW)
    labels = alert().labels
    assert [silenced_by([short, long], labels, NOW + hours * hour) for hours in range(4)] == [None, long, long, None]
    assert silenced_by([short], {"site": "depot"}, NOW + hour) is None
    assert next_turn([short, long], NOW) == NOW + hour and next_turn([short, long], NOW + 3 * hour) is None


@pytest.mark.parametrize(
    ("matchers", "hours", "problem"),
    [
        ([], 1, "expected 1 to 20 matchers"),
        (["site!=x"], 1, "must name what it is about"),
        (["site=a"], 0, "must end after it begins"),
        (["site=a"], 24 * 400, "at most 366 days"),
    ],
)
def test_a_silence_must_make_sense(matchers: list[str], hours: int, problem: str) -> None:
    """Each mistake with its sentence."""
    with pytest.raises(Conflict, match=problem):
        new_silence(matchers, NOW, NOW + timedelta(hours=hours), "", "ola", NOW)


def test_a_silence_by_link_covers_just_what_was_told() -> None:
    """What the alerts have in common, and nothing that they do not."""
    matchers, starts_at, ends_at = silence_for([alert("a"), alert("b", connector="2")], NOW)
    assert matchers == ("site=harbour", "charge_point=CP-7", "kind=ConnectorFaulted") and ends_at - starts_at == timedelta(hours=4)
    silence = new_silence(matchers, starts_at, ends_at, "", "link", NOW)
    assert silence.covers(alert(connector="3").labels) and not silence.covers(alert(charge_point="CP-8").labels)
