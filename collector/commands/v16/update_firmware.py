"""UpdateFirmware, OCPP 1.6 §5.19, and SignedUpdateFirmware of the security whitepaper."""

from __future__ import annotations

from chargenet.commands import UpdateFirmware
from chargenet.errors import InvalidCall
from collector.commands.limits import Translated, location, retry_fields, signed
from collector.commands.v201.update_firmware import firmware
from collector.handlers.instants import wire


def update_firmware(command: UpdateFirmware) -> Translated:
    """Signed where a signature is given. The plain form knows neither a request id nor an installation time."""
    if signed("SignedUpdateFirmware", command.signing_certificate, command.signature):
        action = "SignedUpdateFirmware"
        retries = retry_fields(action, command.retries, command.retry_interval_s)
        return action, {"requestId": command.request_id, "firmware": firmware(action, command, 512), **retries}
    if command.install_at is not None:
        raise InvalidCall(
            "UpdateFirmware", "OCPP 1.6 has no installation time in its unsigned form: the image is installed once fetched"
        )
    return "UpdateFirmware", {
        "location": location("UpdateFirmware", "location", command.location, None),
        "retrieveDate": wire(command.retrieve_at),
        **retry_fields("UpdateFirmware", command.retries, command.retry_interval_s),
    }
