"""Session files. Decided here: which columns there must be, and how a line that cannot be used is counted rather than guessed.

A CSV with a header: charge_point_id, connector_id, started_at, stopped_at (empty: unknown), energy_kwh; and, where known, site,
model, token. Local times are taken as they are in `zone`. The columns of the Norwegian home-charging data set (Sørensen et al.,
Data in Brief 2024) are understood too: one garage place is one charge point.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from chargenet.errors import InvalidFile

NEEDED = ("charge_point_id", "connector_id", "started_at", "energy_kwh")
_OTHER_NAMES = {
    "user_id": "charge_point_id",
    "location": "site",
    "plugin_time": "started_at",
    "plugout_time": "stopped_at",
    "energy_session": "energy_kwh",
}


class Session(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One past session. Instants are UTC seconds; `ended` is the begin where the file does not say."""

    charge_point_id: str
    connector: str
    began: float
    ended: float
    energy_wh: float | None
    site: str = ""
    model: str = ""
    token: str | None = None


class SessionFile(msgspec.Struct, frozen=True):
    """What a file held: sessions by begin, and how many lines could not be used."""

    sessions: list[Session]
    unusable: int


def read(path: Path, zone: str = "UTC") -> SessionFile:
    """All sessions of a file. Raises InvalidFile where the file is no such CSV."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFile(str(path), None, "", f"cannot be read: {error}") from error
    separator = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.DictReader(text.splitlines(), delimiter=separator)
    names = {name: _OTHER_NAMES.get(name, name) for name in reader.fieldnames or ()}
    garage = "user_id" in names
    missing = [name for name in NEEDED if name not in names.values() and not (garage and name == "connector_id")]
    if missing:
        raise InvalidFile(str(path), 1, "", f"the header has no column {', '.join(missing)}")
    where = ZoneInfo(zone)
    sessions: list[Session] = []
    unusable = 0
    for row in reader:
        session = _session({names[key]: value or "" for key, value in row.items() if key in names}, where)
        if session is None:
            unusable += 1
        else:
            sessions.append(session)
    if not sessions:
        raise InvalidFile(str(path), None, "", "holds no session that can be used")
    return SessionFile(sorted(sessions, key=lambda each: each.began), unusable)


def _session(row: Mapping[str, str], zone: ZoneInfo) -> Session | None:
    try:
        began = _instant(row["started_at"], zone)
        ended = _instant(row["stopped_at"], zone) if row.get("stopped_at", "").strip() else began
        energy = row["energy_kwh"].strip().replace(",", ".")
        energy_wh = float(energy) * 1000 if energy else None
    except ValueError:
        return None
    return Session(
        charge_point_id=row["charge_point_id"].strip(),
        connector=row.get("connector_id", "").strip() or "1",
        began=began,
        ended=max(began, ended),
        energy_wh=energy_wh,
        site=row.get("site", "").strip(),
        model=row.get("model", "").strip(),
        token=row.get("token", "").strip() or None,
    )


def _instant(text: str, zone: ZoneInfo) -> float:
    at = datetime.fromisoformat(text.strip())
    return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC).timestamp()
