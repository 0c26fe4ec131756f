"""alerts.toml → Config. Decided here: how routes inherit, and that every name that is used is defined."""

from __future__ import annotations

import tomllib
from pathlib import Path

from alerts.config.model import Config, Receiver, Watchdog
from alerts.config.reading import Table
from alerts.config.receivers import read_receiver
from alerts.matchers import Matcher
from alerts.stages.inhibit import Inhibition
from alerts.stages.route import Route, Timing
from chargenet.errors import SettingsError

MAX_DEPTH = 10
MAX_BYTES = 1 << 20


def load(path: Path) -> Config:
    """The config in a file. Blocking. Raises SettingsError with the sentence for the first mistake."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise SettingsError(path.name, "", f"is larger than {MAX_BYTES} bytes")
        return parse(content.decode("utf-8"), path.name, path.parent)
    except OSError as error:
        raise SettingsError(str(path), "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(str(path), "", "is not UTF-8 text") from error


def parse(text: str, source: str, folder: Path) -> Config:
    """The config in a text; `folder` is where relative paths in it begin. Raises SettingsError."""
    try:
        top = Table(source, "", tomllib.loads(text), folder)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(source, "", f"is not TOML: {error}") from error
    receivers = _receivers(top)
    if not receivers:
        top.wrong("no receiver is defined: write [receivers.NAME] with its type")
    if not top.has("route"):
        top.wrong("route is missing: write [route] with its receivers")
    route = _root(top.table("route"), receivers)
    inhibitions = tuple(_inhibition(each) for each in top.tables("inhibit"))
    watchdog = _watchdog(top.table("watchdog"), receivers)
    top.close()
    _all_used(source, receivers, route, watchdog)
    return Config(source=source, route=route, receivers=receivers, inhibitions=inhibitions, watchdog=watchdog)


def _receivers(top: Table) -> dict[str, Receiver]:
    tables = top.table("receivers")
    return {name: read_receiver(name, tables.table(name)) for name in tables.names()}


def _root(table: Table, receivers: dict[str, Receiver]) -> Route:
    if table.has("match"):
        table.wrong("match has no place here: the first route takes everything that no route below it takes")
    if table.has("continue"):
        table.wrong("continue has no place here: the first route has no sibling")
    if not table.has("receivers"):
        table.wrong("receivers is missing")
    return _route(table, Route(), receivers, 1)


def _route(table: Table, parent: Route, receivers: dict[str, Receiver], depth: int) -> Route:
    if depth > MAX_DEPTH:
        table.wrong(f"routes are nested more than {MAX_DEPTH} deep")
    timing = parent.timing
    route = Route(
        matchers=_matchers(table, depth),
        receivers=_named(table, "receivers", receivers, parent.receivers),
        group_by=_group_by(table, parent.group_by),
        timing=Timing(
            group_wait_s=table.number("group_wait_s", timing.group_wait_s, 0, 86_400),
            group_interval_s=table.number("group_interval_s", timing.group_interval_s, 1, 86_400),
            repeat_interval_s=table.number("repeat_interval_s", timing.repeat_interval_s, 60),
        ),
        go_on=table.flag("continue", False),
    )
    children = tuple(_route(each, route, receivers, depth + 1) for each in table.tables("routes"))
    table.close()
    return Route(
        matchers=route.matchers, receivers=route.receivers, group_by=route.group_by, timing=route.timing, go_on=route.go_on,
        routes=children,
    )  # fmt: skip


def _matchers(table: Table, depth: int) -> tuple[Matcher, ...]:
    return table.matchers("match") if depth > 1 else ()


def _group_by(table: Table, inherited: tuple[str, ...]) -> tuple[str, ...]:
    labels = table.texts("group_by", inherited)
    if "..." in labels and len(labels) > 1:
        table.wrong('group_by is "..." (every alert by itself) and names labels as well: give one of the two')
    return labels


def _named(table: Table, key: str, receivers: dict[str, Receiver], inherited: tuple[str, ...]) -> tuple[str, ...]:
    names = table.texts(key, inherited)
    for name in names:
        if name not in receivers:
            table.wrong(f"receiver {name!r} is not defined; defined are {', '.join(receivers)}")
    if len(set(names)) != len(names):
        table.wrong(f"{key} names a receiver twice")
    return names


def _inhibition(table: Table) -> Inhibition:
    inhibition = Inhibition(source=table.matchers("source"), target=table.matchers("target"), equal=table.texts("equal", ()))
    table.close()
    return inhibition


def _watchdog(table: Table, receivers: dict[str, Receiver]) -> Watchdog:
    has_expectation = table.has("expect_within_s")
    watchdog = Watchdog(
        alert=table.text("alert", "Watchdog"),
        expect_within_s=table.number("expect_within_s", 0, 10) if has_expectation else None,
        heartbeat_url=table.url("heartbeat_url"),
        heartbeat_every_s=table.number("heartbeat_every_s", 60.0, 5, 86_400),
        wedged_after_s=table.number("wedged_after_s", 120.0, 5, 86_400),
        receivers=_named(table, "receivers", receivers, ()),
    )
    table.raw("expect_within_s")
    table.close()
    return watchdog


def _all_used(source: str, receivers: dict[str, Receiver], route: Route, watchdog: Watchdog) -> None:
    """A receiver that nothing names is a slip of the pen: somebody believes that it will be told."""
    used = _used(route) | set(watchdog.receivers)
    for name in receivers:
        if name not in used:
            raise SettingsError(source, f"receivers.{name}", "no route names this receiver: it would never be told")


def _used(route: Route) -> set[str]:
    return set(route.receivers).union(*(_used(child) for child in route.routes))
