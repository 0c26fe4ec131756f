"""What can be read and written of a charge point: 1.6 configuration keys and 2.x variables, in one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint


class Setting(NamedTuple):
    """`key` in 1.6, `variable` as Component.Variable in 2.x; "" where a protocol has it not."""

    key: str
    variable: str
    default: str = ""
    writable: bool = False
    readable: bool = True
    number: bool = False


TABLE = (
    Setting("HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval", writable=True, number=True),
    Setting("MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval", writable=True, number=True),
    Setting("ConnectionTimeOut", "TxCtrlr.EVConnectionTimeOut", "60", writable=True, number=True),
    Setting("LocalPreAuthorize", "AuthCtrlr.LocalPreAuthorize", "false", writable=True),
    Setting("AuthorizeRemoteTxRequests", "AuthCtrlr.AuthorizeRemoteStart", "false", writable=True),
    Setting("MeterValuesSampledData", "SampledDataCtrlr.TxUpdatedMeasurands", "Energy.Active.Import.Register,Power.Active.Import",
            writable=True),
    Setting("AuthorizationKey", "SecurityCtrlr.BasicAuthPassword", writable=True, readable=False),
    Setting("NumberOfConnectors", ""),
    Setting("SupportedFeatureProfiles", ""),
    Setting("SupportedFileTransferProtocols", "OCPPCommCtrlr.FileTransferProtocols", "HTTP,HTTPS"),
    Setting("GetConfigurationMaxKeys", "DeviceDataCtrlr.ItemsPerMessage", "20", number=True),
    Setting("", "ChargingStation.Model"),
    Setting("", "ChargingStation.VendorName"),
    Setting("", "ChargingStation.SerialNumber"),
    Setting("", "FirmwareCtrlr.FirmwareVersion"),
)  # fmt: skip


def by_key(key: str) -> Setting | None:
    """The setting of a 1.6 key."""
    return next((setting for setting in TABLE if key and setting.key == key), None)


def by_variable(variable: str) -> Setting | None:
    """The setting of a 2.x variable, names without regard to case."""
    return next((setting for setting in TABLE if variable and setting.variable.casefold() == variable.casefold()), None)


def read(point: ChargePoint, setting: Setting) -> str:
    """The value now; intervals in real seconds."""
    live = {
        "HeartbeatInterval": f"{point.heartbeat_s:.0f}",
        "MeterValueSampleInterval": f"{point.pace.real(point.meter_interval_s):.0f}",
        "NumberOfConnectors": str(len(point.plugs)),
        "SupportedFeatureProfiles": "Core" + ",FirmwareManagement" * (point.model.updates != "none") + ",RemoteTrigger",
        "ChargingStation.Model": point.model.name,
        "ChargingStation.VendorName": point.model.vendor,
        "ChargingStation.SerialNumber": point.plan.serial_number,
        "FirmwareCtrlr.FirmwareVersion": point.firmware,
    }
    name = setting.key or setting.variable
    return live.get(name) or point.settings.get(name, setting.default)


def write(point: ChargePoint, setting: Setting, value: str) -> bool:
    """Set it; False when the value is not one for it."""
    if setting.number and not (value.isdecimal() and int(value) <= 86_400):
        return False
    if setting.key == "HeartbeatInterval":
        point.heartbeat_s = max(1.0, float(value))
    elif setting.key == "MeterValueSampleInterval":
        point.meter_interval_s = max(1.0, float(value)) * point.pace.speed
    else:
        point.settings[setting.key or setting.variable] = value
    return True


def all_variables(point: ChargePoint) -> Iterator[tuple[str, str, str]]:
    """(component, variable, value) of everything that may be read in 2.x."""
    for setting in TABLE:
        if setting.variable and setting.readable:
            component, _, variable = setting.variable.partition(".")
            yield component, variable, read(point, setting)
