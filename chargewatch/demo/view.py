"""What the demo shows: a fold of facts into network totals, and their drawing with rich. Pure; nothing here is measured anew."""

from __future__ import annotations

import textwrap
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from alerts.case import Case
from chargenet import events as e
from chargenet.events import Fact
from chargenet.model import measurement as m

STATUS_COLOURS = {
    "Available": "green", "Preparing": "cyan", "Occupied": "cyan", "Charging": "bright_blue", "SuspendedEV": "blue",
    "SuspendedEVSE": "yellow", "Finishing": "cyan", "Reserved": "magenta", "Unavailable": "bright_black", "Faulted": "bright_red",
}  # fmt: skip
RECENT = 200
SEVERITY_STYLES = {"critical": "bold bright_red", "warning": "yellow", "info": "bright_black"}
MOST_CASES = 8
HEAD_LINES, BODY_LINES = 4, 12
"""What the head takes, and what the middle of the screen keeps when there are many cases."""


class NetworkView:
    """Everything on the screen, kept current by `apply`. `cases`: those that somebody should hear of, now."""

    def __init__(self, site_of: Callable[[str], str], cases: Callable[[], Sequence[Case]] = tuple) -> None:
        self._site_of, self._cases = site_of, cases
        self.connected: dict[str, int] = {}
        self.known: dict[str, str] = {}
        self.statuses: dict[tuple[str, str], str] = {}
        self.power_w: dict[tuple[str, str], float] = {}
        self.open: set[tuple[str, str]] = set()
        self.sessions_ended = self.frames = 0
        self.energy_wh = 0.0
        self.registers: dict[tuple[str, str], float] = {}
        self.recent: deque[tuple[datetime, str, str, str]] = deque(maxlen=RECENT)

    def apply(self, fact: Fact) -> None:
        """Fold one fact in."""
        self.frames += 1
        for event in fact.events:
            handler = _HANDLERS.get(type(event))
            if handler is not None:
                handler(self, fact, event)

    def say(self, fact: Fact, style: str, text: str) -> None:
        """Add a line to the scrolling events."""
        self.recent.append((fact.received_at, fact.charge_point_id, style, text))

    @property
    def total_power_kw(self) -> float:
        return sum(self.power_w.values()) / 1000

    def by_status(self) -> Counter[str]:
        """Connectors per status, of connected charge points; those of others count as Offline."""
        return Counter(
            status if charge_point in self.connected else "Offline" for (charge_point, _), status in self.statuses.items()
        )

    def line(self, minutes: float) -> str:
        """The plain form for logs and pipes: one line."""
        words = ", ".join(f"{count} {status}" for status, count in self.by_status().most_common())
        return (
            f"t={minutes:5.1f} min  charge points {len(self.connected)}/{len(self.known)}  connectors: {words or 'none yet'}  "
            f"power {self.total_power_kw:.0f} kW  sessions {len(self.open)} open, {self.sessions_ended} ended  "
            f"energy {self.energy_wh / 1000:.1f} kWh  open cases {len(self._cases())}  records {self.frames}"
        )

    def draw(self, urls: list[tuple[str, str]], minutes: float, width: int = 120, height: int = 40) -> RenderableType:
        """The whole screen of so many columns and lines."""
        layout, cases, foot = Layout(), _worst_first(self._cases()), _foot_lines(urls, width)
        room = (height - HEAD_LINES - foot - BODY_LINES - 2) // 2
        cases_shown = cases[: min(MOST_CASES, max(1, room))]
        layout.split_column(
            Layout(self._head(minutes), size=HEAD_LINES),
            Layout(_cases(cases_shown, len(cases)), size=max(1, 2 * len(cases_shown)) + 2),
            Layout(name="body"),
            Layout(_links(urls), size=foot),
        )
        layout["body"].split_row(Layout(Group(self._statuses(), self._sites())), Layout(self._events()))
        return layout

    def _head(self, minutes: float) -> RenderableType:
        table = Table.grid(expand=True)
        figures = [
            ("charge points online", f"{len(self.connected)} of {len(self.known)}"), ("power", f"{self.total_power_kw:,.0f} kW"),
            ("sessions open", str(len(self.open))), ("sessions ended", str(self.sessions_ended)),
            ("energy delivered", f"{self.energy_wh / 1000:,.1f} kWh"), ("records kept", f"{self.frames:,}"),
            ("running", f"{minutes:.1f} min"),
        ]  # fmt: skip
        for _ in figures:
            table.add_column(justify="center")
        table.add_row(*(Text(value, style="bold bright_white") for _, value in figures))
        table.add_row(*(Text(name, style="bright_black") for name, _ in figures))
        return Panel(table, title="[bold]chargewatch demo network", border_style="blue")

    def _statuses(self) -> RenderableType:
        counts = self.by_status()
        total = max(1, sum(counts.values()))
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(width=14)
        table.add_column(justify="right", width=5)
        table.add_column(ratio=1)
        for status, count in counts.most_common():
            colour = STATUS_COLOURS.get(status, "red")
            table.add_row(Text(status, style=colour), str(count), Text("█" * max(1, round(30 * count / total)), style=colour))
        return Panel(table, title="connectors by status", border_style="bright_black")

    def _sites(self) -> RenderableType:
        table = Table(expand=True, box=None, padding=(0, 0, 0, 1))
        table.add_column("site", header_style="bright_black", no_wrap=True, overflow="ellipsis", ratio=1)
        for heading in ("online", "charging", "faulted", "kW"):
            table.add_column(heading, justify="right", header_style="bright_black", min_width=len(heading))
        for site in sorted(set(self.known.values())):
            members = {name for name, at in self.known.items() if at == site}
            mine = Counter(status for (name, _), status in self.statuses.items() if name in members)
            online = sum(name in self.connected for name in members)
            drawn = [value for (name, _), value in self.power_w.items() if name in members and value > 0]
            power = sum(drawn) / 1000
            style = "red" if online == 0 else ""
            table.add_row(site, f"{online}/{len(members)}", str(len(drawn)), str(mine["Faulted"]), f"{power:,.0f}", style=style)
        return Panel(table, title="sites", border_style="bright_black")

    def _events(self) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        for least in (8, 8, 1):
            table.add_column(no_wrap=True, overflow="ellipsis", min_width=least)
        for at, charge_point, style, text in list(self.recent)[-60:][::-1]:
            table.add_row(Text(f"{at:%H:%M:%S}", style="bright_black"), Text(charge_point, style="bold"), Text(text, style=style))
        return Panel(table, title="events, newest first", border_style="bright_black")

    def _opened(self, fact: Fact, event: e.ConnectionOpened) -> None:
        self.connected[fact.charge_point_id] = fact.generation
        self.known.setdefault(fact.charge_point_id, self._site_of(fact.charge_point_id) or "no site")
        self.say(fact, "green", f"connected ({fact.protocol})")

    def _closed(self, fact: Fact, event: e.ConnectionClosed) -> None:
        if self.connected.get(fact.charge_point_id, 0) <= fact.generation:
            self.connected.pop(fact.charge_point_id, None)
            for key in [key for key in self.power_w if key[0] == fact.charge_point_id]:
                del self.power_w[key]
            self.say(fact, "red", "lost" if event.lost else "disconnected")

    def _booted(self, fact: Fact, event: e.ChargePointBooted) -> None:
        self.say(fact, "", f"booted: {event.vendor} {event.model}, firmware {event.firmware_version}")

    def _status(self, fact: Fact, event: e.StatusReported) -> None:
        if event.connector is None:
            return
        key = (fact.charge_point_id, event.connector.label)
        if self.statuses.get(key) != event.status:
            error = event.vendor_error_code or event.error_code
            detail = f" ({error})" if error and error != "NoError" else ""
            self.say(fact, STATUS_COLOURS.get(event.status, ""), f"connector {key[1]}: {event.status}{detail}")
        self.statuses[key] = event.status
        if event.status in {"Available", "Finishing", "Faulted", "Unavailable"}:
            self.power_w.pop(key, None)

    def _measured(self, fact: Fact, event: e.MeasurementsTaken) -> None:
        key = (fact.charge_point_id, event.connector.label if event.connector else "")
        for measurement in event.measurements:
            if measurement.phase is None and measurement.measurand == m.POWER:
                self.power_w[key] = measurement.value
            elif measurement.phase is None and measurement.measurand == m.ENERGY_REGISTER:
                self.energy_wh += max(0.0, measurement.value - self.registers.get(key, measurement.value))
                self.registers[key] = measurement.value

    def _started(self, fact: Fact, event: e.TransactionStarted) -> None:
        self.open.add((fact.charge_point_id, event.transaction_id))
        place = f"connector {event.connector.label}" if event.connector else "unknown connector"
        self.say(fact, "bright_blue", f"{place}: transaction {event.transaction_id[:12]} started")

    def _stopped(self, fact: Fact, event: e.TransactionStopped) -> None:
        if event.transaction_id is not None:
            self.open.discard((fact.charge_point_id, event.transaction_id))
        self.sessions_ended += 1
        self.say(fact, "blue", f"transaction {(event.transaction_id or '?')[:12]} stopped: {event.reason or 'no reason given'}")

    def _deviated(self, fact: Fact, event: e.FrameDeviated) -> None:
        self.say(fact, "yellow", f"deviation used all the same: {event.detail}")


