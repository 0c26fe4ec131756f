"""Calls to charge points. Decided here: the HTTP status of each outcome; the body always has the `outcome` itself."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from chargenet import commands
from chargenet.commands import Call, Command, CommandOutcome
from chargenet.errors import InvalidCall, NotFound
from chargenet.model.words import OutcomeStatus
from chargewatch.api.answers import ChargePointId, Text, json, returns, schema_of
from chargewatch.api.auth import At, Operator, Principal
from chargewatch.api.charge_points import known
from chargewatch.api.platform import Platform
from chargewatch.api.problems import ApiError
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/charge-points", tags=["calls"])

Typed = (
    commands.Reset
    | commands.TriggerMessage
    | commands.ChangeAvailability
    | commands.SetVariable
    | commands.GetVariables
    | commands.RemoteStart
    | commands.RemoteStop
    | commands.UnlockConnector
    | commands.GetDiagnostics
    | commands.UpdateFirmware
)
TIMEOUT = Field(None, gt=0, le=300, description="Seconds to wait for the answer; default: `collector.call_timeout_s`.")
_STATUS = {OutcomeStatus.NOT_CONNECTED: 409, OutcomeStatus.TIMED_OUT: 504}
_SENTENCE = {OutcomeStatus.NOT_CONNECTED: "the charge point is not connected", OutcomeStatus.TIMED_OUT: "no answer came in time"}


class CallBody(BaseModel):
    """Any CSMS-initiated action by its OCPP name."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"action": "Reset", "payload": {"type": "Soft"}}})
    action: Text = Field(min_length=1, max_length=100)
    payload: dict[str, Any] = Field(default_factory=dict, description="As the action's schema wants it.")
    timeout_s: float | None = TIMEOUT


class CommandBody(BaseModel):
    """A typed command, the same for all OCPP versions."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"command": {"type": "Reset", "immediate": False}}})
    command: dict[str, Any] = Field(json_schema_extra=schema_of(Typed))
    timeout_s: float | None = TIMEOUT


class Answered(msgspec.Struct, frozen=True):
    """How the call ended: accepted, rejected or error (the charge point answered with a call error)."""

    outcome: CommandOutcome


_RETURNS = returns(Answered, "The charge point answered.")


@router.post("/{charge_point_id}/calls", responses=_RETURNS)
async def send_call(
    charge_point_id: ChargePointId,
    body: CallBody,
    who: Operator,
    platform: At,
    trail: Annotated[Trail, Depends(Audited("calls.send"))],
) -> Response:
    """Send any action; the payload is checked against its schema first.

    409 when the charge point is not connected, 422 when the schema refuses the payload, 504 when no answer came in time: each with
    the `outcome` in the problem.
    """
    command = Call(action=body.action, payload=body.payload)
    return json(Answered(await send(platform, charge_point_id, command, body.timeout_s, who, trail)))


@router.post("/{charge_point_id}/commands", responses=_RETURNS)
async def send_command(
    charge_point_id: ChargePointId,
    body: CommandBody,
    who: Operator,
    platform: At,
    trail: Annotated[Trail, Depends(Audited("commands.send"))],
) -> Response:
    """Send a typed command; it becomes the right call of the OCPP version that the charge point speaks."""
    try:
        command = msgspec.convert(body.command, Typed)
    except msgspec.ValidationError as error:
        raise ApiError(422, f"command: {error}") from error
    return json(Answered(await send(platform, charge_point_id, command, body.timeout_s, who, trail)))


async def send(
    platform: Platform, charge_point_id: str, command: Command, timeout_s: float | None, who: Principal, trail: Trail
) -> CommandOutcome:
    """Send and audit. Raises ApiError, with the outcome, for every end but accepted, rejected and error."""
    name = command.action if isinstance(command, Call) else type(command).__name__
    try:
        wait_s = timeout_s or platform.settings.collector.call_timeout_s
        outcome = await platform.gateway.send(charge_point_id, command, timeout_s=wait_s)
        if outcome.status is OutcomeStatus.NOT_CONNECTED and outcome.message_id is None:
            # Asked only now: one that has just connected can be called before any read model knows it, or while SQL is down.
            await known(platform, charge_point_id)
    except NotFound as error:
        never_left = CommandOutcome(status=OutcomeStatus.NOT_CONNECTED, action=name, detail=str(error))
        raise ApiError(404, str(error), outcome=never_left) from error
    except InvalidCall as error:
        refused = CommandOutcome(status=OutcomeStatus.ERROR, action=error.action, detail=str(error))
        raise ApiError(422, str(error), outcome=refused) from error
    await trail.record(who.who, f"charge-point {charge_point_id}", after={"command": command, "outcome": outcome})
    status = _STATUS.get(outcome.status)
    if status is not None:
        raise ApiError(status, outcome.detail or _SENTENCE[outcome.status], outcome=outcome)
    return outcome
