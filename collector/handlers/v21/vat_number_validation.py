"""VatNumberValidation, OCPP 2.1 block C: rejected, because no VAT register is asked; the number is given back as it came."""

from __future__ import annotations

from typing import Any

from collector.context import Context
from collector.handlers.v201.reports import refusal, report_answered


def _answer(call: Any, context: Context) -> dict[str, Any]:
    evse = {} if call.evseId is None else {"evseId": call.evseId}
    refused = refusal("Rejected", "UnsupportedRequest", "VAT numbers are not checked here")
    return {**refused, "vatNumber": call.vatNumber, **evse}


handle = report_answered("VatNumberValidation", _answer)
