"""SignCertificate, OCPP 1.6 security whitepaper: rejected, because this CSMS has no certificate authority behind it."""

from __future__ import annotations

from typing import Any

from chargenet.events import ReportReceived
from collector.context import Context, Handled
from collector.ocpp.schemas import payload_of


def handle(call: Any, context: Context) -> Handled:
    """The request is kept: an operator may want to know who asks for certificates."""
    return Handled({"status": "Rejected"}, (ReportReceived(action="SignCertificate", payload=payload_of(call)),))
