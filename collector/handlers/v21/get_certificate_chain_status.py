"""GetCertificateChainStatus, OCPP 2.1 block M: every status failed, because no OCSP responder or CRL is asked for charge points."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from collector.context import Context
from collector.handlers.instants import wire
from collector.handlers.v201.reports import report_answered
from collector.ocpp.schemas import payload_of

_ASK_AGAIN = timedelta(days=1)


def _answer(call: Any, context: Context) -> dict[str, Any]:
    again_at = wire(context.received_at + _ASK_AGAIN)
    asked = payload_of(call)["certificateStatusRequests"]
    return {
        "certificateStatus": [
            {
                "certificateHashData": one["certificateHashData"],
                "source": one["source"],
                "status": "Failed",
                "nextUpdate": again_at,
            }
            for one in asked
        ]
    }


handle = report_answered("GetCertificateChainStatus", _answer)
