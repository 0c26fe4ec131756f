"""GetLog, OCPP 2.0.1 use case N01; the 1.6 security whitepaper has the same call."""

from __future__ import annotations

from chargenet.commands import GetDiagnostics
from chargenet.errors import InvalidCall
from collector.commands.limits import Translated, location, present, retry_fields

ACTION = "GetLog"


def get_log(command: GetDiagnostics, location_limit: int = 512) -> Translated:
    """Upload the log of `log_type` between two instants."""
    if command.log_type not in ("DiagnosticsLog", "SecurityLog"):
        raise InvalidCall(ACTION, f"{command.log_type!r} is no log: ask for DiagnosticsLog or SecurityLog")
    url = location(ACTION, "remoteLocation", command.location, location_limit)
    return ACTION, {
        "requestId": command.request_id,
        "logType": command.log_type,
        "log": {"remoteLocation": url, **present(oldestTimestamp=command.since, latestTimestamp=command.until)},
        **retry_fields(ACTION, command.retries, command.retry_interval_s),
    }
