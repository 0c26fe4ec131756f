"""Public keys of meters over HTTP: registered by the operator, so that a signed value says whose meter it is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from billing_reports.meter_keys import MOST_CHARACTERS, KeyScope, MeterKey, normalised
from chargenet.stores import Page
from chargewatch.api.answers import Instant, Name, Text, json, returns
from chargewatch.api.auth import platform_of
from chargewatch.api.billing_values import BillingManager, BillingReader, Desk, plausible_instant
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/meter-keys", tags=["billing"])


class MeterKeyShown(msgspec.Struct, frozen=True, kw_only=True):
    """A registered key. `public_key`: hex of the DER."""

    key_id: str
    scope: KeyScope
    place: str
    public_key: str
    valid_from: datetime | None
    note: str
    added_at: datetime
    added_by: str


class MeterKeyBody(BaseModel):
    """A key and the meter it belongs to."""

    model_config = ConfigDict(extra="forbid")
    scope: KeyScope
    place: Text = Field(
        min_length=1, max_length=300, description="`CP/CONNECTOR`, `CP`, or a meter's serial number.", examples=["CP-1/1"]
    )
    public_key: Annotated[str, AfterValidator(normalised)] = Field(
        min_length=1, max_length=MOST_CHARACTERS, description="PEM, or DER as hex or base64, of an elliptic curve."
    )
    valid_from: Annotated[Instant, AfterValidator(plausible_instant)] | None = Field(
        None, description="For transactions that begin then or later. Nothing: from ever."
    )
    note: Text = Field("", max_length=1000)

    @model_validator(mode="after")
    def _place_fits(self) -> MeterKeyBody:
        if self.scope is KeyScope.CONNECTOR and "/" not in self.place.strip("/"):
            raise ValueError("a connector is written CHARGE_POINT/CONNECTOR, for example CP-1/1")
        return self


@router.get("", responses=returns(Page[MeterKeyShown], "By scope, place and begin."))
async def list_meter_keys(_: BillingReader, desk: Desk) -> Response:
    """Which public keys of meters are known."""
    return json(Page([_shown(each) for each in await desk.meter_keys.keys()], None))


@router.post("", responses=returns(MeterKeyShown, "As it holds now."))
async def put_meter_key(
    body: MeterKeyBody,
    request: Request,
    who: BillingManager,
    desk: Desk,
    trail: Annotated[Trail, Depends(Audited("meter-keys.put"))],
) -> Response:
    """Register the public key of a meter. Transactions that are billed from now on are judged by it; CDRs that are there stay."""
    key = MeterKey(
        scope=body.scope, place=body.place, public_key=body.public_key, valid_from=body.valid_from, note=body.note,
        added_at=platform_of(request).clock.now(), added_by=who.who,
    )  # fmt: skip
    before = next((each for each in await desk.meter_keys.keys() if each.key_id == key.key_id), None)
    await desk.register_key(key)
    await trail.record(who.who, f"meter key of {key.scope} {key.place}", before=before, after=key)
    return json(_shown(key))


@router.delete("/{key_id}", responses=returns(MeterKeyShown, "As it was."))
async def remove_meter_key(
    key_id: Name, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("meter-keys.remove"))]
) -> Response:
    """Forget a key. CDRs keep the verdicts that they have."""
    removed = await desk.remove_key(key_id)
    await trail.record(who.who, f"meter key of {removed.scope} {removed.place}", before=removed)
    return json(_shown(removed))


def _shown(key: MeterKey) -> MeterKeyShown:
    return MeterKeyShown(key_id=key.key_id, **msgspec.structs.asdict(key))
