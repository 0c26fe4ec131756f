"""Charge points: what they said of themselves, and what was decided about them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from chargenet.errors import NotFound
from chargenet.model.station import ChargePoint, ChargePointEvent, ChargePointRegistration
from chargenet.model.words import Registration
from chargenet.stores import Page
from chargewatch.api.answers import ChargePointId, Cursor, Instant, Limit, Text, UsableName, filter_text, json, returns
from chargewatch.api.auth import At, Operator, Reader
from chargewatch.api.platform import Platform
from chargewatch.api.problems import ApiError
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/charge-points", tags=["charge points"])


class NewChargePoint(BaseModel):
    """A charge point that may connect from now on."""

    model_config = ConfigDict(extra="forbid")
    charge_point_id: UsableName = Field(min_length=1, max_length=255, examples=["CP-1"])
    registration: Registration = Registration.ACCEPTED
    site_id: Text | None = Field(None, max_length=255)
    note: Text | None = Field(None, max_length=1000)
    tags: Text | None = Field(None, max_length=500, description="Words separated by spaces; rollouts select by them.")
    hardware: Text | None = Field(None, max_length=50, description="Its hardware revision, for rollouts.")


class ChargePointChange(BaseModel):
    """What to change; absent members stay as they are, null clears."""

    model_config = ConfigDict(extra="forbid")
    site_id: Text | None = Field(None, max_length=255)
    note: Text | None = Field(None, max_length=1000)
    tags: Text | None = Field(None, max_length=500, description="Words separated by spaces; rollouts select by them.")
    hardware: Text | None = Field(None, max_length=50, description="Its hardware revision, for rollouts.")


class NewPassword(BaseModel):
    """Without a password, a random one is made."""

    model_config = ConfigDict(extra="forbid")
    password: Text | None = Field(None, min_length=8, max_length=40, description="OCPP 2.0.1 demands 16 to 40 characters.")


class PasswordSet(msgspec.Struct, frozen=True):
    """`password` is the generated one, shown this once; null when it was chosen by the caller."""

    charge_point_id: str
    password: str | None

    def __repr__(self) -> str:
        return f"PasswordSet({self.charge_point_id!r})"


async def known(platform: Platform, charge_point_id: str) -> ChargePoint:
    """The charge point, or NotFound."""
    row = await platform.stores.stations.charge_point(charge_point_id)
    if row is None:
        raise NotFound("charge point", charge_point_id)
    return row


def _with_heartbeats(platform: Platform, row: ChargePoint) -> ChargePoint:
    """Heartbeats leave no record: when they were heard is only known in memory."""
    heard_at, seen_at = platform.last_heard(row.charge_point_id), row.state.last_seen_at
    if heard_at is None or (seen_at is not None and heard_at <= seen_at):
        return row
    return msgspec.structs.replace(row, state=msgspec.structs.replace(row.state, last_seen_at=heard_at))


@router.get("", responses=returns(Page[ChargePoint], "Charge points by id."))
async def list_charge_points(
    _: Reader,
    platform: At,
    site_id: Annotated[Text | None, filter_text("Only this site's.")] = None,
    registration: Registration | None = None,
    connected: bool | None = None,
    search: Annotated[Text | None, filter_text("Part of the id, vendor, model or serial number.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """All charge points that are registered or were ever connected."""
    page = await platform.stores.stations.charge_points(
        site_id=site_id, registration=registration, connected=connected, search=search, cursor=cursor, limit=limit
    )
    return json(Page([_with_heartbeats(platform, each) for each in page.items], page.next_cursor))


@router.get("/{charge_point_id}", responses=returns(ChargePoint, "The charge point."))
async def show_charge_point(charge_point_id: ChargePointId, _: Reader, platform: At) -> Response:
    """One charge point."""
    return json(_with_heartbeats(platform, await known(platform, charge_point_id)))


@router.get("/{charge_point_id}/history", responses=returns(Page[ChargePointEvent], "What happened to it, newest first."))
async def show_history(
    charge_point_id: ChargePointId,
    _: Reader,
    platform: At,
    kind: Annotated[Text | None, filter_text("boot, firmware_changed, security, connected, …", 64)] = None,
    since: Annotated[Instant | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Boots, firmware and diagnostics progress, security events, connections."""
    await known(platform, charge_point_id)
    events = platform.stores.stations.events
    return json(await events(charge_point_id=charge_point_id, kind=kind, since=since, cursor=cursor, limit=limit))


