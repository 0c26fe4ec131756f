"""GetDiagnostics, OCPP 1.6 §5.9, and the security whitepaper's GetLog where it is asked for or needed."""

from __future__ import annotations

from chargenet.commands import GetDiagnostics
from collector.commands.limits import Translated, location, present, retry_fields
from collector.commands.v201.get_log import get_log


def get_diagnostics(command: GetDiagnostics) -> Translated:
    """The plain form knows no request id and no security log; for those there is the whitepaper's GetLog, which 2.0.1 took over."""
    if command.signed_form or command.log_type != "DiagnosticsLog":
        return get_log(command)
    return "GetDiagnostics", {
        "location": location("GetDiagnostics", "location", command.location, None),
        **retry_fields("GetDiagnostics", command.retries, command.retry_interval_s),
        **present(startTime=command.since, stopTime=command.until),
    }
