"""`chargewatch tariff`: tariffs. `lint` reads a file and asks no platform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from billing_reports.doubt import Doubt, Level
from billing_reports.lint import lint
from billing_reports.ocpi import read_tariff
from billing_reports.ocpi.zones import zone_of_country
from billing_reports.price import zone_of
from billing_reports.tariff import Tariff
from chargewatch.cli.exits import CommandFailed
from chargewatch.cli.output import console, note, print_json, table
from chargewatch.cli.price import read_file
from chargewatch.cli.session import CLOCK, Json

app = typer.Typer(no_args_is_help=True, help="Tariffs: find doubts before drivers do.")


@app.command("lint")
def lint_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="OCPI tariff as JSON: 2.1.1, 2.2.1 or 2.3.0.")],
    time_zone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="IANA zone of the sites, for clock changes. \\[default: that of its country_code]"),
    ] = None,
    json: Json = False,
) -> None:
    """Explain each doubt about a tariff: repeated hours, elements that never apply, missing ends, steps, taxes.

    Exits with 1 when there is an error among them; warnings and notes are for people to weigh.

    Example: chargewatch tariff lint tariff.json --time-zone Europe/Oslo
    """
    tariff = read_tariff(read_file(file), file.name)
    zone = _zone(tariff, time_zone)
    found = lint(tariff, CLOCK.now(), zone)
    if json:
        print_json(found)
    elif found:
        console().print(table(("", "where", "doubt", "what happens, and what to do"), map(_row, found)))
    if not found:
        note("no doubt about this tariff")
    if zone is None:
        note("clock changes were not looked at: --time-zone ZONE says where the tariff is used")
    errors = sum(each.level is Level.ERROR for each in found)
    if errors:
        raise CommandFailed(f"{file.name}: {errors} error{'s' if errors > 1 else ''}")


def _row(doubt: Doubt) -> tuple[str, str, str, str]:
    return doubt.level.value, doubt.where, doubt.code, doubt.text


def _zone(tariff: Tariff, named: str | None) -> ZoneInfo | None:
    name = named or (zone_of_country(tariff.country_code) if tariff.country_code else None)
    return zone_of(name) if name else None
