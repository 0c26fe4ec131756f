"""docs/ocpp.md, written from the routes, the handlers and the command tables: `python -m tests.support.ocpp_docs` rewrites it.

What is said there of a reply or an event was seen when the handler ran on payloads made from the action's schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chargenet import commands, events
from chargenet.events import FrameDeviated
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.words import Protocol
from collector.commands import CSMS_INITIATED, translate
from collector.commands.directory import TITLES
from collector.commands.outcomes import CONSENT, Items
from collector.handlers.directions import UNCONFIRMED
from collector.handlers.v16.data_transfer import ACCEPTED_VENDORS
from collector.ocpp.schemas import schema_for
from collector.ocpp.structs import resolve
from collector.routing import ROUTES
from tests.support.handling import FixedDesk, run
from tests.support.payloads import full, minimal

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ocpp.md"

_HEAD = """# OCPP, action by action

What a charge point may say and what becomes of it; what can be asked of one and when that counts as accepted. This page is
written by `python -m tests.support.ocpp_docs` from the routes (`collector/routing.py`), the handlers and the command tables
(`collector/commands/`); a test fails when it is not up to date. Words: [glossary](glossary.md).
"""

_THEIRS = """
## Calls from a charge point

Every action that a charge point may initiate has a handler. *Answer* gives the fields of the reply, those in brackets only where
they apply; `{}` is a plain acknowledgement. *Becomes* names the events. Each frame is in the journal as it came, but for a
Heartbeat in order, which only touches liveness. A payload that breaks its schema is *used* (what can be read is used and the rest
flagged, since a report is not a permission) or *refused* (a request that lacks what it is about gets a call error).

| action | versions | answer | becomes | malformed |
|---|---|---|---|---|
"""

_OURS = """
## Calls to a charge point

Each can be sent by name with its payload (`chargewatch call`, `POST …/calls`); it is checked against its schema before it leaves.
*Command* is the version-independent command that becomes this call, where there is one. *Accepted when* gives the statuses that
count as consent: anything else is *rejected*, with the status and its reason as detail. A call error is *error*, silence *timed
out*.

| action | versions | command | accepted when |
|---|---|---|---|
"""

_NOTES = """
## Choices that the specification leaves open

- **Certificates.** No certificate authority, contract certificate pool, OCSP responder or CRL is asked: SignCertificate is
  Rejected, Get15118EVCertificate, GetCertificateStatus and GetCertificateChainStatus answer Failed, and an ID token that rests on a
  contract certificate is Invalid with certificateStatus CertChainError. Nothing is vouched for that was not checked.
- **Smart charging.** No schedule is calculated: NotifyEVChargingNeeds is answered Rejected (2.0.1) or NoChargingProfile (2.1), and
  PullDynamicScheduleUpdate Rejected. A schedule of the vehicle's own (NotifyEVChargingSchedule) is Accepted.
- **Start buttons.** A token of type NoAuthorization is Accepted without the token table: there is nobody to refuse.
- **Status in 2.1.** AvailabilityState in a NotifyEvent is a StatusReported as well, for Connector, EVSE and ChargingStation; where
  one call has an EVSE's state and its connectors', the connectors' count.
- **Repeated events.** A TransactionEvent whose transactionId, seqNo and eventType were answered before gets its answer again and
  becomes FrameRepeated, whatever its message id.
- **Configuration.** Names of 2.x variables are written `Component[evse.connector](instance).Variable[instance]#Attribute`, and
  `OCPPCommCtrlr.HeartbeatInterval` for short.
