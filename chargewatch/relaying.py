"""Makes the alert relay of a platform. Decided here: where its config and keys are, and what its links begin with."""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from alerts.config import NOBODY, Config, load
from alerts.links import KEY_BYTES, LinkMaker
from alerts.message import Bases
from alerts.notifiers.choose import notifier
from alerts.notifiers.http import Door
from alerts.relay.guard import Guard
from alerts.relay.relay import Options, Relay
from alerts.relay.rows import AlertStore
from chargenet.errors import SettingsError
from chargenet.ports import Clock
from chargenet.settings import Settings
from chargewatch import layout
from chargewatch.api.runbooks import FOLDERS


def make_relay(settings: Settings, store: AlertStore, clock: Clock, upload_base: Callable[[], str]) -> Relay:
    """On the event loop that will run it. Raises SettingsError with the first mistake of alerts.toml."""
    config = load_config(settings)
    chosen = settings.alerts
    key = load_link_key(layout.link_key_file(settings))
    links = LinkMaker(key, lambda: chosen.public_url or upload_base(), chosen.link_ttl_s, served_runbooks())
    options = Options(
        give_up_after_s=chosen.give_up_after_s,
        log_retention_days=chosen.log_retention_days,
        bases=Bases(chosen.runbook_url, chosen.dashboard_url),
        through_alertmanager=chosen.through_alertmanager,
    )

    def open_door() -> Door:
        return Door(allow_private=chosen.allow_private_addresses)

    door = open_door()
    notifiers = {name: notifier(receiver, door) for name, receiver in config.receivers.items()}
    guard = Guard(config.watchdog, [config.receivers[name] for name in config.watchdog.receivers], clock, open_door)
    return Relay(config, store, clock, notifiers, door=door, links=links, options=options, guard=guard)


def load_config(settings: Settings) -> Config:
    """Who is told. Nobody, where there is no file."""
    file = layout.alerts_file(settings)
    return NOBODY if file is None else load(file)


def served_runbooks() -> frozenset[str]:
    """Kinds of alerts that the platform itself has a page on."""
    return frozenset(page.stem for folder in FOLDERS for page in folder.glob("*.md"))


def load_link_key(path: Path) -> bytes:
    """The key in `path`, made on first use, for its owner only. Raises SettingsError for a file that others can read.

    Several processes may ask at once: the file appears whole or not at all, and all get the one that is there first.
    """
    if not path.exists():
        try:
            _make_key(path)
        except OSError as error:
            raise SettingsError(str(path), "", f"the key of signed links cannot be made: {error.strerror}") from error
    return _read_key(path)


def _make_key(path: Path) -> None:
    """`mkstemp` opens for the owner only; a link, unlike a rename, leaves a file that is there already alone."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()


def _read_key(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode, key = stat.S_IMODE(os.fstat(file.fileno()).st_mode), file.read(KEY_BYTES + 1)
    except OSError as error:
        raise SettingsError(str(path), "", f"the key of signed links cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise SettingsError(str(path), "", f"others may read the key of signed links (mode {mode:o}): run chmod 600 on it")
    if len(key) != KEY_BYTES:
        raise SettingsError(str(path), "", f"is not a key of {KEY_BYTES} bytes for signed links: remove it, and a new one is made")
    return key
