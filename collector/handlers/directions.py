"""Who may call what: the actions that a charge point initiates, per OCPP version.

Decided here, from the message tables of OCPP 1.6 edition 2 (§4) with the security whitepaper, 2.0.1 edition 3 and 2.1 edition 1
(part 2, the messages of each functional block). The schemas do not say the direction, so this table is the authority: a route
exists for each name, and every other action of a version is one of ours (see collector/commands/directory.py). DataTransfer goes
both ways.
"""

from __future__ import annotations

from collections.abc import Mapping

from chargenet.model.words import Protocol

V16: frozenset[str] = frozenset(
    {
        "Authorize",
        "BootNotification",
        "DataTransfer",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",  # security whitepaper
        "MeterValues",
        "SecurityEventNotification",  # security whitepaper
        "SignCertificate",  # security whitepaper
        "SignedFirmwareStatusNotification",  # security whitepaper
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
    }
)

V201: frozenset[str] = frozenset(
    {
        "Authorize",
        "BootNotification",
        "ClearedChargingLimit",
        "DataTransfer",
        "FirmwareStatusNotification",
        "Get15118EVCertificate",
        "GetCertificateStatus",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "NotifyChargingLimit",
        "NotifyCustomerInformation",
        "NotifyDisplayMessages",
        "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule",
        "NotifyEvent",
        "NotifyMonitoringReport",
        "NotifyReport",
        "PublishFirmwareStatusNotification",
        "ReportChargingProfiles",
        "ReservationStatusUpdate",
        "SecurityEventNotification",
        "SignCertificate",
        "StatusNotification",
        "TransactionEvent",
    }
)

V21: frozenset[str] = V201 | {
    "BatterySwap",  # block S: battery swapping
    "ClosePeriodicEventStream",  # block N: periodic event streams
    "GetCertificateChainStatus",  # block M: certificate management
    "NotifyDERAlarm",  # block R: distributed energy resources
    "NotifyDERStartStop",  # block R: distributed energy resources
    "NotifyPeriodicEventStream",  # block N: periodic event streams, unconfirmed: comes as SEND
    "NotifyPriorityCharging",  # block K: smart charging
    "NotifySettlement",  # block C: ad hoc payment
    "OpenPeriodicEventStream",  # block N: periodic event streams
    "PullDynamicScheduleUpdate",  # block K: smart charging
    "ReportDERControl",  # block R: distributed energy resources
    "VatNumberValidation",  # block C: ad hoc payment
}

UNCONFIRMED: frozenset[str] = frozenset({"NotifyPeriodicEventStream"})
"""Actions that have no response: they come as SEND (OCPP-J 2.1 §4.2.5) and are never answered."""

BOTH_WAYS: frozenset[str] = frozenset({"DataTransfer"})

CHARGE_POINT_INITIATED: Mapping[Protocol, frozenset[str]] = {
    Protocol.OCPP16: V16,
    Protocol.OCPP201: V201,
    Protocol.OCPP21: V21,
}
