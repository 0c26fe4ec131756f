"""What another tariff would have earned. Decided here: which sessions count, which engine prices them, and that whatever is left
out is counted with its reason.

    Comparing(tariff, "Europe/Oslo").add(sessions)…  .done() -> Comparison

Sessions are priced in columns (`vector`); what only the scalar engine can price goes there, and says why. Both give the same
amount, so the result is what `price` says of each session, summed. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from billing_reports.cdr import Price, Usage
from billing_reports.money import from_pico, to_pico
from billing_reports.plans import month_of
from billing_reports.policy import DEFAULT, PricingPolicy
from billing_reports.price import PriceMissing, Pricer, UsageError, zone_of
from billing_reports.series import PriceSeries
from billing_reports.tariff import Tariff
from billing_reports.vector import History, NotVectorisable, history_of, price_history

MOST_LISTED = 1_000
"""Sessions left out that are listed one by one; all are counted."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A CDR in force, as far as a comparison needs it."""

    cdr_id: str
    site_id: str | None
    ended_at: datetime
    currency: str
    total: Price
    """What it came to."""
    usage: Usage
    policy: PricingPolicy = DEFAULT
    """What the plan of its contract grants."""
    home: bool = False


class Why(StrEnum):
    """Why a session has no part in a comparison."""

    HOME = "home_charging"
    """The owner of the connector is paid for it, and nobody is charged."""
    CURRENCY = "other_currency"
    """It was billed in another currency than the tariff has."""
    PRICE_MISSING = "price_missing"
    """The tariff follows a price series, and the series has a gap there."""
    UNUSABLE = "usage_unusable"
    """What was used contradicts itself."""


class LeftOut(msgspec.Struct, frozen=True):
    """One session that was not priced."""

    cdr_id: str
    why: Why
    text: str


class LeftOutSum(msgspec.Struct, frozen=True):
    """All sessions left out for one reason, by the currency they were billed in."""

    why: Why
    currency: str
    sessions: int
    then: Price


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What sessions came to, and what they would have come to. Exact, not rounded to cents."""

    sessions: int
    energy_wh: int
    then: Price
    now: Price

    @property
    def difference(self) -> Price:
        """now - then."""
        return Price(self.now.before_taxes - self.then.before_taxes, self.now.after_taxes - self.then.after_taxes)


class ComparedMonth(msgspec.Struct, frozen=True, kw_only=True):
    """Of one site (None: CDRs without one) in one local month, in which the sessions ended."""

    site_id: str | None
    month: date
    sums: Compared


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `in_columns` and `one_by_one` are how many sessions each engine priced; for the latter by reason."""

    tariff_id: str
    currency: str
    total: Compared
    months: tuple[ComparedMonth, ...]
    in_columns: int
    one_by_one: Mapping[str, int]
    left_out: tuple[LeftOutSum, ...]
    listed: tuple[LeftOut, ...]
    """The first MOST_LISTED of those left out, in order of ids."""


