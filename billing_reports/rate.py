"""What was used → a CDR, or why not. Decided here: who pays, by which tariff, and what makes a correction necessary. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from billing_reports.assemble import Assembled, issue_of
from billing_reports.cdr import Cdr, credit_of
from billing_reports.customers import Payer, contract_valid
from billing_reports.issue import BillingIssue, IssueReason
from billing_reports.plans import Plan, member_tariff
from billing_reports.policy import DEFAULT, PricingPolicy
from billing_reports.price import PriceMissing, TariffError, UsageError, price
from billing_reports.series import PriceSeries
from billing_reports.tariff import Tariff, TariffType
from billing_reports.tariff_book import Place, TariffBook
from chargenet.model.transaction import Transaction, TransactionFlag


class Terms(msgspec.Struct, frozen=True):
    """What a transaction is priced by."""

    tariff: Tariff
    policy: PricingPolicy = DEFAULT


def terms_of(
    book: TariffBook, place: Place, began_at: datetime, payer: Payer | None, plans: Mapping[str, Plan]
) -> Terms | tuple[IssueReason, str]:
    """The tariff and what the plan grants; or why there is none. Without a payer it is an ad hoc session where a tariff says so."""
    kind = TariffType.REGULAR if payer is None else payer.contract.tariff_type
    tariff = book.choose(place, began_at, kind)
    if payer is None:
        tariff = book.choose(place, began_at, TariffType.AD_HOC_PAYMENT) or tariff
    if tariff is None:
        where = place.charge_point_id if place.connector is None else f"connector {place.connector} of {place.charge_point_id}"
        return IssueReason.TARIFF_MISSING, f"no tariff is assigned to {where}: assign one, then it is priced by itself"
    plan_id = None if payer is None else payer.contract.plan_id
    if plan_id is None:
        return Terms(tariff)
    plan = plans.get(plan_id)
    if plan is None:
        return IssueReason.TARIFF_UNUSABLE, f"the plan {plan_id} of the contract is not known: add it"
    try:
        return Terms(member_tariff(plan, tariff, book.tariffs_at(began_at)), plan.policy)
    except KeyError as missing:
        return IssueReason.TARIFF_UNUSABLE, f"the plan {plan_id} promises the tariff {missing.args[0]}, which is not known: add it"


def payer_at(payer: Payer | None, at: datetime) -> Payer | None:
    """`payer` where the contract runs on that local day, else nobody."""
    if payer is None:
        return None
    day = at.astimezone(ZoneInfo(payer.customer.time_zone)).date()
    return payer if contract_valid(payer.contract, day) else None


def refused(row: Transaction, payer: Payer | None, energy_wh: int) -> BillingIssue | None:
    """A token that was refused and is no customer's: nobody agreed to pay."""
    if TransactionFlag.TOKEN_REJECTED not in row.flags or payer is not None or not energy_wh:
        return None
    return issue_of(row, IssueReason.TOKEN_REJECTED, "its token was refused and belongs to no customer: find out who it was")


# Half of it is the list of what a CDR holds; splitting that would hide it.
def rate(
    row: Transaction,
    used: Assembled,
    place: Place,
    terms: Terms,
    payer: Payer | None,
    series: Mapping[str, PriceSeries],
    *,
    cdr_id: str,
    now: datetime,
    meter_id: str | None = None,
) -> Cdr | BillingIssue:
    """The CDR of one transaction."""
    try:
        priced = price(used.usage, terms.tariff, series=series, policy=terms.policy)
    except PriceMissing as problem:
        return issue_of(row, IssueReason.PRICE_MISSING, str(problem))
    except (TariffError, UsageError) as problem:
        return issue_of(row, IssueReason.TARIFF_UNUSABLE, str(problem))
    at_home = payer is not None and row.charge_point_id in payer.contract.home_charge_points
    return Cdr(
        id=cdr_id,
        created_at=now,
        started_at=used.started_at,
        ended_at=used.ended_at,
        currency=priced.currency,
        total=priced.totals.cost,
        usage=used.usage,
        priced=priced,
        tariff=terms.tariff,
        charge_point_id=row.charge_point_id,
        connector=row.connector,
        site_id=place.site_id,
        transaction_id=row.transaction_id,
        id_token=row.id_token,
        customer_id=None if payer is None else payer.customer.customer_id,
        contract_id=None if payer is None else payer.contract.contract_id,
        meter_id=meter_id,
        estimated=used.estimated,
        flags=tuple(sorted({*used.flags, *priced.flags})),
        signed=used.signed,
        trace=used.trace,
        home_charging_compensation=at_home,
    )


def cdr_id(first_sequence: int, revision: int) -> str:
    """Of the CDR of a transaction: the journal's record that began it, and which one it is: C000001234, C000001234-2, …"""
    return f"C{first_sequence:09d}" if revision == 1 else f"C{first_sequence:09d}-{revision}"


def credit_id(of: str) -> str:
    """Of the CDR that takes back another: C000001234-CR."""
    return f"{of}-CR"


def differs(old: Cdr, new: Cdr) -> bool:
    """Whether a driver would see another bill: anything but ids, the trace and when it was made."""
    return _seen(old) != _seen(new)


def _seen(cdr: Cdr) -> tuple[object, ...]:
    totals = cdr.priced.totals
    return (
        cdr.total, cdr.currency, cdr.customer_id, cdr.contract_id, cdr.started_at, cdr.ended_at, totals.energy_wh,
        totals.total_time_s, totals.parking_time_s, totals.taxes, cdr.tariff.id, cdr.home_charging_compensation, cdr.estimated,
    )  # fmt: skip


def corrected(old: Cdr, new: Cdr, now: datetime, remark: str) -> tuple[Cdr, Cdr]:
    """The credit CDR of `old`, and `new`."""
    return credit_of(old, credit_id(old.id), now, remark), new
