"""`chargewatch frames`: the message log of one charge point."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from chargewatch.cli.charge_points import Id
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.output import console, note, parse_when, print_json, print_line, when
from chargewatch.cli.reader import Reader
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target
from chargewatch.frames import FrameEntry

_POLL_S = 1.0
_ARROWS = {"in": ("→", "cyan"), "out": ("←", "magenta")}


def frames(
    charge_point_id: Id,
    since: Annotated[
        str | None, typer.Option(metavar="T", help="Only later ones: 2026-01-31T12:00:00Z, or an age like 15m, 2h.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="T", help="Only earlier ones, written in the same way.")] = None,
    action: Annotated[str | None, typer.Option(metavar="A", help="Only this OCPP action, e.g. StatusNotification.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many, the newest ones.")] = 100,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Show what a charge point said and what it was told, oldest first.

    → came from the charge point, ← left for it. With --follow --json, one JSON object a line.

    Example: chargewatch frames CP-1 --since 1h --action StatusNotification
    """
    started, ended = parse_when(since, CLOCK.now()), parse_when(until, CLOCK.now())
    if follow and ended is not None:
        raise CommandFailed("--follow goes on with what comes: leave out --until", Exit.USAGE)
    with Target(data, api, key, config).reader() as reader:
        if not follow:
            found = reader.frames(charge_point_id, since=started, until=ended, action=action, after=0, limit=limit)
            if not found:
                reader.charge_point(charge_point_id)  # an unknown id is an error, a silent charge point is not
            _show(found, json)
            return
        _follow(reader, charge_point_id, started, action, limit, json)


def _show(found: list[FrameEntry], as_json: bool) -> None:
    if as_json:
        print_json(found)
    elif not found:
        note("no such frame")
    for entry in () if as_json else found:
        print_entry(entry)


def _follow(reader: Reader, charge_point_id: str, since: Any, action: str | None, limit: int, as_json: bool) -> None:
    after = 0
    try:
        while True:
            for entry in reader.frames(charge_point_id, since=since, until=None, action=action, after=after, limit=limit):
                after = entry.sequence
                if as_json:
                    print_line(entry)
                else:
                    print_entry(entry)
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        return  # how following ends


def print_entry(entry: FrameEntry) -> None:
    """One entry, its answer below it."""
    arrow, style = _ARROWS[entry.direction]
    line = Text.assemble(
        (when(entry.received_at), "dim"),
        f" #{entry.sequence} ",
        (f"{arrow} ", style),
        (entry.action or entry.kind, "bold"),
        " ",
        _said(entry),
    )
    for flag in entry.flags:
        line.append(f" [{flag}]", style="yellow")
    out = console()
    out.print(line)
    if entry.kind == "call" and entry.reply is not None:
        refused = isinstance(entry.reply, dict) and "error" in entry.reply
        out.print(Text("    " + compact(entry.reply), style="red" if refused else "dim"))


def _said(entry: FrameEntry) -> str:
    if entry.raw is not None:
        return entry.raw
    if entry.kind == "result" and isinstance(entry.reply, dict):
        answer = entry.reply.get("detail") or "" if entry.payload is None else compact(entry.payload)
        return f"{entry.reply.get('status', '')} {answer}"
    return compact(entry.payload)


def compact(value: Any) -> str:
    """JSON on one line."""
    return msgspec.json.encode(value).decode()
