"""Customers over HTTP: who they are, their contracts, and the tokens that each contract pays for."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated
from zoneinfo import available_timezones

import msgspec
from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from billing_reports.customers import ID_PATTERN, Contract, ContractToken, Customer
from billing_reports.party import Party
from billing_reports.tariff import TariffType
from chargenet.errors import Conflict, NotFound
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Instant, Limit, Name, Text, filter_text, json, returns
from chargewatch.api.auth import Principal
from chargewatch.api.billing_values import BillingManager, BillingReader, Day, Desk, OwnId, plausible_instant
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/customers", tags=["billing"])


class CustomerFile(msgspec.Struct, frozen=True):
    """A customer with contracts and the tokens of each."""

    customer: Customer
    contracts: list[Contract]
    tokens: list[ContractToken]


class Imported(msgspec.Struct, frozen=True):
    """What an import took."""

    customers: int
    contracts: int
    tokens: int
    assigned: int
    """CDRs that had no customer and are made anew."""


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("expected an IANA time zone, for example Europe/Oslo")
    return name


Zone = Annotated[Text, AfterValidator(_zone)]


class PartyBody(BaseModel):
    """Name and address as they are printed."""

    model_config = ConfigDict(extra="forbid")
    name: Text = Field(min_length=1, max_length=255)
    street: Text = Field("", max_length=255)
    city: Text = Field("", max_length=255)
    postal_code: Text = Field("", max_length=32)
    country: str = Field("", pattern="^([A-Z]{2})?$")
    vat_id: Text = Field("", max_length=32)
    email: Text = Field("", max_length=255)
    phone: Text = Field("", max_length=64)


class CustomerBody(BaseModel):
    """Everything about a customer but the id."""

    model_config = ConfigDict(extra="forbid")
    party: PartyBody
    language: str = Field("en", pattern="^[a-z]{2}$")
    time_zone: Zone | None = Field(None, description="Nothing: the setting billing.time_zone.", examples=["Europe/Oslo"])
    reference: Text = Field("", max_length=255)
    reverse_charge: bool = False
    payment_days: int | None = Field(None, ge=0, le=365)
    note: Text = Field("", max_length=1000)


class ContractBody(BaseModel):
    """Everything about a contract but its ids."""

    model_config = ConfigDict(extra="forbid")
    first_day: Day
    last_day: Day | None = Field(None, description="The first day without it.")
    plan_id: OwnId | None = None
    tariff_type: TariffType = TariffType.REGULAR
    home_charge_points: list[Text] = Field([], max_length=100)


class TokensBody(BaseModel):
    """Tokens that the contract pays for. A token that another contract paid for goes over to this one."""

    model_config = ConfigDict(extra="forbid")
    tokens: list[Annotated[Text, Field(min_length=1, max_length=255)]] = Field(min_length=1, max_length=10_000)
    valid_from: Annotated[Instant, AfterValidator(plausible_instant)] | None = Field(
        None, description="Nothing: from the first day of the contract."
    )


class EntryBody(CustomerBody):
    """One customer of an import, with at most one contract."""

    customer_id: OwnId
    contract_id: OwnId | None = None
    first_day: Day | None = None
    last_day: Day | None = None
    plan_id: OwnId | None = None
    tokens: list[Annotated[Text, Field(min_length=1, max_length=255)]] = Field([], max_length=1_000)


class ImportBody(BaseModel):
    """Many customers at once: all or none."""

    model_config = ConfigDict(extra="forbid")
    customers: list[EntryBody] = Field(min_length=1, max_length=1_000)


@router.get("", responses=returns(Page[Customer], "Customers by id."))
async def list_customers(
    _: BillingReader,
    desk: Desk,
    search: Annotated[Text | None, filter_text("Part of the name or the id.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Who gets statements."""
    return json(await desk.customers.page(search=search, cursor=cursor, limit=limit))


@router.get("/{customer_id}", responses=returns(CustomerFile, "The customer."))
async def show_customer(customer_id: Name, who: BillingReader, desk: Desk) -> Response:
    """One customer with contracts and tokens."""
    return json(await _file(desk, customer_id, who))


@router.put("/{customer_id}", responses=returns(Customer, "As it is now."))
async def put_customer(
    customer_id: Name,
    body: CustomerBody,
    who: BillingManager,
    desk: Desk,
    trail: Annotated[Trail, Depends(Audited("customers.put"))],
) -> Response:
    """Create a customer, or replace everything about one. Statements that were issued stay as they are."""
    before = await _known(desk, customer_id)
    await desk.put_customers([_customer(customer_id, body, desk)])
    after = await desk.customers.customer(customer_id)
    await trail.record(who.who, f"customer {customer_id}", before=before, after=after)
    return json(after)


