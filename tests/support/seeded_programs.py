"""What alerts, relay, rollouts and reports would say of the seeded network. Plain values, so that boards can be held to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from chargenet.observe import names as n
from chargenet.ports import ConnectorHour
from tests.support.seeded_network import END, FAULTED, FAULTED_FOR, OFFLINE_FOR, SITES, STEP_S, SeededNetwork

if TYPE_CHECKING:
    from tests.support.seeded_metrics import Said

CASES: tuple[tuple[str, str, str, str, str, str, float, int], ...] = (
    (*FAULTED, "", "safety_fault", "critical", 1.0, FAULTED_FOR),
    ("old-mill", "", "", "site:old-mill", "site_offline", "critical", 1.0, OFFLINE_FOR - 10),
    ("ring-road", "RR-3", "", "", "reboot_loop", "warning", 0.98, 40),
    ("depot", "DE-3", "1", "", "failing_attempts", "warning", 0.93, 180),
    ("harbour", "HA-3", "2", "", "failing_attempts", "warning", 0.88, 150),
    ("airport", "AI-4", "1", "", "power_derated", "warning", 0.81, 200),
    ("university", "UN-2", "2", "", "zero_energy", "warning", 0.9, 100),
    ("mall", "MA-2", "1", "", "stuck_suspended_evse", "warning", 0.97, 300),
)
"""(site, charge point, connector, group, kind, severity, how sure, minutes since it was opened)."""
OCCUPIED = {site: 0.1 + 0.05 * number for number, site in enumerate(sorted(SITES))}
"""Share of the time in which a connector of the site was occupied; 22 parts of 30 of it charging."""
BUSY = (3, 5, 9, 8, 6, 4)
"""How much is charged in each of the six hours before the end, compared with each other."""
ROLLOUT, VERSION = "eve-6.5.1", "6.5.1"
RECEIVERS = ("night", "office")


def say_programs(said: Said, network: SeededNetwork, at: datetime, step: int) -> None:
    """Everything at this instant. On a calm day nothing is wrong."""
    gone = (END - at).total_seconds() / STEP_S
    cases = [] if network.calm else [case for case in CASES if gone <= case[-1]]
    _say_cases(said, cases, step)
    _say_relay(said, cases, at, step)
    _say_rollout(said, at, step)
    _say_reports(said, network, at)
    _say_attempts(said, network)
    _say_billing(said, network)


def _say_cases(said: Said, cases: list[tuple[str, str, str, str, str, str, float, int]], step: int) -> None:
    said.say(n.CASE, {case[:6]: case[6] for case in cases})
    totals: dict[tuple[str, ...], float] = {}
    for *_, kind, severity, _score, _since in cases:
        key = (kind, severity, "acknowledged" if kind == "power_derated" else "open")
        totals[key] = totals.get(key, 0.0) + 1
    if cases:
        totals["offline", "warning", "suppressed"] = 3.0
        totals["stuck_unavailable", "warning", "masked"] = 1.0
    said.say(n.CASES_OPEN, totals)
    for what, every in (("opened", 45), ("resolved", 60), ("acknowledged", 90), ("reopened", 200)):
        said.count(n.CASE_CHANGES, (what,), float(step % every == 0))
    said.say(n.CASES_UNTOLD, {(): 0.0})
    said.say(n.ALERTS_BEHIND, {(): float(step % 9)})
    said.say(n.ALERTS_JUDGING, {(): 0.02 + 0.001 * (step % 6)})
    said.say(n.ALERTS_WORKING, {(): 1.0})


def _say_relay(said: Said, cases: list[tuple[str, str, str, str, str, str, float, int]], at: datetime, step: int) -> None:
    severities = [case[5] for case in cases]
    said.say(n.ALERTS_OPEN, {(severity,): float(severities.count(severity)) for severity in ("critical", "warning", "info")})
    said.count(n.ALERTS_TAKEN, ("notice", "taken"), float(step % 15 == 0))
    said.count(n.ALERTS_TAKEN, ("alertmanager", "taken"), float(step % 20 == 0))
    said.count(n.ALERTS_TAKEN, ("notice", "nothing_to_tell"), float(step % 40 == 0))
    for reason, every in (("first", 25), ("nothing new", 3), ("repeat", 120), ("silenced", 80)):
        said.count(n.ALERTS_JUDGED, (reason,), float(step % every == 0))
    said.say(n.OUTBOX_WAITING, {("night",): 0.0, ("office",): 2.0})
    said.say(n.OUTBOX_OLDEST, {("office",): at.timestamp() - 95})
    said.say(n.RECEIVER_REACHABLE, {("night",): 1.0, ("office",): 0.0})
    for receiver in RECEIVERS:
        said.count(n.ATTEMPTS, (receiver, "delivered"), float(step % 20 == 0))
        said.observe(n.ATTEMPT_DURATION, (receiver,), 0.15)
    said.count(n.ATTEMPTS, ("office", "retry"), float(step % 30 == 0))
    said.say(n.RELAY_WORKING, {(): 1.0})
    said.say(n.WATCHDOG_HEARD, {(): at.timestamp() - 25})


def _say_rollout(said: Said, at: datetime, step: int) -> None:
    """A canary of 5 has passed, wave 1 of 20 soaks, wave 2 of 60 waits; the new firmware is a little better so far."""
    said.say(n.ROLLOUT_STATE, {(ROLLOUT, VERSION, "running", ""): 1.0})
    states = {"0": "passed", "1": "soaking", "2": "pending"}
    said.say(n.ROLLOUT_WAVE_STATE, {(ROLLOUT, wave, state): 1.0 for wave, state in states.items()})
    updates: dict[tuple[str, ...], float] = {
        ("0", "healthy"): 5.0,
        ("1", "healthy"): 17.0,
        ("1", "installing"): 2.0,
        ("1", "failed"): 1.0,
        ("2", "queued"): 60.0,
    }
    said.say(n.ROLLOUT_UPDATES, {(ROLLOUT, *key): count for key, count in updates.items()} | {(ROLLOUT, "holdout", "queued"): 20.0})
    wave = (ROLLOUT, "1")
    said.say(n.ROLLOUT_VERDICT, {(*wave, "INCONCLUSIVE", "soaking"): 1.0})
    said.say(n.ROLLOUT_EVIDENCE, {wave: 1.0 + 0.002 * step})
    said.say(n.ROLLOUT_EVIDENCE_LIMIT, {wave: 40.0})
    said.say(n.ROLLOUT_PROOF, {wave: 1.0 + 0.02 * step})
    said.say(n.ROLLOUT_PROOF_LIMIT, {wave: 20.0})
    said.say(n.ROLLOUT_RULE_OUT, {wave: 2.0})
    signals = {"reboots": 0.6, "failed_attempts": 0.9, "offline": 1.1}
    said.say(n.ROLLOUT_SIGNAL_EVIDENCE, {(*wave, name): ratio for name, ratio in signals.items()})
    said.say(n.ROLLOUT_SIGNAL_FIRST, {(*wave, name): ratio for name, ratio in signals.items()})
    said.say(n.ROLLOUT_SIGNAL_SHARE, {(*wave, name): 1 / 3 for name in signals})
    said.say(n.ROLLOUT_SIGNAL_RATIO, {(*wave, name): ratio for name, ratio in signals.items()})
    groups = {"new": (6.0, 1.9e6), "control": (9.0, 2.6e6)}
    said.say(n.ROLLOUT_SIGNAL_EVENTS, {(*wave, name, group): count for name in signals for group, (count, _) in groups.items()})
    said.say(n.ROLLOUT_SIGNAL_EXPOSURE, {(*wave, name, group): time for name in signals for group, (_, time) in groups.items()})
    said.say(n.ROLLOUT_INSTALLS, {(*wave, "finished"): 23.0, (*wave, "failed"): 1.0, (*wave, "lost"): 0.0})
    said.say(n.ROLLOUT_JUDGED, {(*wave, "new"): 22.0, (*wave, "control"): 20.0})
    said.say(n.ROLLOUT_EVIDENCE_AT, {(ROLLOUT,): at.timestamp() - 40})
    said.say(n.FIRMWARE_BEHIND, {(): 0.0})
    said.say(n.FIRMWARE_WORKING, {(): 1.0})
    said.say(n.FIRMWARE_TICK, {(): 0.05})
    said.say(n.FIRMWARE_DAMAGED, {(): 0.0})


def _say_reports(said: Said, network: SeededNetwork, at: datetime) -> None:
    """Hourly rollups: `old-mill` was half its time offline; energy is what was delivered so far."""
    energy = network.attempts.energy_wh
    hours = {"1h": 1.0, "24h": 24.0, "7d": 168.0}
    said.say(n.SITE_WINDOW_ENERGY, {(site, w): energy.get(site, 0.0) * min(1, h / 6) for site in SITES for w, h in hours.items()})
    seconds: dict[tuple[str, ...], float] = {}
    for site, (_, count) in SITES.items():
        for window, h in hours.items():
            total = count * 2 * h * 3600
            offline = 0.5 if site == "old-mill" else 0.0
            taken = OCCUPIED[site]
            shares = {"total": 1.0, "occupied": taken, "charging": taken * 22 / 30, "idle": taken * 8 / 30, "faulted": 0.01,
                      "unavailable": 0.02, "offline": offline, "unknown": 0.0}  # fmt: skip
            seconds |= {(site, window, state): total * share for state, share in shares.items()}
    said.say(n.SITE_WINDOW_SECONDS, seconds)
    sessions = {site: sum(sum(each) for key, each in network.attempts.ended.items() if key[0] == site) for site in SITES}
    said.say(
        n.SITE_WINDOW_SESSIONS,
        {(site, w): float(count) * min(1, h / 6) for site, count in sessions.items() for w, h in hours.items()},
    )
    said.say(n.SITE_WINDOW_REVENUE, {(site, w, "EUR"): energy.get(site, 0) / 1000 * 0.49 for site in SITES for w in hours})
    said.say(n.ROLLUPS_UPTO, {(): at.timestamp() // 3600 * 3600})
    said.count(n.ROLLUPS_RESTATED, (), 0.0)
    said.say(n.ROLLUPS_BEHIND, {(): 0.0})
    said.say(n.ROLLUPS_WORKING, {(): 1.0})


def connector_hours(network: SeededNetwork) -> list[ConnectorHour]:
    """The six complete hours before the end: each connector delivers a little more than the one before it, two are unused."""
    made = []
    plugs, began = [(box, plug) for box in network.boxes for plug in box.plugs], END - timedelta(hours=len(BUSY))
    for hour in range(len(BUSY)):
        for number, (box, plug) in enumerate(plugs):
            energy_wh = 0 if number < 2 else (1000 + 10 * number) * BUSY[hour]
            occupied = 300 * BUSY[hour] if energy_wh else 0
            made.append(ConnectorHour(
                charge_point=box.name, connector=plug.ref.label, site=box.site, hour=began + timedelta(hours=hour), revision=0,
                total_s=3600, occupied_s=occupied, charging_s=occupied // 2, idle_s=occupied // 2, faulted_s=0, unavailable_s=0,
                offline_s=0, unknown_s=0, energy_wh=energy_wh, sessions=int(energy_wh > 0),
                revenue={"EUR": Decimal(energy_wh) * Decimal("0.00049")} if energy_wh else {},
            ))  # fmt: skip
    return made


def _say_attempts(said: Said, network: SeededNetwork) -> None:
    """As the network counted them, and two refused tokens at each site."""
    outcomes = ("served", "no_energy")
    sites: dict[tuple[str, ...], float] = {(site, "rejected"): 2.0 for site in SITES}
    sites |= {(site, outcome): 0.0 for site in SITES for outcome in outcomes}
    firmwares: dict[tuple[str, ...], float] = {
        (box.vendor, box.model, box.firmware, outcome): 0.0 for box in network.boxes for outcome in outcomes
    }
    for (site, vendor, model, firmware), (served, failed) in network.attempts.ended.items():
        for outcome, count in (("served", served), ("no_energy", failed)):
            sites[site, outcome] = sites.get((site, outcome), 0.0) + count
            key = (vendor, model, firmware, outcome)
            firmwares[key] = firmwares.get(key, 0.0) + count
    firmwares["Alfen", "Eve Double", "6.5.0", "rejected"] = 2.0 * len(SITES)
    said.say(n.SITE_ATTEMPTS, sites)
    said.say(n.FIRMWARE_ATTEMPTS, firmwares)


def _say_billing(said: Said, network: SeededNetwork) -> None:
    """All but seven are billed: three have no tariff, four no energy; two wait for more."""
    ended = float(sum(sum(each) for each in network.attempts.ended.values()))
    states = {"billed": max(0.0, ended - 9), "waiting": 2.0, "issue": 7.0, "open": 54.0, "dismissed": 1.0, "resolved": 3.0}
    said.say(n.BILLING_SESSIONS, {(state,): count for state, count in states.items()})
    said.say(n.BILLING_UNBILLED, {("no_tariff",): 3.0, ("no_energy",): 4.0})
    said.say(n.STATEMENTS, {("draft",): 2.0, ("final",): 14.0, ("credited",): 1.0, ("credit_note",): 1.0})
    said.say(n.BILLING_BEHIND, {(): 0.0})
    said.say(n.BILLING_WORKING, {(): 1.0})
    said.say(n.PAYMENTS, {("hold", "held"): 3.0, ("hold", "paid"): 41.0, ("charge", "paid"): 12.0, ("charge", "declined"): 2.0})
    said.say(n.PAYMENTS_STUCK, {(): 1.0})
    said.say(n.PAYMENTS_RECEIVABLE, {("EUR",): 37.5})
    said.say(n.PAYMENTS_WAITED, {(): 4.0})
    said.say(n.PAYMENTS_WORKING, {(): 1.0})
