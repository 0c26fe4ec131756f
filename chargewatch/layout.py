"""What lies where in the data folder. Decided here, once, for the platform, the command line and the backup."""

from __future__ import annotations

from pathlib import Path

from chargenet.settings import Settings


def journal_folder(settings: Settings) -> Path:
    """The journal's segments."""
    return settings.data_dir / "journal"


def sql_file(settings: Settings) -> Path | None:
    """The SQLite file; None where the stores are in another database."""
    return settings.data_dir / "chargewatch.sqlite" if settings.sql.url is None else None


def sql_url(settings: Settings) -> str:
    """Where the SQL stores are."""
    return settings.sql.url or f"sqlite:///{(settings.data_dir / 'chargewatch.sqlite').absolute()}"


def telemetry_folder(settings: Settings) -> Path:
    """Where the embedded telemetry store keeps its file."""
    return settings.data_dir


def link_key_file(settings: Settings) -> Path:
    """The key of the signed links in messages."""
    return settings.data_dir / "links.key"


def alerts_file(settings: Settings) -> Path | None:
    """Receivers and routes: as set, else `alerts.toml` in the data folder where there is one."""
    usual = settings.data_dir / "alerts.toml"
    return settings.alerts.config_file or (usual if usual.exists() else None)


def pepper_file(settings: Settings) -> Path:
    """The key of fast password hashes."""
    return settings.data_dir / "pepper.key"