"""

_AT = datetime(2026, 3, 1, tzinfo=UTC)
_IMAGE = commands.UpdateFirmware(location="https://a/b", request_id=1, retrieve_at=_AT)
_COMMANDS: tuple[commands.Command, ...] = (
    commands.Reset(),
    commands.TriggerMessage(message="Heartbeat"),
    commands.TriggerMessage(message="LogStatusNotification"),
    commands.ChangeAvailability(operative=True),
    commands.SetVariable(name="A.B", value="1"),
    commands.GetVariables(),
    commands.GetVariables(names=("A.B",)),
    commands.RemoteStart(id_token=IdToken("A")),
    commands.RemoteStop(transaction_id="1"),
    commands.UnlockConnector(connector=ConnectorRef(1)),
    commands.GetDiagnostics(location="https://a/b", request_id=1),
    commands.GetDiagnostics(location="https://a/b", request_id=1, signed_form=True),
    _IMAGE,
    commands.UpdateFirmware(location="https://a/b", request_id=1, retrieve_at=_AT, signing_certificate="PEM", signature="c2ln"),
)


def page() -> str:
    """The whole page."""
    return _HEAD + _THEIRS + _table(_their_rows()) + _OURS + _table(_our_rows()) + _NOTES


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _their_rows() -> Iterator[tuple[str, ...]]:
    for action in sorted(set().union(*ROUTES.values())):
        seen: dict[tuple[str, str, str], list[Protocol]] = {}
        for protocol in Protocol:
            if action in ROUTES[protocol]:
                seen.setdefault(_theirs(protocol, action), []).append(protocol)
        for (answer, becomes, malformed), protocols in seen.items():
            yield action, _versions(protocols), answer, becomes, malformed


def _theirs(protocol: Protocol, action: str) -> tuple[str, str, str]:
    handled = [
        run(action, payload, protocol=protocol, desk=FixedDesk(registration=registration))
        for payload in _payloads(protocol, action)
        for registration in ("Accepted", "Pending")
    ]
    kinds = {type(event).__name__ for one in handled for event in one.events} - {FrameDeviated.__name__}
    becomes = [name for name in vars(events) if name in kinds]
    answer = "none: a SEND" if action in UNCONFIRMED else _answer([one.reply for one in handled])
    return answer, ", ".join(becomes) or "nothing", "used" if ROUTES[protocol][action].report else "refused"


def _payloads(protocol: Protocol, action: str) -> Iterator[dict[str, Any]]:
    """The least, the most, the most with each word of each enumeration at the top, and what only certain words bring out."""
    document = schema_for(protocol, action).document
    yield minimal(document)
    everything = full(document)
    yield everything
    for name, schema in document.get("properties", {}).items():
        for word in resolve(schema, document).get("enum", ()):
            yield {**everything, name: word}
    if action == "NotifyEvent":
        state = {"component": {"name": "ChargingStation"}, "variable": {"name": "AvailabilityState"}, "actualValue": "Available"}
        yield {**everything, "eventData": [{**everything["eventData"][0], **state}]}
    if action == "DataTransfer" and protocol is Protocol.OCPP16:
        yield {"vendorId": next(iter(ACCEPTED_VENDORS))}


def _answer(replies: list[Mapping[str, Any]]) -> str:
    """Fields of the replies; a fixed status with its value, a field that is not in all of them in brackets."""
    names = list(dict.fromkeys(name for reply in replies for name in reply))
    if not names:
        return "`{}`"
    parts = []
    for name in names:
        values = {str(reply[name]) for reply in replies if name in reply}
        fixed = name in ("status", "certificateStatus") and len(values) == 1
        text = f"`{name}: {values.pop()}`" if fixed else f"`{name}`"
        parts.append(text if all(name in reply for reply in replies) else f"[{text}]")
    return ", ".join(parts)


def _our_rows() -> Iterator[tuple[str, ...]]:
    named: dict[str, dict[str, None]] = {}
    for protocol in Protocol:
        for command in _COMMANDS:
            named.setdefault(translate(command, protocol)[0], {})[type(command).__name__] = None
    for action in sorted(CONSENT):
        protocols = [protocol for protocol in Protocol if action in CSMS_INITIATED[protocol]]
        yield action, _versions(protocols), ", ".join(named.get(action, ())) or " ", _consent(action)


def _consent(action: str) -> str:
    rule = CONSENT[action]
    if isinstance(rule, Items):
        return f"each item of `{rule.field}` is {' or '.join(sorted(rule.accepted))}"
    if action == "GetConfiguration":
        return "every key is known"
    statuses = " or ".join(sorted(rule)) or "answered"
    return f"{statuses}; 1.6: answered" if action == "UpdateFirmware" else statuses


def _versions(protocols: list[Protocol]) -> str:
    return ", ".join(TITLES[protocol].removeprefix("OCPP ") for protocol in protocols)


if __name__ == "__main__":
    PAGE.write_text(page())
