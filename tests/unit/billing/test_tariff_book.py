"""Which tariff holds where and when (billing rules 3.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from billing_reports.tariff import Dimension, PriceComponent, Tariff, TariffElement, TariffType
from billing_reports.tariff_book import Assignment, Place, Scope, TariffBook, TariffVersion, series_named

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HERE = Place("CP-1", "2", "harbour")


def _tariff(name: str, price: str = "1", **fields: object) -> Tariff:
    elements = (TariffElement((PriceComponent(Dimension.ENERGY, Decimal(price)),)),)
    return Tariff(id=name, currency="EUR", elements=elements, **fields)  # type: ignore[arg-type]  # fields of a Tariff


def _version(tariff: Tariff, version: int = 1, since: datetime | None = None, removed: datetime | None = None) -> TariffVersion:
    return TariffVersion(tariff=tariff, version=version, effective_from=since, added_at=T0, removed_at=removed)


def _chosen(book: TariffBook, at: datetime = T0, kind: TariffType | None = None, place: Place = HERE) -> str | None:
    found = book.choose(place, at, kind)
    return None if found is None else found.id


def test_the_nearest_place_decides() -> None:
    """Connector before charge point before site before network before the default."""
    names = {
        "c": (Scope.CONNECTOR, "CP-1/2"),
        "p": (Scope.CHARGE_POINT, "CP-1"),
        "s": (Scope.SITE, "harbour"),
        "n": (Scope.NETWORK, ""),
    }
    versions = [_version(_tariff(name)) for name in (*names, "d")]
    assigned = [Assignment(tariff_id=name, scope=scope, place=place) for name, (scope, place) in names.items()]
    for removed in range(5):
        book = TariffBook(versions, assigned[removed:], "d")
        assert _chosen(book) == "cpsnd"[removed]
    assert _chosen(TariffBook(versions)) is None
    assert _chosen(TariffBook(versions, assigned), place=Place("CP-2", "2", "harbour")) == "s"


def test_a_session_keeps_the_version_it_began_with() -> None:
    """A new version is for what begins later; a removed tariff is for nothing that begins later."""
    old, new = _tariff("t", "1"), _tariff("t", "2")
    later = T0 + timedelta(days=1)
    book = TariffBook([_version(old), _version(new, 2, later)], [Assignment(tariff_id="t", scope=Scope.NETWORK)])
    assert book.choose(HERE, later - timedelta(seconds=1)) == old
    assert book.choose(HERE, later) == new
    gone = TariffBook([_version(old, removed=later)], [Assignment(tariff_id="t", scope=Scope.NETWORK)])
    assert (_chosen(gone, T0), _chosen(gone, later)) == ("t", None)


def test_assignments_have_a_validity() -> None:
    """From inclusive, to exclusive; of two that hold, the one that began later."""
    book = TariffBook(
        [_version(_tariff("a")), _version(_tariff("b"))],
        [
            Assignment(tariff_id="a", scope=Scope.NETWORK),
            Assignment(tariff_id="b", scope=Scope.NETWORK, valid_from=T0, valid_to=T0 + timedelta(days=1)),
        ],
    )
    days = (timedelta(days=-1), timedelta(0), timedelta(days=1))
    assert [_chosen(book, T0 + each) for each in days] == ["a", "b", "a"]


def test_the_type_of_tariff_and_contract() -> None:
    """An ad hoc tariff is not for contracts; one without type is for all; a nearer place without a fitting one is passed by."""
    ad_hoc = _tariff("adhoc", type=TariffType.AD_HOC_PAYMENT)
    book = TariffBook(
        [_version(ad_hoc), _version(_tariff("all"))],
        [Assignment(tariff_id="adhoc", scope=Scope.SITE, place="harbour"), Assignment(tariff_id="all", scope=Scope.NETWORK)],
    )
    assert _chosen(book) == "all"
    assert _chosen(book, kind=TariffType.AD_HOC_PAYMENT) == "adhoc"


def test_a_tariff_names_its_series() -> None:
    """What must be fetched before it can price anything."""
    spot = PriceComponent(Dimension.ENERGY, Decimal(0), series="spot:NO1")
    tariff = Tariff(id="t", currency="EUR", elements=(TariffElement((spot,)),))
    assert series_named(tariff) == {"spot:NO1"}
