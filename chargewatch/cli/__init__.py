"""The command line: `chargewatch COMMAND`. Decided here: which commands there are, and how every one of them fails."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from chargenet.errors import ChargewatchError
from chargewatch.cli.exits import Exit, code_of
from chargewatch.cli.lazy import lazy_group

COMMANDS = (
    (
        "demo", "demo:demo",
        "Watch a live charging network: the real platform, and a simulated network that connects to it over real WebSockets.",
    ),
    ("up", "up:up", "Run the platform: all programs in one process, stores under the data folder."),
    ("run", "up:run", "Run one program (alerts, firmware or billing) in a process of its own, apart from the collector."),
    (
        "simulate", "simulate:simulate",
        "Connect a simulated network over real WebSockets: mixed vendors and OCPP versions, sessions, faults, outages.",
    ),
    ("frames", "frames:frames", "Show what a charge point said and what it was told, oldest first."),
    ("call", "call:call", "Send a call to a charge point and print the result."),
    ("audit", "sites:audit", "Show who changed what, newest first."),
    ("rebuild", "up:rebuild", "Drop every read model (stations, transactions, telemetry) and build it again from the journal."),
    (
        "backup", "backup:backup",
        "Write journal, SQLite, keys, diagnostics and firmware files of a data folder into one tar; the platform may run.",
    ),
    (
        "restore", "backup:restore",
        "Unpack a backup into an empty data folder, once every byte was compared with what was backed up.",
    ),
    (
        "doctor", "doctor:doctor",
        "Look at everything the platform needs: is it there, reachable, and right? Exit code 1 when something is not.",
    ),
    ("price", "price:price_command", "Price a session under a tariff and show how the price comes about."),
    ("charge-points", "charge_points:app", "Charge points: list, show, add, approve, block, set passwords."),
    ("transactions", "transactions:app", "Transactions: list, show, quarantine."),
    ("diagnostics", "diagnostics:app", "Diagnostics: request, list, fetch, remove."),
    ("firmware", "firmware:app", "Firmware files: add, list, show, approve."),
    ("rollout", "rollout:app", "Firmware rollouts: a canary, then waves, stopped by what happens after the install."),
    ("tokens", "tokens:app", "ID tokens: add, block, list, import."),
    ("sites", "sites:app", "Sites: list, put, remove."),
    ("keys", "keys:app", "API keys: create, list, revoke."),
    ("cases", "cases:app", "Cases: list, show, ack, resolve."),
    ("detect", "detect:app", "Detectors: run, evaluate."),
    ("maintenance", "maintenance:app", "Planned work: add, list, end."),
    ("silences", "silences:app", "Silences: add, list, end."),
    ("alerts", "alerts:app", "Telling people: list, ack, resolve, test, log, check, secret."),
    ("config", "config:app", "Settings: check."),
    ("dashboards", "dashboards:app", "Grafana boards and Prometheus rules: build, check, preview, push."),
    ("tariff", "tariff:app", "Tariffs: add, list, find doubts before drivers do, compare what they earn."),
    ("report", "report:app", "Reports: utilization, uptime, sessions, nevi."),
    ("import", "importing:app", "Import: sessions of another system."),
    ("customer", "customer:app", "Customers: add, list."),
    ("meter-key", "meter_key:app", "Public keys of meters: add, list, remove, check."),
    ("cdr", "cdr:app", "CDRs: the price of each transaction, traced to its frames."),
    ("statement", "statement:app", "Statements: run, list, show, finalize, credit."),
    ("payments", "payments:app", "Payments: list, show, hold, retry, refund; saved methods."),
)  # fmt: skip
"""Name, where it is, and the line that `chargewatch --help` has of it."""
INSIDE = {
    "import": (
        ("customers", "importing_billing:customers", ""),
        ("tariffs", "importing_billing:tariffs", ""),
    ),
    "statement": (("export", "statement_export:export", ""),),
}
"""Commands of a group that have a module of their own."""
app = typer.Typer(
    name="chargewatch",
    cls=lazy_group(COMMANDS, INSIDE),
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"chargewatch {version('chargewatch')}")
        raise typer.Exit


@app.callback()
def chargewatch(
    _: Annotated[bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version and exit.")] = False,
) -> None:
    """Operations platform for EV charging networks: see, command and measure every charge point.

    Begin with `chargewatch demo`, or `chargewatch up` and point a charge point at it.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit. Errors of ours leave as one sentence on standard error."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """The exit code of one command. Wrong usage, a closed pipe and Ctrl-C end as typer ends them (2, 1, 130)."""
    try:
        app(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else Exit.FAILED
    except ChargewatchError as error:
        typer.echo(f"chargewatch: {error}", err=True)
        return code_of(error)
    return Exit.OK