@router.post("", status_code=201, responses=returns(ChargePoint, "Registered.", 201))
async def add_charge_point(
    body: NewChargePoint,
    who: Operator,
    platform: At,
    request: Request,
    trail: Annotated[Trail, Depends(Audited("charge-points.add"))],
) -> Response:
    """Register a charge point before it connects for the first time."""
    async with lock_of(request):
        if await platform.stores.registrations.get(body.charge_point_id) is not None:
            raise ApiError(409, f"charge point {body.charge_point_id!r} is registered already")
        now = platform.clock.now()
        row = ChargePointRegistration(**body.model_dump(), created_at=now, updated_at=now)
        await platform.stores.registrations.put(row)
    await trail.record(who.who, f"charge-point {row.charge_point_id}", after=row)
    await platform.registration_changed(row.charge_point_id)
    return json(await known(platform, row.charge_point_id), 201)


@router.patch("/{charge_point_id}", responses=returns(ChargePoint, "As it is now."))
async def change_charge_point(
    charge_point_id: ChargePointId,
    body: ChargePointChange,
    who: Operator,
    platform: At,
    request: Request,
    trail: Annotated[Trail, Depends(Audited("charge-points.change"))],
) -> Response:
    """Change its site, note, tags or hardware revision."""
    given = {name: getattr(body, name) for name in body.model_fields_set}
    await decide(request, charge_point_id, lambda row: msgspec.structs.replace(row, **given), who, trail)
    return json(_with_heartbeats(platform, await known(platform, charge_point_id)))


@router.post("/{charge_point_id}/approve", responses=returns(ChargePoint, "It may connect and report."))
async def approve_charge_point(
    charge_point_id: ChargePointId,
    who: Operator,
    platform: At,
    request: Request,
    trail: Annotated[Trail, Depends(Audited("charge-points.approve"))],
) -> Response:
    """Accept a charge point that is pending, blocked or undecided. Its next BootNotification is answered Accepted."""
    await decide(request, charge_point_id, lambda row: msgspec.structs.replace(row, registration=Registration.ACCEPTED), who, trail)
    return json(_with_heartbeats(platform, await known(platform, charge_point_id)))


@router.post("/{charge_point_id}/block", responses=returns(ChargePoint, "It may not connect any more."))
async def block_charge_point(
    charge_point_id: ChargePointId,
    who: Operator,
    platform: At,
    request: Request,
    trail: Annotated[Trail, Depends(Audited("charge-points.block"))],
) -> Response:
    """Refuse this charge point. An open connection is closed."""
    await decide(request, charge_point_id, lambda row: msgspec.structs.replace(row, registration=Registration.REJECTED), who, trail)
    return json(_with_heartbeats(platform, await known(platform, charge_point_id)))


@router.post("/{charge_point_id}/password", responses=returns(PasswordSet, "Set. A generated password is shown this once."))
async def set_password(
    charge_point_id: ChargePointId,
    body: NewPassword,
    who: Operator,
    platform: At,
    request: Request,
    trail: Annotated[Trail, Depends(Audited("charge-points.set-password"))],
) -> Response:
    """Set the password of HTTP Basic authentication (security profiles 1 and 2). Open connections stay."""
    generated = None if body.password is not None else secrets.token_hex(20)
    stored = await platform.hash_password(body.password or generated or "", generated=generated is not None)
    await decide(request, charge_point_id, lambda row: msgspec.structs.replace(row, password_hash=stored), who, trail)
    return json(PasswordSet(charge_point_id, generated))


def lock_of(request: Request) -> asyncio.Lock:
    """One decision about registrations at a time: each reads a row and writes it back."""
    lock: asyncio.Lock = request.app.state.registrations
    return lock


async def decide(
    request: Request,
    charge_point_id: str,
    change: Callable[[ChargePointRegistration], ChargePointRegistration],
    who: Operator,
    trail: Trail,
) -> None:
    """Change the registration of a known charge point, audit it, and let the collector know."""
    platform: Platform = request.app.state.platform
    async with lock_of(request):
        before = await platform.stores.registrations.get(charge_point_id)
        now = platform.clock.now()
        row = before or await _undecided(platform, charge_point_id)
        after = msgspec.structs.replace(change(row), updated_at=now, created_at=row.created_at or now)
        await platform.stores.registrations.put(after)
    await trail.record(who.who, f"charge-point {charge_point_id}", before=before, after=after)
    await platform.registration_changed(charge_point_id)


async def _undecided(platform: Platform, charge_point_id: str) -> ChargePointRegistration:
    """The row of a charge point that connected under the policy for unknown ones."""
    await known(platform, charge_point_id)
    accepted = platform.settings.collector.unknown_charge_points == "accept"
    return ChargePointRegistration(
        charge_point_id=charge_point_id, registration=Registration.ACCEPTED if accepted else Registration.PENDING
    )
