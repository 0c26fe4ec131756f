"""DiagnosticsStatusNotification, OCPP 1.6 §4.4: how the upload that GetDiagnostics asked for is going."""

from __future__ import annotations

from typing import Any

from chargenet.events import DiagnosticsStatusReported
from collector.context import Context, Handled


def handle(call: Any, context: Context) -> Handled:
    """A status that the standard does not know is kept as said."""
    return Handled({}, (DiagnosticsStatusReported(status=call.status or "Unknown"),))
