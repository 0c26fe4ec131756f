"""What another tariff would have earned, over HTTP. Decided here: that asking is no change.

It is a POST because the tariff is its body, and a read all the same: nothing is stored, nothing is sent, no later answer differs.
So it takes no audit trail, as no GET does, and needs only what reading the same CDRs needs.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from billing_reports.compare import Compared
from billing_reports.price import TariffError
from billing_reports.repricing import MOST, Repriced
from chargewatch.api.answers import Text, json, returns
from chargewatch.api.billing_values import BillingReader, Day, Desk, PriceShown, price_shown
from chargewatch.api.customers import Zone
from chargewatch.api.problems import ApiError
from chargewatch.api.reports import instants
from chargewatch.api.tariffs import usable

router = APIRouter(prefix="/tariffs", tags=["billing"])


class CompareBody(BaseModel):
    """An OCPI tariff (2.1.1, 2.2.1 or 2.3.0), stored or not, and which sessions: those that ended on these local days."""

    model_config = ConfigDict(extra="forbid")
    tariff: dict[str, Any]
    first: Annotated[Day, Field(alias="from", description="First local day.", examples=["2026-01-01"])]
    last: Annotated[Day, Field(alias="to", description="Last local day, included.", examples=["2026-01-31"])]
    time_zone: Zone | None = Field(None, description="Of days and months. Nothing: the setting billing.time_zone.")
    site: Text | None = Field(None, max_length=255, description="Only this site.")


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """What sessions came to, what they would have come to, and by how much more that is."""

    sessions: int
    energy_wh: int
    then: PriceShown
    now: PriceShown
    difference: PriceShown


class MonthSums(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of one site (null: CDRs without one) in one local month."""

    site_id: str | None
    month: date
    sums: Sums


class LeftOutShown(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions have no part in the sums for one reason, and what they came to."""

    why: str
    sessions: int
    then: PriceShown


class LeftOutCdr(msgspec.Struct, frozen=True, kw_only=True):
    """One of them."""

    cdr_id: str
    why: str
    text: str


class ComparisonShown(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison. `in_columns` and `one_by_one`: how many sessions which engine priced, for the latter by reason; both engines
    give the same amounts. `taken_back`: CDRs of the days that a credit took back. `listed` has at most 1,000 of those left out."""

    tariff_id: str
    currency: str
    first: date
    last: date
    time_zone: str
    site: str | None
    total: Sums
    months: list[MonthSums]
    in_columns: int
    one_by_one: dict[str, int]
    taken_back: int
    left_out: list[LeftOutShown]
    listed: list[LeftOutCdr]


@router.post("/compare", responses=returns(ComparisonShown, f"The comparison, of at most {MOST:,} sessions; nothing is stored."))
async def compare_tariff(body: CompareBody, _: BillingReader, desk: Desk) -> Response:
    """What the sessions of some days would have come to under another tariff. A read: it changes nothing and is not audited."""
    zone = body.time_zone or desk.rules.time_zone
    if body.first > body.last:
        raise ApiError(422, f"the first day {body.first} is after the last day {body.last}")
    tariff = usable(body.tariff)
    try:
        found = await desk.repricing.compare(tariff, *instants(body.first, body.last, zone), zone, body.site)
    except TariffError as problem:
        raise ApiError(422, str(problem)) from None
    return json(_shown(found, body, zone))


def _shown(found: Repriced, body: CompareBody, zone: str) -> ComparisonShown:
    made = found.comparison
    return ComparisonShown(
        tariff_id=made.tariff_id, currency=made.currency, first=body.first, last=body.last, time_zone=zone, site=body.site,
        total=_sums(made.total, made.currency),
        months=[MonthSums(site_id=each.site_id, month=each.month, sums=_sums(each.sums, made.currency)) for each in made.months],
        in_columns=made.in_columns, one_by_one=dict(made.one_by_one), taken_back=found.taken_back,
        left_out=[
            LeftOutShown(why=each.why.value, sessions=each.sessions, then=price_shown(each.then, each.currency))
            for each in made.left_out
        ],
        listed=[LeftOutCdr(cdr_id=each.cdr_id, why=each.why.value, text=each.text) for each in made.listed],
    )  # fmt: skip


def _sums(sums: Compared, currency: str) -> Sums:
    then, now, difference = (price_shown(each, currency) for each in (sums.then, sums.now, sums.difference))
    return Sums(sessions=sums.sessions, energy_wh=sums.energy_wh, then=then, now=now, difference=difference)
