"""`chargewatch import tariffs` and `import customers`: what another system knew, so that the first statement is right.

Customers are CSV with one row per token: `customer_id,name,street,postal_code,city,country,vat_id,email,language,time_zone,
reference,contract_id,first_day,plan_id,token`. Several rows may be of one customer; only `customer_id` and `name` are needed.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from billing_reports.customers import ID_PATTERN
from billing_reports.ocpi import load_json, read_tariff
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.output import console, note, print_json, table
from chargewatch.cli.price import read_file
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target

_PARTY = ("name", "street", "postal_code", "city", "country", "vat_id", "email")
_OWN = ("language", "time_zone", "reference")
_CONTRACT = ("contract_id", "first_day", "plan_id")
COLUMNS = ("customer_id", *_PARTY, *_OWN, *_CONTRACT, "token")
CHUNK = 500
_SHOWN = 10
_JSON = {"Content-Type": "application/json"}
_NUMBERS = msgspec.json.Encoder(decimal_format="number")


class Read(msgspec.Struct):
    """What a file of customers says. `rejects`: (line, reason)."""

    customers: dict[str, dict[str, Any]] = {}
    rejects: list[tuple[int, str]] = []


def read_customers(text: str, source: str, today: date) -> Read:
    """Entries of the API's import by customer id. InvalidFile-like sentences for rows that cannot be used, each with its line."""
    rows = csv.DictReader(io.StringIO(text), dialect=_dialect(text))
    names = [name.strip() for name in rows.fieldnames or ()]
    rows.fieldnames = names
    for missing in ("customer_id", "name"):
        if missing not in names:
            raise CommandFailed(f"{source}: line 1: the column {missing} is missing; known are {', '.join(COLUMNS)}", Exit.USAGE)
    if unknown := [name for name in names if name not in COLUMNS]:
        raise CommandFailed(f"{source}: line 1: {unknown[0]} is no column; known are {', '.join(COLUMNS)}", Exit.USAGE)
    read = Read({}, [])
    for row in rows:
        values = {name: (row.get(name) or "").strip() for name in names}
        if (reason := _take(read, values, today)) is not None:
            read.rejects.append((rows.line_num, reason))
    return read


def _dialect(text: str) -> type[csv.Dialect]:
    class Chosen(csv.excel):
        delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","

    return Chosen


def _take(read: Read, values: dict[str, str], today: date) -> str | None:
    """One row into `read`; the reason where it cannot be used."""
    name = values["customer_id"]
    if not re.fullmatch(ID_PATTERN, name):
        return f"customer_id {name!r}: use letters, digits, dots and dashes"
    if not values["name"]:
        return "name is missing"
    day = values.get("first_day", "")
    try:
        first_day = f"{date.fromisoformat(day)}" if day else f"{today.replace(day=1)}"
    except ValueError:
        return f"first_day {day!r} is no day: write 2026-01-31"
    entry = read.customers.setdefault(name, {"customer_id": name, "party": {}, "tokens": []})
    entry["party"] = {each: values[each] for each in _PARTY if values.get(each)}
    entry |= {each: values[each] for each in _OWN if values.get(each)}
    if token := values.get("token"):
        entry["tokens"].append(token)
    if token or values.get("contract_id"):
        wanted = values.get("contract_id") or name
        if entry.setdefault("contract_id", wanted) != wanted:
            return f"a second contract {wanted} of customer {name}: import it with its own file"
        entry |= {"first_day": first_day, "plan_id": values.get("plan_id") or None}
    return None


def customers(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a row per token; docs/billing.md names the columns.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read and check; nothing is stored.")] = False,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Import customers with contracts and tokens from CSV. The same file again changes nothing.

    Example: chargewatch import customers customers.csv --dry-run
    """
    try:
        text = read_file(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{file.name}: is not UTF-8 text (byte {error.start})", Exit.USAGE) from None
    read = read_customers(text, file.name, CLOCK.now().date())
    done = {"customers": len(read.customers), "contracts": 0, "tokens": 0, "assigned": 0}
    if not dry_run and read.customers:
        with Target(data, api, key, config).client() as client, Progress(console=Console(stderr=True), disable=json) as progress:
            entries = list(read.customers.values())
            bar = progress.add_task("customers", total=len(entries))
            for start in range(0, len(entries), CHUNK):
                part = entries[start : start + CHUNK]
                answer = msgspec.json.decode(
                    client.call("POST", "/customers/import", json={"customers": part}), type=dict[str, int]
                )
                done |= {name: done[name] + answer[name] for name in ("contracts", "tokens", "assigned")}
                progress.update(bar, advance=len(part))
    _said(file, done, read.rejects, json=json, dry_run=dry_run)


def _said(file: Path, done: dict[str, int], rejects: list[tuple[int, str]], *, json: bool, dry_run: bool) -> None:
    if json:
        print_json({"file": file.name, "dry_run": dry_run, **done, "rejects": [{"line": at, "reason": why} for at, why in rejects]})
        return
    if rejects:
        console().print(table(("line→", "not taken because"), rejects[:_SHOWN]))
        note(f"{len(rejects)} rows were not taken")
    would = "would be taken" if dry_run else "are there"
    note(f"{file.name}: {done['customers']} customers {would}, with {done['tokens']} tokens" if not dry_run else
         f"{file.name}: {done['customers']} customers {would}")  # fmt: skip
    if done["assigned"]:
        note(f"{done['assigned']} CDRs had no customer and are made anew")


def tariffs(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="OCPI tariffs as JSON: one each, or lists of them.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read and check; nothing is stored.")] = False,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Import OCPI tariffs of any version. All files are read before the first is stored; `tariff add` says where one holds.

    Example: chargewatch import tariffs tariffs.json
    """
    found: dict[str, Any] = {}
    for file in files:
        loaded = load_json(read_file(file), file.name)
        for document in loaded if isinstance(loaded, list) else [loaded]:
            tariff = read_tariff(dict(document) if isinstance(document, dict) else document, file.name)
            if tariff.id in found:
                raise CommandFailed(f"{file.name}: the tariff {tariff.id} comes twice", Exit.USAGE)
            found[tariff.id] = document
    if not dry_run:
        with Target(data, api, key, config).client() as client:
            for document in found.values():
                client.call("POST", "/tariffs", content=_NUMBERS.encode({"tariff": document}), headers=_JSON)
    if json:
        print_json({"dry_run": dry_run, "tariffs": list(found)})
    else:
        note(f"{len(found)} tariffs {'would be taken' if dry_run else 'are there'}: {', '.join(found)}")