_HANDLERS: dict[type[e.Event], Callable[..., None]] = {
    e.ConnectionOpened: NetworkView._opened,
    e.ConnectionClosed: NetworkView._closed,
    e.ChargePointBooted: NetworkView._booted,
    e.StatusReported: NetworkView._status,
    e.MeasurementsTaken: NetworkView._measured,
    e.TransactionStarted: NetworkView._started,
    e.TransactionStopped: NetworkView._stopped,
    e.FrameDeviated: NetworkView._deviated,
}


def case_line(case: Case) -> str:
    """A case in one line: where, what, since when, and the evidence for it."""
    evidence = case.evidence[0].what if case.evidence else ""
    return f"{_where(case)}: {case.kind} since {case.began_at:%H:%M:%S}: {case.summary}. {evidence}".rstrip()


def case_end(case: Case) -> str:
    """How it ended, in one line. One that is not resolved was explained by something wider."""
    return f"case {case.case_id} is over: {_where(case)}: {case.kind}: {case.resolution or 'something wider explains it'}"


def _where(case: Case) -> str:
    if case.group is not None:
        return case.group
    return f"{case.charge_point_id}{f' connector {case.connector}' if case.connector is not None else ''}"


def _worst_first(cases: Sequence[Case]) -> list[Case]:
    order = list(SEVERITY_STYLES)
    return sorted(cases, key=lambda case: (order.index(case.severity), -case.opened_at.timestamp()))


