"""CDRs of a month → a draft statement. Decided here: lines, cents, taxes by rate, and which CDRs cancel each other out. Pure.

Prices announced before taxes: each line is rounded half up, the tax is on the sum of a rate's lines (EN 16931). Prices announced
with taxes: each line's gross is rounded, so the driver pays the sum of what was announced; the nets are shares of the rate's total.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec

from billing_reports.cdr import Cdr
from billing_reports.cdr_row import CdrRow, RateSum
from billing_reports.customers import Contract, Customer
from billing_reports.house import House
from billing_reports.money import Money, minor_units, round_amount, total
from billing_reports.plans import Membership, Plan, credit_included, included_wh, month_of, monthly_fee, next_month
from billing_reports.price import zone_of
from billing_reports.statement import (
    LineKind,
    Statement,
    StatementLine,
    StatementTotals,
    TaxCategory,
    TaxLine,
    UnbilledSession,
)

_ZERO = Decimal(0)
_REASONS = {TaxCategory.EXEMPT: "no VAT applies", TaxCategory.REVERSE_CHARGE: "reverse charge: the customer owes the VAT"}


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One customer's month: what there is to bill, in no particular order."""

    customer: Customer
    contracts: tuple[Contract, ...] = ()
    rows: tuple[CdrRow, ...] = ()
    """CDRs on no statement yet that ended before the end of the month."""
    cdrs: Mapping[str, Cdr] = {}
    """Whole CDRs, where a plan includes energy."""
    unbilled: tuple[UnbilledSession, ...] = ()
    issued: Mapping[str, int] = {}
    """Currency → statements of this month that are issued already and were not taken back."""
    numbered: Mapping[str, int] = {}
    """Currency → statements of this month ever issued: the next one has a new id."""


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A line before it has cents."""

    kind: LineKind
    vat: Decimal | None
    before: Decimal
    after: Decimal
    row: CdrRow | None = None
    energy_wh: int = 0
    quantity: Decimal = Decimal(1)
    detail: str = ""


def compose(
    account: Account, month: date, plans: Mapping[str, Plan], house: House, site_names: Mapping[str, str], now: datetime
) -> list[Statement]:
    """A draft for each currency in which there is something to say, by currency."""
    rows = cancelled_out(account.rows)
    currencies = {row.currency for row in rows} | {
        plans[each.plan_id].currency for each in account.contracts if each.plan_id is not None and _fee_of(each, plans, month)
    }
    made = []
    for currency in sorted(currencies):
        parts = [*_sessions(rows, currency), *_plan_parts(account, month, plans, currency, rows)]
        if parts:
            made.append(_statement(account, month, currency, parts, house, site_names, now))
    return made


def cancelled_out(rows: Iterable[CdrRow]) -> list[CdrRow]:
    """Without CDRs that were credited before they were ever on a statement, and their credits."""
    known = {row.id: row for row in rows}
    pairs = {row.credit_reference_id for row in known.values() if row.credit and row.credit_reference_id in known}
    kept = [row for row in known.values() if row.id not in pairs and row.credit_reference_id not in pairs]
    return sorted(kept, key=lambda row: (row.ended_at, row.ordinal))


def _sessions(rows: Sequence[CdrRow], currency: str) -> list[_Part]:
    mine = [row for row in rows if row.currency == currency]
    others = [each.vat for row in mine for each in row.rates if each.vat is not None]
    usual = max(others, default=None)
    parts = []
    for row in mine:
        kind = LineKind.HOME_CHARGING if row.home else LineKind.CORRECTION if row.credit else LineKind.SESSION
        for index, each in enumerate(row.rates or (RateSum(usual, _ZERO, _ZERO),)):
            energy = row.energy_wh if index == 0 else 0
            if row.home:  # paid to the customer, who charges us no VAT
                parts.append(
                    _Part(kind=kind, vat=None, before=-each.after_taxes, after=-each.after_taxes, row=row, energy_wh=energy)
                )
            else:
                vat, before, after = each.vat, each.before_taxes, each.after_taxes
                parts.append(_Part(kind=kind, vat=vat, before=before, after=after, row=row, energy_wh=energy))
    return parts


def _fee_of(contract: Contract, plans: Mapping[str, Plan], month: date) -> bool:
    plan = plans.get(contract.plan_id or "")
    return plan is not None and monthly_fee(plan, _membership(contract, plan), month) is not None


def _membership(contract: Contract, plan: Plan) -> Membership:
    return Membership(plan.id, contract.first_day, contract.last_day)


def _plan_parts(account: Account, month: date, plans: Mapping[str, Plan], currency: str, rows: Sequence[CdrRow]) -> list[_Part]:
    """Fees and included energy, once a month: a second statement of the same month has none."""
    parts: list[_Part] = []
    if account.issued.get(currency):
        return parts
    zone = zone_of(account.customer.time_zone)
    for contract in account.contracts:
        plan = plans.get(contract.plan_id or "")
        if plan is None or plan.currency != currency:
            continue
        fee = monthly_fee(plan, _membership(contract, plan), month)
        if fee is not None:
            share = (Decimal(fee.days) / fee.month_days) if plan.pro_rata else Decimal(1)
            parts.append(
                _Part(kind=LineKind.MONTHLY_FEE, vat=fee.vat, before=fee.price.before_taxes, after=fee.price.after_taxes,
                      quantity=round_amount(share, 4).normalize() if share != 1 else Decimal(1), detail=plan.id)
            )  # fmt: skip
        mine = {row.id: row for row in rows if row.contract_id == contract.contract_id and month_of(row.ended_at, zone) == month}
        known = [account.cdrs[name] for name in mine if name in account.cdrs]
        for cdr_id, taken, credits in credit_included(known, included_wh(plan, _membership(contract, plan), month)):
            parts += [
                _Part(kind=LineKind.INCLUDED_ENERGY, vat=each.vat, before=each.before_taxes, after=each.after_taxes,
                      row=mine[cdr_id], energy_wh=taken if index == 0 else 0, detail=plan.id)
                for index, each in enumerate(credits)
            ]  # fmt: skip
    return parts


def _statement(
    account: Account, month: date, currency: str, parts: Sequence[_Part], house: House, sites: Mapping[str, str], now: datetime
) -> Statement:
    customer = account.customer
    sessions = [each.row for each in parts if each.row is not None]
    included = bool(sessions) and all(row.tax_included for row in sessions) and not customer.reverse_charge
    lines, taxes = _lines(parts, currency, customer.reverse_charge, included, sites)
    count = account.numbered.get(currency, 0)
    name = f"{customer.customer_id}-{month:%Y-%m}-{currency}"
    return Statement(
        id=name if not count else f"{name}-{count + 1}",
        series=house.series,
        currency=currency,
        seller=house.seller,
        customer=customer.party,
        customer_id=customer.customer_id,
        customer_reference=customer.reference,
        contract_ids=tuple(sorted({row.contract_id for row in sessions if row.contract_id} | _paying(parts, account))),
        language=customer.language,
        time_zone=customer.time_zone,
        month=month,
        first_day=month,
        last_day=next_month(month) - timedelta(days=1),
        created_at=now,
        lines=lines,
        taxes=taxes,
        totals=totals_of(lines, taxes, currency, tax_included=included),
        tax_included=included,
        unbilled=account.unbilled,
    )


def _paying(parts: Sequence[_Part], account: Account) -> set[str]:
    plans = {each.detail for each in parts if each.kind is LineKind.MONTHLY_FEE}
    return {each.contract_id for each in account.contracts if each.plan_id in plans}


def category_of(vat: Decimal | None, *, reverse_charge: bool) -> TaxCategory:
    """The category of a rate."""
    if reverse_charge:
        return TaxCategory.REVERSE_CHARGE
    if vat is None:
        return TaxCategory.EXEMPT
    return TaxCategory.STANDARD if vat else TaxCategory.ZERO


def _lines(
    parts: Sequence[_Part], currency: str, reverse_charge: bool, included: bool, sites: Mapping[str, str]
) -> tuple[tuple[StatementLine, ...], tuple[TaxLine, ...]]:
    places = minor_units(currency)
    lines: list[StatementLine] = []
    for number, part in enumerate(parts, 1):
        category = category_of(part.vat, reverse_charge=reverse_charge and part.kind is not LineKind.HOME_CHARGING)
        vat = _ZERO if category is TaxCategory.REVERSE_CHARGE else part.vat
        net = round_amount(part.before, places)
        gross = net if category is TaxCategory.REVERSE_CHARGE else round_amount(part.after, places)
        row = part.row
        lines.append(
            StatementLine(
                number=number, kind=part.kind, net=Money(net, currency), gross=Money(gross, currency), vat=vat, category=category,
                quantity=part.quantity, cdr_id=None if row is None else row.id, started_at=None if row is None else row.started_at,
                ended_at=None if row is None else row.ended_at, energy_wh=part.energy_wh,
                site_id=None if row is None else row.site_id, site_name="" if row is None else sites.get(row.site_id or "", ""),
                charge_point_id=None if row is None else row.charge_point_id, connector=None if row is None else row.connector,
                detail=part.detail,
            )
        )  # fmt: skip
    taxes: list[TaxLine] = []
    for vat, category in dict.fromkeys((each.vat, each.category) for each in lines):
        mine = [index for index, each in enumerate(lines) if (each.vat, each.category) == (vat, category)]
        if included:
            _share_net(lines, mine, vat or _ZERO, currency)
        base = total(lines[index].net.amount for index in mine)
        tax = round_amount(base * (vat or _ZERO) / 100, places)
        reason = _REASONS.get(category, "")
        taxes.append(TaxLine(vat=vat, category=category, base=Money(base, currency), tax=Money(tax, currency), reason=reason))
    taxes.sort(key=lambda each: (each.category.value, each.vat or _ZERO))
    return tuple(lines), tuple(taxes)


def _share_net(lines: list[StatementLine], mine: Sequence[int], vat: Decimal, currency: str) -> None:
    """Nets of lines whose gross was announced: they sum to the net of the whole, each within a cent of its own."""
    places = minor_units(currency)
    cent = Decimal(1).scaleb(-places)
    exact = {index: lines[index].gross.amount / (1 + vat / 100) for index in mine}
    nets = {index: round_amount(value, places) for index, value in exact.items()}
    whole = round_amount(total(lines[index].gross.amount for index in mine) / (1 + vat / 100), places)
    missing = int((whole - total(nets.values())) / cent)
    step = cent if missing > 0 else -cent
    by_error = sorted(mine, key=lambda index: ((nets[index] - exact[index]) * (1 if missing > 0 else -1), index))
    for index in by_error[: abs(missing)]:
        nets[index] += step
    for index in mine:
        lines[index] = msgspec.structs.replace(lines[index], net=Money(nets[index], currency))


def totals_of(lines: Sequence[StatementLine], taxes: Sequence[TaxLine], currency: str, *, tax_included: bool) -> StatementTotals:
    """Sums, and what is payable."""
    net = total(each.net.amount for each in lines)
    tax = total(each.tax.amount for each in taxes)
    gross = net + tax
    payable = total(each.gross.amount for each in lines) if tax_included else gross
    return StatementTotals(
        net=Money(net, currency), tax=Money(tax, currency), gross=Money(gross, currency),
        rounding=Money(payable - gross, currency), payable=Money(payable, currency),
    )  # fmt: skip
