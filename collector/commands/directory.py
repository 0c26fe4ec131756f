"""What can be asked of a charge point: the actions that a CSMS initiates, per OCPP version.

Decided here, from the same message tables as collector/handlers/directions.py. `chargewatch call` completes from it, the API lists
it, and a raw call of any other name is refused before it leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from chargenet.errors import InvalidCall
from chargenet.model.words import Protocol
from collector.handlers.directions import CHARGE_POINT_INITIATED

V16: frozenset[str] = frozenset(
    {
        "CancelReservation",
        "CertificateSigned",  # security whitepaper
        "ChangeAvailability",
        "ChangeConfiguration",
        "ClearCache",
        "ClearChargingProfile",
        "DataTransfer",
        "DeleteCertificate",  # security whitepaper
        "ExtendedTriggerMessage",  # security whitepaper
        "GetCompositeSchedule",
        "GetConfiguration",
        "GetDiagnostics",
        "GetInstalledCertificateIds",  # security whitepaper
        "GetLocalListVersion",
        "GetLog",  # security whitepaper
        "InstallCertificate",  # security whitepaper
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "SetChargingProfile",
        "SignedUpdateFirmware",  # security whitepaper
        "TriggerMessage",
        "UnlockConnector",
        "UpdateFirmware",
    }
)

V201: frozenset[str] = frozenset(
    {
        "CancelReservation",
        "CertificateSigned",
        "ChangeAvailability",
        "ClearCache",
        "ClearChargingProfile",
        "ClearDisplayMessage",
        "ClearVariableMonitoring",
        "CostUpdated",
        "CustomerInformation",
        "DataTransfer",
        "DeleteCertificate",
        "GetBaseReport",
        "GetChargingProfiles",
        "GetCompositeSchedule",
        "GetDisplayMessages",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "GetMonitoringReport",
        "GetReport",
        "GetTransactionStatus",
        "GetVariables",
        "InstallCertificate",
        "PublishFirmware",
        "RequestStartTransaction",
        "RequestStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "SetChargingProfile",
        "SetDisplayMessage",
        "SetMonitoringBase",
        "SetMonitoringLevel",
        "SetNetworkProfile",
        "SetVariableMonitoring",
        "SetVariables",
        "TriggerMessage",
        "UnlockConnector",
        "UnpublishFirmware",
        "UpdateFirmware",
    }
)

V21: frozenset[str] = V201 | {
    "AFRRSignal",
    "AdjustPeriodicEventStream",
    "ChangeTransactionTariff",
    "ClearDERControl",
    "ClearTariffs",
    "GetDERControl",
    "GetPeriodicEventStream",
    "GetTariffs",
    "NotifyAllowedEnergyTransfer",
    "NotifyWebPaymentStarted",
    "RequestBatterySwap",
    "SetDERControl",
    "SetDefaultTariff",
    "UpdateDynamicSchedule",
    "UsePriorityCharging",
}

CSMS_INITIATED: Mapping[Protocol, frozenset[str]] = {Protocol.OCPP16: V16, Protocol.OCPP201: V201, Protocol.OCPP21: V21}

TITLES: Mapping[Protocol, str] = {Protocol.OCPP16: "OCPP 1.6", Protocol.OCPP201: "OCPP 2.0.1", Protocol.OCPP21: "OCPP 2.1"}


def actions(protocol: Protocol) -> tuple[str, ...]:
    """The actions that can be sent to a charge point of this version, in alphabetical order."""
    return tuple(sorted(CSMS_INITIATED[protocol]))


def require(action: str, protocol: Protocol) -> str:
    """`action`, when the version knows it as ours to call; raises InvalidCall with the reason otherwise."""
    known = CSMS_INITIATED[protocol]
    if action in known:
        return action
    if action in CHARGE_POINT_INITIATED[protocol]:
        raise InvalidCall(action, f"only a charge point sends it in {TITLES[protocol]}; a TriggerMessage asks for it")
    near = get_close_matches(action, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise InvalidCall(action, f"{TITLES[protocol]} has no such call to a charge point{hint}")