def _cases(cases: list[Case], count: int) -> RenderableType:
    """Two lines each: what is wrong, and the first sentence of evidence. Cut at the edge, never wrapped."""
    lines = Text(no_wrap=True, overflow="ellipsis")
    for case in cases:
        lines.append(f"{_where(case)} ", style="bold")
        lines.append(f"{case.kind}", style=SEVERITY_STYLES.get(case.severity, ""))
        lines.append(f" since {case.began_at:%H:%M:%S}: {case.summary}\n")
        lines.append(f"  {case.evidence[0].what if case.evidence else case.action}\n", style="bright_black")
    if not cases:
        lines.append("none: a case opens as soon as the evidence for it is there", style="bright_black")
    more = f", the {len(cases)} worst of them" if count > len(cases) else ""
    return Panel(lines, title=f"open cases: {count}{more}", border_style="yellow" if cases else "bright_black")


def _foot_lines(urls: list[tuple[str, str]], width: int) -> int:
    """Lines that the foot takes, its frame among them: long commands go on in the next line, none is cut."""
    room = max(1, width - 4 - 2 - max((len(name) for name, _ in urls), default=0))
    return 2 + sum(len(textwrap.wrap(url, room, break_on_hyphens=False)) for _, url in urls)


def _links(urls: list[tuple[str, str]]) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=max((len(name) for name, _ in urls), default=0))
    table.add_column(overflow="fold")
    for name, url in urls:
        table.add_row(Text(name, style="bright_black"), Text(url, style="cyan"))
    return Panel(table, border_style="blue")
