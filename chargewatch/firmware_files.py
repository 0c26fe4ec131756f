"""Joins the firmware files to the platform: the folder, the store, the caps, and who hears of a damaged file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from chargenet.ports import Clock
from chargenet.settings import Settings
from chargenet.stores import Keys
from firmware_orchestrator.artifacts import ArtifactStore
from firmware_orchestrator.downloads import DownloadLimits, Downloads
from firmware_orchestrator.shelf import FirmwareShelf, ShelfLimits

_INCOMING = "incoming-"


class FirmwareFiles(msgspec.Struct, frozen=True):
    """What there is (`shelf`), and what is under way to charge points (`downloads`)."""

    shelf: FirmwareShelf
    downloads: Downloads


def firmware_files(settings: Settings, clock: Clock, store: ArtifactStore, keys: Keys, web: Callable[[], str]) -> FirmwareFiles:
    """`web`: the URL that charge points reach us by, unless `firmware.public_url` names another."""
    chosen = settings.firmware

    def base() -> str:
        return chosen.public_url.rstrip("/") or web()

    limits = ShelfLimits(
        approvals_needed=chosen.approvals_needed,
        approval_ttl_s=chosen.approval_days * 86_400,
        download_ttl_s=chosen.download_ttl_s,
    )
    shelf = FirmwareShelf(store, keys, settings.data_dir / "firmware", clock, base, limits)
    rates = DownloadLimits(
        bytes_per_s=chosen.max_bytes_per_s, bytes_per_s_each=chosen.max_bytes_per_s_each, at_once=chosen.max_downloads
    )
    return FirmwareFiles(shelf, Downloads(shelf, clock, rates))


def incoming(shelf: FirmwareShelf, name: str) -> Path:
    """Where a file lies until it is complete."""
    return shelf.folder / f"{_INCOMING}{name}"


def prepare(shelf: FirmwareShelf) -> None:
    """Make the folder, and remove what broke off when the process was killed. Blocking."""
    shelf.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in shelf.folder.glob(f"{_INCOMING}*"):
        path.unlink(missing_ok=True)
