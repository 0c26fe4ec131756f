"""Which tariff holds where and when. Decided here: versions, assignments and their precedence.

A tariff is kept in versions: a transaction is priced by the version that was in force when it began, so a change never touches one
that runs. An assignment names a place; the nearest place that has a fitting tariff decides: connector, charge point, site, network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from billing_reports.tariff import Tariff, TariffType, choose_tariff


class Scope(StrEnum):
    """How near a place is, nearest first."""

    CONNECTOR = "connector"
    CHARGE_POINT = "charge_point"
    SITE = "site"
    NETWORK = "network"


class TariffVersion(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One version of a tariff. In force from `effective_from` (None: from ever) until the next version's."""

    tariff: Tariff
    version: int
    effective_from: datetime | None = None
    added_at: datetime
    removed_at: datetime | None = None
    """From then on no transaction begins under it, nor under earlier versions."""

    @property
    def tariff_id(self) -> str:
        """That of the tariff."""
        return self.tariff.id


class Assignment(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A tariff at a place, for transactions that begin in `[valid_from, valid_to)`. `place`: `SITE`, `CP`, `CP/CONNECTOR` or ""."""

    tariff_id: str
    scope: Scope
    place: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    @property
    def key(self) -> str:
        """One assignment of a tariff to a place and begin; putting it again replaces it."""
        since = "" if self.valid_from is None else self.valid_from.isoformat()
        return f"{self.scope}:{self.place}:{self.tariff_id}:{since}"

    def valid_at(self, at: datetime) -> bool:
        """Whether it holds then."""
        return (self.valid_from is None or self.valid_from <= at) and (self.valid_to is None or at < self.valid_to)


class Place(msgspec.Struct, frozen=True):
    """A connector, with everything around it."""

    charge_point_id: str
    connector: str | None
    site_id: str | None

    def at(self, scope: Scope) -> str | None:
        """The name of this place at a scope; None where it has none."""
        if scope is Scope.CONNECTOR:
            return None if self.connector is None else f"{self.charge_point_id}/{self.connector}"
        return {Scope.CHARGE_POINT: self.charge_point_id, Scope.SITE: self.site_id, Scope.NETWORK: ""}[scope]


class TariffBook:
    """All tariffs and assignments. Immutable; made anew when something changes."""

    def __init__(self, versions: Iterable[TariffVersion] = (), assignments: Iterable[Assignment] = (), default: str = "") -> None:
        """`default`: the id of the tariff where none is assigned; "" for none."""
        self._versions: dict[str, list[TariffVersion]] = {}
        for each in sorted(versions, key=lambda each: each.version):
            self._versions.setdefault(each.tariff_id, []).append(each)
        self._assigned: dict[tuple[Scope, str], list[Assignment]] = {}
        for one in assignments:
            self._assigned.setdefault((one.scope, one.place), []).append(one)
        self._default = default

    def version(self, tariff_id: str, began_at: datetime) -> Tariff | None:
        """The tariff as it was in force at an instant."""
        found: Tariff | None = None
        for each in self._versions.get(tariff_id, ()):
            if each.removed_at is not None and began_at >= each.removed_at:
                found = None
            elif each.effective_from is None or each.effective_from <= began_at:
                found = each.tariff
        return found

    def tariffs_at(self, began_at: datetime) -> dict[str, Tariff]:
        """All tariffs in force, by id."""
        found = ((tariff_id, self.version(tariff_id, began_at)) for tariff_id in self._versions)
        return {tariff_id: tariff for tariff_id, tariff in found if tariff is not None}

    def choose(self, place: Place, began_at: datetime, kind: TariffType | None = None) -> Tariff | None:
        """The tariff of a transaction that began there and then; None where none is assigned that fits."""
        for scope in Scope:
            name = place.at(scope)
            if name is not None and (tariff := choose_tariff(self._candidates(scope, name, began_at), began_at, kind)) is not None:
                return tariff
        default = self.version(self._default, began_at) if self._default else None
        return default if default is not None and default.valid_at(began_at) else None

    def _candidates(self, scope: Scope, name: str, began_at: datetime) -> Sequence[Tariff]:
        held = [each for each in self._assigned.get((scope, name), ()) if each.valid_at(began_at)]
        held.sort(key=lambda each: (each.valid_from is not None, each.valid_from or began_at), reverse=True)
        found = (self.version(each.tariff_id, began_at) for each in held)
        return [tariff for tariff in found if tariff is not None]


def series_named(tariff: Tariff) -> frozenset[str]:
    """The price series that a tariff refers to."""
    return frozenset(
        component.series for element in tariff.elements for component in element.price_components if component.series is not None
    )
