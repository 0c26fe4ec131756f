"""`chargewatch doctor`: what is reachable, versions, disk, clock. Decided here: what counts as well."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import typer

from chargenet.settings import Address, Settings
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.http import ApiClient
from chargewatch.cli.output import console, print_json, size, table
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target, trust
from chargewatch.discovery import Running
from chargewatch.layout import journal_folder

_LIBRARIES = ("duckdb", "sqlalchemy", "msgspec", "picows", "websockets", "uvloop", "influxdb-client", "ocpp")
_TIMEOUT_S = 3.0
_CLOCK_OFF_S = 5.0
_BUILT_AT = datetime(2026, 1, 1, tzinfo=UTC)


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at. `ok` None: it was not needed, or only shown."""

    what: str
    ok: bool | None
    detail: str


def doctor(json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None) -> None:
    """Look at everything the platform needs: is it there, reachable, and right? Exit code 1 when something is not.

    Example: chargewatch doctor
    """
    target = Target(data, api, key, config)
    findings = list(examine(target))
    if json:
        print_json(findings)
    else:
        rows = ((each.what, {True: "ok", False: "wrong", None: "-"}[each.ok], each.detail) for each in findings)
        console().print(table(("what", "", "detail"), rows))
    if any(each.ok is False for each in findings):
        raise typer.Exit(Exit.FAILED)


def examine(target: Target) -> Iterator[Finding]:
    """Every finding, in the order in which one would look."""
    settings = target.settings
    yield from versions()
    if settings.api is not None:
        yield from _remote(target)
        return
    yield Finding("settings", True, "readable, and without contradictions")
    yield from _disk(settings)
    running = target.running()
    yield from _platform(settings, running)
    yield _clock(running.api if running else None, trust(running) if running else True)
    yield from _outside(settings)


def versions() -> Iterator[Finding]:
    """What runs here; shown, not judged."""
    yield Finding("chargewatch", None, version("chargewatch"))
    yield Finding("Python", None, f"{platform.python_version()} on {platform.system()} {platform.release()}, {os.cpu_count()} CPUs")
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    yield Finding("libraries", None, f"{libraries}, SQLite {sqlite3.sqlite_version}, {ssl.OPENSSL_VERSION}")


def _remote(target: Target) -> Iterator[Finding]:
    with target.client() as client:
        yield from _health(client)
        yield _clock(target.settings.api)


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if not folder.is_dir():
        yield Finding("data folder", None, f"{folder} is not there yet; `chargewatch up` makes it")
    else:
        usable = os.access(folder, os.R_OK | os.W_OK | os.X_OK)
        yield Finding("data folder", usable, f"{folder}{'' if usable else ': this user may not write there'}")
    free = shutil.disk_usage(_existing(folder)).free
    floor = settings.journal.free_space_floor_bytes
    yield Finding("disk", free > 2 * floor, f"{size(free)} free; below {size(floor)} nothing is acknowledged any more")
    journal = journal_folder(settings)
    if journal.is_dir():
        used = sum(path.stat().st_size for path in journal.iterdir() if path.is_file())
        yield Finding("journal", None, f"{size(used)} of at most {size(settings.journal.max_bytes)}")


def _existing(folder: Path) -> Path:
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())


def _platform(settings: Settings, running: Running | None) -> Iterator[Finding]:
    if running is not None:
        client = ApiClient(running.api, running.key, verify=trust(running))
        yield Finding("platform", True, f"runs at {running.api} (process {running.pid})")
        yield from _health(client)
        client.close()
        return
    yield Finding("platform", None, f"does not run on {settings.data_dir}; `chargewatch up` starts it")
    listeners = [("--ocpp", settings.collector.ocpp), ("--http", settings.http.listen)]
    if settings.programs.apart:
        listeners.append(("programs.listen", settings.programs.listen))
    for name, address in listeners:
        problem = _busy(address)
        detail = f"{address} cannot be listened on: {problem}; choose another one with {name}" if problem else f"{address} is free"
        yield Finding(f"port of {name}", problem is None, detail)


def _busy(address: Address) -> str | None:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _health(client: ApiClient) -> Iterator[Finding]:
    try:
        checks: list[dict[str, Any]] = client.get(dict[str, Any], "/health")["checks"]
    except CommandFailed as error:
        yield Finding("API", False, str(error))
        return
    yield Finding("API", True, f"{client.source} answers")
    for check in checks:
        yield Finding(str(check["name"]), bool(check["ok"]), str(check["detail"]))


def _clock(api: str | None, verify: ssl.SSLContext | bool = True) -> Finding:
    """Against the platform's clock where one answers, else only against what cannot be."""
    now = CLOCK.now()
    if now < _BUILT_AT:
        return Finding("clock", False, f"this machine thinks that it is {now:%Y-%m-%d}: set its clock (NTP)")
    if api is None:
        return Finding("clock", True, f"{now:%Y-%m-%d %H:%M:%S} UTC; compare it with a clock that you trust")
    try:
        date = httpx.get(f"{api}/healthz", timeout=_TIMEOUT_S, verify=verify).headers.get("date", "")
        off_s = abs((parsedate_to_datetime(date) - now).total_seconds())
    except (httpx.TransportError, ValueError) as error:
        return Finding("clock", False, f"the platform's clock cannot be read: {error}")
    return Finding("clock", off_s <= _CLOCK_OFF_S, f"{off_s:.0f} s from the platform's")


def _outside(settings: Settings) -> Iterator[Finding]:
    """Servers that the settings name."""
    looks: list[tuple[str, str | None, int]] = [("PostgreSQL", settings.sql.url, 5432), ("InfluxDB", settings.influx.url, 8086)]
    looks += [(f"{name} program", url, 443 if url.startswith("https:") else 80) for name, url in settings.programs.apart.items()]
    for name, url, port in looks:
        if url is None or url.startswith("sqlite"):
            continue
        parts = urlsplit(url)
        problem = _unreachable(parts.hostname or "localhost", parts.port or port)
        where = f"{parts.hostname or 'localhost'}:{parts.port or port}"
        yield Finding(name, problem is None, f"{where} {'does not answer: ' + problem if problem else 'answers'}")


def _unreachable(host: str, port: int) -> str | None:
    try:
        socket.create_connection((host, port), _TIMEOUT_S).close()
    except OSError as error:
        return error.strerror or str(error)
    return None
