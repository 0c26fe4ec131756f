"""`chargewatch report`: utilization, uptime, session quality, authority files; from the platform, or straight from a file."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

import msgspec
import typer

from billing_reports.import_map import read_map
from billing_reports.importing import connectors_of
from billing_reports.utilization import Use, UtilizationReport
from billing_reports.utilization import utilization as worked_out
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.importing import read_all
from chargewatch.cli.output import console, note, table
from chargewatch.cli.price import read_file
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Reports: utilization, uptime, sessions, nevi.")
FORMATS = ("pdf", "html", "csv", "json")
_PANEL = "Which days"
From = Annotated[
    str | None,
    typer.Option("--from", metavar="DAY", rich_help_panel=_PANEL, help="First day, YYYY-MM-DD. \\[default: of last month]"),
]
To = Annotated[str | None, typer.Option("--to", metavar="DAY", rich_help_panel=_PANEL, help="Last day, included.")]
Zone = Annotated[str, typer.Option("--time-zone", metavar="ZONE", rich_help_panel=_PANEL, help="IANA zone of days and hours.")]
FromNevi = Annotated[
    str | None, typer.Option("--from", metavar="DAY", rich_help_panel=_PANEL, help="First day, YYYY-MM-DD, instead of a quarter.")
]
Form = Annotated[str | None, typer.Option("--format", help="pdf, html, csv or json; else a short table.")]
Out = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it. \\[default: named after the report]")
]
Site = Annotated[str | None, typer.Option(help="Only this site.")]
Language = Annotated[str, typer.Option(help="en or de.")]


@app.command()
def utilization(
    first: From = None, last: To = None, time_zone: Zone = "UTC", form: Form = None, output: Out = None, site: Site = None,
    language: Language = "en",
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="Sessions as CSV instead of a platform; needs --map.")] = None,
    map_: Annotated[Path | None, typer.Option("--map", metavar="MAP.toml", help="Which column of --file is what.")] = None,
    json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None,
) -> None:  # fmt: skip
    """How much connectors are used: by network, site, model and connector, with peak hours and doubts.

    Example: chargewatch report utilization --from 2026-01-01 --to 2026-01-31 --format pdf
    """
    form = _form(form, json)
    if file is not None:
        body = _from_file(file, map_, first, last, form or "json", language, quiet=json)
    else:
        body = _asked("utilization", Target(data, api, key, config), first, last, time_zone, form or "json", site, language)
    if form is None:
        _show(msgspec.json.decode(body, type=UtilizationReport))
    else:
        _leave(body, form, output, "utilization")


@app.command()
def uptime(
    first: From = None, last: To = None, time_zone: Zone = "UTC", form: Form = None, output: Out = None, site: Site = None,
    language: Language = "en", json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None,
) -> None:  # fmt: skip
    """Uptime of each port: months, twelve months, outages with causes and evidence.

    Example: chargewatch report uptime --from 2026-01-01 --to 2026-03-31 --format pdf
    """
    form = _form(form, json)
    body = _asked("uptime", Target(data, api, key, config), first, last, time_zone, form or "json", site, language)
    if form is not None:
        _leave(body, form, output, "uptime")
        return
    found = msgspec.json.decode(body)
    rows = [(each["port"]["port_id"], each["port"]["site"], *_minutes(each["year"])) for each in found["ports"]]
    console().print(table(("port", "site", "in service h→", "outage h→", "excluded h→", "uptime→"), rows))
    below = ", ".join(found["below"])
    note(f"not above 97 % over twelve months: {below}" if below else "every port is above 97 % over twelve months")


@app.command()
def sessions(
    first: From = None, last: To = None, time_zone: Zone = "UTC", form: Form = None, output: Out = None, site: Site = None,
    language: Language = "en", json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None,
) -> None:  # fmt: skip
    """Session quality: charge start, charge end and session success, start time (ChargeX).

    Example: chargewatch report sessions --from 2026-01-01 --to 2026-01-31
    """
    form = _form(form, json)
    body = _asked("sessions", Target(data, api, key, config), first, last, time_zone, form or "json", site, language)
    if form is not None:
        _leave(body, form, output, "sessions")
        return
    found = msgspec.json.decode(body)
    rows = [_kpi("network", found["network"]), *(_kpi(name, each) for name, each in sorted(found["points"].items()))]
    console().print(table(("", "attempts→", "delivered→", "ended well→", "start→", "end→", "session→"), rows))


@app.command()
def nevi(
    quarter: Annotated[str | None, typer.Argument(metavar="[QUARTER]", help="e.g. 2026Q1. \\[default: the last whole one]")] = None,
    first: FromNevi = None, last: To = None, time_zone: Zone = "UTC", form: Form = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Folder of the CSV files, or the PDF or HTML file.")
    ] = None,
    provider: Annotated[str, typer.Option(help="Network provider, as registered.")] = "",
    site: Site = None, language: Language = "en", json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None,
    config: Config = None,
) -> None:  # fmt: skip
    """Data under 23 CFR 680.112: sessions, uptime, outages, as the three files that EV-ChART takes, or as a document.

    Example: chargewatch report nevi --from 2026-01-01 --to 2026-03-31 --format csv --output .
    """
    form = _form(form, json) or "csv"
    _zone(time_zone)
    params = {"time_zone": time_zone, "site": site, "provider": provider, "language": language, **_nevi_days(quarter, first, last)}
    wanted = "json" if form == "csv" else form
    with Target(data, api, key, config).client() as client:
        body = client.call("GET", "/reports/nevi", params={**params, "format": wanted})
    if form != "csv":
        _leave(body, form, output, "nevi")
        return
    found = msgspec.json.decode(body, type=dict[str, Any])
    for module, part in ((2, "sessions"), (3, "uptime"), (4, "outages")):
        target = (output or Path()) / f"evchart-{found['period']}-module{module}-{part}.csv"
        _write(target, found[f"{part}_csv"].encode())
        note(str(target))


def _nevi_days(quarter: str | None, first: str | None, last: str | None) -> dict[str, str]:
    """The days or the quarter meant; nothing for the last whole quarter."""
    if quarter is not None:
        year, _, number = quarter.upper().replace("-", "").partition("Q")
        if first is not None or last is not None:
            raise CommandFailed("say a quarter, or --from and --to", Exit.USAGE)
        if not (year.isdigit() and number in ("1", "2", "3", "4")):
            raise CommandFailed(f"{quarter!r} is no quarter: write 2026Q1", Exit.USAGE)
        return {"year": year, "quarter": number}
    if first is None and last is None:
        return {}
    start, end = days(first, last)
    return {"from": str(start), "to": str(end)}


def days(first: str | None, last: str | None) -> tuple[date, date]:
    """The period meant: both days included; last month where nothing was said, up to its end where only the begin was."""
    today = CLOCK.now().date()
    end_of_last = today.replace(day=1) - timedelta(days=1)
    end = _day(last) if last is not None else end_of_last if first is None else today
    start = _day(first) if first is not None else end.replace(day=1)
    if start > end:
        raise CommandFailed(f"--from {start} is after --to {end}", Exit.USAGE)
    return start, end


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandFailed(f"{text!r} is no day: write YYYY-MM-DD", Exit.USAGE) from None


def _form(form: str | None, json: bool) -> str | None:
    if form is not None and form not in FORMATS:
        raise CommandFailed(f"--format is {', '.join(FORMATS)}, not {form!r}", Exit.USAGE)
    return "json" if json else form


def _zone(name: str) -> None:
    if name not in available_timezones():
        raise CommandFailed(f"{name!r} is no IANA time zone, such as Europe/Oslo", Exit.USAGE)


def _asked(
    kind: str, target: Target, first: str | None, last: str | None, zone: str, form: str, site: str | None, language: str
) -> bytes:
    _zone(zone)
    start, end = days(first, last)
    params: dict[str, Any] = {
        "from": str(start), "to": str(end), "time_zone": zone, "format": form, "site": site, "language": language
    }  # fmt: skip
    with target.client() as client:
        return client.call("GET", f"/reports/{kind}", params=params)


def _from_file(
    file: Path, map_: Path | None, first: str | None, last: str | None, form: str, language: str, *, quiet: bool
) -> bytes:
    """A report straight from a CSV file: no platform has a part in it."""
    from billing_reports.render.report_files import file_of  # slow to import: plots

    if map_ is None:
        raise CommandFailed("--file needs --map MAP.toml, which says what its columns are", Exit.USAGE)
    wanted = read_map(read_file(map_), map_.name)
    rows, refused = read_all(file, wanted, quiet)
    if not rows:
        raise CommandFailed(f"{file}: none of its rows can be used: {refused[0].reason if refused else 'there are none'}")
    zone = wanted.zone
    begin = _day(first) if first is not None else min(each.began_at for each in rows).astimezone(zone).date()
    after = (_day(last) if last is not None else max(each.ended_at for each in rows).astimezone(zone).date()) + timedelta(days=1)
    if begin >= after:
        raise CommandFailed(f"--from {begin} is after --to {after - timedelta(days=1)}", Exit.USAGE)
    start, end = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (begin, after))
    inside = [each for each in rows if each.began_at < end and each.ended_at > start]
    if refused:
        note(f"{len(refused)} rows were not used; `chargewatch import sessions --dry-run` names them")
    places = connectors_of([each for each in rows if each.began_at < end], start, end)
    report = worked_out(inside, places, start, end, wanted.time_zone)
    return file_of(report, form, CLOCK.now(), language, wanted.source)


def _leave(body: bytes, form: str, output: Path | None, kind: str) -> None:
    if output is None and form in ("json", "csv"):
        sys.stdout.write(body.decode("utf-8-sig") + ("\n" if form == "json" else ""))
        return
    target = output or Path(f"{kind}.{form}")
    _write(target, body)
    note(str(target))


def _write(target: Path, body: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    except OSError as error:
        raise CommandFailed(f"{target}: {error.strerror}") from None


def _show(report: UtilizationReport) -> None:
    uses = [report.network, *report.sites]
    columns = ("", "connectors→", "sessions→", "kWh→", "occupied→", "capacity→", "congestion→", "a day→")
    console().print(table(columns, map(_use, uses)))
    doubtful = sum(report.doubts.errors.values())
    note(f"{report.doubts.sessions} sessions, {doubtful} of them not usable; unused connectors: {len(report.network.unused)}")


def _use(use: Use) -> tuple[Any, ...]:
    daily = None if use.sessions_per_day is None else f"{use.sessions_per_day:.2f}"
    shares = (_percent(use.occupied), _percent(use.capacity_factor), _percent(use.congestion))
    return (use.name, use.connectors, use.sessions, f"{use.energy_wh / 1000:.1f}", *shares, daily)


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share * 100:.2f} %"


def _minutes(period: dict[str, Any]) -> tuple[str | None, ...]:
    service = period["in_service"]
    share = None if not service else (service - (period["outage"] - period["excluded"])) / service
    return (*(f"{period[name] / 60:.1f}" for name in ("in_service", "outage", "excluded")), _percent(share))


def _kpi(name: str, count: dict[str, Any]) -> tuple[Any, ...]:
    attempts, delivered, well = (count.get(key, 0) for key in ("start_attempts", "deliveries", "valid_stops"))
    ratios = (
        delivered / attempts if attempts else None,
        well / delivered if delivered else None,
        well / attempts if attempts else None,
    )
    return (name, attempts, delivered, well, *(_percent(each) for each in ratios))
