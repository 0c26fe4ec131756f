"""What every command begins with: its settings, and the platform it means. Decided here: how that platform is found."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer

from chargenet.clock import SystemClock
from chargenet.settings import Settings, load
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.http import ApiClient, HttpReader
from chargewatch.cli.reader import Reader
from chargewatch.discovery import Running, find

_PANEL = "Which platform"

Data = Annotated[
    Path | None,
    typer.Option(
        "--data", rich_help_panel=_PANEL, metavar="DIR", help="Data folder of the platform. \\[default: ./chargewatch-data]"
    ),
]
Api = Annotated[
    str | None,
    typer.Option(
        "--api", rich_help_panel=_PANEL, metavar="URL", help="A platform elsewhere, e.g. http://10.0.0.5:8080; needs --key."
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--key", rich_help_panel=_PANEL, metavar="KEY", help="API key for --api (or CHARGEWATCH_KEY, which no history keeps)."
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", rich_help_panel=_PANEL, metavar="FILE", help="Settings as TOML; docs/settings.md lists them."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
CLOCK = SystemClock()
_PROBE_TIMEOUT_S = 10.0
"""Long: a killed platform refuses at once, and only one that is very busy answers late."""


class Target:
    """Which platform a command means."""

    def __init__(self, data: Path | None, api: str | None, key: str | None, config: Path | None = None) -> None:
        self.settings: Settings = load(config, None, {"data_dir": data, "api": api, "key": key})

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """The running platform, or its folder where nothing runs."""
        client = self._client()
        if client is not None:
            reader: Reader = HttpReader(client)
        else:
            from chargewatch.cli.folder import FolderReader  # slow to import (SQL), and seldom needed

            reader = FolderReader(self.settings)
        try:
            yield reader
        finally:
            reader.close()

    @contextmanager
    def client(self) -> Iterator[ApiClient]:
        """The running platform; what changes something needs one."""
        client = self._client()
        if client is None:
            raise CommandFailed(self._nothing_there(), Exit.NOT_REACHABLE)
        try:
            yield client
        finally:
            client.close()

    def running(self) -> Running | None:
        """The platform on the data folder that answers, if any."""
        found = find(self.settings.data_dir)
        return found if found is not None and _answers(found) else None

    def _nothing_there(self) -> str:
        folder = self.settings.data_dir
        silent = find(folder)
        if silent is not None:
            return f"the platform on {folder} (process {silent.pid}) does not answer at {silent.api}; restart it if it stays so"
        return f"no platform runs on {folder}: start one with `chargewatch up`, or name one with --data or --api"

    def _client(self) -> ApiClient | None:
        if self.settings.api is not None:
            if self.settings.key is None:
                raise CommandFailed(
                    "--api needs a key: --key KEY, the variable CHARGEWATCH_KEY or the setting key_file", Exit.USAGE
                )
            return ApiClient(self.settings.api, self.settings.key.reveal())
        running = self.running()
        return None if running is None else ApiClient(running.api, running.key, verify=trust(running))


def trust(running: Running) -> ssl.SSLContext | bool:
    """Over TLS on this machine: exactly the certificate that the platform says it has."""
    if not running.certificate:
        return True
    context = ssl.create_default_context(cafile=running.certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _answers(running: Running) -> bool:
    """False when nothing listens: a killed platform leaves its file behind, and its process id may be another's by now."""
    try:
        httpx.get(f"{running.api}/healthz", timeout=_PROBE_TIMEOUT_S, verify=trust(running))
    except httpx.TransportError:
        return False
    return True
