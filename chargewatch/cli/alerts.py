"""`chargewatch alerts`: what is open, what was sent to whom, trying a receiver, the checked alerts.toml, secrets of webhooks."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer

from alerts.config import Config as AlertConfig
from alerts.matchers import BadMatcher, parse
from alerts.relay.rows import Delivery, Sent, State
from alerts.stages.route import leaves
from chargewatch.cli.cases import Note
from chargewatch.cli.charge_points import Limit
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.http import ApiClient, path
from chargewatch.cli.output import console, facts, listing, note, print_json, table
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target
from chargewatch.shapes import OpenAlert

app = typer.Typer(no_args_is_help=True, help="Telling people: list, ack, resolve, test, log, check, secret.")
SECRET_BYTES = 32
_POLL_S = 0.2


Alert = Annotated[str, typer.Argument(metavar="ALERT", help="The alert, as listed.")]


class DeliveryFile(msgspec.Struct, frozen=True):
    """As the API answers."""

    delivery: Sent
    attempts: list[Delivery]


@app.command("list")
def list_(
    severity: Annotated[str | None, typer.Option("--severity", help="Only critical, warning or info.")] = None,
    limit: Limit = 100,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """List what is open, whatever it is from, and who was told of it or what keeps it quiet.

    Example: chargewatch alerts list --severity critical
    """
    with Target(data, api, key, config).client() as client:
        page = client.pages(OpenAlert, path("alerts"), limit, severity=severity)
    columns = ("severity", "what", "since", "told", "quiet because of", "in hand", "alert")
    rows = (
        (
            each.severity,
            each.title,
            each.began_at,
            tuple(told.receiver for told in each.told_to),
            each.muted_by,
            each.acknowledged_by,
            each.key,
        )
        for each in page.items
    )
    listing(page, columns, rows, as_json=json, nothing="nothing is open")


@app.command()
def ack(
    alert: Alert,
    text: Note = "",
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Take an alert: it is not repeated, and its receivers hear who has it in hand.

    Example: chargewatch alerts ack alertmanager/5f2b/9a1c --note "on my way"
    """
    _act("acknowledge", alert, text, json, Target(data, api, key, config))


