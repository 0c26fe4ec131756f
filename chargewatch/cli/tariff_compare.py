"""`chargewatch tariff compare`: what another tariff would have earned. Decided here: how the answer looks."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from billing_reports.compare import percent
from billing_reports.money import decimal_text, minor_units, round_amount
from billing_reports.ocpi import load_json, read_tariff
from chargewatch.cli.output import console, facts, note, print_json, table
from chargewatch.cli.price import read_file
from chargewatch.cli.report import From, Site, To, days
from chargewatch.cli.session import Api, ApiKey, Config, Data, Json, Target

_NUMBERS = msgspec.json.Encoder(decimal_format="number")
_JSON = {"Content-Type": "application/json"}
_TIMEOUT_S = 600.0
"""Half a million sessions take minutes."""
_SHOWN = 20
"""Sessions left out that are listed; --json has up to a thousand."""
_COLUMNS = ("month", "site", "sessions→", "kWh→", "then→", "now→", "more→", "%→", "then→", "now→", "more→")


def compare(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="OCPI tariff as JSON: 2.1.1, 2.2.1 or 2.3.0; stored or not.")],
    first: From = None,
    last: To = None,
    time_zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="IANA zone of days and months. \\[default: billing.time_zone]")
    ] = None,
    site: Site = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Price the sessions of some days again, under another tariff: what it would have earned, by month and site.

    Example: chargewatch tariff compare night.json --from 2026-01-01 --to 2026-03-31
    """
    read_tariff(read_file(file), file.name)
    start, end = days(first, last)
    body = {
        "tariff": load_json(read_file(file), file.name), "from": start, "to": end, "time_zone": time_zone, "site": site,
    }  # fmt: skip
    with Target(data, api, key, config).client() as client:
        answer = client.call("POST", "/tariffs/compare", content=_NUMBERS.encode(body), headers=_JSON, timeout=_TIMEOUT_S)
    found = msgspec.json.decode(answer, type=dict[str, Any])
    if json:
        print_json(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    what = f"tariff {found['tariff_id']}, sessions that ended from {found['first']} to {found['last']} ({found['time_zone']})"
    console().print(Text(what, style="bold"))
    if not found["total"]["sessions"]:
        note("no session of these days could be priced" if found["left_out"] else "no session ended on these days")
    else:
        console().print(_months(found))
        console().print(_totals(found))
    _remarks(found)


def _months(found: dict[str, Any]) -> Table:
    """A row for each month and site: before taxes, then after taxes, in whole cents."""
    made = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in _COLUMNS[:4]:
        made.add_column("\n" + name.removesuffix("→"), justify="right" if name.endswith("→") else "left", no_wrap=True)
    for head, names in (("before taxes", _COLUMNS[4:8]), ("after taxes", _COLUMNS[8:])):
        for index, name in enumerate(names):
            made.add_column(f"{head if not index else ''}\n{name.removesuffix('→')}", justify="right", no_wrap=True)
    for each in found["months"]:
        made.add_row(each["month"][:7], each["site_id"] or Text("-", style="dim"), *_cells(each["sums"]))
    return made


def _cells(sums: dict[str, Any]) -> Iterator[Text | str]:
    yield str(sums["sessions"])
    yield f"{sums['energy_wh'] / 1000:.3f}"
    yield from _money(sums, "before_taxes")
    yield _change(sums)
    yield from _money(sums, "after_taxes")


def _money(sums: dict[str, Any], which: str) -> Iterator[Text | str]:
    yield _cents(sums["then"][which])
    yield _cents(sums["now"][which])
    more = Decimal(sums["difference"][which]["amount"])
    text = _cents(sums["difference"][which])
    yield Text(f"+{text}" if more > 0 else text, style="green" if more > 0 else "red" if more < 0 else "")


def _change(sums: dict[str, Any]) -> str:
    then, now = (Decimal(sums[which]["before_taxes"]["amount"]) for which in ("then", "now"))
    found = percent(then, now)
    return "-" if found is None else f"{found:+}"


def _cents(amount: dict[str, str]) -> str:
    places = minor_units(amount["currency"])
    return decimal_text(round_amount(Decimal(amount["amount"]), places), places)


def _totals(found: dict[str, Any]) -> Table:
    total, currency = found["total"], found["currency"]
    rows: list[tuple[str, Any]] = [("", " ")]
    for name, which in (("before taxes", "before_taxes"), ("after taxes", "after_taxes")):
        then, now, more = _money(total, which)
        rows.append((name, f"{then} then, {now} now: {more} {currency}"))
    rows.append(("sessions", f"{total['sessions']} with {total['energy_wh'] / 1000:.3f} kWh"))
    return facts(rows)


def _remarks(found: dict[str, Any]) -> None:
    """What is not in the sums, and what was priced one by one."""
    for why, count in found["one_by_one"].items():
        note(f"{count} sessions were priced one by one, to the same amounts: {why}")
    if found["taken_back"]:
        note(f"{found['taken_back']} CDRs of these days were taken back by credits and have no part in this")
    for each in found["left_out"]:
        then = each["then"]["before_taxes"]
        note(f"left out: {each['sessions']} sessions that came to {_cents(then)} {then['currency']} before taxes ({each['why']})")
    listed = found["listed"]
    if listed:
        console().print()
        rows = ((each["cdr_id"], each["text"]) for each in listed[:_SHOWN])
        console().print(table(("left out", "why"), rows))
    if len(listed) > _SHOWN:
        note(f"these are the first {_SHOWN} of those left out; --json has {len(listed)}")
