"""What charge points and connectors are doing, as Prometheus series that cost nothing until they are asked for.

Decided here: which rows there are, what a status, an error, a connection and the end of a transaction do to their values, and
that nothing stays on show when it is no longer known. How lines are kept is `series.py`; what an OCPP event means for these
values is the collector's projection. All methods are called on the event loop; `at` and `now` are seconds since the epoch.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import Callable, Iterator, Mapping

from chargenet.model import measurement as m
from chargenet.model.words import ConnectorStatus
from chargenet.observe import names as n
from chargenet.observe.groups import Fleet, GroupFamilies, Grouping
from chargenet.observe.series import (
    Column,
    InstantColumn,
    Interner,
    PercentColumn,
    Table,
    WordColumn,
    header,
    integers,
    label,
    view,
)

HOLDS = math.inf
"""`touched` of a value that holds until told otherwise."""
_PHASED = {m.CURRENT: n.CONNECTOR_CURRENT, m.VOLTAGE: n.CONNECTOR_VOLTAGE}
_PHASES = frozenset({"L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"})
_LOCATIONS = frozenset({"Body", "Cable", "EV", "Inlet", "Outlet", "Upstream"})
_NO_ERROR = frozenset({None, "", "NoError"})


class Point:
    """One charge point's rows and identity."""

    __slots__ = ("charge_point_id", "connected", "firmware", "model", "protocol", "row", "rows", "said", "site", "vendor")

    def __init__(self, charge_point_id: str, site: str, row: int) -> None:
        self.charge_point_id, self.site, self.row = charge_point_id, site, row
        self.vendor = self.model = self.firmware = self.protocol = ""
        self.connected = False
        self.rows: dict[str, int] = {}
        """Connector label → row of the connector table."""
        self.said: dict[int, tuple[float, float]] = {}
        """Connector row → numbers of its last status and error, kept past their horizon for when it comes back."""


