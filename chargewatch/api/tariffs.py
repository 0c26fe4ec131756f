"""Tariffs over HTTP: their versions, where they hold, price series and plans."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from json import dumps
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from billing_reports.customers import ID_PATTERN
from billing_reports.ocpi import OcpiError, read_tariff
from billing_reports.plans import Plan
from billing_reports.policy import PricingPolicy
from billing_reports.price import Pricer, TariffError
from billing_reports.series import PriceInterval, PriceSeries
from billing_reports.tariff import Tariff
from billing_reports.tariff_book import Assignment, Scope, TariffVersion, series_named
from chargenet.errors import Conflict, NotFound
from chargenet.stores import Page
from chargewatch.api.answers import Instant, Name, Text, json, returns
from chargewatch.api.auth import Reader
from chargewatch.api.billing_values import BillingManager, Desk, OwnId, plausible_instant
from chargewatch.api.problems import ApiError
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/tariffs", tags=["billing"])
RESERVED = frozenset({"plans", "series"})
"""Parts of paths below /tariffs that no tariff can be called by."""
At = Annotated[Instant, AfterValidator(plausible_instant)]


class TariffShown(msgspec.Struct, frozen=True, kw_only=True):
    """A tariff as it holds now, and where."""

    tariff_id: str
    version: int
    effective_from: datetime | None
    added_at: datetime
    removed_at: datetime | None
    tariff: Tariff
    assignments: list[Assignment]


class SeriesShown(msgspec.Struct, frozen=True):
    """A price series: from when to when prices are known (gaps are possible)."""

    name: str
    currency: str
    start_at: datetime
    end_at: datetime
    intervals: int


class AssignmentBody(BaseModel):
    """Where a tariff holds. `place`: the site, the charge point, `CHARGE_POINT/CONNECTOR`, or nothing for the network."""

    model_config = ConfigDict(extra="forbid")
    scope: Scope
    place: Text = Field("", max_length=300)
    valid_from: At | None = None
    valid_to: At | None = None

    def of(self, tariff_id: str) -> Assignment:
        """Conflict where place and scope do not fit together."""
        if (self.scope is Scope.NETWORK) != (self.place == ""):
            raise Conflict("the network has no place, every other scope has one")
        if self.scope is Scope.CONNECTOR and "/" not in self.place:
            raise Conflict("a connector is CHARGE_POINT/CONNECTOR, for example CP-1/1")
        if self.valid_from is not None and self.valid_to is not None and self.valid_to <= self.valid_from:
            raise Conflict("the assignment ends before it begins")
        return Assignment(
            tariff_id=tariff_id, scope=self.scope, place=self.place, valid_from=self.valid_from, valid_to=self.valid_to
        )


class TariffBody(BaseModel):
    """An OCPI tariff (2.1.1, 2.2.1 or 2.3.0), from when on it is in force, and where."""

    model_config = ConfigDict(extra="forbid")
    tariff: dict[str, Any]
    effective_from: At | None = Field(None, description="Nothing: a new tariff from ever, a new version from now on.")
    assignments: list[AssignmentBody] = Field([], max_length=1000)


class KeyBody(BaseModel):
    """The key of an assignment, as listed."""

    model_config = ConfigDict(extra="forbid")
    key: Text = Field(min_length=1, max_length=1000)


class IntervalBody(BaseModel):
    """A price per kWh or hour for a while."""

    model_config = ConfigDict(extra="forbid")
    start_at: At
    end_at: At
    price: Decimal = Field(ge=-100_000, le=100_000, max_digits=18, decimal_places=9, allow_inf_nan=False)


class SeriesBody(BaseModel):
    """Prices that change on their own, as absolute UTC intervals in order."""

    model_config = ConfigDict(extra="forbid")
    name: Text = Field(min_length=1, max_length=100, examples=["spot:NO1"])
    currency: str = Field(pattern="^[A-Z]{3}$")
    intervals: list[IntervalBody] = Field(min_length=1, max_length=50_000)


class PolicyBody(BaseModel):
    """What a plan grants beyond its tariff."""

    model_config = ConfigDict(extra="forbid")
    flat_without_energy: bool = True
    idle_grace_s: int = Field(default=0, ge=0, le=86_400 * 7)
    free_vend: bool = False


class PlanBody(BaseModel):
    """A subscription. The fee is before taxes; `vat` is percent."""

    model_config = ConfigDict(extra="forbid")
    currency: str = Field(pattern="^[A-Z]{3}$")
    monthly_fee: Decimal = Field(Decimal(0), ge=0, le=1_000_000, max_digits=12, decimal_places=4)
    vat: Decimal | None = Field(None, ge=0, le=100, max_digits=6, decimal_places=3)
    included_wh: int = Field(0, ge=0, le=10**12)
    tariffs: dict[OwnId, OwnId] = Field({}, max_length=100)
    policy: PolicyBody = Field(default_factory=PolicyBody)
    pro_rata: bool = True


@router.get("", responses=returns(Page[TariffShown], "Tariffs by id, in one page."))
async def list_tariffs(_: Reader, desk: Desk) -> Response:
    """All tariffs, each in its newest version, with its assignments."""
    return json(Page(await _shown(desk)))


@router.get("/plans", responses=returns(Page[Plan], "Plans by id, in one page."))
async def list_plans(_: Reader, desk: Desk) -> Response:
    """All plans."""
    return json(Page(list((await desk.tariffs.plans()).values())))


@router.put("/plans/{plan_id}", responses=returns(Plan, "As it is now."))
async def put_plan(
    plan_id: Name, body: PlanBody, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("tariffs.plan"))]
) -> Response:
    """Create a plan, or replace it. CDRs that were made under it stay as they are."""
    if not re.fullmatch(ID_PATTERN, plan_id):
        raise Conflict("the id of a plan is letters, digits, dots and dashes")
    fields = body.model_dump(exclude={"policy"})
    plan = Plan(id=plan_id, policy=PricingPolicy(**body.policy.model_dump()), **fields)
    before = (await desk.tariffs.plans()).get(plan_id)
    await desk.put_plan(plan)
    await trail.record(who.who, f"plan {plan_id}", before=before, after=plan)
    return json(plan)


@router.get("/series", responses=returns(Page[SeriesShown], "Price series by name, in one page."))
async def list_series(_: Reader, desk: Desk) -> Response:
    """What prices are known for when."""
    return json(Page([SeriesShown(*row) for row in await desk.tariffs.series_known()]))


@router.post("/series", responses=returns(SeriesShown, "What was taken."))
async def put_series(
    body: SeriesBody, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("tariffs.series"))]
) -> Response:
    """Add prices to a series. Intervals that overlap stored ones replace them; CDRs that were made stay as they are."""
    try:
        intervals = tuple(PriceInterval(each.start_at, each.end_at, each.price) for each in body.intervals)
        series = PriceSeries(body.name, body.currency, intervals)
    except ValueError as problem:
        raise Conflict(str(problem)) from None
    count = await desk.put_series([series])
    taken = SeriesShown(series.name, series.currency, intervals[0].start_at, intervals[-1].end_at, count)
    await trail.record(who.who, f"price series {series.name}", after=taken)
    return json(taken)


@router.get("/{tariff_id}", responses=returns(list[TariffVersion], "Every version, oldest first."))
async def show_tariff(tariff_id: Name, _: Reader, desk: Desk) -> Response:
    """One tariff with its history."""
    found = [each for each in await desk.tariffs.versions() if each.tariff_id == tariff_id]
    if not found:
        raise NotFound("tariff", tariff_id)
    return json(found)


@router.post("", responses=returns(TariffVersion, "The version that was added."))
async def add_tariff(
    body: TariffBody, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("tariffs.add"))]
) -> Response:
    """Add a tariff, or a new version of one. Transactions that have begun keep the version they began with."""
    tariff = usable(body.tariff)
    if not re.fullmatch(ID_PATTERN, tariff.id) or tariff.id in RESERVED:
        raise Conflict(f"{tariff.id!r} cannot be the id of a tariff: use letters, digits, dots and dashes")
    made = await desk.add_tariff(
        tariff, effective_from=body.effective_from, assignments=[each.of(tariff.id) for each in body.assignments]
    )
    await trail.record(who.who, f"tariff {tariff.id}", after=made)
    return json(made)


@router.delete("/{tariff_id}", responses=returns(TariffShown, "As it was."))
async def remove_tariff(
    tariff_id: Name, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("tariffs.remove"))]
) -> Response:
    """From now on no transaction begins under it. It stays on record."""
    before = await _one(desk, tariff_id)
    await desk.remove_tariff(tariff_id)
    await trail.record(who.who, f"tariff {tariff_id}", before=before)
    return json(before)


@router.post("/{tariff_id}/assignments", responses=returns(Assignment, "As it holds now."))
async def assign_tariff(
    tariff_id: Name,
    body: AssignmentBody,
    who: BillingManager,
    desk: Desk,
    trail: Annotated[Trail, Depends(Audited("tariffs.assign"))],
) -> Response:
    """Let a tariff hold at a place. The nearest place with a fitting tariff decides: connector, charge point, site, network."""
    assignment = body.of(tariff_id)
    await desk.assign(assignment)
    await trail.record(who.who, f"tariff {tariff_id}", after=assignment)
    return json(assignment)


@router.post("/{tariff_id}/unassign", responses=returns(Assignment, "As it was."))
async def unassign_tariff(
    tariff_id: Name, body: KeyBody, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("tariffs.unassign"))]
) -> Response:
    """Take an assignment back; transactions that have a CDR keep it."""
    found = next((each for each in await desk.tariffs.assignments() if (each.tariff_id, each.key) == (tariff_id, body.key)), None)
    if found is None:
        raise NotFound("assignment", body.key)
    await desk.unassign(body.key)
    await trail.record(who.who, f"tariff {tariff_id}", before=found)
    return json(found)


def usable(document: dict[str, Any]) -> Tariff:
    """The tariff, or a sentence about its first mistake. Numbers are read as they were written, not as floats."""
    try:
        tariff = read_tariff(dumps(document), "tariff")
        if not series_named(tariff):
            Pricer(tariff, "UTC")
    except (OcpiError, TariffError) as problem:
        raise ApiError(422, str(problem)) from None
    return tariff


async def _shown(desk: Desk) -> list[TariffShown]:
    newest: dict[str, TariffVersion] = {each.tariff_id: each for each in await desk.tariffs.versions()}
    places: dict[str, list[Assignment]] = {}
    for each in await desk.tariffs.assignments():
        places.setdefault(each.tariff_id, []).append(each)
    return [
        TariffShown(
            tariff_id=each.tariff_id, version=each.version, effective_from=each.effective_from, added_at=each.added_at,
            removed_at=each.removed_at, tariff=each.tariff, assignments=places.get(each.tariff_id, []),
        )
        for _, each in sorted(newest.items())
    ]  # fmt: skip


async def _one(desk: Desk, tariff_id: str) -> TariffShown:
    found = next((each for each in await _shown(desk) if each.tariff_id == tariff_id), None)
    if found is None:
        raise NotFound("tariff", tariff_id)
    return found
