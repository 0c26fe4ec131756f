"""Calls of an OCPP 2.0.1 or 2.1 server, answered by the PyPI `ocpp` package's result classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ocpp.v21 import call_result as results21
from ocpp.v201 import call_result as results201

from simulator import jobs
from simulator import reports as r
from simulator.answers import Call, Handler, Reply, checked, settings, stopper, triggers
from simulator.wire import payload

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

_PART = 20
"""Variables in one NotifyReport."""
_ONLY_16 = frozenset({"DiagnosticsStatusNotification"})


def _reply(action: str, after: Callable[[], None] | None = None, **fields: Any) -> Reply:
    """Results have the same fields in both versions where both have the action."""
    return payload(getattr(results21, action)(**fields)), after


def _fixed(action: str, **fields: Any) -> Handler:
    """Always the same answer: the charge point has the feature in name only, or not at all."""
    return lambda point, call: _reply(action, **fields)


def _reset(point: ChargePoint, call: Call) -> Reply:
    if "evseId" in call:
        return _reply("Reset", status="Rejected")
    busy = any(plug.session is not None for plug in point.plugs.values())
    immediate = call["type"] != "OnIdle"

    def restart() -> None:
        point.start_job("reboot", jobs.restart(point, when_idle=not immediate))

    return _reply("Reset", restart, status="Scheduled" if busy and not immediate else "Accepted")


def _change_availability(point: ChargePoint, call: Call) -> Reply:
    number, operative = call.get("evse", {}).get("id"), call["operationalStatus"] == "Operative"
    if number is not None and number not in point.plugs:
        return _reply("ChangeAvailability", status="Rejected")
    plugs = [point.plugs[number]] if number else list(point.plugs.values())
    waits = not operative and any(plug.session is not None for plug in plugs)

    def apply() -> None:
        for plug in plugs:
            plug.set_operative(operative)

    return _reply("ChangeAvailability", apply, status="Scheduled" if waits else "Accepted")


def _variable(data: dict[str, Any]) -> tuple[settings.Setting | None, dict[str, Any]]:
    """The setting that is meant, and the fields that its result repeats."""
    component, variable = data["component"], data["variable"]
    named = {"component": component, "variable": variable, "attribute_type": data.get("attributeType")}
    return settings.by_variable(f"{component['name']}.{variable['name']}"), named


def _get_variables(point: ChargePoint, call: Call) -> Reply:
    results = []
    for data in call["getVariableData"]:
        setting, named = _variable(data)
        if setting is None:
            results.append(named | {"attribute_status": "UnknownVariable"})
        elif not setting.readable:
            results.append(named | {"attribute_status": "Rejected"})
        else:
            results.append(named | {"attribute_status": "Accepted", "attribute_value": settings.read(point, setting)})
    return _reply("GetVariables", get_variable_result=results)


def _set_variables(point: ChargePoint, call: Call) -> Reply:
    results = []
    for data in call["setVariableData"]:
        setting, named = _variable(data)
        if setting is None:
            results.append(named | {"attribute_status": "UnknownVariable"})
        else:
            accepted = setting.writable and settings.write(point, setting, data["attributeValue"])
            results.append(named | {"attribute_status": "Accepted" if accepted else "Rejected"})
    return _reply("SetVariables", set_variable_result=results)


def _get_base_report(point: ChargePoint, call: Call) -> Reply:
    request_id = call["requestId"]

    def report() -> None:
        variables = list(settings.all_variables(point))
        parts = [tuple(variables[start : start + _PART]) for start in range(0, len(variables), _PART)]
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            point.say(r.Inventory(request_id=request_id, at=point.now(), seq_no=number, last=last, variables=part))

    return _reply("GetBaseReport", report, status="Accepted")


def _start(point: ChargePoint, call: Call) -> Reply:
    wanted = [call["evseId"]] if "evseId" in call else list(point.plugs)
    token, start_id = call["idToken"]["idToken"], call["remoteStartId"]
    accepted = any(number in point.plugs and point.plugs[number].start_remotely(token, start_id) for number in wanted)
    return _reply("RequestStartTransaction", status="Accepted" if accepted else "Rejected")


def _stop(point: ChargePoint, call: Call) -> Reply:
    wanted = call["transactionId"]
    running = [plug for plug in point.plugs.values() if plug.session is not None and plug.session.transaction_id == wanted]
    if not running:
        return _reply("RequestStopTransaction", status="Rejected")
    return _reply("RequestStopTransaction", stopper(running[0], "Remote"), status="Accepted")


def _unlock(point: ChargePoint, call: Call) -> Reply:
    plug = point.plugs.get(call["evseId"])
    if plug is None:
        return _reply("UnlockConnector", status="UnknownConnector")
    if plug.session is not None:
        return _reply("UnlockConnector", status="OngoingAuthorizedTransaction")
    return _reply("UnlockConnector", status="Unlocked")


def _trigger(point: ChargePoint, call: Call) -> Reply:
    number, wanted = call.get("evse", {}).get("id"), call["requestedMessage"]
    if number is not None and number not in point.plugs:
        return _reply("TriggerMessage", status="Rejected")
    says = None if wanted in _ONLY_16 else triggers(point, number).get(wanted)
    return _reply("TriggerMessage", status="NotImplemented") if says is None else _reply("TriggerMessage", says, status="Accepted")


def _get_log(point: ChargePoint, call: Call) -> Reply:
    name = f"{call['logType']}-{point.charge_point_id}.log"
    started = point.start_job("upload", jobs.upload(point, call["log"]["remoteLocation"], name, call["requestId"]))
    return _reply("GetLog", status="Accepted" if started else "Rejected", filename=name if started else None)


def _update_firmware(point: ChargePoint, call: Call) -> Reply:
    firmware = call["firmware"]
    signed = "signingCertificate" in firmware
    if signed and "BEGIN CERTIFICATE" not in firmware["signingCertificate"]:
        return _reply("UpdateFirmware", status="InvalidCertificate")
    return _reply("UpdateFirmware", status=point.updates.take(firmware["location"], call["requestId"], signed=signed))


def _transaction_status(point: ChargePoint, call: Call) -> Reply:
    wanted = call.get("transactionId")
    running = {plug.session.transaction_id for plug in point.plugs.values() if plug.session is not None}
    return _reply(
        "GetTransactionStatus",
        messages_in_queue=point.waiting > 0,
        ongoing_indicator=wanted in running if wanted is not None else None,
    )


def _clear_monitoring(point: ChargePoint, call: Call) -> Reply:
    return _reply("ClearVariableMonitoring", clear_monitoring_result=[{"id": id_, "status": "NotFound"} for id_ in call["id"]])


def _set_monitoring(point: ChargePoint, call: Call) -> Reply:
    results = [
        {
            "status": "UnsupportedMonitorType",
            "type": data["type"],
            "severity": data["severity"],
            "component": data["component"],
            "variable": data["variable"],
        }
        for data in call["setMonitoringData"]
    ]
    return _reply("SetVariableMonitoring", set_monitoring_result=results)


_STATUS = {
    "AFRRSignal": "Rejected",
    "AdjustPeriodicEventStream": "Rejected",
    "CancelReservation": "Rejected",
    "CertificateSigned": "Accepted",
    "ChangeTransactionTariff": "Rejected",
    "ClearCache": "Accepted",
    "ClearChargingProfile": "Unknown",
    "ClearDERControl": "NotSupported",
    "ClearDisplayMessage": "Unknown",
    "CustomerInformation": "Rejected",
    "DataTransfer": "UnknownVendorId",
    "DeleteCertificate": "NotFound",
    "GetChargingProfiles": "NoProfiles",
    "GetCompositeSchedule": "Rejected",
    "GetDERControl": "NotSupported",
    "GetDisplayMessages": "Unknown",
    "GetInstalledCertificateIds": "NotFound",
    "GetMonitoringReport": "EmptyResultSet",
    "GetReport": "EmptyResultSet",
    "GetTariffs": "NoTariff",
    "InstallCertificate": "Accepted",
    "NotifyAllowedEnergyTransfer": "Rejected",
    "PublishFirmware": "Rejected",
    "RequestBatterySwap": "Rejected",
    "ReserveNow": "Rejected",
    "SendLocalList": "Failed",
    "SetChargingProfile": "Rejected",
    "SetDERControl": "NotSupported",
    "SetDefaultTariff": "Rejected",
    "SetDisplayMessage": "Rejected",
    "SetMonitoringBase": "NotSupported",
    "SetMonitoringLevel": "Rejected",
    "SetNetworkProfile": "Rejected",
    "UnpublishFirmware": "NoFirmware",
    "UpdateDynamicSchedule": "Rejected",
    "UsePriorityCharging": "NoProfile",
}
"""Actions that this charge point knows and does not have, and what it says then."""
_HANDLERS: dict[str, Handler] = {
    **{action: _fixed(action, status=status) for action, status in _STATUS.items()},
    "ChangeAvailability": _change_availability,
    "ClearTariffs": _fixed("ClearTariffs", clear_tariffs_result=[{"status": "NoTariff"}]),
    "ClearVariableMonitoring": _clear_monitoring,
    "CostUpdated": _fixed("CostUpdated"),
    "GetBaseReport": _get_base_report,
    "GetLocalListVersion": _fixed("GetLocalListVersion", version_number=0),
    "GetLog": _get_log,
    "GetPeriodicEventStream": _fixed("GetPeriodicEventStream"),
    "GetTransactionStatus": _transaction_status,
    "GetVariables": _get_variables,
    "NotifyWebPaymentStarted": _fixed("NotifyWebPaymentStarted"),
    "RequestStartTransaction": _start,
    "RequestStopTransaction": _stop,
    "Reset": _reset,
    "SetVariableMonitoring": _set_monitoring,
    "SetVariables": _set_variables,
    "TriggerMessage": _trigger,
    "UnlockConnector": _unlock,
    "UpdateFirmware": _update_firmware,
}


def answers(protocol: str) -> dict[str, Handler]:
    """The table of 2.1, or of it what 2.0.1 knows."""
    known = results21 if protocol == "ocpp2.1" else results201
    return {action: checked(handler) for action, handler in _HANDLERS.items() if hasattr(known, action)}
