"""The history as pieces to store. Decided here: one piece per charge point and site, and two for the network.

A piece of another format is left out when the history is taken up again: what it knew can be learned again from the journal.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import msgspec
import numpy as np

from alerts.attempt_fold import AttemptFold, FoldState
from alerts.attempts import LIMITS, AttemptLimits
from alerts.detectors.statistics.activity import HOURS, NETWORK
from alerts.detectors.statistics.heartbeats import Pulse
from alerts.detectors.statistics.history import History
from alerts.detectors.statistics.place import ChargePointPlace
from alerts.detectors.statistics.table import RECORD, WINDOW

FORMAT = 1
CHARGE_POINT, SITE, ALL, WEATHER = "charge_point:", "site:", "network", "weather"


class _Connector(msgspec.Struct, kw_only=True):
    label: str
    records: bytes
    days: bytes
    day: int
    first: float | None
    histogram: bytes
    held: bool
    waiting_since: float | None


class _ChargePoint(msgspec.Struct, kw_only=True):
    format: int
    place: ChargePointPlace
    fold: FoldState | None
    pulse: Pulse | None
    connectors: list[_Connector]


class _Weather(msgspec.Struct, kw_only=True):
    format: int
    newest: int
    models: dict[str, bytes]


class _Hours(msgspec.Struct, kw_only=True):
    format: int
    newest: int
    oldest: int
    hours: bytes


def take(history: History) -> dict[str, bytes | None]:
    """Name → piece, of what changed since the last time. None: the charge point is gone, its piece is to be removed."""
    pieces: dict[str, bytes | None] = {}
    sites: set[str] = set()
    for charge_point_id in history.changed:
        known = charge_point_id in history.places or charge_point_id in history.folds or charge_point_id in history.connectors_of
        pieces[CHARGE_POINT + charge_point_id] = msgspec.msgpack.encode(_charge_point(history, charge_point_id)) if known else None
        site_id = history.places.get(charge_point_id, ChargePointPlace()).site_id
        if site_id in history.codes.sites:
            sites.add(str(site_id))
    if history.changed:
        pieces[ALL] = _hours(history, NETWORK)
        pieces[WEATHER] = _weather(history)
    for site_id in sites:
        pieces[SITE + site_id] = _hours(history, history.codes.sites[site_id])
    history.changed.clear()
    return pieces


def restore(pieces: Iterable[tuple[str, bytes]], limits: AttemptLimits = LIMITS, history: History | None = None) -> History:
    """A history that knows what `take` gave; `history` in addition, where they come in parts, in order of their names."""
    history = History(limits) if history is None else history
    late: list[tuple[str, bytes]] = []
    for name, piece in pieces:
        if name.startswith(CHARGE_POINT):
            _restore_charge_point(history, name.removeprefix(CHARGE_POINT), piece)
        else:
            late.append((name, piece))
    for name, piece in late:
        if name == WEATHER:
            _restore_weather(history, piece)
            continue
        row = NETWORK if name == ALL else history.codes.sites.get(name.removeprefix(SITE))
        if row is not None:
            _restore_hours(history, row, piece)
    history.changed.clear()
    return history


def _charge_point(history: History, charge_point_id: str) -> _ChargePoint:
    fold = history.folds.get(charge_point_id)
    return _ChargePoint(
        format=FORMAT,
        place=history.places.get(charge_point_id, ChargePointPlace()),
        fold=None if fold is None else fold.state,
        pulse=history.heartbeats.pulses.get(charge_point_id),
        connectors=[_connector(history, charge_point_id, label) for label in history.connectors_of.get(charge_point_id, ())],
    )


def _connector(history: History, charge_point_id: str, label: str) -> _Connector:
    row = history.row_of[charge_point_id, label]
    table, codes = history.table, history.codes
    first, waiting_since = float(table.first[row]), float(codes.waiting_since[row])
    return _Connector(
        label=label,
        records=table.records[row, WINDOW - int(table.count[row]) :].tobytes(),
        days=zlib.compress(table.days[row].tobytes(), 1),
        day=int(table.day[row]),
        first=None if np.isnan(first) else first,
        histogram=zlib.compress(table.histogram[row].tobytes(), 1),
        held=bool(codes.held[row]),
        waiting_since=None if np.isnan(waiting_since) else waiting_since,
    )


def _restore_charge_point(history: History, charge_point_id: str, piece: bytes) -> None:
    if not _same_format(piece):
        return
    known = msgspec.msgpack.decode(piece, type=_ChargePoint)
    history.places[charge_point_id] = known.place
    if known.fold is not None:
        history.folds[charge_point_id] = AttemptFold(charge_point_id, known.fold, history.limits)
    if known.pulse is not None:
        history.heartbeats.pulses[charge_point_id] = known.pulse
    table, codes = history.table, history.codes
    for each in known.connectors:
        row = history.row((charge_point_id, each.label))
        records = np.frombuffer(each.records, RECORD)
        table.count[row], table.day[row] = len(records), each.day
        table.records[row, WINDOW - len(records) :] = records
        table.days[row] = np.frombuffer(zlib.decompress(each.days), table.days.dtype).reshape(table.days[row].shape)
        table.histogram[row] = np.frombuffer(zlib.decompress(each.histogram), table.histogram.dtype)
        table.first[row] = np.nan if each.first is None else each.first
        codes.held[row] = each.held
        codes.waiting_since[row] = np.nan if each.waiting_since is None else each.waiting_since


def _hours(history: History, row: int) -> bytes:
    activity = history.activity
    packed = zlib.compress(activity.hours[row].tobytes(), 1)
    return msgspec.msgpack.encode(_Hours(format=FORMAT, newest=activity.newest, oldest=activity.oldest, hours=packed))


def _restore_hours(history: History, row: int, piece: bytes) -> None:
    if not _same_format(piece):
        return
    known = msgspec.msgpack.decode(piece, type=_Hours)
    activity = history.activity
    hours = np.frombuffer(zlib.decompress(known.hours), activity.hours.dtype)
    # A site that saw nobody for a while was stored earlier than the network: hours that have passed since are empty.
    newest = max(activity.newest, known.newest)
    slots = np.arange(known.newest - HOURS + 1, known.newest + 1)
    kept = slots[slots > newest - HOURS]
    activity.advance(newest)
    activity.hours[row] = 0
    activity.hours[row, kept % HOURS] = hours[kept % HOURS]
    if known.oldest >= 0:
        activity.oldest = known.oldest if activity.oldest < 0 else min(activity.oldest, known.oldest)
        activity.oldest = max(activity.oldest, activity.newest - HOURS + 1)


def _weather(history: History) -> bytes:
    """By the models' names: their numbers are another process's."""
    weather, codes = history.weather, history.codes
    models = {
        name: zlib.compress(np.stack([weather.sums[at], weather.counts[at]]).tobytes(), 1)
        for at, name in enumerate(codes.model_names[: len(weather.sums)])
        if weather.counts[at].any()
    }
    return msgspec.msgpack.encode(_Weather(format=FORMAT, newest=weather.newest, models=models))


def _restore_weather(history: History, piece: bytes) -> None:
    if not _same_format(piece):
        return
    known = msgspec.msgpack.decode(piece, type=_Weather)
    weather, codes = history.weather, history.codes
    weather.newest = known.newest
    for name, packed in known.models.items():
        if name in codes.model_names:
            at = codes.model_names.index(name)
            weather.make_room(at)
            weather.sums[at], weather.counts[at] = np.frombuffer(zlib.decompress(packed)).reshape(2, -1)


def _same_format(piece: bytes) -> bool:
    found = msgspec.msgpack.decode(piece)
    return isinstance(found, dict) and found.get("format") == FORMAT
