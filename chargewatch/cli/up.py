"""`chargewatch up` and `chargewatch rebuild`: the platform on a data folder."""

from __future__ import annotations

import asyncio
import logging
import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chargenet.errors import SettingsError
from chargenet.observe import logs
from chargenet.settings import Settings, load
from chargewatch.addresses import refuse_busy
from chargewatch.cli.session import Config, Data

Ocpp = Annotated[
    str | None,
    typer.Option("--ocpp", metavar="HOST:PORT", help="Where charge points connect. \\[default: 127.0.0.1:9000]"),
]
Http = Annotated[
    str | None,
    typer.Option("--http", metavar="HOST:PORT", help="Where the API and /metrics listen. \\[default: 127.0.0.1:8080]"),
]


def up(data: Data = None, ocpp: Ocpp = None, http: Http = None, config: Config = None) -> None:
    """Run the platform: all programs in one process, stores under the data folder.

    Charge points connect to ws://HOST:PORT/ocpp/<charge point id>. Ctrl-C or SIGTERM drains and stops.

    Example: chargewatch up --data /var/lib/chargewatch --ocpp 0.0.0.0:9000
    """
    settings = load(config, None, {"data_dir": data, "collector.ocpp": ocpp, "http.listen": http})
    refuse_busy(settings)
    from chargewatch import app  # everything heavy, not needed by the other commands

    configure_logs(settings)
    app.run(settings, lambda line: print(line, flush=True))  # noqa: T201 - the lines for the operator


class Program(StrEnum):
    """Which."""

    ALERTS = "alerts"
    FIRMWARE = "firmware"
    BILLING = "billing"


Listen = Annotated[
    str | None,
    typer.Option("--listen", metavar="HOST:PORT", help="Where the collector reaches it. \\[default: 127.0.0.1:8081]"),
]
Collector = Annotated[str | None, typer.Option("--collector", metavar="URL", help="The collector's programs.listen, as a URL.")]


def run(
    program: Annotated[Program, typer.Argument(help="Which program.")],
    data: Data = None,
    listen: Listen = None,
    collector: Collector = None,
    config: Config = None,
) -> None:
    """Run one program (alerts, firmware or billing) in a process of its own, apart from the collector.

    The collector (chargewatch up) runs with programs.<program>_url set to where this one listens. All share one configuration:
    PostgreSQL, programs.token, and programs.collector_url. docs/deploy.md, "Programs apart", says how.

    Example: chargewatch run alerts --config chargewatch.toml --listen 127.0.0.1:8082
    """
    settings = load(config, None, {"data_dir": data, "programs.listen": listen, "programs.collector_url": collector})
    check_apart(settings, "settings" if config is None else str(config))
    from chargewatch.apart import serve  # everything heavy, not needed by the other commands

    configure_logs(settings)
    serve.run(settings, program.value, lambda line: print(line, flush=True))  # noqa: T201 - the lines for the operator


def check_apart(settings: Settings, source: str = "settings") -> None:
    """What a program apart needs; `source`: the file that should say it. Raises SettingsError."""
    needed = (
        ("programs.collector_url", settings.programs.collector_url, "the collector's programs.listen as a URL"),
        ("programs.token", settings.programs.token, "the same as the collector's"),
        ("sql.url", settings.sql.url, "the PostgreSQL that the collector has"),
    )
    for key, value, which in needed:
        if not value:
            raise SettingsError(source, key, f"is not set: a program apart needs it, {which}")


def rebuild(data: Data = None, config: Config = None) -> None:
    """Drop every read model (stations, transactions, telemetry) and build it again from the journal.

    The platform must be stopped. What people entered (tokens, keys, sites, registrations, audit) is not touched.

    Example: chargewatch rebuild --data /var/lib/chargewatch
    """
    from chargewatch.memory import few_collections
    from chargewatch.rebuilding import rebuild as rebuild_all  # everything heavy, not needed by the other commands

    settings = load(config, None, {"data_dir": data})
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns) as progress:
        tasks: dict[str, int] = {}

        def report(name: str, position: int, last: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=last)
            progress.update(tasks[name], completed=position)  # type: ignore[arg-type]  # TaskID is an int

        with few_collections():
            records = asyncio.run(rebuild_all(settings, report))
    typer.echo(f"rebuilt from {records} records")


def configure_logs(settings: Settings) -> None:
    """Logs go to standard error, as the settings say."""
    chosen = settings.log
    logs.configure(sys.stderr, level=chosen.level.upper(), as_json=chosen.format == "json")
    for chatty in ("alembic", "uvicorn", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
