"""How rollouts look on a screen. Pure: answers of the API in, something that rich prints out.

Decided here: what stands first (how it stands, what a person can do, why), that what is cut on a small screen is the list of charge
points and nothing else, and what one line of a log says.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from chargewatch.cli.output import table

WHOLE_LIST = 15
"""Charge points that are named where there is room."""
_FINE = ("verified", "healthy", "holdout", "withdrawn")
_UNDER_WAY = ("sending", "sent", "downloading", "downloaded", "installing", "rebooting", "claimed")
_COLOURS = {"halted": "bold red", "held": "bold yellow", "finished": "bold green"}
_INSTALLS = ("installs", "lost")
_NAMES, _REASONS = 6, 20
_HOLDOUT = -1
"""How the API numbers it among the waves."""
_AHEAD_DAYS = 7
"""As far as a plan looks for windows."""


def waits_for_a_person(found: dict[str, Any]) -> bool:
    """Nothing more happens by itself: it has ended, or somebody must decide and no charge point is being updated."""
    if found["state"] in ("finished", "aborted", "rolled_back"):
        return True
    waiting = found["state"] in ("draft", "halted", "paused") or (found["state"] == "held" and found["reason"] != "no_data")
    return waiting and not any(found["counts"].get(state) for state in _UNDER_WAY)


def what_can_be_done(found: dict[str, Any]) -> list[str]:
    """Commands that make sense now, with what they do."""
    rollout_id, state = found["rollout_id"], found["state"]
    start, resume = f"`rollout start {rollout_id}` begins", f"`rollout resume {rollout_id}` goes on"
    abort = f"`rollout abort {rollout_id}` leaves as is what is installed"
    back = f"`rollout rollback {rollout_id} --to FIRMWARE` goes back"
    if state == "held" and found["reason"] == "no_data":
        return ["it goes on by itself when data comes back", abort]
    if state in ("aborted", "rolled_back", "finished") and found["rolled_back_by"] is not None:
        return [f"`rollout status {found['rolled_back_by']}` shows the way back"]
    return {
        "draft": [start, abort],
        "held": [f"`rollout approve {rollout_id}` lets it go on", abort, back],
        "paused": [resume, abort, back],
        "halted": [abort, back, f"`rollout resume {rollout_id} --why …` goes on all the same"],
        "aborted": [back],
    }.get(state, [])


def view(found: dict[str, Any], height: int | None = None) -> Group:
    """A rollout; `height`: lines of the screen, where it must fit."""
    head = Text(f"{found['name']} → {found['version']}: {found['state']}", style=_COLOURS.get(found["state"], "bold"))
    parts: list[Any] = [head]
    if found["sentence"] and found["sentence"] != said(found):
        parts.append(Text(found["sentence"]))
    parts += [Text(f"  {each}", style="cyan") for each in what_can_be_done(found)]
    parts.append(_waves(found))
    if found["verdict"] is not None:
        parts += [_verdict(found), _evidence(found["verdict"])]
    if found["network_speed"] != 1 and found["verdict"] is not None:
        text = f"times of the evidence are this network's own: it lives {found['network_speed']:g} times faster than the clock"
        parts.append(Text(text, style="dim"))
    used = len(parts) + len(found["waves"]) + (0 if found["verdict"] is None else 2 + len(found["verdict"]["signals"]))
    room = WHOLE_LIST if height is None else max(0, min(WHOLE_LIST, height - used - 4))
    if (listed := _charge_points(found, room)) is not None:
        parts.append(listed)
    return Group(*parts)


def stand(found: dict[str, Any]) -> tuple[Any, ...]:
    """How it stands, without figures that change from second to second: what is new is another one."""
    verdict = found["verdict"]
    waves = tuple((wave["state"], _counts(wave)) for wave in found["waves"])
    return found["state"], found["sentence"], waves, None if verdict is None else verdict["outcome"]


def line(found: dict[str, Any]) -> str:
    """The same in one line, for a log."""
    waves = "; ".join(f"{_wave_name(wave['number'])} {wave['state']}: {_counts(wave)}" for wave in found["waves"])
    because = said(found)
    return f"{found['rollout_id']} is {found['state']}: {waves}{f' | {because}' if because else ''}"


def said(found: dict[str, Any]) -> str:
    """What the gate says."""
    verdict = found["verdict"]
    return "" if verdict is None else "; ".join(reason["sentence"] for reason in verdict["reasons"])


def plan_view(found: dict[str, Any]) -> Group:
    """What a file would do."""
    artifact = found["artifact"]
    parts: list[Any] = [Text(f"{found['name']}: {artifact['artifact_id']} ({artifact['version']}), seed {found['seed']}", "bold")]
    waves = [
        (_wave_name(wave["number"]), len(wave["charge_points"]), wave["sites"], _named(wave["charge_points"]),
         "waits for a person" if wave["needs_approval"] else "begins by itself")
        for wave in found["waves"]
    ]  # fmt: skip
    waves.append(("holdout", len(found["holdout"]), "", _named(found["holdout"]), "never updated by this rollout"))
    parts.append(table(("wave", "charge points→", "sites→", "who", ""), waves))
    parts += [Text(each) for each in found["canary"].get("sentences", ())]
    parts += [Text(f"window: {each}") for each in _windows(found)]
    parts += [Text(f"out: {each}") for each in _out(found)]
    if found["not_targeted"]:
        parts.append(Text(f"out: {_charge_points_are(found['not_targeted'])} not named by the target"))
    parts += [Text(f"note: {each}") for each in found["notes"]]
    return Group(*parts)


def _windows(found: dict[str, Any]) -> Iterator[str]:
    for zone in found["zones"]:
        openings = [f"{_minute(each['start'])} to {_minute(each['end'])}" for each in zone["openings"]]
        if any(_days(each) >= _AHEAD_DAYS for each in zone["openings"]):
            openings = ["at any time"]
        who = f"{zone['charge_points']} charge points, {zone['time_zone']}"
        yield f"{who}: {', then '.join(openings) if openings else 'never open for long enough'}"


def _out(found: dict[str, Any]) -> Iterator[str]:
    """One line for each reason, however many charge points it keeps out."""
    reasons: dict[str, list[str]] = {}
    for each in found["out"]:
        reasons.setdefault(each["sentence"], []).append(each["charge_point_id"])
    for sentence, names in list(reasons.items())[:_REASONS]:
        yield f"{_named(names)}{f' ({len(names)} charge points)' if len(names) > 1 else ''}: {sentence}"
    if len(reasons) > _REASONS:
        yield f"and for {len(reasons) - _REASONS} more reasons: --json has all of them"


def _waves(found: dict[str, Any]) -> Table:
    """Of a draft also who is in which: the draw is made when it is created."""
    rows = [(_wave_name(wave["number"]), wave["state"], wave["size"], _counts(wave)) for wave in found["waves"]]
    rows.append(("holdout", "", found["holdout"], "never updated by this rollout"))
    columns = ("wave", "state", "charge points→", "how they stand")
    if found["state"] != "draft":
        return table(columns, rows)
    numbers = (*(wave["number"] for wave in found["waves"]), _HOLDOUT)
    members = ([each["charge_point_id"] for each in found["updates"] if each["wave"] == number] for number in numbers)
    return table((*columns, "who"), [(*row, _named(names)) for row, names in zip(rows, members, strict=True)])


def _verdict(found: dict[str, Any]) -> Text:
    verdict = found["verdict"]
    text = Text(f"{verdict['outcome']}: ", style={"FAIL": "bold red", "PASS": "green"}.get(verdict["outcome"], "bold"))
    text.append(f"{said(found)} (E = {verdict['e']:.2f}, stops at {verdict['limit']:g})", style="not bold")
    return text


def _evidence(verdict: dict[str, Any]) -> Table:
    def row(each: dict[str, Any]) -> tuple[Any, ...]:
        label = each["label"] if each["share"] else f"{each['label']} (only observed)"
        if each["signal"] in _INSTALLS:
            return label, f"{each['e']:.2f}", f"{each['treated']} of {each['control']}", "", ""
        times = "" if each["ratio"] is None else f"× {each['ratio']:.1f}"
        new, control = (f"{each[group]} in {_span(each[f'{group}_days'])}" for group in ("treated", "control"))
        return label, f"{each['e']:.2f}", new, control, times

    return table(("signal", "E→", "new firmware", "control", "per charge point"), [row(each) for each in verdict["signals"]])


def _charge_points(found: dict[str, Any], room: int) -> Table | None:
    """Those that need a look: under way, waiting for something, or ended badly; not those whose turn has not come."""
    listed = [
        each
        for each in found["updates"]
        if each["reason"] and each["state"] not in _FINE and (each["state"] != "queued" or found["state"] == "running")
    ]
    if not listed or room <= 0:
        return None
    rows: list[tuple[Any, ...]] = [(each["charge_point_id"], each["state"], each["reason"]) for each in listed[:room]]
    if len(listed) > room:
        rows.append((f"and {len(listed) - room} more", "", ""))
    return table(("charge point", "state", "why"), rows)


def _counts(wave: dict[str, Any]) -> str:
    return ", ".join(f"{count} {state}" for state, count in wave["counts"].items())


def _wave_name(number: int) -> str:
    return "canary" if number == 0 else str(number)


def _named(names: list[str]) -> str:
    return ", ".join(names[:_NAMES]) + (" …" if len(names) > _NAMES else "")


def _charge_points_are(count: int) -> str:
    return "1 charge point is" if count == 1 else f"{count} charge points are"


def _days(opening: dict[str, Any]) -> float:
    return (datetime.fromisoformat(opening["end"]) - datetime.fromisoformat(opening["start"])) / timedelta(days=1)


def _minute(instant: str) -> str:
    return f"{instant[:10]} {instant[11:16]}Z"


def _span(days: float) -> str:
    """Time at risk: 9.1 days, 5.2 h, 12 min."""
    if days >= 2:
        return f"{days:.1f} days"
    return f"{days * 24:.1f} h" if days * 24 >= 2 else f"{days * 1440:.0f} min"
