"""Calls of an OCPP 1.6 server, answered by the PyPI `ocpp` package's result classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ocpp.v16 import call_result

from simulator import jobs
from simulator.answers import Call, Handler, Reply, checked, settings, stopper, triggers
from simulator.link import Refused
from simulator.wire import payload

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

def _reply(action: str, after: Callable[[], None] | None = None, **fields: Any) -> Reply:
    return payload(getattr(call_result, action)(**fields)), after


def _fixed(action: str, **fields: Any) -> Handler:
    """Always the same answer: the charge point has the feature in name only, or not at all."""
    return lambda point, call: _reply(action, **fields)


def _reset(point: ChargePoint, call: Call) -> Reply:
    hard = call["type"] == "Hard"

    def restart() -> None:
        point.start_job("reboot", point.reboot("RemoteReset", "HardReset" if hard else "SoftReset"))

    return _reply("Reset", restart, status="Accepted")


def _change_availability(point: ChargePoint, call: Call) -> Reply:
    number, operative = call["connectorId"], call["type"] == "Operative"
    if number and number not in point.plugs:
        return _reply("ChangeAvailability", status="Rejected")
    plugs = [point.plugs[number]] if number else list(point.plugs.values())
    waits = not operative and any(plug.session is not None for plug in plugs)

    def apply() -> None:
        for plug in plugs:
            plug.set_operative(operative)

    return _reply("ChangeAvailability", apply, status="Scheduled" if waits else "Accepted")


def _change_configuration(point: ChargePoint, call: Call) -> Reply:
    setting = settings.by_key(call["key"])
    if setting is None:
        return _reply("ChangeConfiguration", status="NotSupported")
    accepted = setting.writable and settings.write(point, setting, call["value"])
    return _reply("ChangeConfiguration", status="Accepted" if accepted else "Rejected")


def _get_configuration(point: ChargePoint, call: Call) -> Reply:
    names = call.get("key") or [setting.key for setting in settings.TABLE if setting.key]
    known = [setting for name in names if (setting := settings.by_key(name)) is not None]
    keys = [
        {"key": setting.key, "readonly": not setting.writable, "value": settings.read(point, setting) if setting.readable else None}
        for setting in known
    ]
    unknown = [name for name in names if settings.by_key(name) is None]
    return _reply("GetConfiguration", configuration_key=keys, unknown_key=unknown or None)


def _remote_start(point: ChargePoint, call: Call) -> Reply:
    wanted = [call["connectorId"]] if "connectorId" in call else list(point.plugs)
    accepted = any(number in point.plugs and point.plugs[number].start_remotely(call["idTag"], 0) for number in wanted)
    return _reply("RemoteStartTransaction", status="Accepted" if accepted else "Rejected")


def _remote_stop(point: ChargePoint, call: Call) -> Reply:
    running = [plug for plug in point.plugs.values() if plug.session is not None and plug.session.number == call["transactionId"]]
    if not running:
        return _reply("RemoteStopTransaction", status="Rejected")
    return _reply("RemoteStopTransaction", stopper(running[0], "Remote"), status="Accepted")


def _unlock(point: ChargePoint, call: Call) -> Reply:
    plug = point.plugs.get(call["connectorId"])
    if plug is None:
        return _reply("UnlockConnector", status="NotSupported")
    return _reply("UnlockConnector", stopper(plug, "UnlockCommand"), status="Unlocked")


def _trigger(action: str) -> Handler:
    def handle(point: ChargePoint, call: Call) -> Reply:
        number = call.get("connectorId")
        if number is not None and number not in point.plugs:
            return _reply(action, status="Rejected")
        says = triggers(point, number).get(call["requestedMessage"])
        return _reply(action, status="NotImplemented") if says is None else _reply(action, says, status="Accepted")

    return handle


def _get_diagnostics(point: ChargePoint, call: Call) -> Reply:
    name = f"diagnostics-{point.charge_point_id}.log"
    started = point.start_job("upload", jobs.upload(point, call["location"], name, None))
    return _reply("GetDiagnostics", file_name=name if started else None)


def _get_log(point: ChargePoint, call: Call) -> Reply:
    name = f"{call['logType']}-{point.charge_point_id}.log"
    started = point.start_job("upload", jobs.upload(point, call["log"]["remoteLocation"], name, call["requestId"]))
    return _reply("GetLog", status="Accepted" if started else "Rejected", filename=name if started else None)


def _update_firmware(point: ChargePoint, call: Call) -> Reply:
    location = call["location"]
    if point.model.updates not in ("both", "plain"):  # L01.FR.20 of the security whitepaper
        raise Refused("NotSupported", "updates are ordered by SignedUpdateFirmware")
    point.updates.take(location, None, signed=False)
    return _reply("UpdateFirmware")


def _signed_update(point: ChargePoint, call: Call) -> Reply:
    firmware = call["firmware"]
    if point.model.updates not in ("both", "signed"):
        raise Refused("NotSupported", "SignedUpdateFirmware is not supported")
    if "BEGIN CERTIFICATE" not in firmware["signingCertificate"]:
        return _reply("SignedUpdateFirmware", status="InvalidCertificate")
    return _reply("SignedUpdateFirmware", status=point.updates.take(firmware["location"], call["requestId"], signed=True))


_HANDLERS: dict[str, Handler] = {
    "CancelReservation": _fixed("CancelReservation", status="Rejected"),
    "CertificateSigned": _fixed("CertificateSigned", status="Accepted"),
    "ChangeAvailability": _change_availability,
    "ChangeConfiguration": _change_configuration,
    "ClearCache": _fixed("ClearCache", status="Accepted"),
    "ClearChargingProfile": _fixed("ClearChargingProfile", status="Unknown"),
    "DataTransfer": _fixed("DataTransfer", status="UnknownVendorId"),
    "DeleteCertificate": _fixed("DeleteCertificate", status="NotFound"),
    "ExtendedTriggerMessage": _trigger("ExtendedTriggerMessage"),
    "GetCompositeSchedule": _fixed("GetCompositeSchedule", status="Rejected"),
    "GetConfiguration": _get_configuration,
    "GetDiagnostics": _get_diagnostics,
    "GetInstalledCertificateIds": _fixed("GetInstalledCertificateIds", status="NotFound"),
    "GetLocalListVersion": _fixed("GetLocalListVersion", list_version=0),
    "GetLog": _get_log,
    "InstallCertificate": _fixed("InstallCertificate", status="Accepted"),
    "RemoteStartTransaction": _remote_start,
    "RemoteStopTransaction": _remote_stop,
    "ReserveNow": _fixed("ReserveNow", status="Rejected"),
    "Reset": _reset,
    "SendLocalList": _fixed("SendLocalList", status="NotSupported"),
    "SetChargingProfile": _fixed("SetChargingProfile", status="NotSupported"),
    "SignedUpdateFirmware": _signed_update,
    "TriggerMessage": _trigger("TriggerMessage"),
    "UnlockConnector": _unlock,
    "UpdateFirmware": _update_firmware,
}
ANSWERS: dict[str, Handler] = {action: checked(handler) for action, handler in _HANDLERS.items()}