class Comparing:
    """Takes sessions in parts of any size; what comes out does not depend on the parts."""

    def __init__(self, tariff: Tariff, time_zone: str, series: Mapping[str, PriceSeries] | None = None) -> None:
        """`time_zone` of the months. Raises TariffError for a tariff that cannot be used, UsageError for an unknown zone."""
        self._tariff, self._zone, self._series = tariff, zone_of(time_zone), dict(series or {})
        self._pricers: dict[tuple[str, PricingPolicy], Pricer] = {}
        self._pricer(time_zone, DEFAULT)
        self._sums: dict[tuple[str | None, date], _Sum] = {}
        self._left: dict[tuple[Why, str], _Sum] = {}
        self._listed: list[LeftOut] = []
        self._in_columns = 0
        self._one_by_one: Counter[str] = Counter()

    def add(self, sessions: Iterable[Session]) -> None:
        """Price and sum up more sessions."""
        alike: dict[tuple[str, PricingPolicy], list[Session]] = {}
        for each in sessions:
            if each.home:
                self._leave(each, Why.HOME, "home charging: nobody is charged for it")
            elif each.currency != self._tariff.currency:
                self._leave(each, Why.CURRENCY, f"billed in {each.currency}, the tariff is in {self._tariff.currency}")
            else:
                alike.setdefault((each.usage.time_zone, each.policy), []).append(each)
        for (zone, policy), group in alike.items():
            self._price(zone, policy, group)

    def done(self) -> Comparison:
        """What all sessions so far come to."""
        total = _Sum()
        for each in self._sums.values():
            total.join(each)
        months = (
            ComparedMonth(site_id=site, month=month, sums=found.compared())
            for (site, month), found in sorted(self._sums.items(), key=lambda item: (item[0][0] or "", item[0][1]))
        )
        left = (
            LeftOutSum(why, currency, found.sessions, found.compared().then)
            for (why, currency), found in sorted(self._left.items())
        )
        return Comparison(
            tariff_id=self._tariff.id, currency=self._tariff.currency, total=total.compared(), months=tuple(months),
            in_columns=self._in_columns, one_by_one=dict(sorted(self._one_by_one.items())), left_out=tuple(left),
            listed=tuple(sorted(self._listed, key=lambda each: each.cdr_id)[:MOST_LISTED]),
        )  # fmt: skip

    def _price(self, zone: str, policy: PricingPolicy, group: Sequence[Session]) -> None:
        try:
            pricer = self._pricer(zone, policy)
        except UsageError as problem:
            for each in group:
                self._leave(each, Why.UNUSABLE, str(problem))
            return
        fit, history, odd = _columns(group)
        try:
            amounts = price_history(history, self._tariff, policy).pico()
        except NotVectorisable as reason:
            odd = [*odd, *((each, str(reason)) for each in fit)]
        else:
            self._in_columns += len(fit)
            for session, (net, gross) in zip(fit, amounts, strict=True):
                self._count(session, net, gross)
        for session, why in odd:
            self._scalar(pricer, session, why)

    def _scalar(self, pricer: Pricer, session: Session, why: str) -> None:
        try:
            found = pricer.tally(session.usage)
        except PriceMissing as problem:
            self._leave(session, Why.PRICE_MISSING, str(problem))
        except UsageError as problem:
            self._leave(session, Why.UNUSABLE, str(problem))
        else:
            self._one_by_one[why] += 1
            self._count(session, found.net, found.gross)

    def _pricer(self, zone: str, policy: PricingPolicy) -> Pricer:
        key = zone, policy
        if key not in self._pricers:
            self._pricers[key] = Pricer(self._tariff, zone, series=self._series, policy=policy)
        return self._pricers[key]

    def _count(self, session: Session, net: int, gross: int) -> None:
        key = session.site_id, month_of(session.ended_at, self._zone)
        self._sums.setdefault(key, _Sum()).add(session, net, gross)

    def _leave(self, session: Session, why: Why, text: str) -> None:
        self._left.setdefault((why, session.currency), _Sum()).add(session, 0, 0)
        self._listed.append(LeftOut(session.cdr_id, why, text))
        if len(self._listed) > 2 * MOST_LISTED:
            self._listed = sorted(self._listed, key=lambda each: each.cdr_id)[:MOST_LISTED]


class _Sum:
    """Sums in 10^-12 of a currency."""

    def __init__(self) -> None:
        self.sessions = self.energy_wh = 0
        self.amounts = [0, 0, 0, 0]

    def add(self, session: Session, net: int, gross: int) -> None:
        """One session, and what it would have come to."""
        self.sessions += 1
        self.energy_wh += session.usage.energy_wh
        then = session.total
        self._more((to_pico(then.before_taxes), to_pico(then.after_taxes), net, gross))

    def join(self, other: _Sum) -> None:
        """All of another sum."""
        self.sessions += other.sessions
        self.energy_wh += other.energy_wh
        self._more(other.amounts)

    def _more(self, amounts: Sequence[int]) -> None:
        self.amounts = [one + another for one, another in zip(self.amounts, amounts, strict=True)]

    def compared(self) -> Compared:
        """As amounts."""
        net, gross, net_now, gross_now = map(from_pico, self.amounts)
        return Compared(
            sessions=self.sessions, energy_wh=self.energy_wh, then=Price(net, gross), now=Price(net_now, gross_now)
        )  # fmt: skip


def _columns(group: Sequence[Session]) -> tuple[Sequence[Session], History, list[tuple[Session, str]]]:
    """Those whose usage fits into columns, their columns, and the others with why they do not fit."""
    odd: list[tuple[Session, str]] = []
    try:
        return group, history_of([each.usage for each in group]), odd
    except NotVectorisable:
        fit = []
        for each in group:
            try:
                history_of([each.usage])
            except NotVectorisable as reason:
                odd.append((each, str(reason)))
            else:
                fit.append(each)
        return fit, history_of([each.usage for each in fit]), odd


def percent(then: Decimal, now: Decimal) -> Decimal | None:
    """By how much more, in percent with one decimal; None where there was nothing."""
    return None if not then else ((now - then) * 100 / abs(then)).quantize(Decimal("0.1"))
