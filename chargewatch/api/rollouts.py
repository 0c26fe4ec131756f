"""Firmware rollouts over HTTP: planned, created, started, stopped, looked at. What each step needs is for the desk to say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from chargenet.errors import Unavailable
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Limit, Name, Text, json, returns
from chargewatch.api.auth import Needs, Principal, Reader, platform_of
from chargewatch.api.permissions import Permission
from chargewatch.api.trail import Audited, Trail
from firmware_orchestrator.desk import RolloutDesk
from firmware_orchestrator.plan import Plan
from firmware_orchestrator.rows import Entry, Rollout
from firmware_orchestrator.status import RolloutStatus

router = APIRouter(prefix="/rollouts", tags=["rollouts"])
Runner = Annotated[Principal, Depends(Needs(Permission.ROLL_OUT))]


def desk_of(request: Request) -> RolloutDesk:
    """The desk of the running platform."""
    desk: RolloutDesk | None = getattr(platform_of(request), "rollouts", None)
    if desk is None:
        raise Unavailable("this platform runs no firmware program")
    return desk


Desk = Annotated[RolloutDesk, Depends(desk_of)]


class RolloutBody(BaseModel):
    """A rollout's file as text; docs/rollouts.md says what is in it."""

    model_config = ConfigDict(extra="forbid")
    spec: str = Field(min_length=1, max_length=1_000_000, examples=["artifact: acme-2.4.1\ntarget: {all: true}\n"])
    source: Text = Field("rollout.yaml", max_length=255)


class WhyBody(BaseModel):
    """Why, for the history."""

    model_config = ConfigDict(extra="forbid")
    why: Text = Field("", max_length=1000)


class PauseBody(WhyBody):
    """`recall`: take back orders that are under way, where the protocol can."""

    recall: bool = False


class RollbackBody(BaseModel):
    """The artifact with the former version."""

    model_config = ConfigDict(extra="forbid")
    artifact_id: Text = Field(min_length=1, max_length=255)


States = Literal["draft", "running", "held", "paused", "halted", "finished", "aborted", "rolled_back"]


@router.post("/plan", responses=returns(Plan, "What the file would do; nothing is stored or sent."))
async def plan_rollout(
    body: RolloutBody, who: Runner, desk: Desk, trail: Annotated[Trail, Depends(Audited("rollouts.plan"))]
) -> Response:
    """Who would be in which wave, why others are out, the windows, and what the canary can prove."""
    plan = await desk.plan(body.spec, body.source)
    await trail.record(who.who, f"plan {plan.name}", after={"members": plan.members, "seed": plan.seed})
    return json(plan)


@router.get("", responses=returns(Page[Rollout], "Rollouts, newest first."))
async def list_rollouts(
    _: Reader, desk: Desk, state: Annotated[States | None, Query()] = None, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """All rollouts."""
    return json(await desk.store.rollouts(state=state, cursor=cursor, limit=limit))


@router.post("", status_code=201, responses=returns(Rollout, "As it was created: a draft.", 201))
async def create_rollout(
    body: RolloutBody, who: Runner, desk: Desk, trail: Annotated[Trail, Depends(Audited("rollouts.create"))]
) -> Response:
    """Draw the waves and store them; nothing is sent before it is started."""
    rollout = await desk.create(body.spec, who.who, source=body.source)
    await _record(trail, who, rollout)
    return json(rollout, 201)


@router.get("/{rollout_id}", responses=returns(RolloutStatus, "Waves, states of charge points and evidence, now."))
async def show_rollout(rollout_id: Name, _: Reader, desk: Desk) -> Response:
    """One rollout."""
    return json(await desk.status(rollout_id))


@router.get("/{rollout_id}/history", responses=returns(Page[Entry], "What happened, newest first."))
async def rollout_history(rollout_id: Name, _: Reader, desk: Desk, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """Every step of the rollout and of its charge points, with the evidence of decisions."""
    return json(await desk.store.history(rollout_id, cursor=cursor, limit=limit))


@router.post("/{rollout_id}/start", responses=returns(Rollout, "As it is now."))
async def start_rollout(
    rollout_id: Name, who: Runner, desk: Desk, trail: Annotated[Trail, Depends(Audited("rollouts.start"))]
) -> Response:
    """Begin with the canary. The firmware must be approved."""
    return await _answer(trail, who, await desk.start(rollout_id, who.who))


@router.post("/{rollout_id}/pause", responses=returns(Rollout, "As it is now."))
async def pause_rollout(
    rollout_id: Name, body: PauseBody, who: Runner, desk: Desk, trail: Annotated[Trail, Depends(Audited("rollouts.pause"))]
) -> Response:
    """Send nothing more, from now on."""
    rollout, _ = await desk.pause(rollout_id, who.who, body.why, recall=body.recall)
    return await _answer(trail, who, rollout)


@router.post("/{rollout_id}/resume", responses=returns(Rollout, "As it is now."))
async def resume_rollout(
    rollout_id: Name, body: WhyBody, who: Runner, desk: Desk, trail: Annotated[Trail, Depends(Audited("rollouts.resume"))]
) -> Response:
    """Go on. After a halt this overrides the gate, and needs a reason."""
    return await _answer(trail, who, await desk.resume(rollout_id, who.who, body.why))


@router.post("/{rollout_id}/approve", responses=returns(Rollout, "As it is now."))
async def approve_rollout(
    rollout_id: Name, body: WhyBody, who: Runner, desk: Desk, trail: Annotated[Trail, Depends(Audited("rollouts.approve"))]
) -> Response:
    """Let a held rollout go on."""
    return await _answer(trail, who, await desk.approve(rollout_id, who.who, body.why))


@router.post("/{rollout_id}/abort", responses=returns(Rollout, "As it is now."))
async def abort_rollout(
    rollout_id: Name, body: WhyBody, who: Runner, desk: Desk, trail: Annotated[Trail, Depends(Audited("rollouts.abort"))]
) -> Response:
    """Give up and leave as is."""
    return await _answer(trail, who, await desk.abort(rollout_id, who.who, body.why))


@router.post("/{rollout_id}/rollback", status_code=201, responses=returns(Rollout, "The draft that goes back.", 201))
async def roll_back(
    rollout_id: Name, body: RollbackBody, who: Runner, desk: Desk, trail: Annotated[Trail, Depends(Audited("rollouts.rollback"))]
) -> Response:
    """End this rollout, and make one that installs the former version where the new one runs."""
    back = await desk.rollback(rollout_id, who.who, body.artifact_id)
    await _record(trail, who, back)
    return json(back, 201)


async def _answer(trail: Trail, who: Principal, rollout: Rollout) -> Response:
    await _record(trail, who, rollout)
    return json(rollout)


async def _record(trail: Trail, who: Principal, rollout: Rollout) -> None:
    after: dict[str, Any] = {"state": rollout.state, "reason": rollout.reason, "sentence": rollout.sentence}
    await trail.record(who.who, f"rollout {rollout.rollout_id}", after=after)
