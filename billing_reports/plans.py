"""Subscriptions: what a customer pays beyond and instead of the tariff. Decided here: fee, included energy, member price, pro rata.

Pure judgement over priced CDRs. A CDR is never changed by a plan: what a plan grants is a line of its own on the statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from billing_reports.cdr import Adjustment, AdjustmentKind, Cdr, Price
from billing_reports.money import from_pico, round_half_up, to_pico
from billing_reports.policy import DEFAULT, PricingPolicy
from billing_reports.tariff import Dimension, Tariff

_MWH = 1000


class Plan(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A subscription, or what a customer group gets without one. Fees are before taxes, `vat` in percent (None: no VAT applies)."""

    id: str
    currency: str
    monthly_fee: Decimal = Decimal(0)
    vat: Decimal | None = None
    included_wh: int = 0
    """Energy a month whose price is credited; what is not used ends with the month."""
    tariffs: Mapping[str, str] = {}
    """Member prices: the id of a tariff → the id of the tariff that members get instead of it."""
    policy: PricingPolicy = DEFAULT
    """Idle grace, caps, free-vend."""
    pro_rata: bool = True
    """Whether a part of a month costs, and includes, that part of its days."""


class Membership(msgspec.Struct, frozen=True):
    """From which local day on (inclusive) to which (exclusive; None: open) a customer has a plan."""

    plan_id: str
    first_day: date
    last_day: date | None = None


class MonthlyFee(msgspec.Struct, frozen=True):
    """The fee of one month: `days` of `month_days` had the plan."""

    plan_id: str
    days: int
    month_days: int
    vat: Decimal | None
    price: Price


def month_of(at: datetime, zone: ZoneInfo) -> date:
    """The first day of the local month of an instant. A CDR belongs to the month in which it ended."""
    local = at.astimezone(zone)
    return date(local.year, local.month, 1)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def days_with(membership: Membership, month: date) -> int:
    """How many days of the month that begins on `month` have the plan."""
    first = max(month, membership.first_day)
    last = next_month(month) if membership.last_day is None else min(next_month(month), membership.last_day)
    return max(0, (last - first).days)


def member_tariff(plan: Plan | None, standard: Tariff, tariffs: Mapping[str, Tariff]) -> Tariff:
    """The tariff a customer pays: the member tariff where the plan has one for this tariff, else the standard one.

    KeyError for a member tariff that is not there: a promised price is never silently the usual one.
    """
    wanted = None if plan is None else plan.tariffs.get(standard.id)
    return standard if wanted is None else tariffs[wanted]


def monthly_fee(plan: Plan, membership: Membership, month: date) -> MonthlyFee | None:
    """The fee of a month, by the day where the plan is pro rata; None for a month without the plan or a plan without fee."""
    days, whole = days_with(membership, month), (next_month(month) - month).days
    if not days or not plan.monthly_fee:
        return None
    charged = days if plan.pro_rata else whole
    net = round_half_up(to_pico(plan.monthly_fee) * charged, whole)
    return MonthlyFee(plan.id, days, whole, plan.vat, Price(from_pico(net), from_pico(net + _tax(net, plan.vat))))


def included_wh(plan: Plan, membership: Membership, month: date) -> int:
    """Energy that the plan includes in a month, by the day where it is pro rata, rounded down to whole Wh."""
    days, whole = days_with(membership, month), (next_month(month) - month).days
    if not days:
        return 0
    return plan.included_wh * days // whole if plan.pro_rata else plan.included_wh


def credit_included(cdrs: Iterable[Cdr], allowance_wh: int) -> list[tuple[str, int, tuple[Adjustment, ...]]]:
    """(CDR id, Wh taken from the allowance, credits by VAT rate) of CDRs in the order they ended, until the allowance is used up.

    A credit is the share of each energy line that the allowance covers, at that line's own price and tax. Idle time, flat fees and
    what a step size added are not energy that was used, and are not covered. A CDR at a price cap is credited at most what it cost.
    Credit CDRs, and CDRs that were credited, have no part in it.
    """
    known = list(cdrs)
    gone = {each.credit_reference_id for each in known if each.credit}
    left = allowance_wh * _MWH
    found = []
    for cdr in sorted(known, key=lambda each: (each.ended_at, each.id)):
        if cdr.credit or cdr.id in gone or left <= 0:
            continue
        taken, credits = _covered(cdr, left)
        if taken:
            left -= taken
            found.append((cdr.id, taken // _MWH, credits))
    return found


def _covered(cdr: Cdr, left: int) -> tuple[int, tuple[Adjustment, ...]]:
    taken = 0
    rates: dict[Decimal | None, list[int]] = {}
    for period in cdr.priced.periods:
        for line in period.lines:
            billed, used = int(line.billed * _MWH), int(line.measured * _MWH)
            if line.dimension is not Dimension.ENERGY or line.price is None or used <= 0 or left <= taken:
                continue
            part = min(used, left - taken) // _MWH * _MWH
            taken += part
            sums = rates.setdefault(line.vat, [0, 0])
            sums[0] += round_half_up(to_pico(line.before_taxes) * part, billed)
            sums[1] += round_half_up(to_pico(line.after_taxes) * part, billed)
    return taken, tuple(_credit(rate, sums, cdr.total, rates) for rate, sums in rates.items())


def _credit(rate: Decimal | None, sums: Sequence[int], total: Price, rates: Mapping[Decimal | None, Sequence[int]]) -> Adjustment:
    """Never more in all than the CDR cost: a cap has taken the rest off already."""
    net = _at_most(sums[0], sum(each[0] for each in rates.values()), to_pico(total.before_taxes))
    gross = _at_most(sums[1], sum(each[1] for each in rates.values()), to_pico(total.after_taxes))
    return Adjustment(AdjustmentKind.INCLUDED_ENERGY, rate, from_pico(-net), from_pico(-gross), "included in the plan")


def _at_most(part: int, whole: int, most: int) -> int:
    return part if whole <= max(most, 0) else round_half_up(part * max(most, 0), whole)


def _tax(net: int, rate: Decimal | None) -> int:
    if rate is None:
        return 0
    numerator, denominator = rate.as_integer_ratio()
    return round_half_up(net * numerator, 100 * denominator)
