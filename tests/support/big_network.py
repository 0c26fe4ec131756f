"""A network of 50,000 connectors, as one exposition: 25,000 charge points at 2,500 sites, 60 models, 600 firmware versions.

Written by the product's own exposition code, with a value in every family of every connector that an AC or DC charge point has.
"""

from __future__ import annotations

from chargenet.model import measurement as m
from chargenet.model.words import ConnectorStatus
from chargenet.observe.fleet import FleetMetrics

CONNECTORS = 50_000
POINTS = CONNECTORS // 2
SITES = 2500
MODELS, FIRMWARES = 60, 600
STATUSES = tuple(status for status in ConnectorStatus if status != ConnectorStatus.UNKNOWN)


class BigNetwork:
    """`fleet` to scrape; `rows` of all connectors; `change` gives all of them new values."""

    def __init__(self, now: float, points: int = POINTS) -> None:
        self.fleet = FleetMetrics(lambda charge_point_id: f"site-{int(charge_point_id[2:]) % SITES:04d}")
        self.rows: list[int] = []
        for number in range(points):
            charge_point_id = f"CP{number:06d}"
            model = number % MODELS
            self.fleet.opened(charge_point_id, "ocpp1.6", now)
            firmware = f"{model}.{number // MODELS % (FIRMWARES // MODELS)}"
            self.fleet.booted(charge_point_id, f"Vendor {model % 12}", f"Model {model}", firmware, now)
            point = self.fleet.point(charge_point_id).row
            self.fleet.security_events.count(point, now)
            self.fleet.uploads.count(point, now)
            for plug in ("1", "2"):
                status = STATUSES[(number // 7 + int(plug)) % len(STATUSES)] if number % 5 == 0 else ConnectorStatus.CHARGING
                self.fleet.reported(
                    charge_point_id, plug, status, now, "GroundFailure" if status == ConnectorStatus.FAULTED else None
                )
                self.rows.append(self.fleet.row(charge_point_id, plug))

    def change(self, at: float, part: int = 0, parts: int = 1) -> None:
        """Every connector says eleven values; with `parts`, one of so many."""
        fleet = self.fleet
        columns = [fleet.column(m.CURRENT, phase) for phase in ("L1", "L2", "L3")]
        columns += [fleet.column(m.VOLTAGE, "L1-N"), fleet.column(m.TEMPERATURE, "Outlet")]
        columns += [fleet.power, fleet.energy, fleet.soc, fleet.session_energy, fleet.last_seen]
        for number, row in enumerate(self.rows[part::parts]):
            value = 10.0 + (number * 7 + at) % 90
            for column in columns:
                if column is not None:
                    column.put(row, value, at)
            fleet.active.put(row, 1.0, at)

    def text(self, at: float) -> bytes:
        """The scrape."""
        return b"".join(self.fleet.chunks(at))
