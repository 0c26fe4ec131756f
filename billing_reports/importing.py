"""Sessions out of an operator's CSV. Decided here: which rows can be used, and why the others cannot.

Nothing is guessed: a row without an end, or with a number that is none, is rejected with its line and the reason. Local times are
read in the map's zone; in the hour that comes twice the first is taken, unless the session would then end before it began.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import msgspec

from billing_reports.import_map import DURATIONS, ENERGY, ISO, ImportMap
from billing_reports.report_session import ReportConnector, ReportSession
from chargenet.errors import InvalidFile
from chargenet.model.ids import IdToken, parse_label

LONGEST_ID = 255
_TRUE, _FALSE = frozenset({"1", "true", "yes", "y", "ok", "success"}), frozenset({"0", "false", "no", "n", "failed", "error"})


class ImportedSession(ReportSession, frozen=True, kw_only=True):
    """A session of another system. `source` and `session_id` name it: importing it again replaces it."""

    source: str
    site: str = ""
    model: str = ""
    rated_w: int | None = None


class Reject(msgspec.Struct, frozen=True):
    """A row that was not used. `line` counts from 1, the header included."""

    line: int
    reason: str


class _Unusable(ValueError):
    """Why a row cannot be used."""


def read_sessions(lines: Iterable[str], wanted: ImportMap, name: str) -> Iterator[ImportedSession | Reject]:
    """One item per row of a CSV. Raises InvalidFile when the file has not the columns that the map names."""
    reader = csv.reader(lines, delimiter=wanted.delimiter)
    try:
        header = [each.strip() for each in next(reader)]
    except StopIteration:
        raise InvalidFile(name, None, "", "is empty: there is not even a header") from None
    missing = [column for column in wanted.columns.values() if column not in header]
    if missing:
        raise InvalidFile(name, 1, "", f"there is no column {missing[0]!r}; the columns are {', '.join(header)}")
    places = {key: header.index(column) for key, column in wanted.columns.items()}
    seen: Counter[str] = Counter()
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        try:
            if len(row) < len(header):
                raise _Unusable(f"has {len(row)} of {len(header)} columns")
            values = {key: row[place].strip() for key, place in places.items()}
            yield _session(wanted.constants | {key: value for key, value in values.items() if value}, wanted, seen)
        except _Unusable as error:
            yield Reject(reader.line_num, str(error))


def _session(values: Mapping[str, str], wanted: ImportMap, seen: Counter[str]) -> ImportedSession:
    for key in ("charge_point", "began", "ended", "energy"):
        if key not in values:
            raise _Unusable(f"{key} is missing")
    began_at, ended_at = _times(values["began"], values["ended"], wanted)
    connector = _connector(values.get("connector", "1"))
    energy_wh = _whole(_number("energy", values["energy"], wanted) * ENERGY[wanted.energy_unit])
    if energy_wh < 0:
        raise _Unusable("energy is negative")
    charging = values.get("charging")
    peak, revenue = values.get("peak_power"), values.get("revenue")
    model = values.get("model", "")
    rated = wanted.rated_kw.get(model)
    return ImportedSession(
        source=wanted.source,
        session_id=_id(values, seen),
        charge_point_id=_text(values["charge_point"]),
        connector=connector,
        site=_text(values.get("site", "")),
        model=_text(model),
        rated_w=None if rated is None else round(rated * 1000),
        began_at=began_at,
        ended_at=ended_at,
        energy_wh=energy_wh,
        charging_s=None if charging is None else _whole(_number("charging", charging, wanted) * DURATIONS[wanted.charging_unit]),
        peak_w=None if peak is None else _whole(_number("peak_power", peak, wanted) * 1000),
        revenue=None if revenue is None else _number("revenue", revenue, wanted),
        currency=values.get("currency", "") if revenue is not None else "",
        user=IdToken(values["user"]).hashed if "user" in values else "",
        payment=_text(values.get("payment", "")),
        successful=_truth(values.get("successful")),
        error_code=_text(values.get("error_code", "")),
    )


def _id(values: Mapping[str, str], seen: Counter[str]) -> str:
    """The session's own id; else one made of its content, so that the same row is the same session at the next import."""
    if "session" in values:
        found = _text(values["session"])
        if seen[found]:
            raise _Unusable(f"session {found} is there already")
    else:
        content = "|".join(values.get(key, "") for key in ("charge_point", "connector", "began", "ended", "energy", "user"))
        base = hashlib.blake2s(content.encode(), digest_size=12).hexdigest()
        found = base if not seen[base] else f"{base}-{seen[base] + 1}"
        seen[base] += bool(seen[base])
    seen[found] += 1
    return found


def _times(began: str, ended: str, wanted: ImportMap) -> tuple[datetime, datetime]:
    began_at, ended_at = _time("began", began, wanted), _time("ended", ended, wanted)
    if ended_at.tzinfo is None or began_at.tzinfo is None:
        first = began_at if began_at.tzinfo else began_at.replace(tzinfo=wanted.zone)
        last = ended_at if ended_at.tzinfo else ended_at.replace(tzinfo=wanted.zone)
        if last.astimezone(UTC) < first.astimezone(UTC) and not ended_at.tzinfo:
            last = last.replace(fold=1)
        began_at, ended_at = first, last
    began_at, ended_at = began_at.astimezone(UTC), ended_at.astimezone(UTC)
    if ended_at < began_at:
        raise _Unusable("ends before it begins")
    return began_at, ended_at


def _time(what: str, text: str, wanted: ImportMap) -> datetime:
    try:
        return datetime.fromisoformat(text) if wanted.time_format == ISO else datetime.strptime(text, wanted.time_format)  # noqa: DTZ007 - the map's zone is put on it
    except ValueError:
        raise _Unusable(f"{what}: {text[:40]!r} is no time of the form {wanted.time_format}") from None


def _number(what: str, text: str, wanted: ImportMap) -> Decimal:
    if wanted.decimal == "," and "." in text:
        raise _Unusable(f"{what}: {text[:40]!r} has a point, and the map says that decimals have a comma")
    try:
        number = Decimal(text.replace(",", ".") if wanted.decimal == "," else text)
    except InvalidOperation:
        raise _Unusable(f"{what}: {text[:40]!r} is no number") from None
    if not number.is_finite() or abs(number) > 10**9:
        raise _Unusable(f"{what}: {text[:40]!r} is no number that means anything")
    return number


def _whole(number: Decimal) -> int:
    return int(number.to_integral_value())


def _connector(text: str) -> str:
    try:
        return parse_label(text).label
    except ValueError:
        raise _Unusable(f"connector: {text[:40]!r} is none; it is a number, or EVSE.connector") from None


def _truth(text: str | None) -> bool | None:
    if text is None:
        return None
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise _Unusable(f"successful: {text[:40]!r} is neither yes nor no")
    return word in _TRUE


def _text(text: str) -> str:
    return " ".join(text.split())[:LONGEST_ID]


def connectors_of(sessions: Sequence[ImportedSession], start: datetime, end: datetime) -> list[ReportConnector]:
    """The connectors that imported sessions name. Each counts as open from its first session on: when it was built nobody says."""
    found: dict[tuple[str, str], ReportConnector] = {}
    for each in sorted(sessions, key=lambda session: session.began_at):
        key = (each.charge_point_id, each.connector)
        if key not in found:
            found[key] = ReportConnector(
                charge_point_id=each.charge_point_id, connector=each.connector, site=each.site, model=each.model,
                rated_w=each.rated_w, open_from=max(start, each.began_at), open_until=end,
            )  # fmt: skip
    return [found[key] for key in sorted(found)]
