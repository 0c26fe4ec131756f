"""The hand-written exposition against Prometheus' own parser and against a naive model of what it should say."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chargenet.observe import names as n
from chargenet.observe.fleet import FleetMetrics
from chargenet.observe.series import MAX_LABEL_VALUE
from tests.support.exposition import samples, value

NOW = 1_772_000_000.0
words = st.text(max_size=40)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(charge_point=st.text(min_size=1, max_size=MAX_LABEL_VALUE + 20), site=words, vendor=words, code=words, power=numbers)
def test_whatever_a_charge_point_calls_itself_can_be_read_back(
    charge_point: str, site: str, vendor: str, code: str, power: float
) -> None:
    """Any text in a label and any finite number as a value survive the trip through the text format, in one series each."""
    metrics = FleetMetrics(lambda _: site)
    metrics.booted(charge_point, vendor, vendor, vendor, NOW)
    metrics.reported(charge_point, "1", "Faulted", NOW, "OtherError", code)
    metrics.power.put(metrics.row(charge_point, "1"), power, NOW)
    text = b"".join(metrics.chunks(NOW))
    labels = {"site": site, "charge_point": charge_point[:MAX_LABEL_VALUE], "connector": "1"}
    shown = {name: found for name, found in labels.items() if found}
    assert value(text, n.CONNECTOR_POWER.name, **shown) == power
    error = shown | {"error_code": "OtherError"} | ({"vendor_error_code": code} if code else {})
    assert value(text, n.CONNECTOR_ERROR.name, **error) == 1


STATUSES = st.sampled_from(["Available", "Charging", "Faulted", "Unavailable", "Unknown"])
POINTS = st.integers(0, 3)
PLUGS = st.sampled_from(["1", "2", "2.3"])


class Fleet(RuleBasedStateMachine):
    """Any order of reports, connections, moves, removals, waiting and scrapes, against dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.sites = {f"CP{number}": f"site {number % 2}" for number in range(4)}
        self.metrics = FleetMetrics(self.sites.__getitem__)
        self.known: set[str] = set()
        self.online: set[str] = set()
        self.status: dict[tuple[str, str], tuple[str, float]] = {}
        self.power: dict[tuple[str, str], tuple[float, float]] = {}

    @rule(point=POINTS)
    def open(self, point: int) -> None:
        name = f"CP{point}"
        self.metrics.opened(name, "ocpp1.6", self.now)
        self.known.add(name)
        self.online.add(name)

    @rule(point=POINTS)
    def close(self, point: int) -> None:
        name = f"CP{point}"
        self.metrics.closed(name, self.now)
        self.known.add(name)
        if name in self.online:
            self.status |= {key: (said, self.now) for key, (said, _) in self.status.items() if key[0] == name}
        self.online.discard(name)

    @rule(point=POINTS, plug=PLUGS, status=STATUSES)
    def report(self, point: int, plug: str, status: str) -> None:
        self.metrics.reported(f"CP{point}", plug, status, self.now)
        self.known.add(f"CP{point}")
        self.status[f"CP{point}", plug] = (status, self.now)

    @rule(point=POINTS, plug=PLUGS, watts=st.floats(0, 350_000))
    def measure(self, point: int, plug: str, watts: float) -> None:
        self.metrics.power.put(self.metrics.row(f"CP{point}", plug), watts, self.now)
        self.known.add(f"CP{point}")
        self.power[f"CP{point}", plug] = (watts, self.now)
        self.status.setdefault((f"CP{point}", plug), ("", 0.0))

    @rule(point=POINTS, site=st.sampled_from(["site 0", "site 1", "elsewhere"]))
    def move(self, point: int, site: str) -> None:
        self.sites[f"CP{point}"] = site
        self.metrics.place(f"CP{point}")
        self.known.add(f"CP{point}")

    @rule(point=POINTS)
    def remove(self, point: int) -> None:
        name = f"CP{point}"
        self.metrics.forget(name)
        self.known.discard(name)
        self.online.discard(name)
        self.status = {key: said for key, said in self.status.items() if key[0] != name}
        self.power = {key: said for key, said in self.power.items() if key[0] != name}

    @rule(seconds=st.sampled_from([1.0, 400.0, 1000.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    def shown_status(self, key: tuple[str, str]) -> str | None:
        status, said_at = self.status[key]
        fresh = key[0] in self.online or self.now - said_at <= n.OFFLINE_HORIZON_S
        return status if status and fresh else None

    @invariant()
    def the_exposition_is_what_the_model_says(self) -> None:
        found = samples(b"".join(self.metrics.chunks(self.now)))

        def family(name: str, *labels: str) -> dict[Any, float]:
            return {
                tuple(dict(shown).get(label, "") for label in labels): number for (found_name, shown), number in found.items()
                if found_name == name
            }  # fmt: skip

        fresh = {key: watts for key, (watts, at) in self.power.items() if self.now - at <= n.LIVE_HORIZON_S}
        assert family(n.CONNECTOR_POWER.name, "site", *n.CONNECTOR[1:]) == {(self.sites[key[0]], *key): fresh[key] for key in fresh}
        statuses = {key: status for key in self.status if (status := self.shown_status(key))}
        assert family(n.CONNECTOR_STATUS.name, "charge_point", "connector", "status") == {
            (*key, status): 1.0 for key, status in statuses.items()
        }
        by_status = Counter((self.sites[key[0]], statuses.get(key, "Unknown")) for key in self.status)
        assert family(n.SITE_CONNECTORS.name, "site", "status") == by_status
        assert family(n.SITE_POINTS.name, "site") == Counter((self.sites[name],) for name in self.known)
        connected = {(self.sites[name],): 0 for name in self.known} | Counter((self.sites[name],) for name in self.online)
        assert family(n.SITE_CONNECTED.name, "site") == connected
        power = family(n.SITE_POWER.name, "site")
        for (site,), watts in power.items():
            assert abs(watts - sum(found for key, found in fresh.items() if self.sites[key[0]] == site)) < 1e-3


TestFleet = Fleet.TestCase
TestFleet.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
