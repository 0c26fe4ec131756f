"""How answers look: tables for people, arrays for programs. Decided here: columns' spelling, and that doubt is shown as a dash."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chargenet.stores import Page
from chargewatch.cli.exits import CommandFailed, Exit

STATUS_STYLES = {
    "Available": "green",
    "Charging": "bright_blue",
    "Faulted": "bold red",
    "Unavailable": "bright_black",
    "Accepted": "green",
    "Pending": "yellow",
    "Rejected": "red",
    "Blocked": "red",
    "accepted": "green",
    "rejected": "yellow",
    "error": "red",
    "timed_out": "red",
    "not_connected": "red",
    "open": "bright_blue",
    "stopped": "green",
    "estimated": "yellow",
}
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def console() -> Console:
    """Standard output; wide where it is not a terminal, so that no pipe cuts a line."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 240, soft_wrap=not sys.stdout.isatty())


def note(text: str) -> None:
    """A remark on standard error: it is never part of the answer."""
    Console(stderr=True, highlight=False).print(text, style="dim", markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """JSON for programs, indented."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_line(value: Any) -> None:
    """One JSON value on one line, at once."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def listing(
    page: Page[Any],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    as_json: bool,
    nothing: str,
    whole: Callable[[Any], Any] | None = None,
) -> None:
    """A page as an array (of `whole(item)` where given) or a table; says on standard error when there is more."""
    if as_json:
        print_json([whole(each) for each in page.items] if whole else page.items)
    elif page.items:
        console().print(table(columns, rows))
    else:
        note(nothing)
    if page.next_cursor is not None:
        note(f"these are the first {len(page.items)}; --limit N shows more")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Columns that end in `→` are right-aligned numbers."""
    made = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column.removesuffix("→"), justify="right" if column.endswith("→") else "left", overflow="fold")
    for row in rows:
        made.add_row(*(cell(value) for value in row))
    return made


def facts(pairs: Iterable[tuple[str, Any]]) -> Table:
    """Names and values below each other; what is not known is left out."""
    made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        if value is not None and value != "" and value != ():
            made.add_row(name, cell(value))
    return made


def cell(value: Any) -> Text:
    """One value as text."""
    if value is None or value == "" or value == ():
        return Text("-", style="dim")
    if isinstance(value, datetime):
        return Text(when(value))
    if isinstance(value, bool):
        return Text("yes" if value else "no", style="green" if value else "dim")
    if isinstance(value, tuple | list):
        return Text(", ".join(str(each) for each in value))
    text = str(value)
    return Text(text, style=STATUS_STYLES.get(text, ""))


def when(at: datetime) -> str:
    """An instant in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def size(count: int) -> str:
    """Bytes for people."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def energy(wh: int | None) -> str | None:
    """Watt-hours as kWh."""
    return None if wh is None else f"{wh / 1000:.3f}"


def duration(seconds: float | None) -> str | None:
    """Seconds as h:mm:ss."""
    if seconds is None:
        return None
    minutes, second = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def parse_when(text: str | None, now: datetime) -> datetime | None:
    """`--since`: an ISO instant (UTC where it names no zone) or an age like 90s, 15m, 2h, 7d. Raises CommandFailed."""
    if text is None:
        return None
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            return now - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise CommandFailed(f"{text!r} is no instant: write 2026-01-31T12:00:00Z, or an age like 15m, 2h, 7d", Exit.USAGE) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
