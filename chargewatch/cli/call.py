"""`chargewatch call`: send any call to a charge point and print how it ended."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
import typer

from chargenet.commands import CommandOutcome
from chargenet.model.words import OutcomeStatus
from chargewatch.cli.charge_points import Id
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.http import ApiClient, path
from chargewatch.cli.output import console, note, print_json
from chargewatch.cli.session import Api, ApiKey, Config, Data, Json, Target

Timeout = Annotated[
    float | None, typer.Option(min=0.1, max=300, help="Seconds to wait for the answer. \\[default: collector.call_timeout_s]")
]
_GRACE_S = 10.0
_LONGEST_S = 300.0
_PROBLEMS = (409, 504)


class Answer(msgspec.Struct):
    """What a success of `calls` has."""

    outcome: CommandOutcome


class _Problem(msgspec.Struct):
    """A problem about a call has the outcome; one without it is about something else."""

    outcome: CommandOutcome | None = None
    detail: str = ""


A = TypeVar("A")


def call(
    charge_point_id: Id,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="An action that the CSMS may send, e.g. Reset.")],
    payload: Annotated[str, typer.Argument(metavar="[JSON]", help="The payload as its OCPP schema wants it.")] = "{}",
    timeout: Timeout = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Send a call to a charge point and print the result.

    Exits with 0 when it was accepted, with 5 when it was rejected, failed, was not answered or could not be sent.

    Example: chargewatch call CP-1 Reset '{"type": "Soft"}'
    """
    body = {"action": action, "payload": parse_payload(payload), "timeout_s": timeout}
    with Target(data, api, key, config).client() as client:
        outcome = send(client, path("charge-points", charge_point_id, "calls"), body, timeout, Answer).outcome
    if json:
        print_json(outcome)
    else:
        _print(outcome)
    if outcome.status is not OutcomeStatus.ACCEPTED:
        raise typer.Exit(Exit.REFUSED)


def parse_payload(text: str) -> dict[str, Any]:
    """A JSON object. Raises CommandFailed."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise CommandFailed(f"the payload is not a JSON object: {error}", Exit.USAGE) from error


def send(client: ApiClient, where: str, body: dict[str, Any], timeout_s: float | None, kind: type[A]) -> A:
    """The answer, whatever the outcome. Raises CommandFailed for an unknown charge point or a payload that its schema refuses."""
    content = client.call("POST", where, accept=_PROBLEMS, json=body, timeout=(timeout_s or _LONGEST_S) + _GRACE_S)
    problem = msgspec.json.decode(content, type=_Problem)
    if problem.outcome is None:
        raise CommandFailed(problem.detail)
    return msgspec.json.decode(content, type=kind)


def _print(outcome: CommandOutcome) -> None:
    said = " ".join(part for part in (outcome.error_code, outcome.detail) if part)
    note(f"{outcome.action}: {outcome.status.value}{': ' + said if said else ''}")
    if outcome.result is not None:
        console().print_json(data=outcome.result)
