"""DataTransfer, OCPP 1.6 §4.3: a vendor's own messages, kept as text. Decided here: which vendors are told that it was accepted.

The standard wants UnknownVendorId for vendors that we do not implement. Some charge points send status data this way and count on
being accepted; nothing is done with the data, which is kept either way.
"""

from __future__ import annotations

from typing import Any

from chargenet.events import DataTransferred
from collector.context import Context, Handled

ACCEPTED_VENDORS = {
    "EV-BOX": "evcc-io/evcc#14733: evbStatusNotification after each StatusNotification, expects Accepted",
    "EN+": "evcc-io/evcc#15552: gatewayInfo is the first frame after connecting, before BootNotification",
    "generalConfiguration": "evcc-io/evcc#15726: Eichrecht set-up (setMeterConfiguration) of Vestel and others",
}
"""Vendor id → evidence."""


def handle(call: Any, context: Context) -> Handled:
    """`data` stays the text that it is."""
    vendor_id = call.vendorId or ""
    status = "Accepted" if vendor_id in ACCEPTED_VENDORS else "UnknownVendorId"
    return Handled({"status": status}, (DataTransferred(vendor_id=vendor_id, message_id=call.messageId, data=call.data),))