@app.command()
def resolve(
    alert: Alert,
    text: Note = "",
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """End an alert by hand; what its source still says comes back.

    Example: chargewatch alerts resolve relay/watchdog --note "Prometheus was moved"
    """
    _act("resolve", alert, text, json, Target(data, api, key, config))


def _act(action: str, alert: str, text: str, as_json: bool, target: Target) -> None:
    with target.client() as client:
        answer = client.call("POST", path("alerts", action), json={"key": alert, "note": text})
    if as_json:
        print_json(msgspec.json.decode(answer))
    else:
        note(f"{alert} is {'taken' if action == 'acknowledge' else 'resolved'}")


@app.command()
def test(
    receiver: Annotated[str, typer.Argument(metavar="RECEIVER", help="Its name in alerts.toml.")],
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0, max=600, help="For the outcome; 0: do not wait.")
    ] = 60.0,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Send a marked test to a receiver, on the way that alerts take; exit code 1 when it does not arrive.

    Example: chargewatch alerts test night
    """
    with Target(data, api, key, config).client() as client:
        answer = msgspec.json.decode(client.call("POST", path("alerts", "test", receiver)))
        if not wait:
            print_json(answer) if json else note(f"message {answer['message_id']} is on its way")
            return
        file = _outcome(client, answer["message_id"], wait)
    sent = file.delivery
    if json:
        print_json(sent)
    if sent.state != State.DELIVERED:
        waited = f"no outcome within {wait:g} s" if sent.state == State.WAITING else f"it was {sent.state.replace('_', ' ')}"
        raise CommandFailed(f"{receiver} did not get the test: {waited}{f': {sent.last_error}' if sent.last_error else ''}")
    if not json:
        note(f"{receiver} took the test in {file.attempts[-1].duration_ms} ms")


def _outcome(client: ApiClient, message_id: str, wait_s: float) -> DeliveryFile:
    """The message, once it is done or the time is over."""
    deadline = CLOCK.monotonic() + wait_s
    while True:
        file = client.get(DeliveryFile, path("deliveries", message_id))
        if file.delivery.state != State.WAITING or CLOCK.monotonic() >= deadline:
            return file
        time.sleep(_POLL_S)


@app.command()
def log(
    message_id: Annotated[str | None, typer.Argument(metavar="MESSAGE", help="Show every attempt of this message.")] = None,
    receiver: Annotated[str | None, typer.Option("--receiver", metavar="NAME", help="Only to this receiver.")] = None,
    state: Annotated[State | None, typer.Option("--state", help="Only what stands like this.")] = None,
    limit: Limit = 100,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """List what was told to whom, newest first, and what became of it.

    Example: chargewatch alerts log --state waiting
    """
    with Target(data, api, key, config).client() as client:
        if message_id is not None:
            _show(client.get(DeliveryFile, path("deliveries", message_id)), json)
            return
        page = client.pages(Sent, path("deliveries"), limit, receiver=receiver, state=state.value if state else None)
    columns = ("at", "to", "what", "state", "tries→", "next try", "last error", "message")
    rows = (
        (
            each.created_at,
            each.receiver,
            each.title,
            each.state,
            each.attempts,
            each.next_attempt_at,
            each.last_error,
            each.message_id,
        )
        for each in page.items
    )
    listing(page, columns, rows, as_json=json, nothing="nothing was told")


def _show(file: DeliveryFile, as_json: bool) -> None:
    if as_json:
        print_json(file)
        return
    sent = file.delivery
    pairs = (
        ("message", sent.message_id),
        ("to", sent.receiver),
        ("what", sent.title),
        ("state", f"{sent.state} ({sent.status}, {sent.reason}, change {sent.change} of its group)"),
        ("group", sent.group_key),
        ("made", sent.created_at),
        ("next try", sent.next_attempt_at),
        ("done", sent.ended_at),
    )
    console().print(facts(pairs))
    rows = ((each.attempt, each.at, each.outcome, each.http_status, each.duration_ms, each.detail) for each in file.attempts)
    console().print(table(("try→", "at", "outcome", "status→", "ms→", "what was said"), rows))


@app.command()
def check(
    labels: Annotated[
        list[str] | None,
        typer.Argument(metavar="LABEL=VALUE", help="Say who would be told of an alert with these labels."),
    ] = None,
    json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Check alerts.toml and list its receivers, or say what is wrong in it (exit code 2); needs no running platform.

    Example: chargewatch alerts check site=harbour kind=ConnectorFaulted severity=critical
    """
    from chargewatch.relaying import load_config  # with everything that sends: slow to import, and seldom needed

    found = load_config(Target(data, None, None, config).settings)
    told = _told(found, labels or []) if labels else list(found.receivers)
    rows = [(name, found.receivers[name].TYPE, found.receivers[name].send_resolved) for name in told]
    if json:
        print_json([{"receiver": name, "type": kind, "send_resolved": resolved} for name, kind, resolved in rows])
    elif rows:
        console().print(table(("receiver", "type", "hears the end"), rows))
    if not rows:
        note("nobody would be told" if found.receivers else f"nobody is told of alerts: {found.source}")


def _told(found: AlertConfig, texts: Sequence[str]) -> list[str]:
    try:
        matchers = [parse(text) for text in texts]
    except BadMatcher as error:
        raise CommandFailed(str(error), Exit.USAGE) from None
    labels = {each.label: each.value for each in matchers}
    return list(dict.fromkeys(name for leaf in leaves(found.route, labels) for name in leaf.route.receivers))


@app.command()
def secret(json: Json = False) -> None:
    """Print a new secret for a signed webhook; give it to alerts.toml and to the receiver, and to nobody else.

    Example: chargewatch alerts secret
    """
    made = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    if json:
        print_json({"secret": made})
    else:
        typer.echo(made)
