"""UpdateFirmware, OCPP 2.0.1 use cases L01 (signed) and L02."""

from __future__ import annotations

from typing import Any

from chargenet.commands import UpdateFirmware
from collector.commands.limits import Translated, at_most, location, present, retry_fields, signed
from collector.handlers.instants import wire

ACTION = "UpdateFirmware"


def update_firmware(command: UpdateFirmware, location_limit: int = 512) -> Translated:
    """Signed and unsigned images go by the same call."""
    signed(ACTION, command.signing_certificate, command.signature)
    retries = retry_fields(ACTION, command.retries, command.retry_interval_s)
    return ACTION, {"requestId": command.request_id, "firmware": firmware(ACTION, command, location_limit), **retries}


def firmware(action: str, command: UpdateFirmware, location_limit: int) -> dict[str, Any]:
    """FirmwareType, the same in the 1.6 security whitepaper and in 2.x but for the length of an address."""
    at_most(action, "signingCertificate", command.signing_certificate or "", 5500)
    at_most(action, "signature", command.signature or "", 800)
    return {
        "location": location(action, "location", command.location, location_limit),
        "retrieveDateTime": wire(command.retrieve_at),
        **present(installDateTime=command.install_at, signingCertificate=command.signing_certificate, signature=command.signature),
    }
