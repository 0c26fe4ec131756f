"""DataTransfer, OCPP 2.0.1 use case P02: kept as text. We know no vendor's own messages, and say so (P02.FR.06)."""

from __future__ import annotations

from typing import Any

import msgspec

from chargenet.events import DataTransferred
from collector.context import Context, Handled


def handle(call: Any, context: Context) -> Handled:
    """`data` may be any JSON; text stays as it is."""
    data = call.data if call.data is None or isinstance(call.data, str) else msgspec.json.encode(call.data).decode()
    event = DataTransferred(vendor_id=call.vendorId or "", message_id=call.messageId, data=data)
    return Handled({"status": "UnknownVendorId"}, (event,))