@router.put("/{customer_id}/contracts/{contract_id}", responses=returns(Contract, "As it is now."))
async def put_contract(
    customer_id: Name,
    contract_id: Name,
    body: ContractBody,
    who: BillingManager,
    desk: Desk,
    trail: Annotated[Trail, Depends(Audited("customers.contract"))],
) -> Response:
    """Create a contract, or replace everything about one."""
    await desk.customers.customer(customer_id)
    before = next((each for each in await _contracts(desk, customer_id) if each.contract_id == contract_id), None)
    last_day = _after(body.first_day, body.last_day)
    contract = Contract(
        contract_id=_id(contract_id), customer_id=customer_id, first_day=body.first_day, last_day=last_day, plan_id=body.plan_id,
        tariff_type=body.tariff_type, home_charge_points=tuple(body.home_charge_points),
    )  # fmt: skip
    await _check_plans(desk, [contract])
    await desk.put_contracts([contract])
    await trail.record(who.who, f"contract {contract_id} of customer {customer_id}", before=before, after=contract)
    return json(contract)


@router.post("/{customer_id}/contracts/{contract_id}/tokens", responses=returns(Imported, "What was taken."))
async def put_contract_tokens(
    customer_id: Name,
    contract_id: Name,
    body: TokensBody,
    who: BillingManager,
    desk: Desk,
    trail: Annotated[Trail, Depends(Audited("customers.tokens"))],
) -> Response:
    """Let a contract pay for tokens. CDRs of theirs that had no customer are credited and made anew."""
    customer = await desk.customers.customer(customer_id)
    contract = next((each for each in await _contracts(desk, customer_id) if each.contract_id == contract_id), None)
    if contract is None:
        raise NotFound("contract", contract_id)
    since = body.valid_from or desk.begin_of(contract.first_day, customer.time_zone)
    rows = [ContractToken(token=each, contract_id=contract_id, valid_from=since) for each in dict.fromkeys(body.tokens)]
    assigned = await desk.put_tokens(rows)
    await trail.record(who.who, f"contract {contract_id}", after={"tokens": len(rows), "assigned": assigned})
    return json(Imported(0, 0, len(rows), assigned))


@router.post("/import", responses=returns(Imported, "What was taken."))
async def import_customers(
    body: ImportBody, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("customers.import"))]
) -> Response:
    """Create or replace many customers with their contracts and tokens."""
    customers = [_customer(each.customer_id, each, desk) for each in body.customers]
    contracts, tokens = _agreements(body, {each.customer_id: each for each in customers}, desk)
    await _check_plans(desk, contracts)
    await desk.put_customers(customers)
    await desk.put_contracts(contracts)
    assigned = await desk.put_tokens(tokens) if tokens else 0
    done = Imported(len(customers), len(contracts), len(tokens), assigned)
    await trail.record(who.who, "customers", after=done)
    return json(done)


def _agreements(body: ImportBody, customers: dict[str, Customer], desk: Desk) -> tuple[list[Contract], list[ContractToken]]:
    contracts, tokens = [], []
    for each in body.customers:
        if each.contract_id is None:
            if each.tokens:
                raise Conflict(f"customer {each.customer_id}: tokens need a contract_id")
            continue
        if each.first_day is None:
            raise Conflict(f"customer {each.customer_id}: the contract {each.contract_id} needs its first_day")
        contracts.append(
            Contract(contract_id=each.contract_id, customer_id=each.customer_id, first_day=each.first_day,
                     last_day=_after(each.first_day, each.last_day), plan_id=each.plan_id)
        )  # fmt: skip
        since = desk.begin_of(each.first_day, customers[each.customer_id].time_zone)
        known = dict.fromkeys(each.tokens)
        tokens += [ContractToken(token=token, contract_id=each.contract_id, valid_from=since) for token in known]
    return contracts, tokens


def _customer(customer_id: str, body: CustomerBody, desk: Desk) -> Customer:
    return Customer(
        customer_id=_id(customer_id), party=Party(**body.party.model_dump()), language=body.language,
        time_zone=body.time_zone or desk.rules.time_zone, reference=body.reference, reverse_charge=body.reverse_charge,
        payment_days=body.payment_days, note=body.note,
    )  # fmt: skip


def _id(name: str) -> str:
    if not re.fullmatch(ID_PATTERN, name):
        raise Conflict(f"{name!r} cannot be an id: use letters, digits, dots and dashes")
    return name


def _after(first: date, last: date | None) -> date | None:
    if last is not None and last <= first:
        raise Conflict("the contract ends before it begins")
    return last


async def _check_plans(desk: Desk, contracts: list[Contract]) -> None:
    named = {each.plan_id for each in contracts if each.plan_id is not None}
    if missing := sorted(named - set(await desk.tariffs.plans()) if named else ()):
        raise NotFound("plan", missing[0])


async def _contracts(desk: Desk, customer_id: str) -> list[Contract]:
    return (await desk.customers.contracts([customer_id])).get(customer_id, [])


async def _known(desk: Desk, customer_id: str) -> Customer | None:
    try:
        return await desk.customers.customer(customer_id)
    except NotFound:
        return None


async def _file(desk: Desk, customer_id: str, who: Principal) -> CustomerFile:
    customer = await desk.customers.customer(customer_id)
    contracts = await _contracts(desk, customer_id)
    found = await desk.customers.tokens([each.contract_id for each in contracts])
    tokens = [
        msgspec.structs.replace(each, token=who.shown_token(each.token) or "") for contract in found.values() for each in contract
    ]
    return CustomerFile(customer, contracts, tokens)
