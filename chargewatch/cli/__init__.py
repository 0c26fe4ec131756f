"""The command line: `chargewatch COMMAND`. Decided here: which commands there are, and how every one of them fails."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from chargenet.errors import ChargewatchError
from chargewatch.cli import (
    alerts,
    backup,
    call,
    cases,
    cdr,
    charge_points,
    config,
    customer,
    dashboards,
    demo,
    detect,
    diagnostics,
    doctor,
    firmware,
    frames,
    importing,
    importing_billing,
    keys,
    maintenance,
    meter_key,
    price,
    report,
    rollout,
    silences,
    simulate,
    sites,
    statement,
    statement_export,
    tariff,
    tokens,
    transactions,
    up,
)
from chargewatch.cli.exits import Exit, code_of

app = typer.Typer(
    name="chargewatch",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)

COMMANDS = (
    ("demo", demo.demo),
    ("up", up.up),
    ("simulate", simulate.simulate),
    ("frames", frames.frames),
    ("call", call.call),
    ("audit", sites.audit),
    ("rebuild", up.rebuild),
    ("backup", backup.backup),
    ("restore", backup.restore),
    ("doctor", doctor.doctor),
    ("price", price.price_command),
)
GROUPS = (
    ("charge-points", charge_points.app),
    ("transactions", transactions.app),
    ("diagnostics", diagnostics.app),
    ("firmware", firmware.app),
    ("rollout", rollout.app),
    ("tokens", tokens.app),
    ("sites", sites.app),
    ("keys", keys.app),
    ("cases", cases.app),
    ("detect", detect.app),
    ("maintenance", maintenance.app),
    ("silences", silences.app),
    ("alerts", alerts.app),
    ("config", config.app),
    ("dashboards", dashboards.app),
    ("tariff", tariff.app),
    ("report", report.app),
    ("import", importing.app),
    ("customer", customer.app),
    ("meter-key", meter_key.app),
    ("cdr", cdr.app),
    ("statement", statement.app),
)
importing.app.command("customers")(importing_billing.customers)
importing.app.command("tariffs")(importing_billing.tariffs)
statement.app.command("export")(statement_export.export)
for _name, _command in COMMANDS:
    app.command(_name)(_command)
for _name, _group in GROUPS:
    app.add_typer(_group, name=_name)


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
