"""Who a connector's peers are. Decided here: same vendor, model and connector number first, then the model, then everybody."""

from __future__ import annotations

import msgspec
import numpy as np

from alerts.detectors.statistics.activity import Activity
from alerts.detectors.statistics.table import Array


class ChargePointPlace(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a charge point comparable with others. Empty: not known."""

    vendor: str = ""
    model: str = ""
    site_id: str | None = None

    @property
    def model_name(self) -> str:
        """Vendor and model as one name; unknown models are one cohort."""
        return f"{self.vendor} {self.model}".strip()


class Codes:
    """Per row of the table: small numbers for its groups, and whether it waits for drivers now."""

    def __init__(self) -> None:
        self.cohort: Array = np.zeros(64, np.int32)
        self.model: Array = np.zeros(64, np.int32)
        self.site: Array = np.full(64, -1, np.int32)
        """A row of Activity, −1 for none."""
        self.charge_point: Array = np.zeros(64, np.int32)
        self.itself: Array = np.zeros(64, np.int32)
        """The row of the same connector among the peers: its own, or for a fork the one it was made of."""
        self.peer: Array = np.zeros(64, np.bool_)
        self.held: Array = np.zeros(64, np.bool_)
        """In use, out of order by its own word, or not connected: nobody can begin there, and other findings say why."""
        self.waiting_since: Array = np.full(64, np.nan)
        """Since when it waits for a driver (UTC seconds), where its status says so."""
        self.size = 0
        self._numbers: dict[tuple[str, str], int] = {}
        self._names: dict[str, list[str]] = {}
        self._sites: dict[str, int] = {}

    def add_row(self, row: int, charge_point_id: str, connector: str, place: ChargePointPlace, activity: Activity) -> None:
        """The groups of a new row."""
        self._grow(row)
        self.itself[row] = row
        self.peer[row], self.held[row], self.waiting_since[row] = True, False, np.nan
        self.charge_point[row] = self._number("charge point", charge_point_id)
        self.move(row, connector, place, activity)

    def move(self, row: int, connector: str, place: ChargePointPlace, activity: Activity) -> None:
        """Its groups after what is known of its charge point changed."""
        self.model[row] = self._number("model", place.model_name)
        self.cohort[row] = self._number("cohort", f"{place.model_name}, connector {connector}")
        if place.site_id is None:
            self.site[row] = -1
            return
        if place.site_id not in self._sites:
            self._sites[place.site_id] = activity.add_row()
        self.site[row] = self._sites[place.site_id]

    def copy_row(self, row: int, made: int) -> None:
        """`made` in the groups of `row`, but no peer of anyone."""
        self._grow(made)
        for name in ("cohort", "model", "site", "charge_point", "itself", "held", "waiting_since"):
            getattr(self, name)[made] = getattr(self, name)[row]
        self.peer[made] = False

    def site_row(self, row: int) -> int | None:
        """Its site's row in Activity."""
        return None if self.site[row] < 0 else int(self.site[row])

    def cohort_name(self, row: int) -> str:
        """For people."""
        return self._names["cohort"][int(self.cohort[row])]

    @property
    def model_names(self) -> list[str]:
        """By number."""
        return self._names.get("model", [])

    def model_name(self, row: int) -> str:
        """For people."""
        return self._names["model"][int(self.model[row])]

    @property
    def sites(self) -> dict[str, int]:
        """Site id → row of Activity."""
        return self._sites

    def _number(self, kind: str, name: str) -> int:
        found = self._numbers.get((kind, name))
        if found is None:
            found = self._numbers[kind, name] = len(self._names.setdefault(kind, []))
            self._names[kind].append(name)
        return found

    def _grow(self, row: int) -> None:
        self.size = max(self.size, row + 1)
        while row >= len(self.peer):
            for name in ("cohort", "model", "site", "charge_point", "itself", "peer", "held", "waiting_since"):
                setattr(self, name, np.concatenate([getattr(self, name)] * 2))