class FleetMetrics:
    """Everything about charge points and connectors that /metrics shows. `site_of` names the site of a charge point."""

    def __init__(self, site_of: Callable[[str], str]) -> None:
        self._site_of = site_of
        self._points: dict[str, Point] = {}
        self._point_table, self._table = Table(), Table()
        self._point_of = array("q")
        self._measured: dict[tuple[str, str], Column | None] = {}
        self._make_columns()
        self._make_groupings()

    def _make_columns(self) -> None:
        connector, point = self._table.column, self._point_table.column
        self._statuses = Interner(64, label("status", ConnectorStatus.UNKNOWN))
        errors = Interner(5000, label("error_code", "other") + b"," + label("vendor_error_code", "other"))
        infos = Interner(20_000, b",".join(label(name, "other") for name in n.POINT_INFO.labels[2:]))
        self._errors, self._infos = errors, infos
        self.status = connector(WordColumn(n.CONNECTOR_STATUS, self._statuses))
        self.error = connector(WordColumn(n.CONNECTOR_ERROR, errors))
        self.power = connector(Column(n.CONNECTOR_POWER))
        self.energy = connector(Column(n.CONNECTOR_ENERGY))
        self.soc = connector(PercentColumn(n.CONNECTOR_SOC))
        self.session_energy = connector(Column(n.CONNECTOR_SESSION_ENERGY))
        self.last_seen = connector(InstantColumn(n.CONNECTOR_LAST_SEEN))
        self.active = connector(Column(n.SITE_TRANSACTIONS))
        self.connected = point(Column(n.POINT_CONNECTED))
        self.last_frame = point(InstantColumn(n.POINT_LAST_FRAME))
        self.boots = point(Column(n.POINT_BOOTS))
        self.security_events = point(Column(n.POINT_SECURITY_EVENTS))
        self.uploads = point(Column(n.POINT_UPLOADS))
        self.info = point(WordColumn(n.POINT_INFO, infos))
        self._live = [self.power, self.soc, self.session_energy]

    def _make_groupings(self) -> None:
        site = GroupFamilies(n.SITE_POINTS, n.SITE_CONNECTED, n.SITE_CONNECTORS, n.SITE_POWER, n.SITE_TRANSACTIONS)
        model = GroupFamilies(n.MODEL_POINTS, n.MODEL_CONNECTED, n.MODEL_CONNECTORS, n.MODEL_POWER, n.MODEL_TRANSACTIONS)
        firmware = GroupFamilies(
            n.FIRMWARE_POINTS, n.FIRMWARE_CONNECTED, n.FIRMWARE_CONNECTORS, n.FIRMWARE_POWER, n.FIRMWARE_TRANSACTIONS
        )
        self._by_site = Grouping(site, 100_000, label("site", "other"))
        self._by_model = Grouping(model, 1000, b",".join(label(name, "other") for name in n.MODEL))
        self._by_firmware = Grouping(firmware, 5000, b",".join(label(name, "other") for name in n.FIRMWARE))

    # -- who there is

    def point(self, charge_point_id: str) -> Point:
        """The charge point's rows, made when it is new."""
        known = self._points.get(charge_point_id)
        if known is not None:
            return known
        site = self._site_of(charge_point_id)
        point = Point(charge_point_id, site, self._point_table.add(_point_labels(site, charge_point_id)))
        self._points[charge_point_id] = point
        self.connected.put(point.row, 0.0, HOLDS)
        self._identify(point)
        return point

    def row(self, charge_point_id: str, connector: str) -> int:
        """The connector's row, made when it is new."""
        point = self.point(charge_point_id)
        known = point.rows.get(connector)
        if known is not None:
            return known
        row = self._table.add(_point_labels(point.site, charge_point_id) + b"," + label("connector", connector))
        self._point_of.extend([-1] * (row + 1 - len(self._point_of)))
        self._point_of[row] = point.row
        point.rows[connector] = row
        return row

    def place(self, charge_point_id: str) -> None:
        """Ask `site_of` again: the charge point may have moved."""
        point, site = self.point(charge_point_id), self._site_of(charge_point_id)
        if site == point.site:
            return
        point.site = site
        self._point_table.relabel(point.row, _point_labels(site, charge_point_id))
        for connector, row in point.rows.items():
            self._table.relabel(row, _point_labels(site, charge_point_id) + b"," + label("connector", connector))
        self._identify(point)

    def forget(self, charge_point_id: str) -> None:
        """The charge point was removed: all of its series vanish."""
        point = self._points.pop(charge_point_id, None)
        if point is None:
            return
        for row in point.rows.values():
            self._table.free(row)
            self._point_of[row] = -1
        self._point_table.free(point.row)
        for grouping in (self._by_site, self._by_model, self._by_firmware):
            grouping.ids[point.row] = -1

    def clear(self) -> None:
        """Forget all charge points."""
        for charge_point_id in list(self._points):
            self.forget(charge_point_id)

    def seed(
        self,
        charge_point_id: str,
        *,
        now: float,
        vendor: str = "",
        model: str = "",
        firmware: str = "",
        protocol: str = "",
        statuses: Mapping[str, tuple[str, str | None]] | None = None,
    ) -> None:
        """What the stores still know after a restart; `statuses`: connector label → (status, error code).

        The statuses are on show for the offline horizon from `now`, and for longer once the charge point is back.
        """
        point = self.point(charge_point_id)
        point.vendor, point.model, point.firmware, point.protocol = vendor, model, firmware, protocol
        self._identify(point)
        for connector, (status, error_code) in (statuses or {}).items():
            self._say(point, self.row(charge_point_id, connector), status, error_code, None, now)

    # -- what they do

    def touch(self, charge_point_id: str, at: float) -> None:
        """A frame came, of whatever kind. The only call that heartbeats make."""
        row = self.point(charge_point_id).row
        self.last_frame.values[row] = at

    def last_frame_at(self, charge_point_id: str) -> float | None:
        """When its last frame came (UTC seconds); None while it was not heard since the start."""
        point = self._points.get(charge_point_id)
        at = math.nan if point is None else self.last_frame.values[point.row]
        return None if at != at else at

    def known(self) -> list[str]:
        """All charge points."""
        return list(self._points)

    def opened(self, charge_point_id: str, protocol: str, at: float) -> None:
        """Connected: what its connectors last said holds again."""
        point = self.point(charge_point_id)
        point.connected = True
        self.connected.put(point.row, 1.0, HOLDS)
        self.last_frame.put(point.row, at, at)
        for row, (status, error) in point.said.items():
            self.status.put(row, status, HOLDS)
            self.error.put(row, error, HOLDS)
        if point.protocol != protocol:
            point.protocol = protocol
            self._inform(point, _firmware_labels(point))

    def closed(self, charge_point_id: str, at: float) -> None:
        """Gone: from now on the statuses of its connectors grow stale."""
        point = self.point(charge_point_id)
        if not point.connected:
            return
        point.connected = False
        self.connected.put(point.row, 0.0, HOLDS)
        for row in point.said:
            self.status.touched[row] = self.error.touched[row] = at

    def booted(self, charge_point_id: str, vendor: str, model: str, firmware: str, at: float) -> None:
        """A boot notification."""
        point = self.point(charge_point_id)
        point.vendor, point.model, point.firmware = vendor, model, firmware
        self.boots.count(point.row, at)
        self._identify(point)

    def reported(
        self, charge_point_id: str, connector: str, status: str, at: float,
        error_code: str | None = None, vendor_error_code: str | None = None,
    ) -> None:  # fmt: skip
        """A connector said its status."""
        point = self.point(charge_point_id)
        self._say(point, self.row(charge_point_id, connector), status, error_code, vendor_error_code, at)

    def started(self, row: int, at: float) -> None:
        """A transaction runs at the connector."""
        self.active.put(row, 1.0, at)

    def ended(self, row: int) -> None:
        """No transaction runs at the connector: what was measured for it is history."""
        self.active.drop(row)
        for column in self._live:
            column.drop(row)

    def column(self, measurand: str, qualifier: str) -> Column | None:
        """The column of a measurand and its phase (for Temperature: its location); None where it is not shown."""
        key = (measurand, qualifier)
        if key not in self._measured:
            self._measured[key] = self._measurand_column(measurand, qualifier)
        return self._measured[key]

    def _measurand_column(self, measurand: str, qualifier: str) -> Column | None:
        family = _PHASED.get(measurand)
        if family is not None and (not qualifier or qualifier in _PHASES):
            extra = label("phase", qualifier) if qualifier else b""
        elif measurand == m.TEMPERATURE and qualifier in _LOCATIONS:
            family, extra = n.CONNECTOR_TEMPERATURE, label("location", qualifier)
        else:
            plain = {m.POWER: self.power, m.ENERGY_REGISTER: self.energy, m.SOC: self.soc}
            return None if qualifier else plain.get(measurand)
        column = self._table.column(Column(family, extra))
        self._live.append(column)
        return column

    def _say(self, point: Point, row: int, status: str, error_code: str | None, vendor_error_code: str | None, at: float) -> None:
        said = float(self._statuses.number(label("status", status)))
        error = math.nan
        if error_code not in _NO_ERROR or status == ConnectorStatus.FAULTED:
            text = label("error_code", error_code or "Unknown") + b"," + label("vendor_error_code", vendor_error_code or "")
            error = float(self._errors.number(text))
        point.said[row] = (said, error)
        touched = HOLDS if point.connected else at
        self.status.put(row, said, touched)
        self.error.put(row, error, touched)

    def _identify(self, point: Point) -> None:
        firmware = _firmware_labels(point)
        self._by_site.assign(point.row, label("site", point.site))
        self._by_model.assign(point.row, _model_labels(point))
        self._by_firmware.assign(point.row, firmware)
        self._inform(point, firmware)

    def _inform(self, point: Point, firmware: bytes) -> None:
        self.info.put(point.row, float(self._infos.number(firmware + b"," + label("protocol", point.protocol))), HOLDS)

    # -- what is shown

    @property
    def series(self) -> int:
        """Series of the last scrape, without the sums."""
        return sum(column.series for column in self._table.columns + self._point_table.columns)

    def chunks(self, now: float) -> Iterator[bytes]:
        """The exposition in pieces (some empty); each step is short, so that others may run in between."""
        for table in (self._table, self._point_table):
            for family, columns in _by_family([column for column in table.columns if column is not self.active]):
                for column in columns:
                    for _ in column.settle(table.labels, now):
                        yield b""
                yield header(family)
                for column in columns:
                    yield from column.text()
        for grouping in (self._by_site, self._by_model, self._by_firmware):
            yield grouping.text(self._as_arrays())

    async def render(self, now: float) -> bytes:
        """The whole exposition, made in slices between which the event loop serves others."""
        parts = []
        for part in self.chunks(now):
            parts.append(part)
            await asyncio.sleep(0)
        return b"".join(parts)

    def _as_arrays(self) -> Fleet:
        return Fleet(
            connected=view(self.connected.values),
            point_of=integers(self._point_of),
            status=view(self.status.values),
            power=view(self.power.values),
            active=view(self.active.values),
            statuses=self._statuses.words,
        )


def _point_labels(site: str, charge_point_id: str) -> bytes:
    return b"{" + label("site", site) + b"," + label("charge_point", charge_point_id)


def _model_labels(point: Point) -> bytes:
    return label("vendor", point.vendor) + b"," + label("model", point.model)


def _firmware_labels(point: Point) -> bytes:
    return _model_labels(point) + b"," + label("firmware", point.firmware)


def _by_family(columns: list[Column]) -> Iterator[tuple[n.Family, list[Column]]]:
    """Columns of one family stand together, as the text format demands."""
    families: dict[str, list[Column]] = {}
    for column in columns:
        families.setdefault(column.family.name, []).append(column)
    for together in families.values():
        yield together[0].family, together
