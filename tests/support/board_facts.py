"""What every panel must show of the seeded network. Worked out from the network and its sentences, not from any server.

An expectation is a number (one line, this value now), a mapping of line name → value (exactly these lines), `Rows`, or `Some` where
only the names can be known beforehand. Values hold to one percent, or to what is said.

Longer than other files: one table, a line or two for each panel of each board.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from chargenet.model.words import ConnectorStatus
from dashboards import uids
from dashboards.boards.common import STATUSES
from tests.support.seeded_network import HELD, SITES, SeededNetwork
from tests.support.seeded_programs import CASES, OCCUPIED, VERSION, connector_hours


@dataclass(frozen=True)
class Some:
    """Lines with these names, whatever they say; `least`: no value is below."""

    names: frozenset[str]
    least: float = 0.0


@dataclass(frozen=True)
class Rows:
    """`count` rows (None: any number above 0), among them these (a part of each is enough); `first`: this one is the first."""

    count: int | None
    among: tuple[Mapping[str, object], ...] = ()
    first: Mapping[str, object] | None = None


Expectation = float | Mapping[str, float] | Rows | Some
Fact = tuple[str, Expectation]
"""(letter of the query, what it must say). An expectation under letter "A@charging" is for the other choice of variables."""

NAN = float("nan")


def some(*names: str, least: float = 0.0) -> Some:
    """Lines of these names."""
    return Some(frozenset(names), least)


class Truth:
    """Figures of the network at its end."""

    def __init__(self, network: SeededNetwork) -> None:
        self.network = network
        self.boxes = network.boxes
        self.online = [box for box in network.boxes if box.connected]
        self.statuses = Counter(str(plug.status) for box in self.online for plug in box.plugs)
        self.statuses[ConnectorStatus.UNKNOWN] = sum(len(box.plugs) for box in network.boxes if not box.connected)
        self.connectors = sum(self.statuses.values())
        self.unusable = self.statuses["Faulted"] + self.statuses["Unavailable"] + self.statuses["Unknown"]
        self.running = sum(bool(plug.transaction) for box in self.boxes for plug in box.plugs)
        ended = network.attempts.ended.values()
        self.served, self.failed = sum(each[0] for each in ended), sum(each[1] for each in ended)

    def at(self, site: str) -> list[str]:
        """Statuses of the connectors of a site that is online."""
        return [str(plug.status) for box in self.online if box.site == site for plug in box.plugs]

    def running_at(self, site: str) -> int:
        """Transactions."""
        return sum(bool(plug.transaction) for box in self.boxes if box.site == site for plug in box.plugs)

    def model(self, vendor: str, model: str) -> tuple[int, int]:
        """(served, failed) attempts."""
        ended = [counts for key, counts in self.network.attempts.ended.items() if key[1:3] == (vendor, model)]
        return sum(each[0] for each in ended), sum(each[1] for each in ended)

    def site(self, site: str) -> tuple[int, int]:
        """(served, failed) attempts."""
        ended = [counts for key, counts in self.network.attempts.ended.items() if key[0] == site]
        return sum(each[0] for each in ended), sum(each[1] for each in ended)


def facts(network: SeededNetwork) -> dict[tuple[str, int], tuple[Fact, ...]]:
    """(board, panel) → what its queries must say."""
    truth = Truth(network)
    boards = {
        uids.NETWORK: _network(truth), uids.SITE: _site(truth), uids.CHARGE_POINT: _charge_point(), uids.CONNECTOR: _connector(),
        uids.CASES: _cases(), uids.SESSIONS: _sessions(truth), uids.FLEET: _fleet(truth), uids.ROLLOUT: _rollout(),
        uids.TRAFFIC: _traffic(truth), uids.ENERGY: _energy(truth), uids.AVAILABILITY: _availability(truth),
        uids.BILLING: _billing(truth), uids.PLATFORM: _platform(), uids.ALERTS: _alerts(),
    }  # fmt: skip
    return {
        (uid, number): said if isinstance(said, tuple) else (("A", said),)
        for uid, panels in boards.items()
        for number, said in panels.items()
    }


Panels = dict[int, Expectation | tuple[Fact, ...]]


def _network(truth: Truth) -> Panels:
    by_status = tuple(
        (letter, {str(status): float(truth.statuses[status])}) for letter, (status, _) in zip("ABCDEFGHIJK", STATUSES, strict=True)
    )
    return {
        1: 1 - truth.unusable / truth.connectors,
        2: 3.0,
        3: 1.0,
        4: some("Value", least=0.8),
        5: float(truth.running),
        6: some("Value", least=500_000.0),
        7: 2.0,
        8: by_status,
        9: (("A", some("now", least=500_000.0)), ("B", some("a week ago", least=500_000.0))),
        10: (("A", {"now": float(truth.running)}), ("B", some("a week ago", least=20.0))),
        11: Rows(
            3, ({"site": "north.gate", "Value": 1 / 8}, {"site": "mall", "Value": 1 / 10}), {"site": "old-mill", "Value": 1.0}
        ),
        12: {kind: float(count) for kind, count in Counter(case[4] for case in CASES).items()},
        13: (
            ("A", Rows(1, ({"vendor": "Alfen", "model": "Eve Double", "Value": 1 / 42},))),
            ("B", Rows(1, ({"vendor": "Alfen", "model": "Eve Double", "Value": 1.0},))),
        ),
    }


def _site(truth: Truth) -> Panels:
    here = Counter(truth.at("north.gate"))
    return {
        1: (("A", 7 / 8), ("A@charging", 1.0)),
        2: 4.0,
        3: (("A", 0.0), ("A@offline", 3.0)),
        4: float(truth.running_at("north.gate")),
        5: some("Value", least=1000.0),
        6: (("A", 1.0), ("A@offline", 1.0), ("A@calm", 0.0)),
        7: some(*(f"NG-{box} · {plug}" for box in (1, 2, 3, 4) for plug in (1, 2)), least=1.0),
        8: (("A", {status: float(count) for status, count in here.items()}), ("A@offline", {"Unknown": 6.0})),
        9: (
            ("A", Rows(4, ({"charge_point": "NG-2", "Value": 1.0},))),
            ("A@offline", Rows(3, ({"charge_point": "OM-1", "Value": 0.0},))),
            ("B", Rows(4)),
            ("C", Rows(4, ({"charge_point": "NG-2", "vendor": "Alfen", "model": "Eve Double"},))),
        ),
        10: Rows(1, ({"charge_point": "NG-2", "connector": "1", "kind": "safety_fault", "severity": "critical", "Value": 1.0},)),
        11: some("NG-1", "NG-2", "NG-3", "NG-4"),
        12: (("A@tampered", {"HO-2": 1.0}),),
    }


def _charge_point() -> Panels:
    return {
        1: (("A", 1.0), ("A@offline", 0.0)),
        2: (("A", 0.0), ("A@offline", 119 * 60.0)),
        3: (("A", 0.0), ("A@rebooting", some("Value", least=5.0))),
        4: (("A", some("Value")), ("A@charging", some("Value", least=1000.0)), ("A@offline", 0.0)),
        5: (("A", 1.0), ("A@calm", 0.0)),
        6: (("A@tampered", 1.0),),
        7: {"connector 1": 10.0, "connector 2": 1.0},
        8: (("A", Rows(2, ({"connector": "1", "status": "Faulted"}, {"connector": "2", "status": "Available"}))), ("B", Rows(2))),
        9: some("connector 1", "connector 2"),
        10: (("A", {"silence": 0.0}), ("A@offline", {"silence": 119 * 60.0})),
        11: (("A", Rows(1, ({"value": "opened"},))), ("A@offline", Rows(2, ({"value": "lost"},)))),
        12: Rows(1, ({"connector": "1", "value": "GroundFailure", "detail": "E7"},)),
        13: Rows(1, ({"vendor": "Alfen", "model": "Eve Double", "firmware": "6.5.0", "protocol": "ocpp1.6"},)),
    }


def _connector() -> Panels:
    return {
        1: {"state": 10.0},
        2: (("A@charging", some("Value", least=1000.0)),),
        3: (("A", 1.0), ("A@calm", 0.0)),
        4: (("A@charging", some("drawn", least=1000.0)), ("B@charging", some("offered", least=10_000.0))),
        5: (("A@charging", some("register", least=1_000_000.0)),),
        6: (("A@charging", some("Outlet", least=20.0)),),
        7: (("A@charging", some("L1", "L2", "L3", least=10.0)), ("B@charging", some("voltage", least=390.0))),
        8: (("A@charging", some("state of charge", least=0.1)),),
        9: Rows(1, ({"error_code": "GroundFailure", "vendor_error_code": "E7"},)),
        10: Rows(None, ({"value": "Faulted"}, {"value": "Charging"})),
        11: Rows(1, ({"value": "GroundFailure", "detail": "E7"},)),
    }


def _cases() -> Panels:
    ranked = tuple({"kind": case[4], "severity": case[5], "Value": case[6] + (case[5] == "critical")} for case in CASES)
    kinds = Counter(case[4] for case in CASES) | {"offline": 3, "stuck_unavailable": 1}
    return {
        1: 7.0,
        2: 2.0,
        3: 1.0,
        4: 3.0,
        5: 1.0,
        6: some("Value"),
        7: (("A", Rows(len(CASES), ranked)), ("A@charging", Rows(2, ({"site": "north.gate"}, {"site": "harbour"})))),
        8: {kind: float(count) for kind, count in kinds.items()},
        9: {"open": 7.0, "acknowledged": 1.0, "suppressed": 3.0, "masked": 1.0},
        10: (("A", Rows(10, ({"site": "old-mill", "Value": 1.0},))), ("A@charging", Rows(2, ({"site": "harbour", "Value": 0.0},)))),
        11: Rows(4, ({"vendor": "Wallbe", "model": "Eco 2"},)),
    }


def _sessions(truth: Truth) -> Panels:
    served, failed = truth.model("Wallbe", "Eco 2")
    here = truth.site("north.gate")
    worked = truth.served / (truth.served + truth.failed)
    return {
        1: some("Value", least=0.8),
        2: worked,
        3: some("Value", least=20.0),
        4: some("Value", least=0.1),
        5: tuple((letter, some(name, least=1.0)) for letter, name in zip("ABCDE", STEPS, strict=True)),
        6: tuple(
            (letter, {name: float(count)})
            for letter, name, count in zip("ABCDE", STEPS, (served + failed,) * 3 + (served,) * 2, strict=True)
        ),
        7: tuple(
            (letter, {name: float(count)})
            for letter, name, count in zip("ABCDE", STEPS, (sum(here),) * 3 + (here[0],) * 2, strict=True)
        ),
        8: some("served", "no_energy", "rejected"),
        9: (("A", some("1 hour")), ("B", {"6 hours": 1 - worked}), ("C", {"1 day": 1 - worked})),
        10: (
            ("A", Rows(5, ({"vendor": "Wallbe", "model": "Eco 2", "firmware": "3.1", "Value": failed / (served + failed)},))),
            ("B", Rows(5, ({"vendor": "Wallbe", "model": "Eco 2", "Value": float(served + failed)},))),
        ),
        11: Rows(10, ({"site": "north.gate", "Value": here[1] / sum(here)},)),
    }


STEPS = ("plugged in", "authorized", "begun", "energy", "ended well")


def _fleet(truth: Truth) -> Panels:
    versions = Counter(f"{box.vendor} {box.model} {box.firmware}" for box in truth.boxes)
    offline = {f"{box.vendor} {box.model} {box.firmware}" for box in truth.boxes if not box.connected}
    held = {f"{box.vendor} {box.model} {box.firmware}" for box in truth.boxes if (box.name, "2") in HELD and box.name == "MA-1"}
    wallbe = [box for box in truth.boxes if box.vendor == "Wallbe"]
    running = sum(bool(plug.transaction) for box in wallbe for plug in box.plugs)
    row = {"vendor": "Wallbe", "model": "Eco 2", "firmware": "3.1"}
    return {
        1: (("A", float(len(truth.boxes))), ("A@charging", float(sum(box.vendor == "Alfen" for box in truth.boxes)))),
        2: 3.0,
        3: (("A", 4.0), ("A@charging", 1.0)),
        4: (("A", 5.0), ("A@charging", 2.0)),
        5: float(truth.running),
        6: some("Value", least=500_000.0),
        7: (
            ("A", Rows(5, ({**row, "Value": float(len(wallbe))},))),
            ("B", Rows(5, ({**row, "Value": sum(box.connected for box in wallbe) / len(wallbe)},))),
            ("C", Rows(5)),
            ("D", Rows(5, ({**row, "Value": float(running)},))),
            ("E", Rows(5)),
        ),
        8: {name: float(count) for name, count in versions.items()},
        9: {name: float(count) for name, count in versions.items()},
        10: {"Alfen Eve Double": 1 / 42},
        11: some(*offline, *held, "Alfen Eve Double 6.5.0", least=1.0),
        12: some(*versions),
    }


def _rollout() -> Panels:
    return {
        1: Rows(1, ({"version": VERSION, "state": "running"},)),
        2: Rows(1, ({"wave": "1", "verdict": "INCONCLUSIVE", "reason": "soaking"},)),
        3: some("Value", least=0.01),
        4: some("Value", least=0.3),
        5: (
            ("A", Rows(3, ({"wave": "0", "state": "passed"}, {"wave": "1", "state": "soaking"}))),
            ("B", Rows(4, ({"wave": "1", "Value": 20.0}, {"wave": "holdout", "Value": 20.0}))),
        ),
        6: {"healthy": 22.0, "installing": 2.0, "failed": 1.0, "queued": 60.0},
        7: {"finished": 23.0, "failed": 1.0, "lost": 0.0},
        8: (("A", some("evidence", least=1.0)), ("B", {"halt": 40.0})),
        9: (("A", some("proof", least=5.0)), ("B", {"pass": 20.0})),
        10: {"new": 22.0, "control": 20.0},
        11: (
            ("A", Rows(3, ({"signal": "reboots", "Value": 6.0},))), ("B", Rows(3, ({"signal": "reboots", "Value": 9.0},))),
            ("C", Rows(3, ({"signal": "reboots", "Value": 0.6},))), ("D", Rows(3)), ("E", Rows(3)),
            ("F", Rows(3, ({"signal": "reboots", "Value": 1 / 3},))),
        ),
        12: (("A", Rows(3, ({"signal": "offline", "Value": 1.9e6},))), ("B", Rows(3, ({"signal": "offline", "Value": 2.6e6},)))),
        13: 40.0,
        14: 2.0,
        15: 1.0,
        16: 0.0,
        17: 0.05,
        18: 0.0,
    }  # fmt: skip


def _traffic(truth: Truth) -> Panels:
    online = float(len(truth.online))
    newest = float(sum(box.connected and box.protocol == "ocpp2.0.1" for box in truth.boxes))
    actions = ("Authorize", "BootNotification", "DataTransfer", "Heartbeat", "MeterValues", "SecurityEventNotification",
               "StartTransaction", "StatusNotification", "StopTransaction")  # fmt: skip
    return {
        1: online,
        2: some("Value", least=online / 60),
        3: some("Value", least=0.005),
        4: some("Value", least=0.002),
        5: some("Value", least=4.5),
        6: some(*actions),
        7: Some(frozenset(actions), NAN),
        8: {"DataTransfer NotImplemented": 60.0},
        9: (("A", some("opened")), ("B", some("lost"))),
        10: (
            ("A", {"socket refused": 12.0, "socket timed_out": 6.0}),
            ("B", some("upgrade: unknown", least=4.5)),
            ("C", some("wrong password", least=4.5)),
        ),
        11: some("boots", least=3.0),
        12: some("missing-unit", least=11.0),
        13: (("A", some("refused FormationViolation", least=4.5)), ("B", some("repeated StartTransaction", least=11.0))),
        14: some("unknown transaction", least=0.9),
        15: some("accepted", "timed_out", least=4.5),
        16: Some(frozenset({"Reset", "TriggerMessage"}), NAN),
        17: Rows(2, ({"action": "Reset", "outcome": "timed_out"}, {"action": "TriggerMessage", "outcome": "accepted"})),
        18: {"ocpp1.6 profile 2": online - newest, "ocpp2.0.1 profile 2": newest},
        19: some("TamperDetectionActivated"),
    }


def _energy(truth: Truth) -> Panels:
    energy = truth.network.attempts.energy_wh
    ended = truth.served + truth.failed
    best = max(energy, key=lambda site: energy[site])
    return {
        1: (("A", sum(energy.values())), ("A@charging", energy["north.gate"] + energy["harbour"])),
        2: sum(energy.values()),
        3: float(ended),
        4: sum(energy.values()) / ended,
        5: sum(OCCUPIED[site] * count for site, (_, count) in SITES.items()) / sum(count for _, count in SITES.values()),
        6: 8 / 30,
        7: some("power", least=500_000.0),
        8: {site: each / 6 for site, each in energy.items()},
        9: (
            ("A", Rows(10, ({"site": "airport", "Value": energy["airport"]},), {"site": best})),
            ("B", Rows(10, ({"site": "airport", "Value": float(sum(truth.site("airport")))},))),
        ),
        10: Rows(10, ({"site": "harbour", "Value": OCCUPIED["harbour"]},), {"site": "airport", "Value": OCCUPIED["airport"]}),
        11: Rows(10, ({"site": "harbour", "Value": OCCUPIED["harbour"]},), {"site": "university", "Value": OCCUPIED["university"]}),
        **_history(truth),
    }


def _history(truth: Truth) -> Panels:
    """What the hours of connectors come to: at all sites, and at the two that are chosen."""
    every = connector_hours(truth.network)
    two = [each for each in every if each.site in ("north.gate", "harbour")]
    by_connector: Counter[tuple[str, str]] = Counter()
    for each in every:
        by_connector[each.charge_point, each.connector] += each.energy_wh

    def row(place: tuple[str, str]) -> dict[str, object]:
        return {"charge_point": place[0], "connector": place[1], "energy": by_connector[place]}

    most, least = max(by_connector, key=lambda each: by_connector[each]), min(by_connector, key=lambda each: by_connector[each])
    revenue = float(sum(sum(each.revenue.values()) for each in every))
    last = every[-truth.connectors :]
    return {
        12: (("A", float(sum(each.energy_wh for each in every))), ("A@charging", float(sum(each.energy_wh for each in two)))),
        13: {"sum_revenue_EUR": revenue},
        14: float(sum(each.sessions for each in every)),
        15: sum(each.occupied_s for each in every) / sum(each.total_s for each in every),
        16: some("energy", least=float(sum(each.energy_wh for each in last))),
        17: some("sum_revenue_EUR", least=0.99 * float(sum(sum(each.revenue.values()) for each in last))),
        18: Rows(20, (row(most),)),
        19: Rows(20, (row(least),)),
    }


def _availability(truth: Truth) -> Panels:
    boxes = {site: count for site, (_, count) in SITES.items()}
    total = sum(boxes.values())
    lost = 0.03 + 0.5 * boxes["old-mill"] / total
    week = total * 2 * 168 * 3600.0
    now = truth.unusable / truth.connectors
    return {
        1: 1 - now,
        2: 1 - lost,
        3: 1 - lost,
        4: some("Value", least=1.0),
        5: (
            ("A", {"now": now}),
            ("B", some("1 hour", least=0.03)),
            ("C", some("6 hours", least=0.01)),
            ("D", some("3 days", least=0.01)),
        ),
        6: {"Faulted": 1.0, "Unavailable": 1.0, "Unknown": 6.0},
        7: Rows(10, ({"site": "harbour", "Value": 0.97},), {"site": "old-mill", "Value": 0.47}),
        8: Rows(4, ({"state": "faulted", "Value": week * 0.01}, {"state": "unavailable", "Value": week * 0.02})),
        9: Rows(4, ({"vendor": "Wallbe", "model": "Eco 2"},)),
        10: 0.0,
        11: 0.0,
        12: 0.0,
        13: 1.0,
    }


def _billing(truth: Truth) -> Panels:
    energy = truth.network.attempts.energy_wh
    billed = float(truth.served + truth.failed - 9)
    return {
        1: 1.0,
        2: billed,
        3: 7.0,
        4: 2.0,
        5: 0.0,
        6: 2.0,
        7: {"billed": billed, "waiting": 2.0, "issue": 7.0, "open": 54.0, "dismissed": 1.0, "resolved": 3.0},
        8: {"no_tariff": 3.0, "no_energy": 4.0},
        9: {"draft": 2.0, "final": 14.0, "credited": 1.0, "credit_note": 1.0},
        10: Rows(10, ({"site": "airport", "currency": "EUR", "Value": energy["airport"] * 0.00049},)),
        11: {"EUR": sum(energy.values()) * 0.00049},
        12: 1.0,
        13: 1.0,
        14: 4.0,
        15: {"hold held": 3.0, "hold paid": 41.0, "charge paid": 12.0, "charge declined": 2.0},
        16: {"EUR": 37.5},
    }


def _platform() -> Panels:
    return {
        1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0,
        5: some("Value", least=0.2),
        6: some("Value", least=0.01),
        7: 2.0,
        8: (("A", {"records": 65 / 60}), ("B", {"commits": 2 / 60})),
        9: (("A", some("median", least=0.001)), ("B", some("99 %", least=0.001))),
        10: (("A", some("size", least=4e8)), ("B", some("pending records"))),
        11: (("A", some("telemetry-influx", "stations", "transactions", "fleet", "rollups")), ("B", some("detectors"))),
        12: (
            ("A", some("telemetry-influx", least=1.0)), ("B", some("telemetry-influx set aside")),
            ("C", some("telemetry-influx too old")),
        ),
        13: (
            ("A", some("collector 99 %", "billing 99 %", least=1e-5)),
            ("B", some("collector worst", "billing worst", least=0.01)),
        ),
        14: some("200", "404"),
        15: Some(frozenset({"GET /api/v1/charge-points", "GET /api/v1/charge-points/{id}", "GET /api/v1/transactions",
                            "GET /metrics"}), NAN),
        16: some("collector", "billing"),
        17: some("night delivered", "office delivered", "office retry", least=1.9),
        18: (
            ("A", Rows(2, ({"receiver": "night", "Value": 1.0}, {"receiver": "office", "Value": 0.0}))),
            ("B", Rows(2, ({"receiver": "night", "Value": 0.0}, {"receiver": "office", "Value": 2.0}))),
            ("C", Rows(1, ({"receiver": "office"},))),
        ),
        19: (("A", some("series", least=500.0)), ("B", {"time to write": 0.03})),
        20: Rows(2, ({"version": "0.1.0", "instance": "collector"}, {"version": "0.1.0", "instance": "billing"})),
        21: 25.0,
        22: some("Value", least=4.5),
        23: {"billing": 12.0},
        24: (
            ("A", Rows(1, ({"program": "billing", "Value": 1.0},))),
            ("B", Rows(1, ({"program": "billing", "Value": 12.0},))),
        ),
        25: some("collector", "billing", least=1e6),
    }  # fmt: skip


def _alerts() -> Panels:
    changes = ("opened", "acknowledged", "resolved", "reopened")
    return {
        1: 2.0,
        2: some("Value", least=30.0),
        3: some("Value", least=0.2),
        4: 1 / 6,
        5: 0.0,
        6: 25.0,
        7: some(*changes),
        8: some("first", "nothing new", "repeat", "silenced"),
        9: some("notice taken", "notice nothing_to_tell", "alertmanager taken"),
        10: some("night delivered", "office delivered", "office retry"),
        11: some("night", "office", least=0.1),
        12: {"night": 0.0, "office": 2.0},
        13: Rows(2, ({"alertname": "SiteOffline", "Value": 1.0}, {"alertname": "ConnectorSafetyFault", "Value": 1.0})),
        14: some("failing_attempts", "offline", "power_derated", "reboot_loop", "safety_fault", "site_offline",
                 "stuck_suspended_evse", "stuck_unavailable", "zero_energy", least=1.0),
        15: some("judging", least=0.01),
    }  # fmt: skip
