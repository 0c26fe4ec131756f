"""Call result → outcome. Decided here: which status of each action's response means that the charge point does what it was asked.

A question that is answered with "there is none" is answered; an order that finds nothing to act on is not carried out. A status
that the specification does not know, or that is missing where it must be, is a rejection: no doubt is taken for consent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from chargenet.model.words import OutcomeStatus, Protocol
from collector.device_model import from_mappings

_ACCEPTED = frozenset({"Accepted"})
_ANSWERED = frozenset[str]()


class Items(msgspec.Struct, frozen=True):
    """A response without a status of its own, whose items each have one: rejected as soon as one of them is."""

    field: str
    status: str
    accepted: frozenset[str] = _ACCEPTED


CONSENT: Mapping[str, frozenset[str] | Items] = {
    "AFRRSignal": _ACCEPTED,
    "AdjustPeriodicEventStream": _ACCEPTED,
    "CancelReservation": _ACCEPTED,
    "CertificateSigned": _ACCEPTED,
    "ChangeAvailability": frozenset({"Accepted", "Scheduled"}),
    "ChangeConfiguration": frozenset({"Accepted", "RebootRequired"}),
    "ChangeTransactionTariff": _ACCEPTED,
    "ClearCache": _ACCEPTED,
    "ClearChargingProfile": _ACCEPTED,
    "ClearDERControl": _ACCEPTED,
    "ClearDisplayMessage": _ACCEPTED,
    "ClearTariffs": Items("clearTariffsResult", "status"),
    "ClearVariableMonitoring": Items("clearMonitoringResult", "status"),
    "CostUpdated": _ANSWERED,
    "CustomerInformation": _ACCEPTED,
    "DataTransfer": _ACCEPTED,
    "DeleteCertificate": _ACCEPTED,
    "ExtendedTriggerMessage": _ACCEPTED,
    "GetBaseReport": frozenset({"Accepted", "EmptyResultSet"}),
    "GetChargingProfiles": frozenset({"Accepted", "NoProfiles"}),
    "GetCompositeSchedule": _ACCEPTED,
    "GetConfiguration": _ANSWERED,
    "GetDERControl": frozenset({"Accepted", "NotFound"}),
    "GetDiagnostics": _ANSWERED,
    "GetDisplayMessages": frozenset({"Accepted", "Unknown"}),
    "GetInstalledCertificateIds": frozenset({"Accepted", "NotFound"}),
    "GetLocalListVersion": _ANSWERED,
    "GetLog": frozenset({"Accepted", "AcceptedCanceled"}),
    "GetMonitoringReport": frozenset({"Accepted", "EmptyResultSet"}),
    "GetPeriodicEventStream": _ANSWERED,
    "GetReport": frozenset({"Accepted", "EmptyResultSet"}),
    "GetTariffs": frozenset({"Accepted", "NoTariff"}),
    "GetTransactionStatus": _ANSWERED,
    "GetVariables": Items("getVariableResult", "attributeStatus"),
    "InstallCertificate": _ACCEPTED,
    "NotifyAllowedEnergyTransfer": _ACCEPTED,
    "NotifyWebPaymentStarted": _ANSWERED,
    "PublishFirmware": _ACCEPTED,
    "RemoteStartTransaction": _ACCEPTED,
    "RemoteStopTransaction": _ACCEPTED,
    "RequestBatterySwap": _ACCEPTED,
    "RequestStartTransaction": _ACCEPTED,
    "RequestStopTransaction": _ACCEPTED,
    "ReserveNow": _ACCEPTED,
    "Reset": frozenset({"Accepted", "Scheduled"}),
    "SendLocalList": _ACCEPTED,
    "SetChargingProfile": _ACCEPTED,
    "SetDERControl": _ACCEPTED,
    "SetDefaultTariff": _ACCEPTED,
    "SetDisplayMessage": _ACCEPTED,
    "SetMonitoringBase": _ACCEPTED,
    "SetMonitoringLevel": _ACCEPTED,
    "SetNetworkProfile": _ACCEPTED,
    "SetVariableMonitoring": Items("setMonitoringResult", "status"),
    "SetVariables": Items("setVariableResult", "attributeStatus", frozenset({"Accepted", "RebootRequired"})),
    "SignedUpdateFirmware": frozenset({"Accepted", "AcceptedCanceled"}),
    "TriggerMessage": _ACCEPTED,
    "UnlockConnector": frozenset({"Unlocked"}),
    "UnpublishFirmware": frozenset({"Unpublished"}),
    "UpdateDynamicSchedule": _ACCEPTED,
    "UpdateFirmware": frozenset({"Accepted", "AcceptedCanceled"}),
    "UsePriorityCharging": _ACCEPTED,
}
"""Action → statuses that are consent; an empty set is a response without a status, whose coming is consent."""

_WITHOUT_STATUS: Mapping[Protocol, frozenset[str]] = {Protocol.OCPP16: frozenset({"UpdateFirmware"})}
"""Actions whose response has a status in other versions only."""


def outcome(action: str, protocol: Protocol, result: object) -> tuple[OutcomeStatus, str | None]:
    """(accepted or rejected, what a person should know about it). `result` may break its schema: nothing in it is trusted."""
    consent = CONSENT.get(action)
    if consent is None:
        return OutcomeStatus.REJECTED, f"{action} is not a call to a charge point"
    if not isinstance(result, Mapping):
        return OutcomeStatus.REJECTED, "the call result is not an object"
    if isinstance(consent, Items):
        return _items(consent, result)
    if not consent or action in _WITHOUT_STATUS.get(protocol, ()):
        return _remarks(action, result)
    status = result.get("status")
    if not isinstance(status, str):
        return OutcomeStatus.REJECTED, "the call result has no status"
    ended = OutcomeStatus.ACCEPTED if status in consent else OutcomeStatus.REJECTED
    reason = _reason(result.get("statusInfo"))
    if status == "Accepted" and reason is None:
        return ended, None
    return ended, f"{status}: {reason}" if reason else status


def _items(consent: Items, result: Mapping[str, Any]) -> tuple[OutcomeStatus, str | None]:
    """Each item that is not plainly accepted is named."""
    items = result.get(consent.field)
    if not isinstance(items, Sequence) or isinstance(items, str) or not items:
        return OutcomeStatus.REJECTED, f"the call result has no {consent.field}"
    ended, remarks = OutcomeStatus.ACCEPTED, []
    for item in items:
        fields: Mapping[str, Any] = item if isinstance(item, Mapping) else {}
        status = fields.get(consent.status)
        status = status if isinstance(status, str) else None
        if status not in consent.accepted:
            ended = OutcomeStatus.REJECTED
        if status != "Accepted":
            reason = _reason(fields.get("attributeStatusInfo") or fields.get("statusInfo"))
            remarks.append(f"{_name(fields)}: {status or 'no status'}{f' ({reason})' if reason else ''}")
    return ended, "; ".join(remarks) or None


def _name(fields: Mapping[str, Any]) -> str:
    """What an item is about, for a person."""
    component, variable = fields.get("component"), fields.get("variable")
    if isinstance(component, Mapping) and isinstance(variable, Mapping):
        return from_mappings(component, variable, fields.get("attributeType")).name
    return str(fields.get("tariffId") or fields.get("id") or "item")


def _reason(info: object) -> str | None:
    """StatusInfoType as text."""
    if not isinstance(info, Mapping):
        return None
    parts = (info.get("reasonCode"), info.get("additionalInfo"))
    return ", ".join(str(part) for part in parts if part) or None


def _remarks(action: str, result: Mapping[str, Any]) -> tuple[OutcomeStatus, str | None]:
    """Responses without a status; keys that GetConfiguration does not know are not what was asked for."""
    unknown = result.get("unknownKey")
    if action == "GetConfiguration" and isinstance(unknown, list) and unknown:
        return OutcomeStatus.REJECTED, f"unknown keys: {', '.join(str(key) for key in unknown)}"
    if action == "GetDiagnostics" and not result.get("fileName"):
        return OutcomeStatus.ACCEPTED, "the charge point names no file: it may have nothing to upload"
    return OutcomeStatus.ACCEPTED, None
