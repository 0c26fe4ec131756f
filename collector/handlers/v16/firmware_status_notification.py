"""FirmwareStatusNotification, OCPP 1.6 §4.5. A report is no proof: only the version in the next BootNotification is."""

from __future__ import annotations

from typing import Any

from chargenet.events import FirmwareStatusReported
from collector.context import Context, Handled


def handle(call: Any, context: Context) -> Handled:
    """Statuses of the signed form ("InstallRebooting") come in the plain one too: kept as said."""
    return Handled({}, (FirmwareStatusReported(status=call.status or "Unknown"),))
