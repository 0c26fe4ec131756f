"""`chargewatch price`: what a session costs under a tariff, and why. It reads two files and asks no platform."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text

from billing_reports.breakdown import TAX_NAME
from billing_reports.cdr import PricedCdr, PricedLine, PricedPeriod
from billing_reports.money import decimal_text, minor_units
from billing_reports.ocpi import read_tariff
from billing_reports.price import FLAGS, price
from billing_reports.tariff import Dimension
from billing_reports.usage_file import read_series, read_usage
from billing_reports.view import priced_view
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.output import console, note, print_json
from chargewatch.cli.session import Json

_KINDS = {"CHARGING": "charging", "PARKING": "parked", "RESERVATION": "reserved"}
_NAMES = {Dimension.ENERGY: "energy", Dimension.TIME: "time", Dimension.PARKING_TIME: "parking", Dimension.FLAT: "flat fee"}
_UNITS = {Dimension.ENERGY: "/kWh", Dimension.TIME: "/h", Dimension.PARKING_TIME: "/h", Dimension.FLAT: ""}
_SHOWN = 4
"""Decimals in the table; --json has all of them."""


def read_file(file: Path) -> bytes:
    """The content of a file named on the command line; one sentence and code 3 where there is none."""
    try:
        return file.read_bytes()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise CommandFailed(f"{file}: {error.strerror}", Exit.NOT_FOUND if missing else Exit.FAILED) from None


def price_command(
    tariff: Annotated[Path, typer.Option(metavar="FILE", help="OCPI tariff as JSON: 2.1.1, 2.2.1 or 2.3.0.")],
    session: Annotated[
        Path, typer.Option(metavar="FILE", help="What was used: periods as JSON (docs/pricing.md), or an OCPI CDR.")
    ],
    series: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="Price series that the tariff refers to.")] = None,
    time_zone: Annotated[str | None, typer.Option(metavar="ZONE", help="IANA zone of the site; wins over the file's.")] = None,
    json: Json = False,
) -> None:
    """Price a session under a tariff and show how the price comes about.

    Example: chargewatch price --tariff tariff.json --session session.json
    """
    used = read_usage(read_file(session), session.name, time_zone=time_zone)
    found = {each.name: each for file in series or [] for each in read_series(read_file(file), file.name)}
    priced = price(used.usage, read_tariff(read_file(tariff), tariff.name), series=found)
    if used.zone_assumed is not None:
        note(
            f"the CDR names no time zone: {used.usage.time_zone} ({used.zone_assumed}) is assumed; --time-zone says which one it is"
        )
    if json:
        print_json(priced_view(priced))
    else:
        console().print(breakdown(priced))
        console().print(totals(priced))
    for flag in priced.flags:
        note(f"{flag}: {FLAGS[flag]}")


def breakdown(priced: PricedCdr) -> Table:
    """A row for each dimension of each period, in local time with its UTC offset."""
    made = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("from", "to", "", "counts"):
        made.add_column(column, no_wrap=True)
    for column in ("measured", "billed", "price", "cost", TAX_NAME):
        made.add_column(column, justify="right", no_wrap=True)
    made.add_column("because", overflow="fold")
    zone = ZoneInfo(priced.time_zone)
    for period in priced.periods:
        for cells in _rows(period, zone, priced.currency):
            made.add_row(*cells)
    for each in priced.adjustments:
        cost, tax = _amount(each.before_taxes, priced.currency), _amount(each.after_taxes - each.before_taxes, priced.currency)
        made.add_row("", "", "", "adjustment", "", "", "", cost, tax, each.rule)
    return made


def _rows(period: PricedPeriod, zone: ZoneInfo, currency: str) -> Iterator[tuple[str | Text, ...]]:
    head = (_local(period.start_at, zone), _local(period.end_at, zone), _KINDS[period.kind])
    for line in period.lines:
        cost, tax = _amount(line.before_taxes, currency), _amount(line.taxes, currency)
        measured, billed = volume(line, line.measured), volume(line, line.billed)
        shown = Text(billed, style="yellow" if billed != measured else "")
        rate = "-" if line.price is None else decimal_text(line.price, minor_units(currency)) + _UNITS[line.dimension]
        yield (*head, _NAMES[line.dimension], measured, shown, rate, cost, tax, Text(line.rule, style="dim"))
        head = ("", "", "")
    if not period.lines:
        yield (*head, "-", "", "", "", "", "", Text("nothing was used", style="dim"))


def totals(priced: PricedCdr) -> Table:
    """Before taxes, each tax, after taxes."""
    made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column(style="dim")
    made.add_column(justify="right")
    cost = priced.totals.cost
    made.add_row("")
    made.add_row("before taxes", f"{decimal_text(cost.before_taxes, minor_units(priced.currency))} {priced.currency}")
    for each in priced.totals.taxes:
        amount = decimal_text(each.amount, minor_units(priced.currency))
        made.add_row(f"{each.name} {decimal_text(each.percentage, 0)} %", f"{amount} {priced.currency}")
    after = f"{decimal_text(cost.after_taxes, minor_units(priced.currency))} {priced.currency}"
    made.add_row(Text("after taxes", style="bold"), Text(after, style="bold"))
    return made


def volume(line: PricedLine, amount: Decimal) -> str:
    """`20 kWh`, `1:04:59 h`; nothing for a flat fee."""
    if line.dimension is Dimension.FLAT:
        return ""
    if line.dimension is Dimension.ENERGY:
        return f"{decimal_text(amount / 1000, 0)} kWh"
    minutes, seconds = divmod(int(amount), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02} h"


def _local(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {local:%z}"


def _amount(amount: Decimal, currency: str) -> str:
    text = decimal_text(amount, minor_units(currency))
    whole, _, decimals = text.partition(".")
    return text if len(decimals) <= _SHOWN else f"{whole}.{decimals[:_SHOWN]}…"
